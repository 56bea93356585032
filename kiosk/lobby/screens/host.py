"""Whom do you come to see (V3): the building, then unit and room, the host's surname if the visitor likes.

Nothing here tells who lives where: a room that doesn't exist is answered like one that does (S2).
"""

from __future__ import annotations

from collections.abc import Hashable

from broker.contract.sitedata import Building, say
from kiosk.lobby.flows.registration import Step
from kiosk.lobby.screens.frame import Frame, Heading, next_button, problem_line
from kiosk.lobby.screens.screen import Screen
from kiosk.ui import theme
from kiosk.ui.cards import Choice
from kiosk.ui.controls import Button
from kiosk.ui.field import Field
from kiosk.ui.keyboard import Digits, Keyboard, Letters, edited
from kiosk.ui.layout import Box, Column, Grid, Row, Space
from kiosk.ui.text import Text

PAGE = 8
LENGTHS = {"unit": 2, "room": 4, "host_name": 40}


class Host(Screen):
    name = "host"

    @property
    def picking(self) -> bool:
        """Whether the building is being chosen (also again)."""
        return self.flow.building is None or bool(self.view.memory.get("again"))

    def shape(self) -> Hashable:
        memory, flow = self.view.memory, self.flow
        return (
            self.picking,
            memory.get("page", 0),
            flow.draft.building,
            flow.problem,
            memory.get("field"),
        )

    def build(self) -> Box:
        return self._buildings() if self.picking else self._room()

    def update(self) -> None:
        if self.picking:
            return
        draft = self.flow.draft
        for name, field in self._fields.items():
            if field.value != getattr(draft, name):
                field.say(getattr(draft, name))
        if isinstance(self._keys, Letters):
            self._keys.follow(draft.host_name)

    # ---- first the building

    def _buildings(self) -> Box:
        view, flow = self.view, self.flow
        page = self._page()
        pages = -(-len(flow.areas.buildings) // PAGE)
        shown = flow.areas.buildings[page * PAGE : (page + 1) * PAGE]
        language = self.session.language
        cards = [
            Choice(
                say(building.names, language),
                f"building:{building.id}",
                lambda building=building: self._choose(building),
                icon="buildings" if building.floors else "map-pin",
                chosen=building.id == flow.draft.building,
                trailing="caret-right",
                size=40,
            )
            for building in shown
        ]
        columns = 1 if view.portrait and len(cards) <= 6 else 2
        boxes: list[Box] = [
            *problem_line(view),
            Grid(cards, columns=columns, least=132, most=176, gap=28, grow=1),
        ]
        if pages > 1:
            boxes.append(self._pager(page, pages))
        return Frame(
            view,
            Heading(view.say("host.title"), view.say("host.building"), flow.progress, self.session.back),
            Column(boxes, gap=32),
        )

    def _page(self) -> int:
        page = self.view.memory.get("page", 0)
        return page if isinstance(page, int) else 0

    def _pager(self, page: int, pages: int) -> Box:
        def turn(by: int) -> None:
            self.view.memory["page"] = page + by
            self.view.redraw()

        before = Button(
            self.view.say("page.before"), "page-before", lambda: turn(-1), kind="quiet", icon="caret-left"
        )
        after = Button(
            self.view.say("page.after"), "page-after", lambda: turn(1), kind="quiet", trailing="caret-right"
        )
        before.enable(page > 0)
        after.enable(page + 1 < pages)
        number = Text(f"{page + 1} / {pages}", size=theme.LEAD, colour=theme.MUTED, align="centre", grow=1)
        return Row([before, number, after])

    def _choose(self, building: Building) -> None:
        flow, memory = self.flow, self.view.memory
        memory.pop("again", None)
        memory.pop("field", None)
        if building.id != flow.draft.building:
            # Another building has other rooms; what was typed for the first doesn't hold there.
            flow.fill(building=building.id, unit="", room="")
        else:
            self.view.redraw()

    # ---- then unit, room, surname

    def _room(self) -> Box:
        view, flow, session = self.view, self.flow, self.session
        building = flow.building
        assert building is not None
        names = [
            *(["unit"] if building.units else []),
            *(["room"] if building.floors else []),
            "host_name",
        ]
        focused = view.memory.get("field")
        if focused not in names:
            focused = names[0]
        hints = {
            "unit": view.say("host.unit.hint", units=building.units),
            "room": view.say("host.room.hint"),
            "host_name": view.say("host.name.hint"),
        }
        self._fields = {
            name: Field(
                view.say(f"host.{'name' if name == 'host_name' else name}"),
                f"field:{name}",
                lambda name=name: self._focus(name),
                value=getattr(flow.draft, name),
                hint=hints[name],
                focused=name == focused,
                icon={"host_name": "user"}.get(name, ""),
                grow=1,
            )
            for name in names
        }
        rooms = [self._fields[name] for name in names if name != "host_name"]
        name = say(building.names, session.language)
        boxes: list[Box]
        if view.portrait:
            chosen = Choice(
                name,
                "building-again",
                self._again,
                below=view.say("host.change_building"),
                icon="buildings" if building.floors else "map-pin",
                trailing="pencil-simple",
                side=84,
                depth=14,
                pad=(28, 18, 32, 18),
            )
            surname = self._fields["host_name"]
            surname.grow = 0.0
            boxes = [chosen, Row([*rooms]), surname] if rooms else [chosen, surname]
        else:
            again = Field(view.say("host.place"), "building-again", self._again, value=name, grow=2.3)
            self._fields["host_name"].grow = 1.5
            boxes = [Row([again, *self._fields.values()])]
        boxes += [*problem_line(view), Space(0, grow=1)]
        below = "host.name.below" if not rooms else "host.room.below"
        if rooms and not building.units:
            below = "host.room_only.below"
        high = 96 if view.portrait else 80
        self._keys: Keyboard = (
            Letters(self._type, space=view.say("key.space"), high=high)
            if focused == "host_name"
            else Digits(self._type, clear=view.say("key.clear"), high=high)
        )
        if isinstance(self._keys, Letters):
            self._keys.follow(flow.draft.host_name)
        return Frame(
            view,
            Heading(view.say("host.title"), view.say(below), flow.progress, self._back),
            Column(boxes, gap=28),
            action=next_button(view, self._next),
            tray=self._keys,
        )

    def _back(self) -> None:
        """From the room back to the buildings; from there to where the flow says."""
        self._again()

    def _again(self) -> None:
        self.view.memory["again"] = True
        self.view.redraw()

    def _focus(self, name: str) -> None:
        self.view.memory["field"] = name
        self.view.redraw()

    def _type(self, key: str) -> None:
        name = next(name for name, field in self._fields.items() if field.focused)
        value = edited(getattr(self.flow.draft, name), key, LENGTHS[name])
        self.flow.fill(**{name: value})

    def _next(self) -> None:
        """A field that is empty gets the keys first, so nobody wonders where to type."""
        flow = self.flow
        for name, field in self._fields.items():
            if not getattr(flow.draft, name) and name != "host_name":
                if field.focused:
                    break
                self.view.memory["field"] = name
                break
        flow.answer(Step.HOST)
