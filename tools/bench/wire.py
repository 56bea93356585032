"""The ledger's benches share this: one real centre, and stations that exist on the wire only.

A simulated log is written as a station writes it: what happens on a day, chained, encoded once, its messages signed by a
key of its own. Everything is made before the clock starts, so that the load's making isn't measured.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.contract import event, facts, message, personal
from broker.contract.event import NO_PREDECESSOR, ClockReading, Event
from broker.contract.facts import Consent, Decider, Fact, HostRequest
from broker.contract.message import Item, Message
from broker.contract.names import new_id, new_log_id
from broker.contract.personal import HostNamed, Personal, PersonName, Phone
from broker.store.database import FILE
from tools.stage import BIN, DEMO

LONG = os.environ.get("LONG") == "1"
SITE = "yunqi"


@dataclass(frozen=True, slots=True)
class RunningCentre:
    """A `broker serve` of its own."""

    process: subprocess.Popen[str]
    port: int
    database: Path

    def stored(self) -> int:
        """Events in its log that came from stations."""
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as db:
            return db.execute("select coalesce(sum(seq), 0) from heads where station != 'centre'").fetchone()[
                0
            ]

    def memory(self) -> float:
        """Resident megabytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        raise AssertionError("the centre has ended")

    def busy(self) -> float:
        """Seconds of processor time it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def centre() -> Iterator[RunningCentre]:
    """A centre with an empty database, from start to end."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name:
        stage = DEMO.copy(Path(name))
        settings = stage.centre
        command = [BIN / "broker", "serve", "--config", stage.config / "centre.toml"]
        with (Path(name) / "centre.log").open("w") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("Ready"):
                    break
            else:
                raise AssertionError((Path(name) / "centre.log").read_text())
            yield RunningCentre(process, settings.mqtt.port, settings.data / FILE)
        finally:
            process.terminate()
            process.wait(60)
            process.stdout.close()


@dataclass
class SimulatedLog:
    """A log of a station that is only simulated. `items` are all events so far."""

    station: str
    log: str = field(default_factory=new_log_id)
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    items: list[Item] = field(default_factory=list)
    seq: int = 0
    head: str = NO_PREDECESSOR

    def __post_init__(self) -> None:
        public = self.key.public_key().public_bytes_raw().hex()
        self.add(facts.LogOpened(reason="new", public_key=public))

    def add(self, fact: Fact, people: tuple[Personal, ...] = ()) -> Item:
        """The next event."""
        sealed = {personal.class_of(one): personal.seal(one) for one in people}
        kind, version = facts.type_of(fact)
        self.seq += 1
        body = event.encode(
            Event(
                id=new_id(),
                site=SITE,
                station=self.station,
                log=self.log,
                seq=self.seq,
                prev=self.head,
                type=kind,
                v=version,
                time=datetime.now(UTC),
                clock=ClockReading(0, 1),
                data=msgspec.Raw(msgspec.json.encode(fact)),
                sealed={name: ref for name, (_, ref) in sealed.items()},
            )
        )
        self.head = event.body_hash(body)
        item = Item(body, {name: ciphertext for name, (ciphertext, _) in sealed.items()})
        self.items.append(item)
        return item

    def payload(self, first: int, last: int) -> bytes:
        """The signed message of events `first` … `last`, where all events are still held."""
        return self.message(first, self.items[first - 1 : last])

    def message(self, first: int, items: list[Item]) -> bytes:
        """The signed message of consecutive items from seq `first` on."""
        made = Message(
            site=SITE,
            station=self.station,
            log=self.log,
            first=first,
            last=first + len(items) - 1,
            items=items,
        )
        return message.encode(message.signed(made, self.key))

    def payloads(self, each: int) -> list[tuple[int, bytes]]:
        """(last seq, message) for the whole log, `each` events a message."""
        return [
            (min(first + each - 1, self.seq), self.payload(first, min(first + each - 1, self.seq)))
            for first in range(1, self.seq + 1, each)
        ]


def days(log: SimulatedLog, count: int) -> SimulatedLog:
    """Fill a log up to `count` events with visits as they happen: six events a visit, one with people beside it."""
    happening: Iterator[tuple[Fact, tuple[Personal, ...]]] = iter(())
    while log.seq < count:
        found = next(happening, None)
        if found is None:
            happening = visit()
            continue
        log.add(*found)
    return log


def visit() -> Iterator[tuple[Fact, tuple[Personal, ...]]]:
    """One visit from registration to leaving."""
    id, request, cti = new_id(), new_id(), os.urandom(8).hex()
    yield (
        facts.VisitRegistered(
            visit=id,
            number="204816",
            visit_type="visit",
            purpose="family",
            arranged=True,
            identity="typed",
            people=1,
            building="b1",
            consent=Consent(version="2026-11", hash="0" * 64, language="zh_CN", document=False),
            request=HostRequest(id=request, decider=Decider.STAFF, deadline=datetime.now(UTC)),
        ),
        (PersonName("张伟"), Phone("13812341234"), HostNamed("b1", unit="2", room="1502", name="李静")),
    )
    yield (
        facts.VisitDecided(
            visit=id, request=request, decision=facts.Decision.AGREED, by=facts.DecidedBy.STAFF
        ),
        (),
    )
    now = int(time.time())
    yield (
        facts.PassIssued(
            visit=id, cti=cti, kid=7, index=1, not_before=now, expires=now + 14400, areas=1, entries=1, mode=0
        ),
        (),
    )
    yield facts.SlipPrinted(visit=id, outcome=facts.SlipOutcome.PRINTED), ()
    yield facts.PassAdmitted(cti=cti, kid=7, nonce=new_id(), gate="gate-1", offline=False), ()
    yield facts.PassLeft(cti=cti, reason="ok", nonce=new_id(), gate="gate-1", offline=False), ()
