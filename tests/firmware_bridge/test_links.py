"""Links: opened exclusively, lost and found again, and how each device's health is told."""

from __future__ import annotations

import errno
import re
import socket
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import msgspec
import pytest

from firmware_bridge.capabilities import DeviceHealth
from firmware_bridge.config import (
    CodeScannerSettings,
    DeviceSettings,
    IdReaderSettings,
    TicketPrinterSettings,
)
from firmware_bridge.hub import Hub
from firmware_bridge.link import supervisor
from firmware_bridge.link.port import (
    EndedError,
    LinkLostError,
    LinkReason,
    OpenError,
    Port,
    _reason_of,
)
from firmware_bridge.simulators import Simulators

from .conftest import PRINTER, READER, SCANNER, Eventually, HubMaker

HOLDER = """
import serial, sys
port = serial.serial_for_url(sys.argv[1], exclusive=True)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_port_another_process_uses_is_busy_and_is_had_when_that_one_ends(
    devices: Simulators, eventually: Eventually
) -> None:
    command = [sys.executable, "-c", HOLDER, str(devices.ports["id-reader"])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        told: list[DeviceHealth] = []
        with Hub([READER], told.append, folder=devices.folder) as hub:
            eventually(lambda: told)
            assert (told[0].state.value, told[0].reason) == ("fault", "busy")
            holder.stdin.close()
            eventually(lambda: hub.health()[0].state == "ready")


def test_a_port_that_isn_t_there_is_found_soon_after_it_comes(
    devices: Simulators, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long it would wait by itself.
    monkeypatch.setattr(supervisor, "FIRST_WAIT", 3600.0)
    monkeypatch.setattr(supervisor, "LONGEST_WAIT", 3600.0)
    for name in ("id-reader", "printer", "scanner"):
        devices.unplug(name)
    told: list[DeviceHealth] = []
    with Hub([READER, PRINTER, SCANNER], told.append, folder=devices.folder) as hub:
        eventually(lambda: [health.state.value for health in hub.health()] == ["backoff"] * 3)
        assert {health.reason for health in told} == {"unplugged"}
        for name in ("id-reader", "printer", "scanner"):
            devices.replug(name)
        eventually(lambda: [health.state.value for health in hub.health()] == ["ready"] * 3)


def test_health_is_told_when_it_changes_and_not_at_every_try(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(supervisor, "LONGEST_WAIT", 0.02)
    told: list[tuple[str, str]] = []
    with ready_hub(SCANNER, on_health=lambda health: told.append((health.state.value, health.reason))) as hub:
        for _ in range(2):
            devices.unplug("scanner")
            eventually(lambda: hub.health()[0].reason == "unplugged")
            time.sleep(0.3)
            devices.replug("scanner")
            eventually(lambda: hub.health()[0].state == "ready")
    lost, found = ("disconnected", "unplugged"), ("ready", "")
    assert told == [found, lost, found, lost, found, ("disconnected", "")]
    assert hub.health()[0].counters == {"opens": 3, "losses": 2}


def test_the_waits_between_two_tries_double_up_to_a_limit_and_never_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(supervisor, "LONGEST_WAIT", 0.08)
    waits: list[float] = []
    plain = supervisor.Link._wait

    def noting(self: supervisor.Link, seconds: float, *rest: object) -> bool:
        waits.append(seconds)
        return plain(self, seconds, *rest)

    monkeypatch.setattr(supervisor.Link, "_wait", noting)
    with Hub([SCANNER], folder=tmp_path):
        eventually(lambda: len(waits) >= 10)
    for number, wait in enumerate(waits[:10]):
        limit = min(0.01 * 2**number, 0.08)
        assert 0.8 * limit <= wait <= 1.2 * limit


def test_a_loss_is_noticed_at_once_and_ends_what_waits(devices: Simulators) -> None:
    port = Port(str(devices.ports["scanner"]), 9600)
    ended: list[float] = []

    def wait() -> None:
        with pytest.raises(LinkLostError):
            port.read(60)
        ended.append(time.monotonic())

    waiting = threading.Thread(target=wait)
    waiting.start()
    lost = time.monotonic()
    devices.unplug("scanner")
    waiting.join(20)
    assert ended[0] - lost < 5
    with pytest.raises(LinkLostError):
        port.write(b"x")
    port.close()


def test_what_arrived_before_a_loss_is_still_read(devices: Simulators, eventually: Eventually) -> None:
    port = Port(str(devices.ports["scanner"]), 9600)
    devices.scanner.send(b"VP1ABC\r")
    eventually(lambda: port._held == 7)
    devices.unplug("scanner")
    chunk = port.read(5)
    assert chunk is not None
    assert chunk.data == b"VP1ABC\r"
    with pytest.raises(LinkLostError):
        port.read(5)
    port.close()


def test_a_flood_nobody_reads_is_held_back_and_not_piled_up(
    devices: Simulators, eventually: Eventually
) -> None:
    port = Port(str(devices.ports["scanner"]), 9600)
    sent = threading.Thread(target=devices.scanner.send, args=(b"x" * 300_000,), daemon=True)
    sent.start()
    eventually(lambda: port._held >= 1 << 16)
    sent.join(0.3)
    assert port._held < (1 << 16) + 8192
    received = 0
    while received < 300_000:
        chunk = port.read(20)
        assert chunk is not None
        received += len(chunk.data)
    port.close()


def test_settling_drops_what_trickles_in_until_the_line_is_quiet(devices: Simulators) -> None:
    port = Port(str(devices.ports["scanner"]), 9600)

    def trickle() -> None:
        for _ in range(5):
            devices.scanner.send(b"late")
            time.sleep(0.02)

    trickling = threading.Thread(target=trickle)
    trickling.start()
    assert port.settle(quiet=0.5, at_most=20) == 20
    trickling.join()
    port.close()


def test_an_interrupted_read_returns_early_and_an_ended_one_says_so(devices: Simulators) -> None:
    port = Port(str(devices.ports["scanner"]), 9600)
    port.interrupt()
    begun = time.monotonic()
    assert port.read(60) is None
    assert time.monotonic() - begun < 20
    port.end()
    for call in (lambda: port.read(60), lambda: port.write(b"x"), lambda: port.pause(60)):
        with pytest.raises(EndedError):
            call()
    port.close()


REASONS = {
    errno.ENOENT: LinkReason.UNPLUGGED,
    errno.EIO: LinkReason.UNPLUGGED,
    errno.EAGAIN: LinkReason.BUSY,
    errno.EBUSY: LinkReason.BUSY,
    errno.EACCES: LinkReason.FORBIDDEN,
    errno.EINVAL: LinkReason.UNOPENABLE,
    None: LinkReason.UNOPENABLE,
}


@pytest.mark.parametrize("number", REASONS)
def test_a_port_that_can_t_be_opened_has_one_word_for_why(number: int | None) -> None:
    assert _reason_of(OSError(number, "no")) is REASONS[number]


@pytest.mark.parametrize(
    ("url", "reason"),
    [("/nowhere/ttyUSB9", "unplugged"), ("nonsense://x", "unopenable"), ("/dev/null", "unopenable")],
)
def test_a_url_that_is_no_port_says_so(url: str, reason: str) -> None:
    with pytest.raises(OpenError) as failed:
        Port(url, 9600)
    assert failed.value.reason == reason


def test_a_device_behind_a_serial_server_works_and_its_loss_is_noticed(eventually: Eventually) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        with Hub([msgspec.structs.replace(SCANNER, resource=url)]) as hub:
            assert hub.scanner is not None
            scans: list[str] = []
            hub.scanner.listen(lambda scan: scans.append(scan.text))
            line, _ = server.accept()
            eventually(lambda: hub.health()[0].state == "ready")
            line.sendall(b"VP1ABC\r")
            eventually(lambda: scans == ["VP1ABC"])
            line.close()
            eventually(lambda: hub.health()[0].counters.get("losses") == 1)
            again, _ = server.accept()
            eventually(lambda: hub.health()[0].state == "ready")
            again.sendall(b"VP1DEF\r")
            eventually(lambda: scans == ["VP1ABC", "VP1DEF"])
            again.close()


# The hub and its settings ------------------------------------------------------------------------------------------


class Terminal(msgspec.Struct, forbid_unknown_fields=True):
    devices: list[DeviceSettings]


def settings(**device: object) -> DeviceSettings:
    return msgspec.convert({"devices": [device]}, Terminal).devices[0]


def test_a_device_is_configured_by_its_kind() -> None:
    where = "serial:/dev/ttyUSB0"
    assert settings(kind="id_reader", name="reader", resource=where) == IdReaderSettings(
        name="reader", resource=where
    )
    printer = settings(kind="ticket_printer", name="p", resource=where, paper_width=58, qr="raster")
    assert printer == TicketPrinterSettings(name="p", resource=where, paper_width=58, qr="raster")
    scanner = settings(kind="code_scanner", name="s", resource=where, suffix="none", idle_gap=0.08)
    assert isinstance(scanner, CodeScannerSettings)
    assert (scanner.kind, scanner.baudrate) == ("code_scanner", 9600)


REFUSED = {
    "another kind's option": (
        {"kind": "code_scanner", "name": "s", "resource": "serial:/x", "qr": "raster"},
        "qr",
    ),
    "an unknown kind": ({"kind": "camera", "name": "s", "resource": "serial:/x"}, "camera"),
    "an unknown driver": (
        {"kind": "id_reader", "name": "s", "resource": "serial:/x", "driver": "other"},
        "driver",
    ),
    "a resource that is neither": (
        {"kind": "id_reader", "name": "s", "resource": "/dev/ttyUSB0"},
        "resource",
    ),
    "a paper there isn't": (
        {"kind": "ticket_printer", "name": "s", "resource": "serial:/x", "paper_width": 57},
        "paper_width",
    ),
    "a name with spaces": ({"kind": "id_reader", "name": "my reader", "resource": "serial:/x"}, "name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_setting_that_can_t_be_meant_is_refused_and_named(case: str) -> None:
    device, named = REFUSED[case]
    with pytest.raises(msgspec.ValidationError, match=named):
        settings(**device)


def test_a_relative_path_is_taken_from_the_folder_given() -> None:
    assert READER.port(Path("/etc/frontdesk")) == "/etc/frontdesk/id-reader"
    assert settings(kind="id_reader", name="r", resource="serial:/dev/x").port(Path("/etc")) == "/dev/x"
    url = "socket://10.0.0.7:4001"
    assert settings(kind="id_reader", name="r", resource=url).port(Path("/etc")) == url


def test_what_isn_t_configured_isn_t_there() -> None:
    hub = Hub([SCANNER])
    assert (hub.reader, hub.printer) == (None, None)
    assert hub.scanner is not None
    assert [(health.name, health.kind, health.state.value) for health in hub.health()] == [
        ("scanner", "code_scanner", "disconnected")
    ]


@pytest.mark.parametrize("other", [READER, msgspec.structs.replace(PRINTER, name="id-reader")])
def test_two_of_one_kind_or_name_are_refused(other: DeviceSettings) -> None:
    with pytest.raises(ValueError, match="id"):
        Hub([READER, other])


def test_stopping_a_hub_frees_its_ports_and_ends_its_threads(
    devices: Simulators, ready_hub: HubMaker
) -> None:
    before = set(threading.enumerate())
    with ready_hub(READER, PRINTER, SCANNER):
        assert set(threading.enumerate()) > before
    assert set(threading.enumerate()) <= before
    for name in ("id-reader", "printer", "scanner"):
        Port(str(devices.ports[name]), 9600).close()


def test_the_technician_s_page_shows_every_option_with_its_default() -> None:
    page = (Path(__file__).parents[2] / "docs" / "connecting-hardware.md").read_text("utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    written = tomllib.loads(example)["devices"]
    assert len(written) == 3
    for device in written:
        plain = settings(**{name: device[name] for name in ("kind", "name", "resource")})
        assert msgspec.to_builtins(plain) == device
