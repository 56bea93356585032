"""How often somebody may guess: some free tries, then a wait that doubles. It survives a restart.

For what a stranger can type at a terminal: the staff PIN, and number + last four digits of a visit.
"""

from __future__ import annotations

from kiosk.station.clock import Clock
from kiosk.station.store import Store

FORGET = 900.0
"""Seconds without a wrong try after which the count starts anew; also the longest wait."""


class Tries:
    """Counts wrong tries under a name in the store."""

    def __init__(
        self, store: Store, clock: Clock, name: str, *, free: int = 3, first_wait: float = 30.0
    ) -> None:
        self._store = store
        self._clock = clock
        self._key = f"tries.{name}"
        self._free = free
        self._first = first_wait

    def wait(self) -> int:
        """Whole seconds until the next try is allowed; 0 = now."""
        wrong, at = self._read()
        if wrong < self._free:
            return 0
        wait = min(self._first * 2 ** (wrong - self._free), FORGET)
        # A clock that was set back must not lock staff out for longer than the wait itself.
        passed = max(self._clock.seconds() - at, 0.0)
        return max(0, round(wait - passed))

    def wrong(self) -> None:
        """One more wrong try."""
        wrong, at = self._read()
        if self._clock.seconds() - at > FORGET:
            wrong = 0
        self._store.put(self._key, f"{wrong + 1} {self._clock.seconds():.0f}")

    def right(self) -> None:
        """The right answer: the count starts anew."""
        self._store.put(self._key, "0 0")

    def _read(self) -> tuple[int, float]:
        wrong, _, at = self._store.get(self._key, "0 0").partition(" ")
        return int(wrong), float(at)
