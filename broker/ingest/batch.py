"""One batch of messages into the log and the views, within the writer's transaction; says what to acknowledge after it.

A gap is answered by acknowledging what is there, which makes the station replay; while the gap lasts this is repeated
with growing pauses (0.5 s to 10 s), so that a window of messages behind one lost one asks once, not fifty times.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from broker import clock
from broker.contract.acknowledgement import Acknowledgement
from broker.contract.event import body_hash
from broker.contract.facts import LogOpened
from broker.contract.message import Message
from broker.ingest import check
from broker.ingest.check import BadMessage, Checked
from broker.ingest.opening import open_beside
from broker.store.log import OK, QUARANTINED, REPEATED, EventLog, Head, LogKey, Row
from broker.store.views import Changes, Views

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
BAD_SIGNATURE = "bad signature"
ALTERED = "ciphertexts not as in the chain"
"""How the reasons of dead letters begin."""

MAX_GAPS = 1_000
"""Logs whose last asking is remembered; past that, the longest known is forgotten and asked at once again."""


@dataclass(slots=True)
class Taken:
    """What a batch came to: acknowledgements to publish after the commit, and what to show."""

    acknowledgements: dict[str, Acknowledgement]
    changes: Changes
    appended: int = 0


@dataclass(slots=True)
class _Gap:
    asked_at: float
    pause: float


@dataclass(slots=True)
class Ingest:
    """Takes messages of one site. `monotonic` is replaced in tests."""

    site: str
    events: EventLog
    db: sqlite3.Connection
    monotonic: Callable[[], float] = time.monotonic
    _gaps: dict[LogKey, _Gap] = field(default_factory=dict)

    def take(self, messages: Iterable[tuple[str, str, bytes]]) -> Taken:
        """Append what (topic, station, payload) hold. The caller's transaction; nothing is published here."""
        views = Views(self.db)
        taken = Taken({}, views.changes)
        for topic, station, payload in messages:
            try:
                found = check.read(payload, site=self.site, station=station)
            except BadMessage as error:
                self._dead(views, topic, station, payload, str(error))
                continue
            key = LogKey(found.site, found.station, found.log)
            head = self.events.head(key)
            if head.seq == 0 and found.first > 1:
                # Nothing to check it by, and nothing to append: its beginning is asked for, which brings the key.
                if self._ask_again(key):
                    taken.acknowledgements[station] = self.acknowledge(key, head)
                continue
            if found.last <= head.seq and self._held(key, found):
                # Nothing of it is taken, so nothing needs proof: a storm of repetitions must cost next to nothing.
                taken.acknowledgements[station] = self.acknowledge(key, head)
                continue
            public = self.events.public_key(key) if head.seq else check.offered_key(found)
            if public is None or not check.is_signed(found, public):
                self._dead(views, topic, station, payload, BAD_SIGNATURE, alarm="bad_signature")
                continue
            judged = check.judge(found, head, lambda a, b, key=key: self.events.hashes(key, a, b))
            if judged.new:
                self._append(key, judged.new, views)
                taken.appended += len(judged.new)
                self._gaps.pop(key, None)
                self.events.signed(key, public, found)
            mangled = sorted({name for new in judged.new for name in new.mangled})
            if mangled:
                self._dead(views, topic, station, payload, f"{ALTERED}: {', '.join(mangled)}")
            if judged.bad:
                self._dead(views, topic, station, payload, judged.bad)
            for seq, digest, item in judged.forks:
                received = clock.stamp(clock.now())
                if self.events.keep_fork(key, seq, digest, item.body, item.ciphertexts, received):
                    log.error("fork: station %s log %s seq %d came again, different", station, key.log, seq)
                    views.alarm("fork", station)
            # A fork is answered like a gap: the head we hold tells a station that its log went on without it.
            asked = judged.gap or judged.forks
            fits = judged.new or (judged.duplicates and not (judged.forks or judged.bad))
            if fits or (asked and self._ask_again(key)):
                taken.acknowledgements[station] = self.acknowledge(key)
        self.events.flush()
        views.flush()
        return taken

    def _held(self, key: LogKey, found: Message) -> bool:
        """Whether every body of a message is stored already, byte for byte."""
        stored = self.events.hashes(key, found.first, found.last)
        return all(
            stored.get(seq) == body_hash(item.body) for seq, item in enumerate(found.items, found.first)
        )

    def acknowledge(self, key: LogKey, head: Head | None = None) -> Acknowledgement:
        """The centre's word on a log as it is stored now."""
        head = head or self.events.head(key)
        return Acknowledgement(
            epoch=self.events.epoch,
            log=key.log,
            seq=head.seq,
            head_hash=head.hash,
            centre_time=clock.now(),
        )

    def _append(self, key: LogKey, new: list[Checked], views: Views) -> None:
        if new[0].event.seq == 1:
            self._begun(key, new[0], views)
        counted = self.events.counted(key.station, [one.event.id for one in new])
        rows: list[Row] = []
        driving: list[tuple[int, Checked]] = []
        for index, one in enumerate(new):
            event = one.event
            if one.fact is None:
                state = QUARANTINED
            elif event.id in counted:
                state = REPEATED
            else:
                state = OK
                counted.add(event.id)
                driving.append((index, one))
            rows.append(
                Row(
                    event.seq,
                    event.id,
                    event.type,
                    event.v,
                    clock.stamp(event.time),
                    one.body,
                    one.hash,
                    state,
                    one.problem,
                    tuple(
                        (name, event.sealed[name].kid, event.sealed[name].hash, value)
                        for name, value in one.ciphertexts.items()
                    ),
                )
            )
            if state is QUARANTINED:
                log.warning("quarantined: station %s seq %d: %s", key.station, event.seq, one.problem)
                views.alarm("quarantined", key.station)
        positions = self.events.append(key, rows, clock.stamp(clock.now()))
        for index, one in driving:
            assert one.fact is not None
            opened, all_of_them = open_beside(one.event, one.ciphertexts)
            if not all_of_them:
                views.alarm("unopened", key.station)
            views.apply(positions[index], one.event, one.fact, opened)

    def _begun(self, key: LogKey, first: Checked, views: Views) -> None:
        """A log that names no predecessor beside older ones: re-installed, or two stations under one name."""
        named = isinstance(first.fact, LogOpened) and first.fact.predecessor is not None
        if not named and self.events.has_another(key):
            log.warning("station %s begins log %s beside an older one", key.station, key.log)
            views.alarm("log_replaced", key.station)

    def _dead(
        self,
        views: Views,
        topic: str,
        station: str,
        payload: bytes,
        reason: str,
        alarm: str = "dead_letter",
    ) -> None:
        log.warning("dead letter from %s: %s", station, reason)
        self.events.keep_dead_letter(topic, payload, reason)
        views.alarm(alarm, station)

    def _ask_again(self, key: LogKey) -> bool:
        now = self.monotonic()
        gap = self._gaps.get(key)
        if gap is None:
            if len(self._gaps) >= MAX_GAPS:
                del self._gaps[next(iter(self._gaps))]
            self._gaps[key] = _Gap(now, FIRST_PAUSE)
            return True
        if now - gap.asked_at < gap.pause:
            return False
        gap.asked_at, gap.pause = now, min(gap.pause * 2, LONGEST_PAUSE)
        return True
