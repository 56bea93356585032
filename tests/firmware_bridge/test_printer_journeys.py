"""The receipt printer, from a hub to a simulated printer over a real pseudo-terminal: printed at most once, and never a lie."""

from __future__ import annotations

import os
import threading
import time
import tty
from dataclasses import replace

import msgspec
import pytest

from firmware_bridge.capabilities import (
    Align,
    Line,
    Pair,
    PrinterStatus,
    PrintOutcome,
    PrintState,
    QrCode,
    Rule,
    Ticket,
    TicketPrinter,
)
from firmware_bridge.hub import Hub
from firmware_bridge.simulators import Simulators

from .conftest import PRINTER, Eventually, HubMaker

PASS = "VP1" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 5 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TICKET = Ticket(
    "job-1",
    (
        Line("访客登记单", Align.CENTRE, scale=2),
        Rule(),
        Pair("访客", "张先生"),
        QrCode(PASS),
        Line("请从这里坐电梯上 12 楼"),
    ),
)
PRINTED = PrintOutcome(PrintState.PRINTED)
SLOW = msgspec.structs.replace(PRINTER, print_speed=20)
"""Prints long enough for something to happen meanwhile."""


class Tray:
    """Where outcomes arrive."""

    def __init__(self, printer: TicketPrinter | None, eventually: Eventually) -> None:
        assert printer is not None
        self.printer = printer
        self.outcomes: list[PrintOutcome] = []
        self._eventually = eventually

    def send(self, ticket: Ticket = TICKET, **options: float) -> Tray:
        self.printer.print_ticket(ticket, self.outcomes.append, **options)
        return self

    def outcome(self, count: int = 1) -> PrintOutcome:
        self._eventually(lambda: len(self.outcomes) >= count)
        return self.outcomes[count - 1]


@pytest.mark.parametrize("qr", ["native", "raster"])
def test_a_ticket_is_printed_and_its_code_can_be_scanned_from_the_paper(
    qr: str, devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(msgspec.structs.replace(PRINTER, qr=qr)) as hub:
        assert Tray(hub.printer, eventually).send().outcome() == PRINTED
    receipt = devices.printer.wait_for_receipt()
    assert receipt.qr == (PASS,)
    assert receipt.text.splitlines()[0] == "访客登记单"
    assert "张先生" in receipt.text
    assert receipt.path.stat().st_mode & 0o777 == 0o600


BEFORE = {
    "paper out": ("paper_out", "paper_out"),
    "cover open": ("cover_open", "cover_open"),
    "cutter jammed": ("cutter_jams", "error"),
}


@pytest.mark.parametrize("case", BEFORE)
def test_with_trouble_known_before_nothing_is_sent(
    case: str, devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    mishap, reason = BEFORE[case]
    with ready_hub(PRINTER) as hub:
        getattr(devices.printer, mishap)()
        tray = Tray(hub.printer, eventually).send()
        assert tray.outcome() == PrintOutcome(PrintState.FAILED, reason)
        eventually(lambda: (hub.health()[0].state.value, hub.health()[0].reason) == ("fault", reason))
    # Status questions are three bytes each; a ticket isn't.
    assert devices.printer.bytes_received % 3 == 0
    assert devices.printer.receipts == ()


def test_when_the_paper_is_back_it_prints_again_and_nothing_twice(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(PRINTER) as hub:
        devices.printer.paper_out()
        tray = Tray(hub.printer, eventually).send()
        tray.outcome()
        devices.printer.paper_ok()
        assert tray.send().outcome(2) == PRINTED
        eventually(lambda: hub.health()[0].state == "ready")
    assert len(devices.printer.receipts) == 1


def test_paper_that_runs_out_while_printing_leaves_it_unknown(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(SLOW) as hub:
        before = devices.printer.bytes_received
        tray = Tray(hub.printer, eventually).send()
        eventually(lambda: devices.printer.bytes_received > before + 200)
        devices.printer.paper_out()
        assert tray.outcome() == PrintOutcome(PrintState.UNKNOWN, "paper_out")


def test_near_the_end_of_the_paper_it_prints_and_says_so(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(PRINTER) as hub:
        devices.printer.near_end()
        eventually(lambda: hub.health()[0].reason == "paper_near_end")
        assert hub.health()[0].state == "ready"
        assert hub.printer is not None
        assert hub.printer.status.paper_near_end
        assert Tray(hub.printer, eventually).send().outcome() == PRINTED


def test_a_printer_that_never_answers_prints_and_nobody_claims_to_know(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    devices.printer.silent()
    with ready_hub(PRINTER) as hub:
        tray = Tray(hub.printer, eventually).send()
        assert tray.outcome() == PrintOutcome(PrintState.UNKNOWN, "no_status")
        assert tray.printer.status == PrinterStatus()
        assert (hub.health()[0].state.value, hub.health()[0].reason) == ("ready", "no_status")
        assert devices.printer.wait_for_receipt().qr == (PASS,)


def test_a_printer_that_used_to_answer_and_doesn_t_gets_nothing(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(PRINTER) as hub:
        devices.printer.silent()
        eventually(lambda: hub.health()[0].reason == "no_status")
        assert hub.health()[0].state == "fault"
        assert Tray(hub.printer, eventually).send().outcome() == PrintOutcome(PrintState.FAILED, "no_status")
        assert devices.printer.receipts == ()
        devices.printer.answering()
        eventually(lambda: hub.health()[0].state == "ready")


def test_unplugged_before_a_ticket_it_fails_at_once(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(PRINTER) as hub:
        devices.unplug("printer")
        eventually(lambda: hub.health()[0].state != "ready")
        begun = time.monotonic()
        tray = Tray(hub.printer, eventually).send(within=60)
        assert tray.outcome() == PrintOutcome(PrintState.FAILED, "unplugged")
        assert time.monotonic() - begun < 5
        assert tray.printer.status.trouble == "offline"
        devices.replug("printer")
        eventually(lambda: hub.health()[0].state == "ready")
        assert tray.send().outcome(2) == PRINTED


def test_unplugged_after_bytes_were_sent_it_is_unknown_and_never_printed_again(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(SLOW) as hub:
        before = devices.printer.bytes_received
        tray = Tray(hub.printer, eventually).send()
        eventually(lambda: devices.printer.bytes_received > before + 200)
        devices.unplug("printer")
        assert tray.outcome() == PrintOutcome(PrintState.UNKNOWN, "unplugged")
        sent = devices.printer.bytes_received
        devices.replug("printer")
        eventually(lambda: hub.health()[0].state == "ready")
        assert (devices.printer.bytes_received - sent) % 3 == 0
        assert len(tray.outcomes) == 1


def test_a_full_queue_refuses_and_what_waits_fails_when_the_cable_is_pulled(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(SLOW) as hub:
        tray = Tray(hub.printer, eventually)
        before = devices.printer.bytes_received
        tray.send()
        eventually(lambda: devices.printer.bytes_received > before + 200)
        for _ in range(5):
            tray.send(within=60)
        assert tray.outcome() == PrintOutcome(PrintState.FAILED, "busy")
        devices.unplug("printer")
        tray.outcome(6)
        assert sorted((outcome.state.value, outcome.reason) for outcome in tray.outcomes) == [
            ("failed", "busy"),
            *[("failed", "unplugged")] * 4,
            ("unknown", "unplugged"),
        ]


def test_a_ticket_that_waits_too_long_fails_and_one_that_prints_too_long_is_unknown(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(SLOW) as hub:
        tray = Tray(hub.printer, eventually)
        before = devices.printer.bytes_received
        tray.send(within=1.5)
        eventually(lambda: devices.printer.bytes_received > before + 200)
        tray.send(within=0.1)
        assert tray.outcome() == PrintOutcome(PrintState.FAILED, "too_late")
        assert tray.outcome(2) == PrintOutcome(PrintState.UNKNOWN, "too_late")


def test_stopping_the_hub_ends_every_ticket(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(SLOW) as hub:
        tray = Tray(hub.printer, eventually)
        before = devices.printer.bytes_received
        tray.send()
        eventually(lambda: devices.printer.bytes_received > before + 200)
        tray.send()
    assert [outcome.state for outcome in tray.outcomes] == [PrintState.UNKNOWN, PrintState.FAILED]


def test_a_ticket_no_paper_can_hold_fails_alone(ready_hub: HubMaker, eventually: Eventually) -> None:
    with ready_hub(PRINTER) as hub:
        tray = Tray(hub.printer, eventually).send(replace(TICKET, elements=(QrCode("x" * 5000),)))
        assert tray.outcome() == PrintOutcome(PrintState.FAILED, "error")
        assert tray.send().outcome(2) == PRINTED


def test_a_printer_that_takes_no_more_bytes_holds_nobody_up_for_ever(
    devices: Simulators, eventually: Eventually
) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    stuck = msgspec.structs.replace(PRINTER, resource=f"serial:{os.ttyname(slave)}", qr="raster")
    try:
        with Hub([stuck]) as hub:
            eventually(lambda: hub.health()[0].state == "ready")
            tray = Tray(hub.printer, eventually).send(within=10)
            assert tray.outcome() == PrintOutcome(PrintState.UNKNOWN, "offline")
    finally:
        os.close(master)
        os.close(slave)


def test_the_bytes_are_handed_over_within_milliseconds_of_the_press(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(PRINTER) as hub:
        took: list[float] = []
        for count in range(1, 6):
            pressed = time.monotonic()
            Tray(hub.printer, eventually).send().outcome()
            took.append(hub.printer.handed_at - pressed)
            devices.printer.wait_for_receipt(count)
        assert min(took) < 0.02


def test_outcomes_come_from_another_thread_than_the_caller_s(
    ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(PRINTER) as hub:
        threads: list[threading.Thread] = []
        assert hub.printer is not None
        for _ in range(8):
            hub.printer.print_ticket(TICKET, lambda _: threads.append(threading.current_thread()))
        eventually(lambda: len(threads) == 8)
        assert threading.main_thread() not in threads
