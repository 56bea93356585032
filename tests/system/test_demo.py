"""`make run DEMO=1` on fresh data: what a newcomer sees happen has happened, and nobody's name got out on the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from firmware_bridge.simulators.reader import specimen
from tools.house import House, house
from tools.stage import DEMO

pytestmark = pytest.mark.timeout(300)

PERSON = specimen()
PERSONAL = {"name": PERSON.name, "number": PERSON.number, "address": PERSON.address}

OF_THE_VISIT = [
    "visit.registered",
    "host.answered",
    "visit.decided",
    "pass.issued",
    "slip.printed",
    "pass.admitted",
    "pass.left",
]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, list[str]]]:
    """A demo that was played to its end, and every command line that was seen on the way."""
    with house(DEMO.copy(tmp_path_factory.mktemp("demo"))) as it:
        seen: set[str] = set()
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.05):
                seen.update(it.running().values())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            assert it.run("--demo").popen.wait(100) == 0, it.output()
        finally:
            over.set()
            watcher.join()
        yield it, sorted(seen)


def test_it_says_each_step_and_where_to_look(played: tuple[House, list[str]]) -> None:
    it, _ = played
    said = it.output()
    for words in (
        "registered",
        "the clerk agrees",
        "slip printed",
        "admitted",
        "left",
        "one visit, end to end",
    ):
        assert words in said, said


def test_the_receipt_can_be_scanned(played: tuple[House, list[str]]) -> None:
    it, _ = played
    with Image.open(it.stage.shown / "receipt.png") as receipt:
        (code,) = zxingcpp.read_barcodes(receipt)
    assert code.text.startswith("VP1")


@pytest.mark.parametrize("name", ["lobby-01-welcome.png", "gate-admitted.png", "gate-left.png"])
def test_the_screens_are_pictures_of_more_than_one_colour(played: tuple[House, list[str]], name: str) -> None:
    it, _ = played
    with Image.open(it.stage.shown / name) as picture:
        colours = picture.convert("RGB").getcolors(1 << 24)
    assert colours is not None
    assert len(colours) > 50


@pytest.mark.parametrize(
    ("page", "standing"), [("console.html", "inside"), ("console-after.html", "left")], ids=["inside", "left"]
)
def test_the_console_s_page_needs_no_server(
    played: tuple[House, list[str]], page: str, standing: str
) -> None:
    it, _ = played
    html = (it.stage.shown / page).read_text("utf-8")
    assert standing in html
    assert "<style>" in html
    assert "<script" not in html
    assert '="/static' not in html


def test_the_log_holds_the_visit_s_events_in_order(played: tuple[House, list[str]]) -> None:
    it, _ = played
    # The demo waits for each before it goes on, so they arrive in the order in which they happened.
    assert [kind for kind in it.types() if kind in OF_THE_VISIT] == OF_THE_VISIT


def test_no_personal_data_stands_in_a_log_or_a_command_line(played: tuple[House, list[str]]) -> None:
    it, command_lines = played
    assert any("kiosk lobby" in line for line in command_lines)
    everything = it.output() + "\n".join(command_lines) + "\n".join(map(str, it.events()))
    found = [what for what, text in PERSONAL.items() if text in everything]
    assert found == []


def test_no_pass_stands_in_a_log_or_a_command_line(played: tuple[House, list[str]]) -> None:
    it, command_lines = played
    assert "VP1" not in it.output() + "\n".join(command_lines) + "\n".join(map(str, it.events()))


def test_everything_is_readable_by_its_owner_only(played: tuple[House, list[str]]) -> None:
    it, _ = played
    assert it.stage.var.stat().st_mode & 0o077 == 0


def test_nothing_is_left_running(played: tuple[House, list[str]]) -> None:
    it, _ = played
    assert it.running() == {}


def test_a_second_demo_on_the_same_data_works_as_well(
    played: tuple[House, list[str]], tmp_path: Path
) -> None:
    it, _ = played
    assert it.run("--demo").popen.wait(100) == 0, it.output()
    assert it.types().count("pass.admitted") == 2
