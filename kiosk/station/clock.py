"""The one clock of a station: what time it is, how far from the centre's, and whether it can be believed.

Floor (event-log.md, "Time") = the later of this release, the last time written, and the last time the centre confirmed.
Once the centre has confirmed the clock, what was written before under a clock gone ahead no longer counts; so a wrong
clock that was put right recovers. Below the floor, or more than 5 minutes off: no passes, exits only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from broker.contract.asking import TimeAnswer, TimeAsk
from broker.contract.event import ClockReading
from broker.contract.names import new_id

RELEASED = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""No true clock is behind the making of this program."""

FAR_OFF = 300.0
WARN_OFF = 30.0
"""Seconds from the centre: past FAR_OFF the clock is wrong, past WARN_OFF the log says so."""

SLOW_ROUND_TRIP = 10.0


class Clock:
    """Reads the machine's clock; `confirmed` and `written` are seconds since 1970 as known from earlier runs."""

    def __init__(
        self,
        *,
        confirmed: float = 0.0,
        written: float = 0.0,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self.monotonic = monotonic
        self.confirmed = confirmed
        self._written = written
        self._asked: tuple[str, float] | None = None
        # The centre's time minus the monotonic clock: it stays right when somebody sets the machine's clock.
        self._base: float | None = None
        self._sure = 0.0

    def seconds(self) -> float:
        """Seconds since 1970 by the machine's clock, right or wrong."""
        return self._wall()

    def true_seconds(self) -> float:
        """The best guess at the true time: the centre's where it is known and this clock is near it."""
        offset = self.offset
        return self._wall() + (offset if offset is not None and self.trusted else 0.0)

    def now(self) -> datetime:
        """The machine's time in UTC."""
        return datetime.fromtimestamp(self._wall(), UTC)

    def ask(self) -> TimeAsk:
        """A question for the centre with a fresh nonce; an earlier one no longer counts."""
        nonce = new_id()
        self._asked = (nonce, self.monotonic())
        return TimeAsk(id=nonce)

    def answered(self, answer: TimeAnswer) -> bool:
        """Take the centre's time from its answer to the latest `ask`; False where it answers nothing or came late."""
        if self._asked is None or self._asked[0] != answer.id:
            return False
        there = self.monotonic()
        trip = there - self._asked[1]
        self._asked = None
        if trip > SLOW_ROUND_TRIP or answer.centre_time.tzinfo is None:
            return False
        self._base = answer.centre_time.timestamp() - (there - trip / 2)
        self._sure = trip / 2
        if abs(self.offset or 0.0) <= FAR_OFF:
            self.confirmed = max(self.confirmed, self._wall())
        return True

    def wrote(self, seconds: float) -> None:
        """An event with this time is on record."""
        self._written = max(self._written, seconds)

    @property
    def offset(self) -> float | None:
        """Seconds to add to this clock to have the centre's; None while the centre hasn't said."""
        return None if self._base is None else self._base + self.monotonic() - self._wall()

    @property
    def floor(self) -> float:
        """No true time is before this (seconds since 1970)."""
        heard = self._base is not None and abs(self.offset or 0.0) <= FAR_OFF
        return max(RELEASED, self.confirmed, 0.0 if heard else self._written)

    @property
    def trusted(self) -> bool:
        """Whether passes may be issued and judged by this clock."""
        offset = self.offset
        # A second of grace: steps of that size are how time servers correct a clock that is right.
        return self._wall() >= self.floor - 1.0 and (offset is None or abs(offset) <= FAR_OFF)

    def reading(self) -> ClockReading:
        """What stands beside each event's time."""
        offset = self.offset
        if offset is None:
            return ClockReading()
        return ClockReading(offset_ms=round(offset * 1000), sure_ms=max(1, round(self._sure * 1000)))
