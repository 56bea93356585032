"""A headless station in a process of its own, to be killed: appends events as fast or as slowly as it is told.

What it was told is on record goes, flushed, into a side file, one event id a line: the conscience that the ledger is held
against. Told by its first argument (JSON) and by lines on stdin: `rate N` (events a second, 0 = none), `clock SECONDS` (step
the station's clock), `stop`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import select
import sqlite3
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from broker.contract.facts import (
    Consent,
    Decider,
    Fact,
    HostRequest,
    PassAdmitted,
    StaffCalled,
    VisitRegistered,
)
from broker.contract.names import new_id
from broker.contract.personal import HostNamed, Personal, PersonName, Phone
from kiosk.station.clock import Clock
from kiosk.station.settings import BrokerSettings, LobbySettings
from kiosk.station.station import Station

SITE = "yunqi"
LOOK_EVERY = 0.02


@dataclass(slots=True)
class Told:
    """What this process was told so far."""

    rate: float
    clock: float
    stop: bool = False

    def hear(self, line: str) -> None:
        match line.split():
            case ["rate", number]:
                self.rate = float(number)
            case ["clock", seconds]:
                self.clock = float(seconds)
            case _:
                self.stop = True


def cti_of(station: str) -> str:
    """The one pass that everybody at this station uses: its entries count every admission once, or not."""
    return hashlib.sha256(station.encode()).hexdigest()[:16]


def fact(station: str, number: int) -> tuple[Fact, tuple[Personal, ...]]:
    """The next thing that happens: a registration with people, a call, or an admission that counts up."""
    match number % 4:
        case 0:
            return a_visit(), (
                PersonName("张伟"),
                Phone("13812341234"),
                HostNamed("b1", room="1502", name="李静"),
            )
        case 1:
            return StaffCalled(call=new_id()), ()
        case _:
            return PassAdmitted(cti=cti_of(station), kid=7, nonce=new_id(), gate=station, offline=False), ()


def a_visit() -> VisitRegistered:
    return VisitRegistered(
        visit=new_id(),
        number="204816",
        visit_type="visit",
        purpose="family",
        arranged=True,
        identity="typed",
        people=1,
        building="b1",
        consent=Consent(version="2026-11", hash="0" * 64, language="zh_CN", document=False),
        request=HostRequest(
            id=new_id(), decider=Decider.STAFF, deadline=datetime.now(UTC) + timedelta(minutes=2)
        ),
    )


def run(station: Station, told: Told, side: int) -> None:
    """Append until told to stop; what the disk refuses is not noted and comes again as another fact."""
    number, due, heard = 0, time.monotonic(), b""
    while not told.stop:
        pause = min(LOOK_EVERY, max(0.0, due - time.monotonic())) if told.rate else LOOK_EVERY
        if select.select([sys.stdin], [], [], pause)[0]:
            # Read raw: a second line that came along would wait in Python's buffer, where select doesn't see it.
            heard += os.read(sys.stdin.fileno(), 4096) or b"stop\n"
            *lines, heard = heard.split(b"\n")
            for line in lines:
                told.hear(line.decode())
        now = time.monotonic()
        if not told.rate:
            due = now
            continue
        while due <= now and not told.stop:
            what, people = fact(station.settings.station, number)
            try:
                made = station.outbox.append(what, *people)
            except sqlite3.Error:
                time.sleep(0.05)
                break
            os.write(side, f"{made}\n".encode())
            os.fsync(side)
            number += 1
            due = max(due + 1.0 / told.rate, now - 0.5)


def main() -> None:
    given = json.loads(sys.argv[1])
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    told = Told(given["rate"], given["clock"])
    settings = LobbySettings(
        site=SITE, station=given["station"], data=given["folder"], broker=BrokerSettings(port=given["port"])
    )
    station = Station(settings, "lobby", clock=Clock(wall=lambda: time.time() + told.clock))
    side = os.open(Path(given["side"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    station.start()
    try:
        run(station, told, side)
    finally:
        station.stop()
        os.close(side)


if __name__ == "__main__":
    main()
