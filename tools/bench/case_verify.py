"""`broker verify` over a log that lies in the cache: hashes, chain, columns, signatures; beside bare reading and hashing."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker import clock
from broker.contract import event as events
from broker.contract import facts, message
from broker.contract.event import NO_PREDECESSOR, ClockReading, Event
from broker.contract.facts import LogOpened, PassAdmitted
from broker.contract.message import Item, Message
from broker.contract.names import new_id, new_log_id
from broker.ledger.verify import verify
from broker.store.database import open_reader, open_writer, transaction
from broker.store.log import EventLog, LogKey, Row
from tools.bench.figure import Figure

EVENTS, STATIONS = 600_000, 12
ROUNDS = 3
GOAL = 200_000.0


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as folder:
        with closing(open_writer(Path(folder))) as db:
            log = EventLog(db)
            for station in range(STATIONS):
                write(db, log, f"gate-{station}", EVENTS // STATIONS)
        with closing(open_reader(Path(folder))) as db:
            best, bare = 0.0, 0.0
            for _ in range(ROUNDS):
                verdict = verify(db)
                assert verdict.whole, verdict.wrong
                best = max(best, verdict.events / verdict.seconds)
                began = time.monotonic()
                for _, body in db.execute("select position, body from events order by position"):
                    hashlib.sha256(body).hexdigest()
                bare = max(bare, EVENTS / (time.monotonic() - began))
    return [
        Figure("log verified", best, "events/s", GOAL, "goal"),
        Figure("log verified,", best, "events/s", bare, "bodies read and hashed, no more"),
    ]


def write(db: sqlite3.Connection, log: EventLog, station: str, count: int) -> None:
    """One signed log, put into the store without a line or an ingest between."""
    signer = Ed25519PrivateKey.generate()
    key = LogKey("yunqi", station, new_log_id())
    public = signer.public_key().public_bytes_raw().hex()
    prev, body, rows = NO_PREDECESSOR, b"", list[Row]()
    for seq in range(1, count + 1):
        fact = (
            LogOpened(reason="new", public_key=public)
            if seq == 1
            else PassAdmitted(cti=f"{seq % 5000:016x}", kid=7, nonce=new_id(), gate=station, offline=False)
        )
        kind, version = facts.type_of(fact)
        made = Event(
            id=new_id(),
            site=key.site,
            station=station,
            log=key.log,
            seq=seq,
            prev=prev,
            type=kind,
            v=version,
            time=datetime.now(UTC),
            clock=ClockReading(3, 1),
            data=msgspec.Raw(msgspec.json.encode(fact)),
        )
        body = events.encode(made)
        prev = events.body_hash(body)
        rows.append(Row(seq, made.id, kind, version, clock.stamp(made.time), body, prev))
    last = Message(site=key.site, station=station, log=key.log, first=count, last=count, items=[Item(body)])
    with transaction(db):
        log.append(key, rows, clock.stamp(clock.now()))
        log.signed(key, public, message.signed(last, signer))
        log.flush()
