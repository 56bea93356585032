"""One lane of a gate: every scan gets an answer, at once, on record before it is shown, with or without the line.

A code held in front of the reader, or scanned again because nobody saw the answer, repeats the answer and uses nothing
up, also after a power cut. Scanner text is hostile: rubbish is refused, the lane stays alive, and a flood of it doesn't
fill the log. If nothing can be put on record, nobody new is let in by machine; leaving is never refused.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from broker.contract.facts import PassAdmitted, PassLeft, PassRefused
from broker.contract.names import new_id
from broker.contract.verdict import Direction, Outcome, Reason, Verdict
from kiosk.gate.lane import ledger
from kiosk.gate.lane.judge import Judge, Plan, Site
from kiosk.gate.lane.ledger import Ledger
from kiosk.station.clock import Clock
from kiosk.station.outbox import Outbox
from kiosk.station.store import Store

_log = logging.getLogger(__name__)

REPEAT = 5.0
"""Seconds within which the same code gets the same answer again."""

RUBBISH_EVERY = 1.0
"""Seconds between two refusals on record where no pass could be read."""

LOOKED_AT = 256
"""Characters by which a text is recognised again; no pass is longer."""

FORGET_AFTER = 7 * 86_400
PRUNE_EVERY = 3600.0


@dataclass(frozen=True, slots=True)
class LaneResult:
    """What the lane says. `seconds` = how long judging and recording took; `offline`: the centre was out of reach."""

    verdict: Verdict
    direction: Direction
    at: datetime
    seconds: float
    repeat: bool = False
    offline: bool = False


class Lane:
    """Only the station's worker thread may use it.

    Args:
        gate: this station's name, as it stands in the events.
        offline: whether the centre is out of reach.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        gate: str,
        store: Store,
        outbox: Outbox,
        clock: Clock,
        site: Site,
        offline: Callable[[], bool],
    ) -> None:
        self._gate = gate
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._offline = offline
        self._ledger = Ledger(store)
        self._judge = Judge(plan, site, self._ledger)
        self._recent: dict[bytes, tuple[LaneResult, float]] = {}
        self._rubbish_at = -RUBBISH_EVERY
        self._prune_at = 0.0

    def scan(self, text: str, direction: Direction | None = None) -> LaneResult:
        """Answer one scan. Never raises, whatever was scanned.

        Args:
            text: what the scanner delivered; "" where it was no text at all.
            direction: given by the guard; else the lane's own.
        """
        began = time.perf_counter()
        now = self._clock.monotonic()
        digest = _digest(text, direction)
        self._recent = {k: v for k, v in self._recent.items() if now - v[1] < REPEAT}
        if digest in self._recent:
            before = self._recent[digest][0]
            result = replace(before, repeat=True, seconds=time.perf_counter() - began)
            self._recent[digest] = (before, now)
            return result
        verdict, way = self._judge.judge(
            text,
            now=int(self._clock.true_seconds()),
            clock_trusted=self._clock.trusted,
            direction=direction,
        )
        result = LaneResult(verdict, way, self._clock.now(), 0.0, offline=self._offline())
        again = self._just_passed(result, direction)
        result = again or self._record(result)
        self._recent[digest] = (result, now)
        return replace(result, seconds=time.perf_counter() - began)

    def tick(self) -> None:
        """Forget what has long expired, now and then."""
        if self._clock.monotonic() < self._prune_at or not self._clock.trusted:
            return
        self._prune_at = self._clock.monotonic() + PRUNE_EVERY
        with self._store.transaction() as connection:
            ledger.prune(connection, int(self._clock.seconds()) - FORGET_AFTER)

    def _just_passed(self, result: LaneResult, direction: Direction | None) -> LaneResult | None:
        """The answer on record from seconds ago, where the power went before anybody saw it."""
        vpass = result.verdict.vpass
        entry = self._ledger.entry(vpass) if vpass else None
        if entry is None or not 0 <= self._now_ms() - entry.last_at < REPEAT * 1000:
            return None
        if direction not in (None, entry.last_direction):
            return None
        outcome = Outcome.ADMITTED if entry.last_direction is Direction.IN else Outcome.LEFT
        verdict = Verdict(outcome, Reason.OK, vpass)
        return replace(result, verdict=verdict, direction=entry.last_direction, repeat=True)

    def _record(self, result: LaneResult) -> LaneResult:
        verdict = result.verdict
        vpass = verdict.vpass
        cti = vpass.cti.hex() if vpass else None
        nonce, offline = new_id(), result.offline
        fact: PassAdmitted | PassLeft | PassRefused
        if verdict.outcome is Outcome.ADMITTED and vpass is not None and cti is not None:
            fact = PassAdmitted(cti=cti, kid=vpass.kid, nonce=nonce, gate=self._gate, offline=offline)
        elif verdict.outcome is Outcome.LEFT:
            fact = PassLeft(
                cti=cti, reason=verdict.reason.value, nonce=nonce, gate=self._gate, offline=offline
            )
        else:
            fact = PassRefused(
                cti=cti, reason=verdict.reason.value, nonce=nonce, gate=self._gate, offline=offline
            )
        if vpass is None and not self._rubbish_due():
            return result
        try:
            with self._store.transaction() as connection:
                if vpass is not None and not isinstance(fact, PassRefused):
                    ledger.write(connection, vpass, result.direction, self._now_ms())
                self._outbox.append(fact)
        except sqlite3.Error:
            _log.exception("nothing can be put on record: nobody is admitted by machine, exits go on")
            if verdict.outcome is Outcome.ADMITTED:
                return replace(result, verdict=Verdict(Outcome.REFUSED, Reason.ASK_CENTRE, vpass))
            return result
        return result

    def _rubbish_due(self) -> bool:
        now = self._clock.monotonic()
        if now - self._rubbish_at < RUBBISH_EVERY:
            return False
        self._rubbish_at = now
        return True

    def _now_ms(self) -> int:
        return int(self._clock.seconds() * 1000)


def _digest(text: str, direction: Direction | None) -> bytes:
    """Recognises a text again without keeping it: a pass text is a bearer credential."""
    seen = f"{direction}|{len(text)}|{text[:LOOKED_AT]}"
    return hashlib.sha256(seen.encode("utf-8", "surrogatepass")).digest()
