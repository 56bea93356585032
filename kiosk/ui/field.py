"""A field to type in: it shows what it is told and takes no keys itself; whoever owns it sends them where they belong."""

from __future__ import annotations

from kivy.clock import Clock
from kivy.graphics import Color, Rectangle

from kiosk.ui import theme
from kiosk.ui.controls import Act, Tap
from kiosk.ui.text import Icon, Text, measure
from kiosk.ui.theme import px


class Field(Tap):
    """Something typed: its label above, the value large, a bar where the next key goes."""

    def __init__(
        self,
        label: str,
        name: str,
        on_tap: Act,
        *,
        value: str = "",
        hint: str = "",
        focused: bool = False,
        icon: str = "",
        secret: bool = False,
        grow: float = 0.0,
    ) -> None:
        super().__init__(
            None,
            name,
            on_tap,
            pressed=theme.WHITE,
            radius=theme.R_FIELD,
            line=theme.SAND_DEEP,
            grow=grow,
        )
        self._label = Text(label, size=theme.SMALL, colour=theme.MUTED, lines=1)
        self._icon = Icon(icon, size=40, colour=theme.MUTED) if icon else None
        self._value = Text("", size=theme.HEADING, bold=True, lines=1, tail=True)
        self._hint = Text(hint, size=theme.LEAD, colour=theme.FAINT, lines=1)
        for part in (self._label, self._icon, self._value, self._hint):
            if part is not None:
                self.add_widget(part)
        with self.canvas.after:
            self._bar_tint = Color(*theme.JADE)
            self._bar = Rectangle(size=(0, 0))
        self._full_hint = hint
        self.secret = secret
        self.focused = False
        self.value = ""
        self._blink = None
        self.say(value)
        self.focus(focused)

    def say(self, value: str) -> None:
        """Show a value."""
        self.value = value
        self._value.words = "●" * len(value) if self.secret else value
        self._hint.words = "" if value else self._full_hint
        if self.width:
            self.arrange()

    def focus(self, on: bool) -> None:
        """Whether keys go here."""
        self.focused = on
        if self.width:
            self.arrange()
        if self._blink is not None:
            self._blink.cancel()
            self._blink = None
        if on and theme.motion(1):
            self._blink = Clock.schedule_interval(self._toggle, 0.55)

    def _toggle(self, _dt: float) -> None:
        if self.get_root_window() is None:
            # Its screen has gone; a timer must not keep it.
            self.focus(False)
        elif self.focused:
            self._bar_tint.a = 0.0 if self._bar_tint.a else 1.0

    def need(self, width: float) -> float:
        return px(148)

    def spoken(self) -> list[str]:
        return [self._label.words]

    def arrange(self) -> None:
        label_high = px(44)
        plate_high = self.height - label_high
        x, y, w = self.x, self.y, self.width
        weight = px(4 if self.focused else 2)
        if self._line is not None:
            self._line.paint(theme.JADE if self.focused else theme.SAND_DEEP)
            self._line.put(x, y, w, plate_high)
        self.plate.put(x + weight, y + weight, w - 2 * weight, plate_high - 2 * weight)
        self._label.lay(x + px(4), self.top - px(40), w - px(8), px(40))
        left = x + px(32)
        if self._icon is not None:
            self._icon.lay(left, y, px(40), plate_high)
            left += px(60)
        inner = self.right - px(28) - left
        self._value.lay(left, y, inner, plate_high)
        self._hint.lay(left + px(10), y, inner - px(10), plate_high)
        end = left
        if self._value.words:
            end += min(inner, measure(self._value.words, self._value.em, bold=True)) + px(6)
        high = px(52)
        self._bar.pos = (round(end), round(y + (plate_high - high) / 2))
        self._bar.size = (px(4) if self.focused else 0, high)
        self._bar_tint.a = 1.0

    def wipe(self) -> None:
        self.value = ""
        self._full_hint = ""
        super().wipe()
