"""The simulated devices are faithful: what they claim to be is what drivers can rely on elsewhere."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
import serial

from firmware_bridge.capabilities import Line, Ticket
from firmware_bridge.link.port import LinkLostError, Port
from firmware_bridge.protocols import escpos, sdt
from firmware_bridge.protocols.sdt import Command, Reply, Request, Status
from firmware_bridge.simulators import Simulators, SimulatorsError, State
from firmware_bridge.simulators.control import ask, serving
from firmware_bridge.simulators.paper import Paper

from .conftest import Eventually


class Host:
    """A plain host on a line, without any of the drivers."""

    def __init__(self, path: Path) -> None:
        self.port = Port(str(path), 115200)

    def ask(self, command: int) -> Reply:
        return self.say(Request(command).encode())

    def say(self, data: bytes) -> Reply:
        self.port.write(data)
        framer = sdt.Framer.for_replies()
        while (chunk := self.port.read(20)) is not None:
            for body in framer.feed(chunk.data):
                assert isinstance(body, bytes)
                return Reply.of(body)
        raise AssertionError("no answer")

    def status(self) -> list[int]:
        answers: list[int] = []
        for kind in escpos.STATUS_KINDS:
            self.port.write(escpos.ask_status(kind))
            chunk = self.port.read(20)
            assert chunk is not None
            answers += chunk.data
        return answers


@pytest.fixture
def host(devices: Simulators):
    hosts: list[Host] = []

    def connect(name: str) -> Host:
        hosts.append(Host(devices.ports[name]))
        return hosts[-1]

    yield connect
    for each in hosts:
        each.port.close()


# The reader (§1.10, §1.16) -----------------------------------------------------------------------------------------

FIND, SELECT, READ, MORE = Command.FIND, Command.SELECT, Command.READ, Command.READ_ADDED_ADDRESS
SESSIONS = {
    "no card": ([FIND], [Status.NO_CARD]),
    "select without find": (["place", SELECT], [Status.SELECT_FAILED]),
    "read without select": (["place", FIND, READ], [Status.FOUND, Status.READ_FAILED]),
    "a whole read, then the card must leave": (
        ["place", FIND, SELECT, READ, FIND, MORE, "remove", MORE, "place", FIND],
        [0x9F, 0x90, 0x90, 0x80, 0x91, 0x41, 0x9F],
    ),
    "removed between select and read": (
        ["place", FIND, SELECT, "remove", READ, FIND],
        [0x9F, 0x90, 0x41, 0x80],
    ),
    "a reset finds the card again": (
        ["place", FIND, SELECT, READ, Command.RESET, FIND],
        [0x9F, 0x90, 0x90, 0x90, 0x9F],
    ),
    "status and number at any time": (["place", 0x11FF, FIND, 0x12FF, SELECT], [0x90, 0x9F, 0x90, 0x90]),
    "a command nobody knows": ([0x7777], [Status.BAD_COMMAND]),
}


@pytest.mark.parametrize("case", SESSIONS)
def test_a_reader_s_session_goes_by_its_rules(case: str, devices: Simulators, host) -> None:
    steps, statuses = SESSIONS[case]
    line, answered = host("id-reader"), []
    for step in steps:
        if step == "place":
            devices.reader.place()
        elif step == "remove":
            devices.reader.remove()
        else:
            answered.append(line.ask(step).status)
    assert answered == statuses


def test_a_damaged_request_is_answered_with_its_damage(host) -> None:
    line = host("id-reader")
    good = Request(Command.FIND).encode()
    assert line.say(good[:-1] + b"\x00").status == Status.BAD_CHECKSUM
    assert line.say(sdt.PREAMBLE + b"\x00\x01\x01").status == Status.BAD_LENGTH
    assert line.ask(Command.FIND).status == Status.NO_CARD


def test_garbage_is_met_with_silence(host) -> None:
    line = host("id-reader")
    line.port.write(b"hello? anybody there?")
    assert line.port.read(0.2) is None
    assert line.ask(Command.SAM_STATUS).status == Status.OK


# The printer (§2.1) ------------------------------------------------------------------------------------------------

CONDITIONS = {
    "paper_out": [0x1A, 0x32, 0x12, 0x7E],
    "cover_open": [0x1A, 0x16, 0x12, 0x12],
    "near_end": [0x12, 0x12, 0x12, 0x1E],
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_printer_s_status_is_the_manuals_bytes(condition: str, devices: Simulators, host) -> None:
    line = host("printer")
    assert line.status() == [0x12] * 4
    getattr(devices.printer, condition)()
    assert line.status() == CONDITIONS[condition]
    devices.printer.paper_ok()
    devices.printer.cover_closed()
    assert line.status() == [0x12] * 4


def test_a_printer_answers_while_paper_is_out_and_prints_what_it_held_when_it_is_back(
    devices: Simulators, host
) -> None:
    line = host("printer")
    devices.printer.paper_out()
    line.port.write(escpos.encode(Ticket("t", (Line("您好"),))).data)
    assert line.status()[0] == 0x1A
    assert devices.printer.receipts == ()
    devices.printer.paper_ok()
    assert devices.printer.wait_for_receipt().text == "您好"


def test_a_status_question_split_in_two_is_answered_once(host) -> None:
    line = host("printer")
    line.port.write(b"\x10")
    assert line.port.read(0.1) is None
    line.port.write(b"\x04\x01")
    chunk = line.port.read(20)
    assert chunk is not None
    assert chunk.data == b"\x12"
    assert line.port.read(0.1) is None


def test_receipts_are_numbered_on_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    data = escpos.encode(Ticket("t", (Line("您好"),))).data
    for count in (1, 2):
        with Simulators(tmp_path / "devices", devices=["printer"]) as simulators:
            port = Port(str(simulators.ports["printer"]), 115200)
            port.write(data)
            receipt = simulators.printer.wait_for_receipt()
            port.close()
            assert receipt.path.name == f"receipt-{count:04d}.png"
    for path in receipt.path.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(receipt.path.parent.stat().st_mode) == 0o700


def test_chinese_is_drawn_and_not_boxed() -> None:
    def drawn(text: str) -> bytes:
        paper = Paper(384)
        for event in escpos_events(text):
            paper.take(event)
        return paper.cut()[0].tobytes()

    pictures = {text: drawn(text) for text in ("访客", "登记", "㐂㐃")}
    assert len(set(pictures.values())) == 3


def escpos_events(text: str):
    from firmware_bridge.protocols.escpos_reader import Reader

    return Reader().feed(text.encode("gbk", "replace") + b"\n")


# Cables and control ------------------------------------------------------------------------------------------------


def test_a_name_stays_over_unplug_and_replug_and_the_terminal_is_another(devices: Simulators) -> None:
    path = devices.ports["scanner"]
    port = Port(str(path), 9600)
    devices.unplug("scanner")
    assert not path.is_symlink()
    with pytest.raises(LinkLostError):
        port.read(20)
    devices.replug("scanner")
    assert devices.ports["scanner"] == path
    again = serial.serial_for_url(str(path), timeout=20)
    devices.scanner.scan("VP1ABC")
    assert again.read(7) == b"VP1ABC\r"
    again.close()
    port.close()


def test_two_benches_in_one_folder_are_refused_with_a_sentence(devices: Simulators) -> None:
    with pytest.raises(SimulatorsError, match="running in"), Simulators(devices.folder):
        pass
    assert devices.ports["scanner"].is_symlink()


def test_what_was_scanned_while_unplugged_is_refused(devices: Simulators) -> None:
    devices.unplug("scanner")
    assert devices.scanner.scan("VP1ABC") is False


def test_everything_can_be_driven_from_another_process(
    devices: Simulators, host, eventually: Eventually
) -> None:
    folder = devices.folder
    with serving(devices) as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        ask(folder, "card.place", name="王芳", number="11010519491231002X", valid_to=None)
        assert devices.reader.state is State.PRESENT
        ask(folder, "card.remove")
        assert devices.reader.state is State.NO_CARD
        ask(folder, "printer", condition="cover-open")
        assert devices.printer.condition.cover_open
        line = host("gate-scanner")
        ask(folder, "scan", device="gate-scanner", text="VP1ABC")
        chunk = line.port.read(20)
        assert chunk is not None
        assert chunk.data == b"VP1ABC\r"
        ask(folder, "unplug", device="printer")
        status = ask(folder, "status")["devices"]
        assert (status["printer"]["plugged"], status["printer"]["cover_open"]) == (False, True)
        ask(folder, "replug", device="printer")
        assert devices.ports["printer"].is_symlink()
        assert ask(folder, "receipts") == []
    with pytest.raises(SimulatorsError, match="simulate run"):
        ask(folder, "status")


REFUSED = {
    "dance": {},
    "unplug": {"device": "toaster"},
    "printer": {"condition": "on fire"},
    "scan": {"device": "printer", "text": "x"},
    "card.place": {"name": "长" * 16},
    "reader.fault": {"fault": "tired"},
}


@pytest.mark.parametrize("do", REFUSED)
def test_what_can_t_be_done_is_answered_with_a_sentence(do: str, devices: Simulators) -> None:
    with serving(devices):
        with pytest.raises(SimulatorsError, match=r"\w"):
            ask(devices.folder, do, **REFUSED[do])
        assert ask(devices.folder, "status")


def test_a_folder_however_deep_can_hold_the_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 80) / ("e" * 80)
    deep.mkdir(parents=True)
    with Simulators(deep, devices=["scanner"]) as simulators, serving(simulators):
        assert ask(deep, "status")["folder"] == str(deep)


def test_leaving_takes_every_name_away(tmp_path: Path) -> None:
    open_before = len(os.listdir("/proc/self/fd"))
    with Simulators(tmp_path) as simulators, serving(simulators):
        assert len(simulators.ports) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "receipts"]
    end = time.monotonic() + 20
    while len(os.listdir("/proc/self/fd")) > open_before and time.monotonic() < end:
        time.sleep(0.01)
    assert len(os.listdir("/proc/self/fd")) <= open_before
