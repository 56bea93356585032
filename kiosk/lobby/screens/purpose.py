"""What for, and is it arranged (V3)."""

from __future__ import annotations

from collections.abc import Hashable

from broker.contract.sitedata import say
from kiosk.lobby.flows.registration import Step
from kiosk.lobby.screens.frame import Frame, Heading, next_button, problem_line
from kiosk.lobby.screens.screen import Screen
from kiosk.ui import theme
from kiosk.ui.cards import Choice
from kiosk.ui.layout import Box, Column, Grid, Row, Space
from kiosk.ui.text import Text


class Purpose(Screen):
    name = "purpose"

    def shape(self) -> Hashable:
        draft = self.flow.draft
        return draft.purpose, draft.arranged, self.flow.problem

    def build(self) -> Box:
        view, flow = self.view, self.flow
        draft = flow.draft
        purposes = flow.visit_type.purposes
        cards = [
            Choice(
                say(purpose.names, self.session.language),
                f"purpose:{purpose.id}",
                lambda purpose=purpose: flow.fill(purpose=purpose.id),
                chosen=purpose.id == draft.purpose,
                depth=16,
                pad=(36, 12, 28, 12),
            )
            for purpose in purposes
        ]
        columns = 2 if view.portrait or len(cards) <= 4 else 3
        host = draft.host_name.strip()
        question = view.say("purpose.arranged.with", name=host) if host else view.say("purpose.arranged")
        answers = [
            Choice(
                view.say(f"purpose.arranged.{key}"),
                f"arranged:{key}",
                lambda value=value: flow.fill(arranged=value),
                icon=icon,
                side=80,
                chosen=draft.arranged is value,
                depth=16,
                pad=(32, 20, 32, 20),
                grow=1,
            )
            for key, value, icon in (("yes", True, "handshake"), ("no", False, "door-open"))
        ]
        content = Column(
            [
                Grid(cards, columns=columns, least=124, most=150, gap=24),
                Space(8 if view.portrait else 0),
                Text(question, size=theme.HEADING - 4, bold=True, leading=1.36),
                Row(answers, gap=24, align="stretch"),
                *problem_line(view),
                Space(0, grow=1),
            ],
            gap=28,
        )
        return Frame(
            view,
            Heading(view.say("purpose.title"), view.say("purpose.below"), flow.progress, self.session.back),
            content,
            action=next_button(view, lambda: flow.answer(Step.PURPOSE)),
        )
