"""What is drawn, as pixels: the code is read back, rare characters are never boxes, faults end in an apology."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sample
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from kivy.base import ExceptionManager
from PIL import Image

from broker.contract.passes import KeySet, PassError, TrustedKey, check
from kiosk.ui import pilot, qr
from kiosk.ui.shell import FAULTS, Shell, _Faults
from kiosk.ui.text import drawable

Make = Callable[..., "object"]


@pytest.mark.parametrize("size", [(1080, 1920), (1920, 1080), (800, 1280), (1280, 800)])
def test_the_code_on_the_screen_reads_as_the_pass(
    terminal: Make, size: tuple[int, int], tmp_path: Path
) -> None:
    t = terminal("zh_CN", size)
    sample.to_pass(t.sample)
    pilot.shoot(t.stage, tmp_path / "pass.png")
    with Image.open(tmp_path / "pass.png") as picture:
        found = zxingcpp.read_barcodes(picture.convert("L"))
    assert [code.text for code in found] == [sample.not_a_pass()]


def test_the_codes_in_pictures_are_no_passes() -> None:
    key = TrustedKey(1, Ed25519PrivateKey.generate().public_key(), "lobby-1", 0xFFFF, 0, 2**32 - 1, 86_400)
    with pytest.raises(PassError):
        check(sample.not_a_pass(), KeySet("yunqi.example", {1: key}))


def test_the_matrix_is_that_of_version_10_whatever_the_length() -> None:
    for text in ("VP1A", sample.not_a_pass(), "A" * 200):
        assert {len(row) for row in qr.matrix(text)} == {57}


@pytest.mark.parametrize("text", ["A" * 241, "klein", "登记"])
def test_what_no_pass_can_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a text"):
        qr.matrix(text)


@pytest.mark.parametrize(
    ("text", "bold", "shown", "in_bold"),
    [
        ("张伟", True, "张伟", True),
        ("张玥喆", True, "张玥喆", False),
        ("𠮷田", True, "〓田", True),
        ("Zoë Ångström", True, "Zoë Ångström", True),
        ("3 号楼 · 听松", True, "3 号楼·听松", True),
        ("Residents’ Club", False, "Residents' Club", False),
    ],
)
def test_a_character_that_no_font_holds_is_never_drawn_as_a_box(
    text: str, bold: bool, shown: str, in_bold: bool
) -> None:
    assert drawable(text, bold=bold) == (shown, in_bold)


class _Broken(Shell):
    """A terminal whose drawing fails."""

    def __init__(self) -> None:
        super().__init__(kiosk=False, pilot=None)
        self.faults: list[str] = []
        self.stopped = False

    def draw(self) -> None:
        raise ZeroDivisionError

    def on_fault(self, fault: str) -> None:
        self.faults.append(fault)

    def stop(self, *_: object) -> None:
        self.stopped = True


def test_a_fault_is_logged_under_the_id_that_the_visitor_sees(caplog: pytest.LogCaptureFixture) -> None:
    shell = _Broken()
    assert _Faults(shell).handle_exception(ValueError("13800001234")) == ExceptionManager.PASS
    assert len(shell.faults) == 1
    assert shell.faults[0] in caplog.text
    assert not shell.stopped


def test_many_faults_in_a_row_end_the_process_for_a_fresh_start() -> None:
    shell = _Broken()
    for _ in range(FAULTS):
        _Faults(shell).handle_exception(ValueError())
    assert shell.stopped
    assert shell.exit_code == 1


def test_ctrl_c_is_no_fault() -> None:
    shell = _Broken()
    assert _Faults(shell).handle_exception(KeyboardInterrupt()) == ExceptionManager.RAISE
    assert shell.faults == []
