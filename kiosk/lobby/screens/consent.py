"""What is asked and why, before anything is read: the notice, the choice of a way, and for the document its own consent.

The days are the policy's. The very text shown goes with the answer, so that its hash can stand in the event.
"""

from __future__ import annotations

from collections.abc import Hashable

from kiosk.lobby.flows.draft import Identity
from kiosk.lobby.flows.registration import Step
from kiosk.lobby.screens.frame import Frame, Heading, View, next_button, problem_line
from kiosk.lobby.screens.screen import Screen
from kiosk.ui import theme
from kiosk.ui.cards import Check, Choice
from kiosk.ui.controls import Tile
from kiosk.ui.layout import Box, Column, Row, Space, Surface
from kiosk.ui.text import Text

POINTS = (("user", "what"), ("shield-check", "why"), ("trash", "days"))


def notice(view: View, identity: Identity | None) -> list[tuple[str, str, str]]:
    """(icon, heading, text) of each point of the notice, for the way that is chosen (or both)."""
    policy = view.session.policy
    days = policy.retention_days if policy else {}
    longest = max(days.values(), default=0)
    what = {None: "both", Identity.CARD: "card", Identity.TYPED: "typed"}[identity]
    return [
        (
            icon,
            view.say(f"consent.{key}.title"),
            view.say(f"consent.{key}.{what}" if key == "what" else f"consent.{key}.text", days=longest),
        )
        for icon, key in POINTS
    ]


class Consent(Screen):
    name = "consent"

    def shape(self) -> Hashable:
        draft = self.flow.draft
        return draft.identity, draft.document_consent, self.flow.problem, self.session.has_reader

    def build(self) -> Box:
        view, flow = self.view, self.flow
        draft = flow.draft
        points = Column([self._point(*point) for point in notice(view, None)], gap=14 if view.short else 26)
        panel = Surface(
            points, colour=theme.WHITE, pad=(32, 24, 32, 24) if view.short else (40, 34, 40, 34), depth=16
        )
        ways: list[Box] = []
        if self.session.has_reader:
            tick = Check(
                view.say("consent.document"),
                "consent-document",
                lambda: flow.fill(document_consent=not draft.document_consent),
                ticked=draft.document_consent,
            )
            ways.append(
                Choice(
                    view.say("consent.card.title"),
                    "way:card",
                    lambda: flow.fill(identity=Identity.CARD),
                    below=view.say("consent.card.below"),
                    icon="identification-card",
                    chosen=draft.identity is Identity.CARD,
                    extra=None,
                )
            )
            if draft.identity is Identity.CARD:
                ways.append(tick)
        ways.append(
            Choice(
                view.say("consent.typed.title"),
                "way:typed",
                lambda: flow.fill(identity=Identity.TYPED, document_consent=False),
                below=view.say("consent.typed.below"),
                icon="keyboard",
                chosen=draft.identity is Identity.TYPED,
            )
        )
        ask = Text(view.say("consent.ways"), size=theme.LEAD, bold=True)
        below = [*(problem_line(view) or [ask]), *ways]
        content: Box
        if view.portrait:
            content = Column([panel, Space(0), *below, Space(0, grow=1)], gap=24)
        else:
            panel.grow = 0.85 if view.short else 0.8
            content = Row([panel, Column(below, gap=20, grow=1)], gap=32, align="top")
        return Frame(
            view,
            Heading(view.say("consent.title"), view.say("consent.below"), flow.progress, self.session.back),
            content,
            action=next_button(view, self._agree, key="consent.agree", icon="check"),
        )

    def _point(self, icon: str, title: str, text: str) -> Box:
        return Row(
            [
                *([] if self.view.short and not self.view.portrait else [Tile(icon, side=72)]),
                Column(
                    [
                        Text(title, size=30, bold=True, leading=1.34),
                        Text(text, size=28, colour=theme.MUTED, leading=1.4),
                    ],
                    gap=2,
                    grow=1,
                ),
            ],
            gap=28,
            align="top",
        )

    def _agree(self) -> None:
        """The text agreed to is the text that was shown, point by point."""
        text = "\n".join(f"{title}: {body}" for _, title, body in notice(self.view, None))
        if self.flow.draft.document_consent:
            text += "\n" + self.view.say("consent.document")
        self.flow.answer(Step.CONSENT, consent=self.flow.draft.identity is not None, notice=text)
