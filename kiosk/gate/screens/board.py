"""What the gate's screen shows, without Kivy: the last verdict and how long it stands, and the signs around it.

Nothing personal comes here: a pass names nobody. A verdict stands for `SHOWN` seconds or until the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from broker.contract.sitedata import Areas

if TYPE_CHECKING:
    from kiosk.gate.lane.lane import LaneResult

SHOWN = 4.0


@dataclass(frozen=True, slots=True)
class Signs:
    """How the post stands. `since` = when it went offline; `scanner` = the scanner is there."""

    online: bool = True
    since: datetime | None = None
    backlog: int = 0
    alarms: tuple[str, ...] = ()
    scanner: bool = True


class Board:
    """One screen's state, on the window's thread. `now` is monotonic seconds."""

    def __init__(
        self, *, language: str, gate: str, now: Callable[[], float], changed: Callable[[], None]
    ) -> None:
        self.language = language
        self.gate = gate
        self.areas: Areas | None = None
        self.ready = False
        self.signs = Signs()
        self.result: LaneResult | None = None
        self.shown = 0
        """How many verdicts were shown, so that two equal ones are still two."""
        self.fault = ""
        self._now = now
        self._changed = changed
        self._until = 0.0

    def open(self, areas: Areas | None) -> None:
        """The lane is there."""
        self.ready = True
        self.areas = areas
        self._changed()

    def site(self, areas: Areas | None) -> None:
        """The site, as far as it is known."""
        if areas is not self.areas:
            self.areas = areas
            self._changed()

    def sign(self, signs: Signs) -> None:
        """How the post stands now."""
        if signs != self.signs:
            self.signs = signs
            self._changed()

    def show(self, result: LaneResult) -> None:
        """A verdict; it replaces the one before."""
        self.result = result
        self.shown += 1
        self.fault = ""
        self._until = self._now() + SHOWN
        self._changed()

    def failed(self, fault: str) -> None:
        """A scan could not be judged: the guard decides, and knows that the machine didn't."""
        self.result = None
        self.fault = fault
        self._until = self._now() + 2 * SHOWN
        self._changed()

    def say(self, language: str) -> None:
        """Another language."""
        self.language = language
        self._changed()

    def tick(self) -> None:
        """Back to idle when the verdict has stood long enough."""
        if (self.result is not None or self.fault) and self._now() >= self._until:
            self.result = None
            self.fault = ""
            self._changed()

    @property
    def screen(self) -> str:
        """The name of the screen: verdict, fault, starting, scanner, clock, or idle."""
        if self.result is not None:
            return "verdict"
        if self.fault:
            return "fault"
        if not self.ready:
            return "starting"
        if "clock_wrong" in self.signs.alarms:
            return "clock"
        return "idle" if self.signs.scanner else "scanner"
