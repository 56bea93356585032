"""A real GL window, offscreen, made once; terminals with an invented world, driven by real touches.

Kivy reads its environment when it is imported, so `prepare` runs here, before any test module of this folder.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk.ui.window import WindowPlan, prepare

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))
SIDE = 1920
prepare(WindowPlan(SIDE, SIDE), offscreen=True)

import sample  # noqa: E402  (its folder is on the path only now, and Kivy only now has its environment)

from kiosk.lobby.screens.view import LobbyView  # noqa: E402
from kiosk.ui import pilot, theme  # noqa: E402
from kiosk.ui.stage import Stage  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _window() -> None:
    """One window for all tests of a run; motion off, so that what is drawn is what stands."""
    from kivy.base import EventLoop

    EventLoop.start()
    theme.set_still(True)


@pytest.fixture(autouse=True)
def _empty_window() -> Iterator[None]:
    from kivy.core.window import Window

    yield
    for child in list(Window.children):
        Window.remove_widget(child)
    theme.set_still(True)


class Terminal:
    """A lobby terminal on the window: its session, its invented world, and a finger."""

    def __init__(self, width: int, height: int, language: str, *, known: bool = True) -> None:
        from kivy.core.window import Window

        self.stage = Stage(on_activity=lambda: self.sample.session.touched())
        self.stage.resize(width, height)
        Window.add_widget(self.stage)
        self._view: LobbyView | None = None
        self.sample = sample.lobby(language, changed=self._changed, known=known)
        self._view = LobbyView(self.stage, self.sample.session, now=lambda: sample.NOW)
        self._view.draw()

    def _changed(self) -> None:
        if self._view is not None:
            self._view.draw()

    @property
    def screen(self) -> str:
        return pilot.screen_name(self.stage)

    @property
    def texts(self) -> list[str]:
        return pilot.texts(self.stage)

    def tap(self, name: str) -> None:
        """A finger on the thing called `name`."""
        pilot.press(self.stage, pilot.find(self.stage, name=name))

    def tap_text(self, text: str) -> None:
        """A finger on the thing that says `text`."""
        pilot.press(self.stage, pilot.find(self.stage, text=text))

    def type(self, text: str) -> None:
        """Fingers on the on-screen keys."""
        pilot.type_keys(self.stage, text)

    def shows(self, text: str) -> bool:
        return any(text in shown for shown in self.texts)


@pytest.fixture
def terminal() -> Callable[..., Terminal]:
    """Makes a terminal: `terminal()` is an upright one in Chinese."""

    def make(
        language: str = "zh_CN", size: tuple[int, int] = (1080, 1920), *, known: bool = True
    ) -> Terminal:
        return Terminal(*size, language, known=known)

    return make
