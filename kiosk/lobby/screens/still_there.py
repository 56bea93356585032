"""The warning before the wipe: one huge button, in both languages because nobody knows who stands there now."""

from __future__ import annotations

from kiosk.lobby.screens.frame import View
from kiosk.ui import theme
from kiosk.ui.controls import Button
from kiosk.ui.layout import Box, Column, Surface
from kiosk.ui.paint import Plate
from kiosk.ui.text import Text
from kiosk.ui.theme import px


class StillThere(Box):
    """Stands over the screen; any touch anywhere is an answer."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.view = view
        with self.canvas.before:
            self._scrim = Plate(theme.SCRIM)
        self._count = Text(
            str(view.session.left), size=120, bold=True, colour=theme.JADE, align="centre", leading=1.2
        )
        self._panel = Surface(
            Column(
                [
                    Text(view.say("idle.title"), size=52, bold=True, align="centre", leading=1.3),
                    Text(view.say("idle.below"), size=32, colour=theme.MUTED, align="centre"),
                    self._count,
                    Button(
                        "我还在 / I'm still here",
                        "still-here",
                        view.session.touched,
                        size=56,
                        high=200,
                        radius=44,
                    ),
                ],
                gap=28,
            ),
            radius=theme.R_SHEET,
            depth=40,
            pad=(64, 64, 64, 64),
        )
        self.add_widget(self._panel)

    def count(self) -> None:
        """A second less."""
        self._count.say(str(self.view.session.left))

    def arrange(self) -> None:
        self._scrim.put(self.x, self.y, self.width, self.height)
        wide = min(self.width - px(112), px(920))
        high = self._panel.need(wide)
        self._panel.lay(self.center_x - wide / 2, self.center_y - high / 2, wide, high)
