"""What a visitor presses: buttons, cards to choose from, segments, fields. All at least 80 px of the design high.

Every one is a `Tap`: it has a `name` that is the same in every language (for tests and the pilot), it answers a touch
that began and ended on it, and it ignores one whose screen has gone meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kivy.clock import Clock
from kivy.graphics import Color, Rectangle

from kiosk.ui import theme
from kiosk.ui.layout import Box, Column, Pad, Row, Space, Surface
from kiosk.ui.text import Icon, Text, measure
from kiosk.ui.theme import Colour, px

Act = Callable[[], object]


class Tap(Surface):
    """A surface that can be pressed."""

    def __init__(
        self,
        inside: Box | None,
        name: str,
        on_tap: Act | None,
        *,
        colour: Colour = theme.WHITE,
        pressed: Colour | None = None,
        radius: float = theme.R_CARD,
        pad: Pad = (32, 24, 32, 24),
        depth: float = 0.0,
        line: Colour | None = None,
        weight: float = 2.0,
        grow: float = 0.0,
    ) -> None:
        super().__init__(
            inside,
            colour=colour,
            radius=radius,
            pad=pad,
            depth=depth,
            line=line,
            weight=weight,
            grow=grow,
        )
        self.name = name
        self.on_tap = on_tap
        self.enabled = True
        self.colour = colour
        self.pressed_colour = pressed or _darker(colour)

    def on_touch_down(self, touch: object) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not self.enabled or self.on_tap is None or not self.collide_point(*touch.pos):  # pyright: ignore[reportAttributeAccessIssue]
            return False
        touch.grab(self)  # pyright: ignore[reportAttributeAccessIssue]
        self.plate.paint(self.pressed_colour)
        self.pressed()
        return True

    def on_touch_up(self, touch: object) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        if touch.grab_current is not self:  # pyright: ignore[reportAttributeAccessIssue]
            return False
        touch.ungrab(self)  # pyright: ignore[reportAttributeAccessIssue]
        self.plate.paint(self.colour)
        self.released()
        attached = self.get_root_window() is not None
        if attached and self.enabled and self.on_tap and self.collide_point(*touch.pos):  # pyright: ignore[reportAttributeAccessIssue]
            self.on_tap()
        return True

    def pressed(self) -> None:
        """A finger came down on it."""

    def released(self) -> None:
        """The finger is gone."""

    def ground(self, colour: Colour) -> None:
        """Another colour for good."""
        self.colour = colour
        self.pressed_colour = _darker(colour)
        self.plate.paint(colour)

    def spoken(self) -> list[str]:
        """The texts on it, in order."""
        return [box.words for box in self.walk(restrict=True) if isinstance(box, Text) and box.words]


def _darker(colour: Colour) -> Colour:
    if colour[3] < 1:
        return colour[0], colour[1], colour[2], min(1.0, colour[3] + 0.14)
    return colour[0] * 0.92, colour[1] * 0.92, colour[2] * 0.92, colour[3]


class Centred(Row):
    """A row in the middle of its place; its text gives way where it is too wide."""

    def arrange(self) -> None:
        gaps = px(self.gap) * max(0, len(self.boxes) - 1)
        widths = [box.want() for box in self.boxes]
        over = sum(widths) + gaps - self.width
        if over > 0:
            longest = max(range(len(widths)), key=lambda n: widths[n])
            widths[longest] -= over
        left = self.x + (self.width - sum(widths) - gaps) / 2
        for box, wide in zip(self.boxes, widths, strict=True):
            # One pixel of air: a texture is as wide as its ink and must not be found too wide for its box.
            high = min(self.height, box.need(wide + 1))
            box.lay(left, self.y + (self.height - high) / 2, wide + 1, high)
            left += wide + px(self.gap)


_STYLES: dict[str, tuple[Colour, Colour, Colour | None, float]] = {
    # ground, words, outline, shadow
    "primary": (theme.JADE, theme.WHITE, None, 18),
    "quiet": (theme.WHITE, theme.JADE, theme.SAND_DEEP, 0),
    "tint": (theme.JADE_TINT, theme.JADE, None, 0),
    "veil": (theme.VEIL, theme.WHITE, None, 0),
    "help": (theme.CINNABAR, theme.WHITE, None, 14),
    "helped": (theme.CINNABAR_TINT, theme.CINNABAR_DEEP, None, 0),
    "key": (theme.WHITE, theme.INK, None, 0),
    "key-quiet": (theme.SAND_DEEP, theme.INK, None, 0),
}


class Button(Tap):
    """A labelled button. `kind` is one of primary, quiet, tint, veil, help, helped, key, key-quiet."""

    def __init__(
        self,
        words: str,
        name: str,
        on_tap: Act | None,
        *,
        kind: str = "primary",
        icon: str = "",
        trailing: str = "",
        size: float = theme.BODY,
        high: float = theme.TOUCH,
        bold: bool = True,
        radius: float | None = None,
        side: float = 36,
        grow: float = 0.0,
    ) -> None:
        ground, ink, line, depth = _STYLES[kind]
        self.label = Text(words, size=size, bold=bold, colour=ink, lines=1, align="centre")
        parts: list[Box] = [self.label] if words else []
        self.icon = Icon(icon, size=size * 1.25, colour=ink) if icon else None
        if self.icon:
            parts.insert(0, self.icon)
        if trailing:
            parts.append(Icon(trailing, size=size * 1.2, colour=ink))
        self._high = high
        super().__init__(
            Centred(parts, gap=16),
            name,
            on_tap,
            colour=ground,
            radius=high / 2 if radius is None else radius,
            pad=(side, 0, side, 0),
            depth=depth,
            line=line,
            grow=grow,
        )

    def restyle(self, kind: str, words: str, icon: str = "") -> None:
        """Another look and other words in the same place."""
        ground, ink, _, _ = _STYLES[kind]
        self.ground(ground)
        self.label.tint(ink)
        self.label.words = words
        if self.icon and icon:
            self.icon.show(icon, ink)
        if self.width:
            self.arrange()

    def enable(self, on: bool) -> None:
        """Whether it can be pressed now; when not it fades but stays readable."""
        self.enabled = on
        self.opacity = 1.0 if on else 0.45

    def need(self, width: float) -> float:
        return px(self._high)


class Tile(Surface):
    """An icon on a rounded square."""

    def __init__(
        self,
        icon: str,
        *,
        side: float = 104,
        colour: Colour = theme.JADE_TINT,
        ink: Colour = theme.JADE,
        solid: bool = False,
    ) -> None:
        self.icon = Icon(icon, size=side * 0.5, colour=ink, solid=solid)
        super().__init__(self.icon, colour=colour, radius=side * 0.29, pad=(0, 0, 0, 0))
        self._side = side

    def want(self) -> float:
        return px(self._side)

    def need(self, width: float) -> float:
        return px(self._side)


class Choice(Tap):
    """A card to choose: icon, title, a line below, and a mark at the right once it is chosen (or an arrow)."""

    def __init__(
        self,
        title: str,
        name: str,
        on_tap: Act | None,
        *,
        below: str = "",
        icon: str = "",
        trailing: str = "",
        chosen: bool = False,
        size: float = theme.LEAD,
        side: float = 96,
        depth: float = 20,
        pad: Pad = (32, 26, 32, 26),
        extra: Box | None = None,
        grow: float = 0.0,
    ) -> None:
        texts: list[Box] = [Text(title, size=size, bold=True, leading=1.3)]
        if below:
            texts.append(Text(below, size=theme.SMALL, colour=theme.MUTED, leading=1.36))
        parts: list[Box] = []
        if icon:
            ground, ink = (theme.JADE, theme.WHITE) if chosen else (theme.JADE_TINT, theme.JADE)
            parts.append(Tile(icon, side=side, colour=ground, ink=ink))
        parts.append(Column(texts, gap=2, grow=1))
        mark = "check-circle" if chosen else trailing
        if mark:
            parts.append(Icon(mark, size=48 if chosen else 40, colour=theme.JADE, solid=chosen))
        row: Box = Row(parts, gap=28)
        if extra is not None:
            row = Column([row, extra], gap=20)
        super().__init__(
            row,
            name,
            on_tap,
            colour=theme.WHITE,
            depth=depth,
            pad=pad,
            line=theme.JADE if chosen else theme.WHITE,
            weight=4,
            grow=grow,
        )
        self.chosen = chosen

    def arrange(self) -> None:
        self._put()
        if self.inside is not None:
            left, _, right, _ = (px(side) for side in self.pad)
            wide = self.width - left - right
            high = min(self.height, self.inside.need(wide))
            self.inside.lay(self.x + left, self.y + (self.height - high) / 2, wide, high)


class Segment(Tap):
    """One part of a segmented choice: the whole height answers, the pill inside shows which is on."""

    def __init__(self, words: str, name: str, on_tap: Act, *, on: bool, dark: bool, icon: str = "") -> None:
        if on:
            ink = theme.JADE_DEEP if dark else theme.WHITE
        else:
            ink = theme.WHITE if dark else theme.INK
        clear = (0.0, 0.0, 0.0, 0.0)
        pill = (theme.WHITE if dark else theme.JADE) if on else clear
        parts: list[Box] = [Icon(icon, size=38, colour=ink)] if icon else []
        parts.append(Text(words, size=theme.SMALL, bold=True, colour=ink, lines=1, align="centre"))
        super().__init__(
            Surface(Centred(parts, gap=12), colour=pill, radius=40, pad=(28, 0, 28, 0)),
            name,
            on_tap,
            colour=clear,
            pressed=clear,
            radius=44,
            pad=(6, 6, 6, 6),
        )
        self.on = on

    def need(self, width: float) -> float:
        return px(theme.TOUCH)


class Segments(Surface):
    """Two or more segments on one pill."""

    def __init__(
        self,
        options: Sequence[tuple[str, str]],
        chosen: str | None,
        on_choose: Callable[[str], object],
        *,
        prefix: str,
        dark: bool = False,
        wide: bool = False,
        icons: Sequence[str] = (),
    ) -> None:
        parts = [
            Segment(
                words,
                f"{prefix}:{key}",
                lambda key=key: on_choose(key),
                on=key == chosen,
                dark=dark,
                icon=icons[index] if icons else "",
            )
            for index, (key, words) in enumerate(options)
        ]
        for part in parts:
            part.grow = 1.0 if wide else 0.0
        super().__init__(
            Row(parts, gap=0, align="stretch"),
            colour=theme.VEIL if dark else theme.WHITE,
            radius=44,
            pad=(0, 0, 0, 0),
            line=None if dark else theme.SAND_DEEP,
        )


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


class Check(Tap):
    """A box to tick, with its sentence."""

    def __init__(
        self, words: str, name: str, on_tap: Act, *, ticked: bool, size: float = theme.SMALL
    ) -> None:
        self.ticked = ticked
        mark = Surface(
            Icon("check", size=34, colour=theme.WHITE) if ticked else Space(34),
            colour=theme.JADE if ticked else theme.WHITE,
            radius=14,
            pad=(9, 9, 9, 9),
            line=theme.JADE if ticked else theme.FAINT,
            weight=3,
        )
        super().__init__(
            Row([mark, Text(words, size=size, colour=theme.INK, grow=1, leading=1.36)], gap=24),
            name,
            on_tap,
            colour=theme.JADE_TINT,
            radius=24,
            pad=(24, 20, 28, 20),
        )

    def need(self, width: float) -> float:
        return max(px(theme.TOUCH), super().need(width))


class Banner(Surface):
    """A sentence that must be seen: a warning, a note, good news. `kind` is warning, note, good or help."""

    KINDS = {
        "warning": (theme.AMBER_TINT, theme.AMBER_INK, "warning"),
        "note": (theme.JADE_TINT, theme.JADE, "info"),
        "good": (theme.JADE_TINT, theme.JADE, "check-circle"),
        "help": (theme.CINNABAR_TINT, theme.CINNABAR_DEEP, "call-bell"),
    }

    def __init__(
        self,
        words: str,
        *,
        kind: str = "warning",
        icon: str = "",
        size: float = theme.SMALL,
        grow: float = 0.0,
    ) -> None:
        ground, ink, sign = self.KINDS[kind]
        self.text = Text(words, size=size, colour=ink, grow=1, leading=1.38)
        super().__init__(
            Row([Icon(icon or sign, size=40, colour=ink, solid=True), self.text], gap=20),
            colour=ground,
            radius=theme.R_FIELD,
            pad=(28, 20, 28, 20),
            grow=grow,
        )

    def want(self) -> float:
        return super().want() + measure(self.text.words, self.text.em)


class Progress(Box):
    """How far along: one short line a question."""

    def __init__(self, done: int, of: int, *, dark: bool) -> None:
        super().__init__()
        self.done, self.of, self.dark = done, of, dark

    def need(self, width: float) -> float:
        return px(10)

    def arrange(self) -> None:
        from kiosk.ui.paint import Plate

        self.canvas.clear()
        gap = px(12)
        wide = (self.width - gap * (self.of - 1)) / self.of
        on, off = (theme.SUN, theme.VEIL) if self.dark else (theme.JADE, theme.SAND_DEEP)
        with self.canvas:
            for index in range(self.of):
                plate = Plate(on if index < self.done else off, px(5))
                plate.put(round(self.x + index * (wide + gap)), self.y, round(wide), px(10))
