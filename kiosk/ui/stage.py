"""Where screens stand: one at a time, swapped at once, with a short rise; an overlay above it; late touches refused.

A screen is built when its key or shape changes and only updated otherwise, so typing never rebuilds what is typed on.
For a moment after a change touches are refused: the second tap of a double tap was meant for what stood there before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any

from kivy.animation import Animation
from kivy.graphics import Color, PopMatrix, PushMatrix, Rectangle, Translate
from kivy.uix.widget import Widget

from kiosk.ui import theme
from kiosk.ui.layout import Box
from kiosk.ui.theme import px

SETTLING = 0.22
"""Seconds after a change of screen in which a touch is refused."""


class Stage(Widget):
    """The root of a window. `on_activity` hears every touch, also a refused one."""

    canvas: Any

    def __init__(self, *, on_activity: Callable[[], None] = lambda: None) -> None:
        super().__init__(size_hint=(None, None))
        self.key: Hashable = None
        self.shape: Hashable = None
        self.screen: Box | None = None
        self.overlay: Box | None = None
        self._on_activity = on_activity
        self._changed_at = 0.0
        with self.canvas.before:
            Color(*theme.PAPER)
            self._ground = Rectangle()
            PushMatrix()
            self._rise = Translate(0, 0, 0)
        with self.canvas.after:
            PopMatrix()

    def resize(self, width: float, height: float) -> None:
        """The window's size; whoever owns the stage builds its screen anew."""
        theme.set_scale(width, height)
        self.size = (width, height)
        self._ground.size = self.size
        self.key = self.shape = None

    @property
    def portrait(self) -> bool:
        return self.height >= self.width

    def show(self, key: Hashable, shape: Hashable, build: Callable[[], Box]) -> bool:
        """Stand `build()` on the stage if `key` or `shape` is new; True where it was built."""
        if key == self.key and shape == self.shape and self.screen is not None:
            return False
        fresh = key != self.key
        old, self.screen = self.screen, build()
        if old is not None:
            self.remove_widget(old)
            old.wipe()
        self.key, self.shape = key, shape
        self.add_widget(self.screen, index=len(self.children))
        self.screen.lay(self.x, self.y, self.width, self.height)
        if fresh:
            self._changed_at = time.monotonic()
            self._enter(self.screen)
        return True

    def cover(self, overlay: Box | None) -> None:
        """Stand an overlay above the screen, or take it away."""
        if self.overlay is not None:
            self.remove_widget(self.overlay)
            self.overlay.wipe()
        self.overlay = overlay
        if overlay is not None:
            self.add_widget(overlay)
            overlay.lay(self.x, self.y, self.width, self.height)

    def _enter(self, screen: Box) -> None:
        Animation.cancel_all(self._rise)
        self._rise.y = 0
        lasting = theme.motion(theme.CALM)
        if lasting and self._changed_at:
            self._rise.y = -px(18)
            Animation(y=0, duration=lasting, t="out_cubic").start(self._rise)

    @property
    def settled(self) -> bool:
        """Whether a touch counts now."""
        return time.monotonic() - self._changed_at >= theme.motion(SETTLING)

    def on_touch_down(self, touch: object) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        covered = self.overlay
        self._on_activity()
        if not self.settled:
            return True
        if covered is not None:
            return bool(covered.on_touch_down(touch)) or True
        return bool(super().on_touch_down(touch))
