"""The identity card: where to put it, how reading goes, and what was read, masked (architecture.md: 张*, last four at most).

A reader in trouble never holds the visitor up: typing is offered beside every sentence.
"""

from __future__ import annotations

from collections.abc import Hashable

from kivy.animation import Animation
from kivy.graphics import Color, Rectangle

from broker.contract.personal import mask_document, mask_name
from firmware_bridge.capabilities import CardWarning, ReaderTrouble
from kiosk.lobby.flows.registration import Step
from kiosk.lobby.screens.frame import Frame, Heading, next_button, problem_line
from kiosk.lobby.screens.screen import Screen
from kiosk.ui import theme
from kiosk.ui.cards import Banner
from kiosk.ui.controls import Button, Tile
from kiosk.ui.layout import Box, Column, Row, Space, Surface
from kiosk.ui.paint import Plate, Shade
from kiosk.ui.text import Icon, Text
from kiosk.ui.theme import px

GONE = (ReaderTrouble.UNPLUGGED, ReaderTrouble.NO_ANSWER, ReaderTrouble.READER_FAULT)
"""The reader itself has trouble: typing becomes the first thing offered."""


class Picture(Box):
    """A card above a reader, breathing while it is waited for."""

    def __init__(self, *, calm: bool) -> None:
        super().__init__(grow=1)
        with self.canvas:
            self._halo = Plate(theme.JADE_TINT, px(400))
            self._halo2 = Plate(theme.WHITE, px(400))
            self._base_shade = Shade(22, px(40))
            self._base = Plate(theme.JADE_DEEP, px(40))
            self._slot = Plate(theme.JADE, px(28))
            self._card_shade = Shade(22, px(28))
            self._card = Plate(theme.WHITE, px(28))
            self._head = Plate(theme.JADE_TINT, px(20))
            self._lines = [Plate(theme.SAND, px(8)) for _ in range(4)]
            self._strip_tint = Color(*theme.SUN)
            self._strip = Rectangle()
        self._person = Icon("user", size=92, colour=theme.JADE, solid=True)
        self._waves = Icon("contactless-payment", size=64, colour=theme.SUN)
        self.add_widget(self._person)
        self.add_widget(self._waves)
        self._lift = 0.0
        self.opacity = 0.5 if calm else 1.0
        if not calm and theme.motion(1):
            # Ten steps a second: a window redrawn at every frame leaves the reader's thread too little of the processor.
            self._pulse = Animation(opacity=0.35, duration=0.9, t="in_out_sine", step=0.1) + Animation(
                opacity=1.0, duration=0.9, t="in_out_sine", step=0.1
            )
            self._pulse.repeat = True
            self._pulse.start(self._waves)

    def need(self, width: float) -> float:
        return px(400)

    def arrange(self) -> None:
        scale = min(1.3, self.height / px(600), self.width / px(720)) if self.height else 1.0

        def s(n: float) -> float:
            return round(px(n) * scale)

        cx, cy = self.center_x, self.center_y
        self._halo.put(cx - s(330), cy - s(270), s(660), s(540))
        self._halo2.put(cx, cy, 0, 0)
        base_w, base_h = s(560), s(150)
        base_y = cy - s(230)
        self._base_shade.put(cx - base_w / 2, base_y, base_w, base_h)
        self._base.put(cx - base_w / 2, base_y, base_w, base_h)
        self._slot.put(cx - base_w / 2 + s(22), base_y + s(22), base_w - s(44), base_h - s(44))
        self._waves.lay(cx - s(32), base_y + base_h / 2 - s(32), s(64), s(64))
        card_w, card_h = s(428), s(270)
        card_x, card_y = cx - card_w / 2, cy - s(40)
        self._card_shade.put(card_x, card_y, card_w, card_h)
        self._card.put(card_x, card_y, card_w, card_h)
        head = s(120)
        head_x, head_y = card_x + card_w - s(36) - head, card_y + card_h - s(44) - s(140)
        self._head.put(head_x, head_y, head, s(140))
        self._person.lay(head_x, head_y, head, s(140))
        widths = (110, 170, 200, 356)
        for index, (line, wide) in enumerate(zip(self._lines, widths, strict=True)):
            line.put(card_x + s(36), card_y + card_h - s(62) - index * s(50), s(wide), s(18))
        self._strip.pos, self._strip.size = (0, 0), (0, 0)


class Card(Screen):
    name = "card"

    def shape(self) -> Hashable:
        return self.flow.trouble, self.flow.draft.card is not None, self.flow.problem

    def build(self) -> Box:
        return self._place() if self.flow.draft.card is None else self._read()

    def _place(self) -> Box:
        view, flow = self.view, self.flow
        trouble = flow.trouble
        gone = trouble in GONE
        banner: list[Box] = []
        if trouble is not None:
            banner = [Banner(view.say(f"card.trouble.{trouble.value}"), size=theme.BODY)]
        content = Column(
            [
                *banner,
                *problem_line(view),
                Picture(calm=gone),
                *(
                    []
                    if trouble
                    else [
                        Text(view.say("card.still"), size=theme.BODY, colour=theme.MUTED, align="centre"),
                    ]
                ),
            ],
            gap=28,
        )
        instead = Button(
            view.say("card.type_instead"),
            "type-instead",
            self.session.type_instead,
            kind="primary" if gone else "quiet",
            icon="keyboard",
            size=36,
            high=108,
            radius=theme.R_CARD,
        )
        return Frame(
            view,
            Heading(view.say("card.title"), view.say("card.below"), flow.progress, self.session.back),
            content,
            action=instead,
        )

    def _read(self) -> Box:
        view, flow = self.view, self.flow
        card = flow.draft.card
        assert card is not None
        rows = [
            ("user", "card.name", mask_name(card.name)),
            ("identification-card", "card.number", mask_document(card.number)),
            (
                "calendar-check",
                "card.valid",
                view.say("card.long_term") if card.valid_to is None else f"{card.valid_to:%Y-%m-%d}",
            ),
        ]
        lines: list[Box] = []
        for icon, key, value in rows:
            lines.append(
                Row(
                    [
                        Tile(icon, side=80),
                        Column(
                            [
                                Text(view.say(key), size=28, colour=theme.MUTED, leading=1.34),
                                Text(value, size=theme.HEADING, bold=True, lines=1, leading=1.3),
                            ],
                            gap=0,
                            grow=1,
                        ),
                    ],
                    gap=32,
                )
            )
        panel = Surface(Column(lines, gap=34), depth=24, pad=(48, 44, 48, 44))
        expired = CardWarning.EXPIRED in card.warnings
        again = Button(
            view.say("card.again"),
            "again",
            lambda: flow.fill(card=None),
            kind="quiet",
            icon="arrows-clockwise",
            size=34,
            high=100,
            radius=theme.R_CARD,
            grow=1,
        )
        instead = Button(
            view.say("card.type_instead"),
            "type-instead",
            self.session.type_instead,
            kind="primary" if expired else "quiet",
            icon="keyboard",
            size=34,
            high=100,
            radius=theme.R_CARD,
            grow=1,
        )
        good: list[Box] = (
            [] if flow.problem else [Banner(view.say("card.take_back"), kind="good", size=theme.BODY)]
        )
        content = Column(
            [*good, *problem_line(view), panel, Row([again, instead]), Space(0, grow=1)],
            gap=32,
        )
        return Frame(
            view,
            Heading(
                view.say("card.read.title"), view.say("card.read.below"), flow.progress, self.session.back
            ),
            content,
            action=None if expired else next_button(view, lambda: flow.answer(Step.CARD)),
        )
