"""Every screen in every state, language and size, measured: nothing outside, too small, overlapping or cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

import pytest
import sample
import sample_gate
from kivy.core.window import Window

from kiosk.gate.screens.view import GateView
from kiosk.lobby.screens.view import LobbyView
from kiosk.ui import pilot
from kiosk.ui.controls import Tap
from kiosk.ui.field import Field
from kiosk.ui.keyboard import Key
from kiosk.ui.layout import Box
from kiosk.ui.qr import QrView
from kiosk.ui.stage import Stage
from kiosk.ui.text import Icon, Text

LEAST = 80
"""Design units a button must have in both directions (kiosk-notes.md, "Sizes and access")."""

LEAST_TYPE = 26
SIZES = ((1080, 1920), (1920, 1080), (800, 1280), (1280, 800))
GATE_SIZES = SIZES[2:]
LANGUAGES = ("zh_CN", "en")


def _named(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _stage(width: int, height: int) -> Stage:
    stage = Stage()
    stage.resize(width, height)
    Window.add_widget(stage)
    return stage


@pytest.mark.parametrize("size", SIZES, ids=_named)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", sample.STATES)
def test_a_lobby_screen_fits(state: str, language: str, size: tuple[int, int]) -> None:
    stage = _stage(*size)
    terminal = sample.lobby(language, known=state != "not-set-up")
    sample.STATES[state](terminal)
    LobbyView(stage, terminal.session, now=lambda: sample.NOW).draw()
    assert problems(stage) == []


@pytest.mark.parametrize("size", GATE_SIZES, ids=_named)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", sample_gate.STATES)
def test_a_gate_screen_fits(state: str, language: str, size: tuple[int, int]) -> None:
    stage = _stage(*size)
    GateView(stage, sample_gate.post(sample_gate.STATES[state], language), now=lambda: sample.NOW).draw()
    assert problems(stage) == []


TYPED = re.compile(r"English|Zhang( Wei)?|Chen|Anna Lin|A\*+ L\*+|7K2M 9QXD|4F2A9C|\b[X-]\b")
"""Latin letters that belong on a Chinese screen: the other language's name, what was typed, codes."""


@pytest.mark.parametrize("state", sorted(set(sample.STATES) - {"still-there"}))
def test_a_chinese_screen_speaks_chinese(state: str) -> None:
    stage = _stage(1080, 1920)
    terminal = sample.lobby("zh_CN", known=state != "not-set-up")
    sample.STATES[state](terminal)
    LobbyView(stage, terminal.session, now=lambda: sample.NOW).draw()
    keys = {key.label.words for key in pilot.taps(stage) if isinstance(key, Key)}
    mixed = {t for t in pilot.texts(stage) if t not in keys and re.search("[A-Za-z]", TYPED.sub("", t))}
    if terminal.session.screen == "welcome":
        # Here alone the second language stands below the first, on purpose.
        assert mixed
    else:
        assert mixed == set()


def problems(stage: Stage) -> list[str]:
    """What a person would find fault with."""
    found: list[str] = []
    factor = min(stage.width, stage.height) / 1080
    taps = pilot.taps(stage)
    for tap in taps:
        if tap.x < -1 or tap.y < -1 or tap.right > stage.width + 1 or tap.top > stage.height + 1:
            found.append(f"{tap.name} stands outside the window")
        if min(tap.width, tap.height) < LEAST * factor - 1:
            found.append(f"{tap.name} is {tap.width:.0f} × {tap.height:.0f}")
    for one, two in combinations(taps, 2):
        if _overlap(one, two) > 1:
            found.append(f"{one.name} and {two.name} overlap")
    root = stage.overlay or stage.screen
    assert root is not None
    leaves = list(_leaves(root))
    for box in leaves:
        name = box.words if isinstance(box, Text) else type(box).__name__
        if isinstance(box, Text):
            if box.overflow() > 2:
                found.append(f"{name!r} is {box.overflow():.0f} px larger than its box")
            if box.em < LEAST_TYPE * factor - 1:
                found.append(f"{name!r} is set in {box.em:.0f} px")
        if box.x < -1 or box.y < -1 or box.right > stage.width + 1 or box.top > stage.height + 1:
            found.append(f"{name!r} stands outside the window")
    for one, two in combinations(leaves, 2):
        if _overlap(one, two) > 4 and not (isinstance(one.parent, Field) and one.parent is two.parent):
            found.append(f"{_what(one)} and {_what(two)} overlap")
    for tap in taps:
        for box in leaves:
            if not _inside(box, tap) and _overlap(box, tap) > 4:
                found.append(f"{_what(box)} lies on {tap.name}")
    return found


def _leaves(box: Box) -> Iterator[Box]:
    """Texts, icons and codes: what carries meaning."""
    if (isinstance(box, Text) and box.words) or isinstance(box, (Icon, QrView)):
        yield box
    for child in box.children:
        if isinstance(child, Box):
            yield from _leaves(child)


def _what(box: Box) -> str:
    return repr(box.words) if isinstance(box, Text) else f"{type(box).__name__} {getattr(box, 'name', '')}"


def _inside(box: Box, tap: Tap) -> bool:
    parent = box.parent
    while parent is not None and parent is not parent.parent:
        if parent is tap:
            return True
        parent = parent.parent
    return False


def _overlap(one: Box, two: Box) -> float:
    """By how many pixels two boxes cover each other, in the direction where they do less; texts by their ink."""
    a, b = _ink(one), _ink(two)
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return min(wide, high)


def _ink(box: Box) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of what is drawn."""
    if not isinstance(box, Text):
        return box.x, box.y, box.right, box.top
    return box.ink()
