"""Back to a visit that is on record: its number and the last four digits given; one answer for all that doesn't fit (S2)."""

from __future__ import annotations

from collections.abc import Hashable

from kiosk.lobby.flows.recall import Recall
from kiosk.lobby.screens.frame import Frame, Heading, next_button
from kiosk.lobby.screens.screen import Screen
from kiosk.ui.cards import Banner
from kiosk.ui.field import Field
from kiosk.ui.keyboard import CLEAR, Digits, edited
from kiosk.ui.layout import Box, Column, Row, Space

LENGTHS = {"number": 6, "last_four": 4}


class RecallScreen(Screen):
    name = "recall"

    @property
    def recall(self) -> Recall:
        recalling = self.session.recalling
        assert recalling is not None
        return recalling

    def shape(self) -> Hashable:
        return self.recall.problem, self.view.memory.get("field"), self.recall.searching

    @property
    def focused(self) -> str:
        field = self.view.memory.get("field")
        return field if isinstance(field, str) else "number"

    def build(self) -> Box:
        view, recall = self.view, self.recall
        self._fields = {
            name: Field(
                view.say(f"recall.{name}"),
                f"field:{name}",
                lambda name=name: self._focus(name),
                value=getattr(recall, name),
                hint=view.say(f"recall.{name}.hint"),
                focused=name == self.focused,
                icon=icon,
                grow=1,
            )
            for name, icon in (("number", "ticket"), ("last_four", "lock-key"))
        }
        fields: Box
        if view.portrait:
            for field in self._fields.values():
                field.grow = 0.0
            fields = Column(list(self._fields.values()), gap=32)
        else:
            fields = Row(list(self._fields.values()), gap=32)
        problem: list[Box] = [Banner(view.say(f"problem.{recall.problem.value}"))] if recall.problem else []
        # The last of four on a card may be an X (GB 11643), so that field's keys have one.
        self._keys = Digits(
            self._type,
            clear=view.say("key.clear"),
            extra="X" if self.focused == "last_four" else "",
            high=100 if view.portrait else 84,
        )
        search = next_button(view, self.session.search, key="recall.search", icon="magnifying-glass")
        search.enable(not recall.searching)
        return Frame(
            view,
            Heading(view.say("recall.title"), view.say("recall.below"), None, self.session.back),
            Column([fields, *problem, Space(0, grow=1)], gap=32),
            action=search,
            tray=self._keys,
        )

    def update(self) -> None:
        for name, field in self._fields.items():
            if field.value != getattr(self.recall, name):
                field.say(getattr(self.recall, name))

    def _focus(self, name: str) -> None:
        self.view.memory["field"] = name
        self.view.redraw()

    def _type(self, key: str) -> None:
        name = self.focused
        value = "" if key == CLEAR else edited(getattr(self.recall, name), key, LENGTHS[name])
        self.recall.fill(**{name: value})
        if name == "number" and len(value) == LENGTHS["number"] and not self.recall.last_four:
            self._focus("last_four")
