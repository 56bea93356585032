"""The visit is on record and somebody is asked (V4): what is happening, the number to come back with, a way to leave.

V7: a waiting place. Where the centre is out of reach, the policy's rule: a colleague's PIN, or please speak to staff.
"""

from __future__ import annotations

from collections.abc import Hashable

from broker.contract.facts import Decision
from broker.contract.sitedata import say
from kiosk.lobby.flows.registration import Waiting as State
from kiosk.lobby.screens.frame import Frame, Heading, View, problem_line
from kiosk.lobby.screens.screen import Screen
from kiosk.lobby.screens.summary import Dots
from kiosk.ui import theme
from kiosk.ui.cards import Banner
from kiosk.ui.controls import Button, Tile
from kiosk.ui.field import Field
from kiosk.ui.keyboard import Digits, edited
from kiosk.ui.layout import Box, Column, Row, Space, Surface
from kiosk.ui.paint import Plate
from kiosk.ui.text import Icon, Text
from kiosk.ui.theme import px

ICONS = {
    State.WITH_STAFF: "users",
    State.IN_PLACE: "armchair",
    State.NO_ANSWER: "clock-countdown",
    State.PIN: "lock-key",
    State.HOLD: "call-bell",
    State.CLOCK: "clock",
}


class Tracker(Box):
    """Registered, contacting, pass: what is done, what goes on, what is to come."""

    STEPS = (("check", "registered"), ("phone", "contacting"), ("ticket", "pass"))

    def __init__(self, view: View, current: int) -> None:
        super().__init__()
        self._current = current
        with self.canvas.before:
            self._lines = [
                Plate(theme.JADE if index < current else theme.SAND_DEEP, px(3)) for index in range(2)
            ]
        self._tiles: list[Box] = []
        self._labels: list[Text] = []
        for index, (icon, key) in enumerate(self.STEPS):
            done, now = index < current, index == current
            ground = theme.JADE if done or now else theme.SAND
            ink = theme.SUN if now else theme.WHITE if done else theme.MUTED
            tile = Tile("check" if done else icon, side=84, colour=ground, ink=ink)
            label = Text(
                view.say(f"track.{key}"),
                size=28,
                bold=now,
                colour=theme.INK if done or now else theme.MUTED,
                align="centre",
                lines=1,
            )
            self._tiles.append(tile)
            self._labels.append(label)
            self.add_widget(tile)
            self.add_widget(label)

    def need(self, width: float) -> float:
        return px(84 + 14 + 42)

    def arrange(self) -> None:
        side = px(84)
        wide = self.width / 3
        middle = self.top - side / 2
        for index, (tile, label) in enumerate(zip(self._tiles, self._labels, strict=True)):
            centre = self.x + wide * (index + 0.5)
            tile.lay(centre - side / 2, self.top - side, side, side)
            label.lay(self.x + wide * index, self.y, wide, px(42))
            if index < 2:
                gap = px(16)
                self._lines[index].put(
                    centre + side / 2 + gap, middle - px(3), max(0.0, wide - side - 2 * gap), px(6)
                )


class WaitingScreen(Screen):
    name = "waiting"

    def shape(self) -> Hashable:
        flow = self.flow
        return flow.waiting, flow.place, flow.problem, bool(self.view.memory.get("pin"))

    @property
    def _key(self) -> str:
        flow = self.flow
        if flow.decision is Decision.AGREED and flow.waiting is not State.CLOCK:
            return "agreed"
        return flow.waiting.value

    def build(self) -> Box:
        if self.flow.waiting is State.PIN and self.view.memory.get("pin"):
            return self._pin()
        view, flow = self.view, self.flow
        key = self._key
        place = next((p for p in flow.areas.places if p.id == flow.place), None)
        if key == "in_place" and place is not None:
            body = view.say("waiting.in_place.at", place=say(place.names, self.session.language))
        else:
            body = view.say(f"waiting.{key}.body")
        going_on = flow.waiting is State.ASKING or key == "agreed"
        sign: Box = Dots() if going_on else Icon(ICONS[flow.waiting], size=72, colour=theme.JADE)
        status = Surface(
            Column(
                [
                    Tracker(view, 2 if key == "agreed" or flow.waiting is State.CLOCK else 1),
                    Surface(colour=theme.SAND, radius=1, pad=(0, 1, 0, 1)),
                    sign,
                    Text(body, size=38, align="centre", leading=1.45),
                ],
                gap=20 if view.short else 36,
                middle=True,
            ),
            depth=22,
            radius=44,
            pad=(48, 32, 48, 32) if view.short else (48, 52, 48, 56),
        )
        number = self._number()
        boxes: list[Box]
        if view.portrait:
            boxes = [status, number, Space(0, grow=1)]
        else:
            status.grow = number.grow = 1.0
            boxes = [Row([status, number], gap=32, align="stretch", grow=1)]
        if flow.waiting is State.PIN:
            boxes.append(
                Button(
                    view.say("waiting.pin.open"),
                    "pin-open",
                    self._open_pin,
                    kind="quiet",
                    icon="lock-key",
                    size=34,
                    high=100,
                    radius=theme.R_CARD,
                )
            )
        leave = Button(
            view.say("waiting.leave"),
            "finish",
            self.session.finish,
            kind="quiet",
            icon="door-open",
            size=36,
            high=108,
            radius=theme.R_CARD,
        )
        return Frame(
            view,
            Heading(view.say(f"waiting.{key}.title"), view.say(f"waiting.{key}.below")),
            Column(boxes, gap=32),
            action=leave,
        )

    def _number(self) -> Surface:
        view, flow = self.view, self.flow
        assert flow.visit is not None
        number = flow.visit.number
        spaced = f"{number[:3]} {number[3:]}" if len(number) == 6 else number
        return Surface(
            Column(
                [
                    Text(view.say("waiting.number"), size=30, colour=theme.MIST, align="centre", leading=1.3),
                    Text(
                        spaced,
                        size=96 if view.short else 128,
                        bold=True,
                        colour=theme.SUN,
                        align="centre",
                        leading=1.2,
                        lines=1,
                    ),
                    Text(view.say("waiting.come_back"), size=30, colour=theme.WHITE, align="centre"),
                ],
                gap=12,
                middle=True,
            ),
            colour=theme.JADE_DEEP,
            depth=22,
            radius=44,
            pad=(48, 28, 48, 28) if view.short else (48, 56, 48, 56),
        )

    # ---- a colleague's PIN

    def _open_pin(self) -> None:
        self.view.memory["pin"] = True
        self.view.redraw()

    def _close_pin(self) -> None:
        self.view.memory.pop("pin", None)
        self.session.type_pin("")
        self.view.redraw()

    def _pin(self) -> Box:
        view = self.view
        self._field = Field(
            view.say("pin.field"),
            "field:pin",
            lambda: None,
            value=self.session.pin,
            focused=True,
            icon="lock-key",
            secret=True,
        )
        keys = Digits(self._type, clear=view.say("key.clear"), high=100 if view.portrait else 88)
        note = Banner(view.say("pin.note"), kind="note")
        return Frame(
            view,
            Heading(view.say("pin.title"), view.say("pin.below"), None, self._close_pin),
            Column([note, self._field, *problem_line(view), Space(0, grow=1)], gap=32),
            action=Button(
                view.say("pin.enter"),
                "pin-enter",
                self.session.try_pin,
                icon="check",
                size=40,
                high=116,
                radius=theme.R_CARD,
            ),
            tray=keys,
        )

    def _type(self, key: str) -> None:
        self.session.type_pin(edited(self.session.pin, key, 12))

    def update(self) -> None:
        field = getattr(self, "_field", None)
        if field is not None and field.value != self.session.pin:
            field.say(self.session.pin)
