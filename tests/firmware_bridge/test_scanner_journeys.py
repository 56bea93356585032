"""The code scanner, from a hub to a simulated scanner over a real pseudo-terminal, rubbish included."""

from __future__ import annotations

import time
from functools import partial

import msgspec
import pytest

from firmware_bridge.capabilities import CodeScanner, Scan
from firmware_bridge.simulators import CodeScannerSimulator, Simulators

from .conftest import SCANNER, Eventually, HubMaker


def listening(scanner: CodeScanner | None) -> list[Scan]:
    assert scanner is not None
    scans: list[Scan] = []
    scanner.listen(scans.append)
    return scans


def test_what_is_scanned_is_heard_within_milliseconds(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(SCANNER) as hub:
        took: list[float] = []
        assert hub.scanner is not None
        hub.scanner.listen(lambda scan: took.append(time.monotonic() - scan.at))
        for count in range(1, 6):
            devices.scanner.scan("VP1ABC")
            eventually(partial(reached, took, count))
        assert min(took) < 0.002


def reached(news: list[float], count: int) -> bool:
    return len(news) >= count


@pytest.mark.parametrize("suffix", ["cr", "lf", "crlf", "tab", "none"])
def test_each_suffix_ends_a_code(
    suffix: str, devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    simulator = CodeScannerSimulator(devices.folder / "other", suffix=suffix)
    simulator.wire.start()
    settings = msgspec.structs.replace(SCANNER, resource="serial:other", suffix=suffix)
    try:
        with ready_hub(settings) as hub:
            scans = listening(hub.scanner)
            simulator.scan("VP1ABC")
            eventually(lambda: scans)
            simulator.scan("访客", encoding="gbk")
            eventually(lambda: len(scans) > 1)
            assert [(scan.text, scan.fault) for scan in scans] == [("VP1ABC", ""), ("访客", "")]
    finally:
        simulator.wire.close()


def test_a_scanner_set_without_the_suffix_is_understood_all_the_same(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(SCANNER) as hub:
        scans = listening(hub.scanner)
        devices.scanner.send(b"VP1ABC")
        eventually(lambda: scans)
        assert scans[0].text == "VP1ABC"


RUBBISH = {
    "a megabyte without an end": (b"x" * 1_000_000, "too_long"),
    "binary": (bytes(range(256)).replace(b"\r", b"").replace(b"\n", b"") + b"\r", "not_text"),
    "an escape sequence": (b"VP1\x1b[2J\r", "not_text"),
}


@pytest.mark.parametrize("case", RUBBISH)
def test_rubbish_is_told_and_the_scanner_lives_on(
    case: str, devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    data, fault = RUBBISH[case]
    with ready_hub(SCANNER) as hub:
        scans = listening(hub.scanner)
        assert devices.scanner.send(data)
        eventually(lambda: scans)
        assert (scans[0].text, scans[0].fault) == ("", fault)
        devices.scanner.send(b"\r")
        devices.scanner.scan("VP1ABC")
        eventually(lambda: scans[-1].text == "VP1ABC")
        assert [scan.fault for scan in scans] == [fault, ""]


def test_half_a_code_before_an_unplug_is_forgotten(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(SCANNER) as hub:
        scans = listening(hub.scanner)
        devices.scanner.send(b"VP1A")
        devices.unplug("scanner")
        eventually(lambda: hub.health()[0].reason == "unplugged")
        devices.replug("scanner")
        eventually(lambda: hub.health()[0].state == "ready")
        devices.scanner.scan("VP1ABC")
        eventually(lambda: scans)
        assert [scan.text for scan in scans] == ["VP1ABC"]


def test_a_listener_that_fails_doesn_t_silence_the_scanner(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(SCANNER) as hub:
        heard: list[str] = []

        def fail(scan: Scan) -> None:
            heard.append(scan.text)
            raise RuntimeError("a listener's own mistake")

        assert hub.scanner is not None
        hub.scanner.listen(fail)
        devices.scanner.scan("A")
        devices.scanner.scan("B")
        eventually(lambda: heard == ["A", "B"])
        assert hub.health()[0].counters["opens"] == 1
