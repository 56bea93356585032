"""How may we call you (V3): name in Latin letters and phone, both with keys of their own."""

from __future__ import annotations

from collections.abc import Hashable

from kiosk.lobby.flows.draft import Problem
from kiosk.lobby.flows.registration import Step
from kiosk.lobby.screens.frame import Frame, Heading, next_button, problem_line
from kiosk.lobby.screens.screen import Screen
from kiosk.ui.field import Field
from kiosk.ui.keyboard import Digits, Letters, edited
from kiosk.ui.layout import Box, Column, Row, Space

LENGTHS = {"name": 40, "phone": 16}


class Person(Screen):
    name = "person"

    def shape(self) -> Hashable:
        return self.flow.problem, self.view.memory.get("field")

    @property
    def focused(self) -> str:
        """The field with the keys: the one touched last, else the one that is missing."""
        field = self.view.memory.get("field")
        return field if isinstance(field, str) else "name"

    def build(self) -> Box:
        view, flow = self.view, self.flow
        draft = flow.draft
        self._fields = {
            name: Field(
                view.say(f"person.{name}"),
                f"field:{name}",
                lambda name=name: self._focus(name),
                value=getattr(draft, name),
                hint=view.say(f"person.{name}.hint"),
                focused=name == self.focused,
                icon=icon,
                grow=1,
            )
            for name, icon in (("name", "user"), ("phone", "phone"))
        }
        fields: Box
        if view.portrait:
            for field in self._fields.values():
                field.grow = 0.0
            fields = Column(list(self._fields.values()), gap=32)
        else:
            fields = Row(list(self._fields.values()), gap=32)
        high = 96 if view.portrait else 84
        self._keys = (
            Letters(self._type, space=view.say("key.space"), high=high)
            if self.focused == "name"
            else Digits(self._type, clear=view.say("key.clear"), extra="+", high=high)
        )
        self.update()
        return Frame(
            view,
            Heading(view.say("person.title"), view.say("person.below"), flow.progress, self.session.back),
            Column([fields, *problem_line(view), Space(0, grow=1)], gap=32),
            action=next_button(view, self._next),
            tray=self._keys,
        )

    def update(self) -> None:
        draft = self.flow.draft
        for name, field in self._fields.items():
            if field.value != getattr(draft, name):
                field.say(getattr(draft, name))
        if isinstance(self._keys, Letters):
            self._keys.follow(draft.name)

    def _focus(self, name: str) -> None:
        self.view.memory["field"] = name
        self.view.redraw()

    def _type(self, key: str) -> None:
        name = self.focused
        if key == "+" and self.flow.draft.phone:
            return
        value = edited(getattr(self.flow.draft, name), key, LENGTHS[name])
        if name == "name":
            value = value.lstrip()
        self.flow.fill(**{name: value})

    def _next(self) -> None:
        """From a good name the keys move on to the phone, before anything is found missing there."""
        flow = self.flow
        if self.focused == "name" and flow.draft.name.strip() and not flow.draft.phone:
            self._focus("phone")
            return
        flow.answer(Step.PERSON)
        if flow.problem in (Problem.NAME_MISSING, Problem.NAME_UNFIT):
            self._focus("name")
        elif flow.problem in (Problem.PHONE_MISSING, Problem.PHONE_UNFIT):
            self._focus("phone")
