"""Everything said so far, masked as on every screen, with a way to change each; then the visit is put on record (V4)."""

from __future__ import annotations

from collections.abc import Hashable

from kivy.animation import Animation

from broker.contract.personal import mask_document, mask_name, mask_phone
from broker.contract.sitedata import say
from kiosk.lobby.flows.draft import Draft
from kiosk.lobby.flows.registration import Step
from kiosk.lobby.screens.frame import Frame, Heading, View, next_button, problem_line
from kiosk.lobby.screens.screen import Screen
from kiosk.ui import theme
from kiosk.ui.controls import Button, Tile
from kiosk.ui.layout import Box, Column, Row, Space, Surface
from kiosk.ui.paint import Plate
from kiosk.ui.text import Text
from kiosk.ui.theme import px


def destination(view: View, draft: Draft) -> tuple[str, str]:
    """The building; and unit, room and host as people say them, on a line below."""
    flow = view.session.flow
    building = flow.building if flow is not None else None
    parts: list[str] = []
    if draft.unit:
        parts.append(view.say("place.unit", unit=draft.unit))
    if draft.room:
        parts.append(view.say("place.room", room=draft.room))
    host = draft.host_name.strip()
    if host:
        parts.append(view.say("summary.host.name", name=host))
    return say(building.names, view.session.language) if building else "", view.say("comma").join(parts)


class Summary(Screen):
    name = "summary"

    def shape(self) -> Hashable:
        return self.flow.problem

    def build(self) -> Box:
        view, flow = self.view, self.flow
        draft = flow.draft
        if draft.card is not None:
            who, whose = mask_name(draft.card.name), mask_document(draft.card.number)
            way = Step.CARD
        else:
            who, whose = mask_name(draft.name.strip()), mask_phone(draft.phone)
            way = Step.PERSON
        purpose = next((p for p in flow.visit_type.purposes if p.id == draft.purpose), None)
        arranged = view.say(f"summary.arranged.{'yes' if draft.arranged else 'no'}")
        rows = [
            ("buildings", "summary.host", *destination(view, draft), Step.HOST),
            ("user", "summary.person", who, whose, way),
            (
                "chat-circle",
                "summary.purpose",
                say(purpose.names, self.session.language) if purpose else "",
                arranged,
                Step.PURPOSE,
            ),
        ]
        cards: list[Box] = [self._row(*row) for row in rows]
        return Frame(
            view,
            Heading(view.say("summary.title"), view.say("summary.below"), flow.progress, self.session.back),
            Column([*cards, *problem_line(view), Space(0, grow=1)], gap=28),
            action=next_button(view, lambda: flow.answer(Step.SUMMARY), key="summary.register", icon="check"),
        )

    def _row(self, icon: str, key: str, first: str, second: str, step: Step) -> Box:
        texts: list[Box] = [
            Text(self.view.say(key), size=28, colour=theme.MUTED, leading=1.34),
            Text(first, size=40, bold=True, leading=1.32),
        ]
        if second:
            texts.append(Text(second, size=30, colour=theme.INK, leading=1.4))
        change = Button(
            self.view.say("change"),
            f"edit:{step.value}",
            lambda: self.flow.edit(step),
            kind="tint",
            icon="pencil-simple",
            size=28,
            side=28,
        )
        return Surface(
            Row([Tile(icon, side=88), Column(texts, gap=2, grow=1), change], gap=32),
            depth=18,
            pad=(36, 30, 36, 30),
        )


class Dots(Box):
    """Three dots that breathe: something goes on."""

    def __init__(self) -> None:
        super().__init__()
        with self.canvas:
            self._dots = [Plate(theme.JADE, px(12)) for _ in range(3)]
        for index, dot in enumerate(self._dots):
            if theme.motion(1):
                wave = (
                    Animation(a=0.25, duration=0.3 + 0.15 * index, step=0.1)
                    + Animation(a=1.0, duration=0.35, step=0.1)
                    + Animation(a=1.0, duration=0.3 - 0.15 * index, step=0.1)
                )
                wave.repeat = True
                wave.start(dot.tint)

    def want(self) -> float:
        return px(24 * 3 + 20 * 2)

    def need(self, width: float) -> float:
        return px(24)

    def arrange(self) -> None:
        side, step = px(24), px(44)
        left = self.center_x - (2 * step + side) / 2
        for index, dot in enumerate(self._dots):
            dot.put(round(left + index * step), self.center_y - side / 2, side, side)


class Registering(Screen):
    """The moment between the press and the record; usually too short to read."""

    name = "registering"

    def build(self) -> Box:
        view = self.view
        panel = Surface(
            Column(
                [Dots(), Text(view.say("registering.body"), size=theme.LEAD, align="centre", leading=1.45)],
                gap=36,
            ),
            depth=24,
            pad=(48, 64, 48, 64),
        )
        content = Column([Space(0, grow=1), panel, Space(0, grow=1.4)])
        return Frame(view, Heading(view.say("registering.title"), "", self.flow.progress), content)
