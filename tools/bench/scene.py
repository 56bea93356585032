"""What the cases measure on: real processes on a stage of their own, devices on pseudo-terminals held by the bench.

The simulated devices live in the bench's own process, so it knows to the moment when a byte was written to a line or
read from it; windows say by their pilot when a frame had been drawn. Both are time.monotonic() of one machine.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image

from firmware_bridge.simulators import Simulators
from kiosk.ui.words import say
from tools.house import House, house
from tools.pilot import Pilot
from tools.stage import DEMO

AGREED_BY_ITSELF = {'decider = "staff"': 'decider = "policy"'}
"""So that a press at the lobby leads to a pass without a clerk's hand."""

SERIAL = 115_200 / 10
"""Bytes a second on the devices' lines, with start and stop bit."""


def words(key: str) -> str:
    """A text as the windows of a stage show it when they wake up."""
    return say("zh_CN", key)


@dataclass
class Bytes:
    """When which number of bytes crossed a line, either way."""

    crossed: list[tuple[float, int]] = field(default_factory=list)

    def watch(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """`act`, noting the size of its first argument and the moment it returned."""

        def noting(data: bytes, **options: Any) -> Any:
            result = act(data, **options)
            self.crossed.append((time.monotonic(), len(data)))
            return result

        return noting

    def last(self, least: int) -> float:
        """When the last piece of at least so many bytes crossed."""
        return next(at for at, size in reversed(self.crossed) if size >= least)


@dataclass(frozen=True)
class Scene:
    """A running stage; `visit` plays a visitor who comes with an ID card."""

    house: House
    devices: Simulators

    def window(self, station: str) -> Pilot:
        """Start `kiosk lobby` or `kiosk gate` and take its pilot's seat."""
        self.house.window(station)
        return Pilot(self.house.stage.pilot(station), within=60)


@contextmanager
def scene(changes: Mapping[str, str] | None = None) -> Iterator[Scene]:
    """A stage with devices and nothing else running yet."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as folder:
        stage = DEMO.copy(Path(folder), changes)
        with house(stage) as it, Simulators(stage.devices) as devices:
            yield Scene(it, devices)


def to_card(lobby: Pilot) -> None:
    """From the welcome to where the card is asked for."""
    lobby.wait_screen("welcome", 30)
    lobby.tap("check-in", 20)
    lobby.tap("building:b1")
    lobby.tap("field:unit")
    lobby.keys("2")
    lobby.tap("field:room")
    lobby.keys("1203")
    lobby.tap("next")
    lobby.tap("way:card")
    lobby.tap("consent-document")
    lobby.tap("next")
    lobby.wait_screen("card")


def to_summary(lobby: Pilot, devices: Simulators) -> None:
    """From there to the last press before the visit is registered."""
    devices.reader.place()
    lobby.wait_text("2040-01-01", 10)
    devices.reader.remove()
    lobby.tap("next")
    lobby.tap("purpose:family")
    lobby.tap("arranged:yes")
    lobby.tap("next")
    lobby.wait_screen("summary")


def to_welcome(lobby: Pilot) -> None:
    """From the pass back to the welcome, for the next visitor."""
    lobby.tap("finish", 20)
    lobby.tap("home", 20)


def codes(lobby: Pilot, devices: Simulators, count: int) -> list[str]:
    """Register so many visits and return the texts of their printed passes."""
    found: list[str] = []
    for number in range(1, count + 1):
        to_card(lobby)
        to_summary(lobby, devices)
        lobby.tap("next")
        receipt = devices.printer.wait_for_receipt(number, 20)
        with Image.open(receipt.path) as picture:
            found.append(zxingcpp.read_barcodes(picture)[0].text)
        to_welcome(lobby)
    return found
