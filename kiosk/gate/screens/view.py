"""Draws the board: a calm picture while nobody scans, then the whole screen green or red with the reason and what to do.

Colour never stands alone: an icon and a word say the same. The headline is readable at two metres on a 15-inch screen.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from broker.contract.sitedata import say
from broker.contract.verdict import Direction, Outcome, Reason
from kiosk.gate.screens.board import Board
from kiosk.ui import theme, words
from kiosk.ui.controls import Segments, Tile
from kiosk.ui.layout import Box, Column, Row, Space, Surface
from kiosk.ui.paint import Backdrop, Plate
from kiosk.ui.stage import Stage
from kiosk.ui.text import Icon, Text
from kiosk.ui.theme import Colour, px

if TYPE_CHECKING:
    from kiosk.gate.lane.lane import LaneResult

REASON_ICONS: dict[Reason, str] = {
    Reason.OK: "check",
    Reason.UNREADABLE: "scan",
    Reason.UNKNOWN_KEY: "seal-check",
    Reason.FORGED: "warning",
    Reason.KEY_NOT_VALID: "seal-check",
    Reason.REVOKED: "prohibit",
    Reason.FLAGGED: "hand-palm",
    Reason.NOT_YET: "hourglass",
    Reason.EXPIRED: "clock",
    Reason.OTHER_SITE: "buildings",
    Reason.WRONG_AREA: "map-pin",
    Reason.USED_UP: "ticket",
    Reason.ALREADY_INSIDE: "users",
    Reason.ASK_CENTRE: "phone",
    Reason.CLOCK_WRONG: "timer",
}

STATES: dict[str, tuple[str, str]] = {
    # screen: icon, key of its words
    "idle": ("scan", "gate.idle"),
    "starting": ("hourglass", "gate.starting"),
    "scanner": ("plugs", "gate.scanner"),
    "clock": ("clock", "gate.clock"),
}


def looks(result: LaneResult) -> tuple[str, Colour, Colour, str]:
    """(key of the headline, ground, deeper ground, icon) of a verdict."""
    verdict = result.verdict
    if verdict.outcome is Outcome.ADMITTED:
        return "gate.admitted", theme.GATE_GREEN, theme.GATE_GREEN_DEEP, "check"
    if verdict.outcome is Outcome.LEFT:
        return "gate.left", theme.GATE_GREEN, theme.GATE_GREEN_DEEP, "sign-out"
    return "gate.refused", theme.GATE_RED, theme.GATE_RED_DEEP, REASON_ICONS[verdict.reason]


class Sign(Surface):
    """A small sign in the head: an icon and a word."""

    def __init__(
        self, icon: str, text: str, *, colour: Colour = theme.WHITE, ground: Colour = theme.VEIL
    ) -> None:
        super().__init__(
            Row(
                [Icon(icon, size=40, colour=colour), Text(text, size=34, bold=True, colour=colour, lines=1)],
                gap=16,
            ),
            colour=ground,
            radius=44,
            pad=(28, 18, 32, 18),
        )


class GateView:
    """Brings the stage up to date with the board. `now` in UTC."""

    def __init__(
        self, stage: Stage, board: Board, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.stage = stage
        self.board = board
        self._now = now
        self._minute = ""

    def say(self, key: str, **values: object) -> str:
        return words.say(self.board.language, key, **values)

    def clock(self, moment: datetime | None = None) -> str:
        areas = self.board.areas
        zone = ZoneInfo(areas.time_zone) if areas else None
        return f"{(moment or self._now()).astimezone(zone):%H:%M}"

    def draw(self) -> None:
        """Draw what has changed."""
        board = self.board
        shape = (
            board.language,
            board.signs,
            board.shown if board.screen == "verdict" else 0,
            board.fault,
            id(board.areas),
        )
        self.stage.show((board.screen,), shape, self._build)

    def tick(self) -> None:
        """The minute on the screen."""
        minute = self.clock()
        if minute != self._minute:
            self._minute = minute
            screen = self.stage.screen
            if isinstance(screen, Poster):
                screen.time.say(minute)

    def _build(self) -> Box:
        board = self.board
        if board.result is not None:
            return Poster(self, *self._verdict(board.result))
        if board.fault:
            big = self._big(
                "warning", self.say("gate.fault.title"), "", self.say("gate.fault.next", id=board.fault)
            )
            return Poster(self, big, theme.GATE_AMBER, theme.GATE_AMBER)
        icon, key = STATES[board.screen]
        title = self.say(f"{key}.title")
        return Poster(self, self._calm(icon, title, self.say(f"{key}.next")), None, None)

    def _verdict(self, result: LaneResult) -> tuple[Box, Colour, Colour]:
        headline, ground, deep, icon = looks(result)
        reason = result.verdict.reason
        notes: list[Box] = []
        if result.repeat:
            notes.append(Sign("arrows-clockwise", self.say("gate.repeat")))
        if result.offline:
            notes.append(Sign("cloud-slash", self.say("gate.judged_offline")))
        if result.verdict.outcome is Outcome.LEFT:
            below = self.say("gate.left.below")
            remark = "" if reason is Reason.OK else self.say(f"reason.{reason.value}.title")
        else:
            below = self.say(f"reason.{reason.value}.title")
            remark = self.say(f"reason.{reason.value}.next")
        return self._big(icon, self.say(headline), below, remark, notes), ground, deep

    def _big(self, icon: str, title: str, below: str, remark: str, notes: list[Box] | None = None) -> Box:
        upright = self.stage.portrait
        mark = Tile(icon, side=380 if upright else 440, colour=theme.WHITE, ink=theme.INK)
        align = "centre" if upright else "left"
        texts: list[Box] = [
            Text(
                title,
                size=170 if upright else 190,
                bold=True,
                colour=theme.WHITE,
                align=align,
                leading=1.16,
                lines=1,
            ),
        ]
        if below:
            texts.append(Text(below, size=84, bold=True, colour=theme.WHITE, align=align, leading=1.24))
        if remark:
            texts.append(Text(remark, size=56, colour=theme.WHITE, align=align, leading=1.36))
        for note in notes or []:
            spare = Space(0, grow=1)
            texts.append(Row([spare, note, Space(0, grow=1)] if upright else [note, spare]))
        body = Column(texts, gap=24, grow=0 if upright else 1)
        self._mark = mark
        if upright:
            return Column([Row([Space(0, grow=1), mark, Space(0, grow=1)]), body], gap=72, middle=True)
        return Row([mark, body], gap=88)

    def _calm(self, icon: str, title: str, below: str) -> Box:
        mark = Surface(
            Icon(icon, size=150, colour=theme.SUN), colour=theme.VEIL, radius=84, pad=(66, 66, 66, 66)
        )
        return Column(
            [
                Row([Space(0, grow=1), mark, Space(0, grow=1)]),
                Text(title, size=116, bold=True, colour=theme.WHITE, align="centre", leading=1.24),
                Text(below, size=48, colour=theme.MIST, align="centre", leading=1.4),
            ],
            gap=36,
            middle=True,
        )


class Poster(Box):
    """The whole screen: a ground (a colour, or the picture), the head with its signs, one message, the foot."""

    def __init__(self, view: GateView, message: Box, ground: Colour | None, deep: Colour | None) -> None:
        super().__init__()
        board = view.board
        with self.canvas.before:
            if ground is None:
                self._art: Backdrop | None = Backdrop("hero-portrait")
                self._veil = Plate((*theme.JADE_NIGHT[:3], 0.46))
            else:
                self._art = None
                self._veil = Plate(ground)
            self._foot_ground = Plate(deep or (*theme.JADE_NIGHT[:3], 0.55))
        site = say(board.areas.names, board.language) if board.areas else view.say("brand.default")
        self._name = Column(
            [
                Text(site, size=44, bold=True, colour=theme.WHITE, lines=1, leading=1.3),
                Text(
                    view.say("gate.name", gate=board.gate),
                    size=32,
                    colour=theme.MIST if ground is None else theme.WHITE,
                    lines=1,
                ),
            ],
            gap=0,
        )
        self.time = Text(
            view.clock(), size=84, bold=True, colour=theme.WHITE, lines=1, align="right", leading=1.1
        )
        self._message = message
        signs = board.signs
        chips: list[Box] = []
        if board.result is not None:
            key = "gate.in" if board.result.direction is Direction.IN else "gate.out"
            icon = "sign-in" if board.result.direction is Direction.IN else "sign-out"
            chips.append(Sign(icon, view.say(key)))
        if not signs.online:
            since = view.clock(signs.since) if signs.since else ""
            text = view.say("gate.offline_since", time=since) if since else view.say("gate.offline")
            chips.append(Sign("cloud-slash", text, colour=theme.SUN))
        elif board.ready:
            chips.append(Sign("check-circle", view.say("gate.online")))
        if signs.backlog:
            chips.append(
                Sign("clock-countdown", view.say("gate.backlog", count=signs.backlog), colour=theme.SUN)
            )
        if not signs.scanner and board.screen != "scanner":
            chips.append(Sign("plugs", view.say("gate.scanner.title"), colour=theme.SUN))
        if "name_taken" in signs.alarms:
            chips.append(Sign("warning", view.say("gate.name_taken"), colour=theme.SUN))
        if "disk_full" in signs.alarms:
            chips.append(Sign("warning", view.say("gate.disk_full"), colour=theme.SUN))
        if "no_policy" in signs.alarms:
            chips.append(Sign("warning", view.say("gate.no_policy"), colour=theme.SUN))
        self._chips = chips
        self._language = Segments(
            (("zh_CN", "中文"), ("en", "English")), board.language, board.say, prefix="language", dark=True
        )
        for box in (self._name, self.time, message, *chips, self._language):
            self.add_widget(box)

    def arrange(self) -> None:
        x, y, w, h = self.x, self.y, self.width, self.height
        margin = px(64)
        if self._art is not None:
            self._art.put(x, y, w, h)
        self._veil.put(x, y, w, h)
        wide = w - 2 * margin
        head = px(120)
        name_high = self._name.need(wide - px(320))
        top = y + h - px(56)
        self._name.lay(x + margin, top - (head + name_high) / 2, wide - px(320), name_high)
        self.time.lay(x + w - margin - px(300), top - head, px(300), head)
        rows, beside = self._rows(wide)
        row_high = px(theme.TOUCH)
        count = len(rows) + (0 if beside else 1)
        foot = count * (row_high + px(20)) + px(44)
        self._foot_ground.put(x, y, w, foot)
        base = y + foot - px(32) - row_high
        for row in rows:
            left = x + margin
            for chip in row:
                chip.lay(left, base, min(wide, chip.want() + 2), row_high)
                left += chip.width + px(24)
            base -= row_high + px(20)
        language = self._language.want()
        lowest = base + row_high + px(20) if beside else base
        self._language.lay(x + w - margin - language, lowest, language, row_high)
        body_top = top - head - px(24)
        self._message_at(x + margin, y + foot + px(24), wide, body_top - y - foot - px(24))

    def _message_at(self, x: float, y: float, w: float, h: float) -> None:
        high = min(h, self._message.need(w)) if not isinstance(self._message, Column) else h
        self._message.lay(x, y + (h - high) / 2, w, high)

    def _rows(self, width: float) -> tuple[list[list[Box]], bool]:
        """The signs in as many rows as they need, and whether the languages find room beside the last one."""
        rows: list[list[Box]] = [[]]
        used = 0.0
        for chip in self._chips:
            wide = chip.want() + px(24)
            if rows[-1] and used + wide > width:
                rows.append([])
                used = 0.0
            rows[-1].append(chip)
            used += wide
        return rows, used + self._language.want() <= width
