"""How long nobody has touched the screen, and what follows: a warning, then the wipe.

Pure, with the time given from outside. 45 s, then a 25 s warning (kiosk-notes.md, "Idle"); any touch or key starts it
anew, any number of times. A visitor who waits for the host gets longer, because there is nothing to touch meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Idleness(StrEnum):
    ACTIVE = "active"
    WARNING = "warning"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds until the warning, and seconds the warning stands (never under 20)."""

    quiet: float = 45.0
    warning: float = 25.0

    def __post_init__(self) -> None:
        if self.quiet <= 0 or self.warning < 20:
            raise ValueError("an idle warning must stand for at least 20 seconds")


AT_QUESTIONS = Patience()
WHILE_WAITING = Patience(quiet=180.0, warning=25.0)
AT_THE_PASS = Patience(quiet=40.0, warning=20.0)


class IdleTimer:
    """Watches one visitor. Times are monotonic seconds."""

    def __init__(self, now: float, patience: Patience = AT_QUESTIONS) -> None:
        self._touched = now
        self.patience = patience

    def touch(self, now: float) -> None:
        """Somebody is there."""
        self._touched = now

    def state(self, now: float) -> Idleness:
        """How it stands at `now`."""
        quiet = now - self._touched
        if quiet < self.patience.quiet:
            return Idleness.ACTIVE
        return Idleness.WARNING if quiet < self.patience.quiet + self.patience.warning else Idleness.GONE

    def left(self, now: float) -> int:
        """Whole seconds until the wipe, for the warning's countdown."""
        return max(0, round(self._touched + self.patience.quiet + self.patience.warning - now))
