"""Welcome: the hero, the way in, and the way back to a visit that is on record. Here alone both languages stand together.

The other screens of one large sentence use the same picture: not set up yet, farewell (V2), and the apology after a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from broker.contract.sitedata import say
from kiosk.lobby.screens.frame import Foot, View, chip_for
from kiosk.lobby.screens.screen import Screen
from kiosk.ui import theme, words
from kiosk.ui.cards import Choice
from kiosk.ui.controls import Button, Tap, Tile
from kiosk.ui.layout import Box, Column, Fixed, Row, Space, Surface
from kiosk.ui.paint import Backdrop, Plate
from kiosk.ui.text import Icon, Text
from kiosk.ui.theme import px


class Brand(Row):
    """The site's mark and name; on the welcome screen in the second language too (`both`)."""

    def __init__(self, view: View, *, both: bool) -> None:
        areas = view.session.areas
        second = words.other(view.session.language)
        title = say(areas.names, view.session.language) if areas else view.say("brand.default")
        below = say(areas.names, second) if areas else words.say(second, "brand.default")
        super().__init__(
            [
                Tile("tree", side=92, colour=theme.VEIL, ink=theme.SUN, solid=True),
                Column(
                    [
                        Text(title, size=34, bold=True, colour=theme.WHITE, leading=1.3, lines=1),
                        *([Text(below, size=26, colour=theme.MIST, leading=1.3, lines=1)] if both else []),
                    ],
                    gap=0,
                    grow=1,
                ),
            ],
            gap=24,
        )


class Hero(Box):
    """The picture with a greeting on it, and a sheet with whatever is offered."""

    def __init__(
        self,
        view: View,
        *,
        title: str,
        below: str,
        content: Box,
        share: float = 0.5,
        foot: bool = True,
        lift: float = 0.0,
        title_share: float = 1.0,
        both: bool = False,
    ) -> None:
        super().__init__()
        self.title_share = title_share
        self.view = view
        self.portrait = view.portrait
        self.share = share
        self.lift = lift
        with self.canvas.before:
            self._art = Backdrop("hero-portrait" if self.portrait else "hero-landscape")
            self._sheet = Plate(theme.PAPER, px(theme.R_SHEET))
            self._wash = Backdrop("wash")
        self.brand = Brand(view, both=both)
        self._time = Text(
            view.clock(),
            size=68,
            bold=True,
            colour=theme.WHITE,
            lines=1,
            align="right" if self.portrait else "left",
            leading=1.15,
        )
        self._date = Text(
            view.date(), size=28, colour=theme.MIST, lines=1, align="right" if self.portrait else "left"
        )
        self._title = Text(
            title,
            size=theme.DISPLAY,
            bold=True,
            colour=theme.WHITE,
            leading=1.24,
        )
        self._below = Text(below, size=38 if self.portrait else 34, colour=theme.MIST, leading=1.4)
        self.chip = chip_for(view)
        self.content = content
        self.foot = Foot(view) if foot else None
        boxes = (self.brand, self._time, self._date, self._title, self._below, self.chip, content, self.foot)
        for box in boxes:
            if box is not None:
                self.add_widget(box)

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
        wide = w - 2 * margin
        foot = self.foot.need(wide) if self.foot else 0.0
        needed = self.content.need(wide) + foot + px(40 + 28)
        sheet = min(max(needed - px(self.lift) + px(44), h * (1 - self.share) * 0.0), h * 0.72)
        top = y + h
        self._art.put(x, y + sheet - px(theme.R_SHEET), w, h - sheet + px(theme.R_SHEET))
        self._sheet.put(x, y - px(theme.R_SHEET), w, sheet + px(theme.R_SHEET))
        self._wash.put(x, y, w, min(px(600), sheet * 0.6))
        head = top - px(56)
        self.brand.lay(x + margin, head - px(92), wide - px(250), px(92))
        self._time.lay(x + w - margin - px(240), head - px(68), px(240), px(84))
        self._date.lay(x + w - margin - px(360), head - px(104), px(360), px(40))
        sky = h - sheet - px(150)
        middle = top - px(150) - sky * 0.34
        title_high = self._title.need(wide)
        below_high = self._below.need(wide)
        first = middle + (title_high + below_high) / 2
        self._title.lay(x + margin, first - title_high, wide, title_high)
        self._below.lay(x + margin, first - title_high - px(12) - below_high, wide, below_high)
        if self.chip is not None:
            chip_wide = min(wide, self.chip.want() + 2)
            chip_high = self.chip.need(chip_wide)
            chip_y = first - title_high - below_high - px(48) - chip_high
            self.chip.lay(x + margin - px(6), chip_y, chip_wide, chip_high)
        bottom = y + px(40)
        if self.foot is not None:
            self.foot.lay(x + margin, bottom, wide, foot)
            bottom += foot + px(28)
        edge = y + sheet - px(44) + px(self.lift)
        self.content.lay(x + margin, bottom, wide, edge - bottom)

    def _lying(self) -> None:
        x, y, w, h = self.x, self.y, self.width, self.height
        panel = round(min(max(w * 0.375, px(500)), px(760)))
        margin = px(theme.MARGIN)
        self._art.put(x, y, panel + px(theme.R_SHEET), h)
        radius = px(theme.R_SHEET)
        self._sheet.put(x + panel, y - radius, w - panel + radius, h + radius)
        self._wash.put(x + panel, y, w - panel, h * 0.5)
        wide = panel - 2 * margin + px(24)
        top = y + h - px(56)
        self.brand.lay(x + margin, top - px(92), wide, px(92))
        top -= px(92 + 76)
        # A short greeting stands better on two lines.
        title_wide = wide * self.title_share
        title_high = self._title.need(title_wide)
        below_high = self._below.need(wide)
        self._title.lay(x + margin, top - title_high, title_wide, title_high)
        self._below.lay(x + margin, top - title_high - px(20) - below_high, wide, below_high)
        if self.chip is not None:
            chip_wide = min(wide, self.chip.want() + 2)
            chip_high = self.chip.need(chip_wide)
            self.chip.lay(x + margin - px(4), y + px(48 + 40 + 80 + 20), chip_wide, chip_high)
        base = y + px(48)
        self._date.lay(x + margin, base, wide, px(40))
        self._time.lay(x + margin, base + px(40), wide, px(80))
        side = px(60)
        left, inner = x + panel + side, w - panel - 2 * side
        bottom = y + px(36)
        if self.foot is not None:
            foot = self.foot.need(inner)
            self.foot.lay(left, bottom, inner, foot)
            bottom += foot + px(28)
        self.content.lay(left, bottom, inner, y + h - px(56) - bottom)


class Door(Tap):
    """A large card on the welcome screen: two languages, an icon, a way in."""

    def __init__(
        self,
        title: str,
        second: str,
        below: str,
        name: str,
        on_tap: Callable[[], object],
        *,
        icon: str,
        large: bool,
    ) -> None:
        self._large = large
        side = 168 if large else 112
        self._texts = Column(
            [
                Text(title, size=68 if large else 42, bold=True, lines=1, leading=1.24),
                Text(second, size=38 if large else 30, colour=theme.MUTED, lines=1, leading=1.3),
                *([Text(below, size=28, colour=theme.JADE, leading=1.4)] if below else []),
            ],
            gap=8 if large else 2,
            grow=1,
        )
        arrow = (
            Tile("arrow-right", side=104, colour=theme.AMBER_TINT, ink=theme.AMBER_INK)
            if large
            else Icon("caret-right", size=44, colour=theme.JADE)
        )
        ground, ink = (theme.JADE, theme.WHITE) if large else (theme.JADE_TINT, theme.JADE)
        super().__init__(
            Row([Tile(icon, side=side, colour=ground, ink=ink), self._texts, arrow], gap=40 if large else 32),
            name,
            on_tap,
            depth=34 if large else 24,
            radius=44 if large else theme.R_CARD,
            pad=(44, 30, 44, 30) if large else (40, 24, 48, 24),
        )

    def arrange(self) -> None:
        self._put()
        assert self.inside is not None
        wide = self.width - px(self.pad[0]) - px(self.pad[2])
        high = min(self.height, self.inside.need(wide))
        self.inside.lay(self.x + px(self.pad[0]), self.center_y - high / 2, wide, high)


class Steps(Surface):
    """What will happen, in three steps: nobody likes to begin what they can't see the end of."""

    def __init__(self, view: View) -> None:
        def step(icon: str, key: str) -> Box:
            return Column(
                [
                    Icon(icon, size=52, colour=theme.JADE),
                    Text(view.say(key), size=28, colour=theme.INK, align="centre", leading=1.36),
                ],
                gap=12,
                grow=1,
            )

        arrow = [Fixed(Icon("caret-right", size=32, colour=theme.FAINT), high=52) for _ in range(2)]
        super().__init__(
            Row(
                [
                    step("chat-circle", "welcome.step.tell"),
                    arrow[0],
                    step("phone", "welcome.step.ask"),
                    arrow[1],
                    step("ticket", "welcome.step.go"),
                ],
                gap=12,
                align="top",
            ),
            colour=theme.SAND,
            radius=theme.R_CARD,
            pad=(24, 30, 24, 30),
        )


class Welcome(Screen):
    name = "welcome"

    def build(self) -> Box:
        view, session = self.view, self.session
        second = words.other(session.language)

        def door(key: str, name: str, on_tap: Callable[[], object], icon: str, *, large: bool) -> Door:
            return Door(
                view.say(f"{key}.title"),
                words.say(second, f"{key}.title"),
                view.say("welcome.check_in.below") if large else "",
                name,
                on_tap,
                icon=icon,
                large=large,
            )

        check_in = door("welcome.check_in", "check-in", session.begin, "user-circle-plus", large=True)
        find = door("welcome.find", "find", session.find, "magnifying-glass", large=False)
        days = max(session.policy.retention_days.values(), default=0) if session.policy else 0
        notes: list[Box] = []
        if days:
            notes.append(
                Row(
                    [
                        Icon("shield-check", size=36, colour=theme.JADE),
                        Text(
                            view.say("welcome.privacy", days=days),
                            size=28,
                            colour=theme.MUTED,
                            grow=1,
                            leading=1.36,
                        ),
                    ],
                    gap=16,
                )
            )
        if self.view.portrait:
            check_in.need = lambda width: px(310)
            find.need = lambda width: px(200)
            content = Column([check_in, find, Steps(view), *notes, Space(0)], gap=32)
        else:
            check_in.grow, find.grow = 1.25, 0.72
            check_in.need = find.need = lambda width: 0.0
            content = Column([check_in, find, Steps(view), *notes], gap=30)
        return Hero(
            view,
            title=view.say("welcome.title"),
            below=words.say(second, "welcome.second"),
            content=content,
            lift=190,
            both=True,
            title_share=0.66 if session.language == "zh_CN" else 1.0,
        )

    def shape(self) -> Hashable:
        session = self.session
        return session.signs.online, session.signs.alarms, session.call, id(session.areas), id(session.policy)


class Notice(Screen):
    """One large sentence: the heading on the picture, what to do next on a card."""

    title = ""
    below = ""
    icon = "info"

    def actions(self) -> Sequence[Box]:
        return ()

    def body(self) -> str:
        return self.view.say(self.below)

    def build(self) -> Box:
        view = self.view
        card = Surface(
            Row(
                [
                    Tile(self.icon, side=120, colour=theme.JADE_TINT, ink=theme.JADE),
                    Text(self.body(), size=theme.LEAD, grow=1, leading=1.45),
                ],
                gap=36,
            ),
            depth=30,
            radius=44,
            pad=(44, 48, 48, 48),
        )
        spare = Space(0, grow=1)
        boxes = [card, *self.actions()] if view.portrait else [spare, card, *self.actions(), Space(0, grow=1)]
        return Hero(
            view,
            title=view.say(self.title),
            below="",
            content=Column(boxes, gap=40),
            lift=150,
        )

    def shape(self) -> Hashable:
        return self.session.signs.online, self.session.signs.alarms, self.session.call


class NotSetUp(Notice):
    name = "not_set_up"
    title = "not_set_up.title"
    below = "not_set_up.body"
    icon = "hourglass"


class Crash(Notice):
    name = "crash"
    title = "crash.title"
    below = "crash.body"
    icon = "call-bell"

    def body(self) -> str:
        return self.view.say("crash.body", id=self.session.crash_id)

    def actions(self) -> Sequence[Box]:
        return (_home(self.view),)


class Farewell(Notice):
    """V2: a farewell on leaving."""

    name = "farewell"
    title = "farewell.title"
    below = "farewell.body"
    icon = "hand-waving"

    def actions(self) -> Sequence[Box]:
        return (_home(self.view),)


def _home(view: View) -> Button:
    return Button(
        view.say("home"),
        "home",
        view.session.home,
        kind="quiet",
        icon="house",
        size=36,
        high=108,
        radius=theme.R_CARD,
    )


__all__ = ["Brand", "Choice", "Crash", "Farewell", "NotSetUp", "Welcome"]
