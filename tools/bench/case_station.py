"""What a station's promise costs: one visit's commit beside a bare fdatasync, and an outbox of a million events."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from broker.contract.facts import StaffCalled
from broker.contract.names import new_id
from kiosk.station.settings import BrokerSettings, LobbySettings
from kiosk.station.station import Station
from tools.bench.figure import Figure, beside
from tools.bench.wire import SITE, centre, visit

ROUNDS = 1_000
MILLION = int(os.environ.get("EVENTS", "1000000"))
SMALL = 20_000
PUBLISHED = 15_000
GOAL_COMMIT = 2.0
GOAL_OPEN = 1.0
GOAL_RATE = 2_000


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name:
        folder = Path(name)
        commits, syncs = commits_and_syncs(folder)
        with centre() as running:
            small, _ = rate(folder / "small", running.port, "lobby-1", SMALL)
            large, opened = rate(folder / "large", running.port, "lobby-2", MILLION)
    return [
        *beside("a visit's commit", commits, syncs, f"fdatasync of 4 KiB; goal ratio {GOAL_COMMIT:.0f}"),
        Figure(f"outbox of {MILLION:,} opens", opened, "s", GOAL_OPEN, "goal"),
        Figure(f"published from {MILLION:,}", large, "events/s", small, f"published from {SMALL:,}"),
        Figure(f"published from {MILLION:,}", large, "events/s", GOAL_RATE, "goal"),
    ]


def commits_and_syncs(folder: Path) -> tuple[list[float], list[float]]:
    """Seconds of each, in turns, so that a busy moment of the disk meets both."""
    station = Station(settings(folder / "commit", 1, "lobby-1"), "lobby")
    page = os.open(folder / "page", os.O_RDWR | os.O_CREAT)
    os.write(page, bytes(4096))
    os.fsync(page)
    commits: list[float] = []
    syncs: list[float] = []
    for n in range(ROUNDS):
        at = time.perf_counter()
        os.pwrite(page, n.to_bytes(4, "big") * 1024, 0)
        os.fdatasync(page)
        syncs.append(time.perf_counter() - at)
        fact, people = next(visit())
        at = time.perf_counter()
        station.outbox.append(fact, *people)
        commits.append(time.perf_counter() - at)
    os.close(page)
    station.store.close()
    return commits, syncs


def rate(folder: Path, port: int, name: str, events: int) -> tuple[float, float]:
    """(events a second acknowledged from an outbox of so many, seconds in which that opened)."""
    fill(settings(folder, port, name), events)
    began = time.monotonic()
    station = Station(settings(folder, port, name), "lobby")
    opened = time.monotonic() - began
    station.start()
    while station.outbox.acked == 0:
        time.sleep(0.005)
        assert time.monotonic() - began < 60, "nothing is acknowledged"
    first, began = station.outbox.acked, time.monotonic()
    while station.outbox.acked < min(PUBLISHED, events):
        time.sleep(0.005)
        assert time.monotonic() - began < 120, f"only {station.outbox.acked} acknowledged"
    found = (station.outbox.acked - first) / (time.monotonic() - began)
    station.stop()
    return found, opened


def settings(folder: Path, port: int, name: str) -> LobbySettings:
    return LobbySettings(site=SITE, station=name, data=str(folder), broker=BrokerSettings(port=port))


def fill(where: LobbySettings, events: int) -> None:
    """Put so many events into an outbox as it would have written them, but a thousand a transaction and without decoding."""
    station = Station(where, "lobby")
    station.outbox.append(StaffCalled(call=new_id()))
    log, (seq, prev) = station.outbox.log, station.outbox.head()
    row = station.store.row("SELECT body, id FROM event WHERE log = ? AND seq = ?", (log, seq))
    assert row is not None
    before = station.store.row("SELECT hash FROM event WHERE log = ? AND seq = ?", (log, seq - 1))
    assert before is not None
    # All later bodies are this one with another id, seq and predecessor.
    id_part, rest = row["body"].split(row["id"].encode(), 1)
    middle, rest = rest.split(f'"seq":{seq},"prev":"{before["hash"]}"'.encode(), 1)
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    while seq < events:
        rows: list[tuple[object, ...]] = []
        for _ in range(min(10_000, events - seq)):
            seq += 1
            id = new_id()
            body = b'%b%b%b"seq":%d,"prev":"%b"%b' % (id_part, id.encode(), middle, seq, prev.encode(), rest)
            prev = hashlib.sha256(body).hexdigest()
            rows.append((log, seq, id, "staff.called", at, body, prev))
        with station.store.transaction() as connection:
            connection.executemany(
                "INSERT INTO event (log, seq, id, type, time, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?)", rows
            )
    station.store.close()
