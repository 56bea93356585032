"""What a visitor presses: buttons, cards to choose from, segments, fields. All at least 80 px of the design high.

Every one is a `Tap`: it has a `name` that is the same in every language (for tests and the pilot), it answers a touch
that began and ended on it, and it ignores one whose screen has gone meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kiosk.ui import theme
from kiosk.ui.layout import Box, Pad, Row, Surface
from kiosk.ui.text import Icon, Text
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
