"""The frame of every lobby screen: art with the question on it, a sheet of paper with the answers, the foot with help.

Upright, the art is a band at the top; lying, a panel at the left. Wherever the visitor stands there are the time, the
language, a person to call, and a way back where there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kiosk.lobby.outside import Call
from kiosk.lobby.session import Session
from kiosk.ui import theme
from kiosk.ui.cards import Progress
from kiosk.ui.controls import Button, Segments
from kiosk.ui.keyboard import Keyboard
from kiosk.ui.layout import Box, Column, Row, Space, Surface
from kiosk.ui.paint import Backdrop, Plate
from kiosk.ui.text import Icon, Text
from kiosk.ui.theme import px


class View(Protocol):
    """What a screen draws from."""

    session: Session
    memory: dict[str, object]
    """What a screen remembers of itself (which field has the keys); gone with the next question."""

    @property
    def portrait(self) -> bool:
        """Whether the screen stands upright."""
        ...

    @property
    def short(self) -> bool:
        """Whether the screen's longer side is short for its width: 4:3 to 16:10 instead of 16:9."""
        ...

    def say(self, key: str, **values: object) -> str:
        """The words of `key` in the visitor's language."""
        ...

    def clock(self) -> str:
        """The time of day at the site, as `09:41`."""
        ...

    def date(self) -> str:
        """Today at the site, in words."""
        ...

    def at(self, seconds: int) -> str:
        """A moment at the site (seconds since 1970), short: the time, with the day where it isn't today."""
        ...

    def redraw(self) -> None:
        """Build the screen anew, after a change of its memory."""
        ...


@dataclass(frozen=True)
class Heading:
    """What stands on the art. `progress` is (step, of how many) or None; `back` None = no way back from here."""

    title: str
    below: str = ""
    progress: tuple[int, int] | None = None
    back: Callable[[], object] | None = None


class Foot(Row):
    """Language at the left, help at the right."""

    def __init__(self, view: View) -> None:
        session = view.session
        self.languages = Segments(
            (("zh_CN", "中文"), ("en", "English")), session.language, session.say, prefix="language"
        )
        self.help = help_button(view)
        super().__init__([self.languages, Space(0, grow=1), self.help])


def help_button(view: View) -> Button:
    """The button that calls a person, in the state the call is in."""
    session = view.session
    kind, key, icon = {
        Call.NONE: ("help", "help.call", "call-bell"),
        Call.CALLED: ("helped", "help.called", "bell-ringing"),
        Call.FAILED: ("help", "help.failed", "call-bell"),
        Call.COMING: ("helped", "help.coming", "bell-ringing"),
    }[session.call]
    return Button(view.say(key), "help", session.call_staff, kind=kind, icon=icon, size=30)


class Chip(Surface):
    """A small sign on the art."""

    def __init__(self, words: str, icon: str) -> None:
        self.text = Text(words, size=26, colour=theme.SUN, lines=1)
        super().__init__(
            Row([Icon(icon, size=32, colour=theme.SUN), self.text], gap=12),
            colour=theme.SCRIM,
            radius=32,
            pad=(22, 12, 26, 12),
        )


def chip_for(view: View) -> Chip | None:
    """What the visitor should know of the terminal's state; None when all is well."""
    signs = view.session.signs
    if "name_taken" in signs.alarms:
        return Chip(view.say("sign.name_taken"), "warning")
    if not signs.online:
        return Chip(view.say("sign.offline"), "cloud-slash")
    return None


class Frame(Box):
    """One screen.

    Args:
        content: what is asked, on the paper; it gets all the height that is left.
        action: the button that goes on, under the content.
        tray: keys, above the foot.
        art: which picture stands behind the heading (`band`, or `hero` for welcome and farewell).
    """

    def __init__(
        self,
        view: View,
        heading: Heading,
        content: Box,
        *,
        action: Box | None = None,
        tray: Keyboard | None = None,
    ) -> None:
        super().__init__()
        self.view = view
        self.portrait = view.portrait
        self.content = content
        self.action = action
        self.tray = tray
        self.chip = chip_for(view)
        self.heading = heading
        with self.canvas.before:
            self._art = Backdrop("band-portrait" if self.portrait else "hero-landscape")
            self._sheet = Plate(theme.PAPER, px(theme.R_SHEET))
            self._wash = Backdrop("wash")
        size = 60 if self.portrait else 58
        self._title = Text(heading.title, size=size, bold=True, colour=theme.WHITE, leading=1.28)
        self._below = Text(heading.below, size=30, colour=theme.MIST, leading=1.45)
        self._back = (
            Button(view.say("back"), "back", heading.back, kind="veil", icon="arrow-left", size=30, side=30)
            if heading.back
            else None
        )
        self._time = Text(view.clock(), size=46, bold=True, colour=theme.WHITE, lines=1, align="right")
        self._date = Text(view.date(), size=26, colour=theme.MIST, lines=1)
        self._progress = Progress(*heading.progress, dark=True) if heading.progress else None
        self.foot = Foot(view)
        for box in (
            self._title,
            self._below,
            self._back,
            self._time,
            self._progress,
            self.chip,
            content,
            action,
            tray,
            self.foot,
        ):
            if box is not None:
                self.add_widget(box)
        if not self.portrait:
            self.add_widget(self._date)

    def tell_time(self) -> None:
        """The minute has changed."""
        self._time.say(self.view.clock())

    def arrange(self) -> None:
        if self.portrait:
            self._upright()
        else:
            self._lying()

    def _upright(self) -> None:
        x, y, w, h = self.x, self.y, self.width, self.height
        margin = px(theme.MARGIN)
        # The sun stands at the right; no word runs into it.
        title_wide = min(w - 2 * margin, w * 0.71)
        title_high = self._title.need(title_wide)
        below_high = self._below.need(title_wide)
        bar = px(44) if self._progress else 0
        band = px(44 + theme.TOUCH + 40) + title_high + px(8) + below_high + bar + px(64)
        band = max(band, px(400) if h > px(1700) else 0)
        top = y + h
        self._art.put(x, top - band - px(theme.R_SHEET), w, band + px(theme.R_SHEET))
        self._sheet.put(x, y - px(theme.R_SHEET), w, h - band + px(theme.R_SHEET))
        self._wash.put(x, y, w, min(px(600), (h - band) * 0.6))
        row = top - px(44 + theme.TOUCH)
        if self._back is not None:
            self._back.lay(x + margin, row, self._back.want(), px(theme.TOUCH))
        self._time.lay(x + w - margin - px(200), row, px(200), px(theme.TOUCH))
        if self.chip is not None:
            left = x + margin + (self._back.want() + px(24) if self._back else 0)
            room = x + w - margin - px(170) - left
            wide = min(room, self.chip.want() + 2)
            high = self.chip.need(wide)
            self.chip.lay(
                left if self._back is None else left + (room - wide) / 2,
                row + (px(theme.TOUCH) - high) / 2,
                wide,
                high,
            )
        first = row - px(40)
        self._title.lay(x + margin, first - title_high, title_wide, title_high)
        self._below.lay(x + margin, first - title_high - px(8) - below_high, title_wide, below_high)
        if self._progress is not None:
            self._progress.lay(x + margin, top - band + px(40), w - 2 * margin, px(10))
        self._sheet_inside(x + margin, y, w - 2 * margin, h - band)

    def _lying(self) -> None:
        x, y, w, h = self.x, self.y, self.width, self.height
        panel = round(min(max(w * 0.325, px(460)), px(640)))
        radius = px(theme.R_SHEET)
        margin = px(theme.MARGIN)
        self._art.put(x, y, panel + radius, h)
        self._sheet.put(x + panel, y - radius, w - panel + radius, h + radius)
        self._wash.put(x + panel, y, w - panel, h * 0.5)
        wide = panel - 2 * margin + px(16)
        top = y + h - px(52)
        if self._back is not None:
            self._back.lay(x + margin, top - px(theme.TOUCH), self._back.want(), px(theme.TOUCH))
        top -= px(theme.TOUCH + 64)
        for box, gap in ((self._title, 16), (self._below, 32)):
            high = box.need(wide)
            box.lay(x + margin, top - high, wide, high)
            top -= high + (px(gap) if high else 0)
        if self._progress is not None:
            self._progress.lay(x + margin, top - px(10), wide, px(10))
        base = y + px(48)
        self._date.lay(x + margin, base, wide, px(40))
        self._time.align = "left"
        self._time.lay(x + margin, base + px(40), wide, px(64))
        if self.chip is not None:
            chip_wide = min(panel - margin - px(24), self.chip.want() + 2)
            self.chip.lay(x + margin - px(4), base + px(124), chip_wide, self.chip.need(chip_wide))
        side = px(56)
        self._sheet_inside(x + panel + side, y, w - panel - 2 * side, h)

    def _sheet_inside(self, x: float, y: float, w: float, h: float) -> None:
        """From the foot upwards: foot, keys, action; the rest is the content's. Keys give way where it needs more."""
        upright = self.portrait
        bottom = y + px(40 if upright else 32)
        top = y + h - px(48 if upright else 44)
        foot = self.foot.need(w)
        self.foot.lay(x, bottom, w, foot)
        bottom += foot + px(28 if upright else 22)
        action = self.action.need(w) + px(28) if self.action is not None else 0.0
        if self.tray is not None:
            high = self.tray.need(w)
            missing = self.content.need(w) - (top - bottom - high - px(24) - action)
            high = max(self.tray.least, high - max(0.0, missing))
            wide = w + px(48) if upright else w
            self.tray.lay(x - (wide - w) / 2, bottom, wide, high)
            bottom += high + px(24)
        if self.action is not None:
            high = self.action.need(w)
            self.action.lay(x, bottom, w, high)
            bottom += high + px(28)
        self.content.lay(x, bottom, w, top - bottom)


def next_button(
    view: View, on_tap: Callable[[], object], *, key: str = "next", icon: str = "arrow-right"
) -> Button:
    """The button that goes on; always the same place, size and name."""
    return Button(view.say(key), "next", on_tap, trailing=icon, size=40, high=116, radius=theme.R_CARD)


def problem_line(view: View) -> list[Box]:
    """The sentence for what can't be taken yet, with its next step; nothing when all is well."""
    from kiosk.ui.cards import Banner

    flow = view.session.flow
    problem = flow.problem if flow is not None else None
    return [Banner(view.say(f"problem.{problem.value}"))] if problem else []


__all__ = [
    "Chip",
    "Column",
    "Foot",
    "Frame",
    "Heading",
    "View",
    "chip_for",
    "help_button",
    "next_button",
    "problem_line",
]
