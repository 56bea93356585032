"""The host's answer: agreed, with the pass and the way to go (V5); away or not able to receive (V6)."""

from __future__ import annotations

from collections.abc import Hashable

from broker.contract.facts import Decision, SlipOutcome
from broker.contract.sitedata import say
from kiosk.lobby.screens.frame import Frame, Heading
from kiosk.lobby.screens.screen import Screen
from kiosk.ui import theme
from kiosk.ui.cards import Banner
from kiosk.ui.controls import Button, Tile
from kiosk.ui.layout import Box, Column, Row, Space, Surface
from kiosk.ui.qr import QrView
from kiosk.ui.text import Icon, Text

SLIP_REASONS = ("paper_out", "cover_open", "no_printer", "unplugged")
"""Reasons with a sentence of their own; all others share one."""


class PassScreen(Screen):
    """The pass: code, typed code, until when, the way; good on the screen whatever becomes of the paper."""

    name = "pass"

    def shape(self) -> Hashable:
        flow = self.flow
        return flow.slip, flow.slip_reason, flow.vpass

    def build(self) -> Box:
        view, flow = self.view, self.flow
        vpass, visit = flow.vpass, flow.visit
        assert vpass is not None
        assert visit is not None
        language = self.session.language
        # 65 modules with the quiet zone: 7 pixels each, 6 on a short screen.
        code = QrView(vpass.text, side=400 if view.short else 470)
        typed = f"{vpass.code[:4]} {vpass.code[4:]}"
        facts = Row(
            [
                self._fact("pass.code", typed),
                self._fact("pass.until", view.at(vpass.expires)),
                self._fact("pass.number", f"{visit.number[:3]} {visit.number[3:]}"),
            ],
            gap=16,
            align="top",
        )
        card = Surface(
            Column([Row([Space(0, grow=1), code, Space(0, grow=1)]), facts], gap=20),
            depth=28,
            radius=44,
            pad=(32, 20, 32, 32) if view.short else (40, 32, 40, 40),
        )
        way = say(vpass.way, language)
        notes: list[Box] = []
        if way:
            notes.append(
                Surface(
                    Row(
                        [
                            Tile("map-pin", side=80, colour=theme.JADE_TINT),
                            Text(way, size=theme.BODY, grow=1, leading=1.42),
                        ],
                        gap=28,
                    ),
                    depth=14,
                    pad=(32, 26, 36, 26),
                )
            )
        notes.append(self._slip())
        if view.portrait:
            content = Column([card, *notes, Space(0, grow=1)], gap=28)
        else:
            column = Column([*notes], gap=28, grow=1, middle=True)
            content = Row([Fit(card, 520 if view.short else 620), column], gap=36, grow=1)
        below = view.say("pass.below")
        title = (
            view.say("pass.title.floor", floor=vpass.floor)
            if vpass.floor is not None
            else view.say("pass.title")
        )
        done = Button(
            view.say("pass.done"),
            "finish",
            self.session.finish,
            icon="check",
            size=40,
            high=116,
            radius=theme.R_CARD,
            grow=1,
        )
        action: Box = done
        if flow.slip is SlipOutcome.FAILED and flow.slip_reason != "no_printer":
            again = Button(
                view.say("slip.again"),
                "print-again",
                self.session.print_slip,
                kind="quiet",
                icon="printer",
                size=36,
                high=116,
                radius=theme.R_CARD,
                grow=1,
            )
            action = Row([again, done])
        return Frame(view, Heading(title, below), content, action=action)

    def _fact(self, key: str, value: str) -> Box:
        return Column(
            [
                Text(self.view.say(key), size=26, colour=theme.MUTED, align="centre", lines=1),
                Text(
                    value,
                    size=36 if self.view.portrait else 26 if self.view.short else 31,
                    bold=True,
                    align="centre",
                    lines=1,
                    leading=1.3,
                ),
            ],
            gap=0,
            grow=1,
        )

    def _slip(self) -> Box:
        view, flow = self.view, self.flow
        if flow.slip is None:
            return Banner(view.say("slip.printing"), kind="note", icon="printer", size=30)
        if flow.slip is SlipOutcome.PRINTED:
            return Banner(view.say("slip.printed"), kind="good", icon="receipt", size=30)
        reason = flow.slip_reason if flow.slip_reason in SLIP_REASONS else "other"
        if flow.slip is SlipOutcome.UNKNOWN:
            reason = "unknown"
        return Banner(view.say(f"slip.{reason}"), kind="warning", icon="camera", size=30)


class Fit(Box):
    """A box of fixed width, as high as it needs, in the middle."""

    def __init__(self, inside: Box, wide: float) -> None:
        super().__init__()
        self._inside = inside
        self._wide = wide
        self.add_widget(inside)

    def want(self) -> float:
        from kiosk.ui.theme import px

        return px(self._wide)

    def need(self, width: float) -> float:
        return self._inside.need(width)

    def arrange(self) -> None:
        high = min(self.height, self._inside.need(self.width))
        self._inside.lay(self.x, self.y + (self.height - high) / 2, self.width, high)


class Declined(Screen):
    """V6: an apology and what to do; nothing more is said about the host."""

    name = "declined"

    def build(self) -> Box:
        view, flow = self.view, self.flow
        key = "away" if flow.decision is Decision.AWAY else "declined"
        panel = Surface(
            Column(
                [
                    Row([Space(0, grow=1), Tile("hand-palm", side=128), Space(0, grow=1)]),
                    Text(view.say(f"{key}.body"), size=38, align="centre", leading=1.5),
                ],
                gap=36,
            ),
            depth=24,
            radius=44,
            pad=(56, 64, 56, 64),
        )
        number = flow.visit.number if flow.visit else ""
        note = Row(
            [
                Icon("info", size=36, colour=theme.JADE),
                Text(
                    view.say("declined.number", number=f"{number[:3]} {number[3:]}"),
                    size=28,
                    colour=theme.MUTED,
                    grow=1,
                ),
            ],
            gap=16,
        )
        done = Button(
            view.say("declined.done"),
            "finish",
            self.session.finish,
            icon="check",
            size=40,
            high=116,
            radius=theme.R_CARD,
        )
        return Frame(
            view,
            Heading(view.say(f"{key}.title"), ""),
            Column([panel, note, Space(0, grow=1)], gap=36),
            action=done,
        )
