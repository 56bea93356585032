"""Draws the session on the stage: which screen, the overlay, the time; remembers what a screen remembers of itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from kiosk.lobby.screens.catalogue import screen_for
from kiosk.lobby.screens.screen import Screen
from kiosk.lobby.session import Session
from kiosk.ui import words
from kiosk.ui.stage import Stage


class LobbyView:
    """What a screen draws from (`frame.View`), and the one who decides when it is drawn.

    Args:
        now: the time, in UTC.
    """

    def __init__(
        self,
        stage: Stage,
        session: Session,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.stage = stage
        self.session = session
        self.memory: dict[str, object] = {}
        self._now = now
        self._screen: Screen | None = None
        self._turn = 0
        self._minute = ""

    # ---- for screens

    @property
    def portrait(self) -> bool:
        return self.stage.portrait

    @property
    def short(self) -> bool:
        sides = sorted(self.stage.size)
        return sides[1] < sides[0] * 1.7

    def say(self, key: str, **values: object) -> str:
        return words.say(self.session.language, key, **values)

    def clock(self) -> str:
        return f"{self._local(self._now()):%H:%M}"

    def date(self) -> str:
        today = self._local(self._now())
        return self.say("date", weekday=self.say(f"weekday.{today.weekday()}"), **self._day(today))

    def at(self, seconds: int) -> str:
        then = self._local(datetime.fromtimestamp(seconds, UTC))
        key = "at.today" if then.date() == self._local(self._now()).date() else "at.day"
        return self.say(key, time=f"{then:%H:%M}", **self._day(then))

    def redraw(self) -> None:
        self._turn += 1
        self.draw()

    # ---- drawing

    def draw(self) -> None:
        """Bring the stage up to date with the session."""
        session = self.session
        name = session.screen
        if self._screen is None or self._screen.name != name:
            self.memory.clear()
            self._screen = screen_for(name)(self)
        screen = self._screen
        shape = (session.language, session.signs, session.call, self._turn, screen.shape())
        if not self.stage.show((name,), shape, screen.build):
            screen.update()
        self._cover()

    def tick(self) -> None:
        """The clock on the screen, and the countdown of the warning."""
        minute = self.clock()
        if minute != self._minute:
            self._minute = minute
            tell = getattr(self.stage.screen, "tell_time", None)
            if tell is not None:
                tell()
        count = getattr(self.stage.overlay, "count", None)
        if count is not None:
            count()

    def _cover(self) -> None:
        covered = self.stage.overlay is not None
        if self.session.warning is not covered:
            from kiosk.lobby.screens.still_there import StillThere

            self.stage.cover(StillThere(self) if self.session.warning else None)

    def _local(self, moment: datetime) -> datetime:
        areas = self.session.areas
        return moment.astimezone(ZoneInfo(areas.time_zone) if areas else None)

    def _day(self, moment: datetime) -> dict[str, object]:
        return {
            "month": moment.month,
            "day": moment.day,
            "month_name": self.say(f"month.{moment.month}"),
        }
