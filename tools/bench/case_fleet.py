"""A thousand stations, an event a second each: commit → acknowledged; then all come back at once after an hour without a line.

Stations are simulated in a few processes, each with an MQTT connection and a log of its own; the time measured ends when the
station hears that the centre has committed, so it holds one hop more than "commit to commit".
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from broker.contract.facts import Fact
from broker.contract.message import Item
from broker.contract.personal import Personal
from tools.bench.figure import Figure, p50_p99
from tools.bench.sender import Line, Sender
from tools.bench.wire import LONG, SimulatedLog, centre, visit

STATIONS = int(os.environ.get("STATIONS", "1000"))
PROCESSES = 4
LIVE = 30 if LONG else 10
"""Seconds of one event a second each."""

MISSED = 3600 if LONG else 100
"""Events a station has waiting when the line comes back: an hour of them, or a short form of it."""

EACH = 250
PATIENCE = 60.0
GOAL_P50, GOAL_P99 = 5.0, 50.0
GOAL_DRAIN = 50_000


@dataclass
class Crowd:
    """The stations of one process."""

    port: int
    names: list[str]
    latencies: list[float] = field(default_factory=list)
    committed: dict[tuple[str, int], float] = field(default_factory=dict)
    heard_of: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.logs = {name: SimulatedLog(name) for name in self.names}
        self.happening: dict[str, Iterator[tuple[Fact, tuple[Personal, ...]]]] = {}
        self.sender = Sender(self.port, self.heard)
        for name, log in self.logs.items():
            opening = log.payload(1, 1)
            self.sender.add(Line(name, log.log, [1], lambda _, opening=opening: opening))
            log.items.clear()
        self.sender.drain(PATIENCE)

    def heard(self, moment: float, station: str, seq: int) -> None:
        for one in range(self.heard_of.get(station, 1) + 1, seq + 1):
            began = self.committed.pop((station, one), None)
            if began is not None:
                self.latencies.append(moment - began)
        self.heard_of[station] = seq

    def next_event(self, log: SimulatedLog) -> Item:
        found = next(self.happening.get(log.station, iter(())), None)
        if found is None:
            self.happening[log.station] = visit()
            found = next(self.happening[log.station])
        item = log.add(*found)
        log.items.clear()
        return item

    def live(self) -> None:
        """Everybody says something once a second, spread over the second."""
        began = time.monotonic()
        for n, log in itertools.product(range(LIVE), self.logs.values()):
            at = began + n + self.names.index(log.station) / len(self.names)
            while (left := at - time.monotonic()) > 0:
                self.sender.acknowledgements(min(left, 0.01))
            item = self.next_event(log)
            self.committed[log.station, log.seq] = time.monotonic()
            self.sender.publish(log.station, log.message(log.seq, [item]))
        while self.committed:
            assert time.monotonic() - began < LIVE + PATIENCE, f"{len(self.committed)} events unacknowledged"
            self.sender.acknowledgements(0.1)

    def miss(self, kept: int) -> None:
        """What happens while the line is down, as finished messages in a file."""
        at = 0
        for name, log in self.logs.items():
            places: list[tuple[int, int]] = []
            line = self.sender.lines[name]
            line.lasts, line.sent, line.done = [], 0, 0
            for start in range(0, MISSED, EACH):
                items = [self.next_event(log) for _ in range(min(EACH, MISSED - start))]
                payload = log.message(log.seq - len(items) + 1, items)
                os.write(kept, payload)
                places.append((len(payload), at))
                at += len(payload)
                line.lasts.append(log.seq)
            line.read = lambda index, places=places: os.pread(kept, *places[index])


@dataclass(frozen=True, slots=True)
class Told:
    """What one process has to say in the end."""

    latencies: list[float]
    began: float
    ended: float
    again: int


def play(port: int, names: list[str], together: Barrier, out: Connection) -> None:
    crowd = Crowd(port, names)
    together.wait(300)
    crowd.live()
    with tempfile.TemporaryFile(buffering=0) as kept:
        crowd.miss(kept.fileno())
        together.wait(3600)
        began = time.monotonic()
        ended = crowd.sender.drain(PATIENCE)
    crowd.sender.close()
    out.send(Told(crowd.latencies, began, ended, sum(line.again for line in crowd.sender.lines.values())))


def measure() -> list[Figure]:
    fork = multiprocessing.get_context("fork")
    with centre() as running:
        together = fork.Barrier(PROCESSES)
        pipes: list[Any] = []
        for n in range(PROCESSES):
            near, far = fork.Pipe(duplex=False)
            names = [f"station-{i}" for i in range(n, STATIONS, PROCESSES)]
            fork.Process(target=play, args=(running.port, names, together, far), daemon=True).start()
            far.close()  # so that a crowd that fails ends our waiting
            pipes.append(near)
        told: list[Told] = [pipe.recv() for pipe in pipes]
        stored, memory = running.stored(), running.memory()
    sent = STATIONS * (1 + LIVE + MISSED)
    took = max(one.ended for one in told) - min(one.began for one in told)
    latencies = [seconds for one in told for seconds in one.latencies]
    p50, p99 = p50_p99("", latencies, 1, "")
    return [
        Figure(
            "commit → acknowledged p50", p50.value, "ms", GOAL_P50, f"goal; {STATIONS} stations, 1/s each"
        ),
        Figure("commit → acknowledged p99", p99.value, "ms", GOAL_P99, "goal"),
        Figure(
            "all back at once: time to drain", took, "s", STATIONS * MISSED / GOAL_DRAIN, "at the ingest goal"
        ),
        Figure("all back at once", STATIONS * MISSED / took, "events/s", GOAL_DRAIN, "goal"),
        Figure(
            "messages sent twice", sum(one.again for one in told), "", STATIONS * -(-MISSED // EACH), "sent"
        ),
        Figure("events stored", stored, "", sent, "sent; nothing lost is 1.00"),
        Figure("centre's memory afterwards", memory, "MB", 500, "bound"),
    ]
