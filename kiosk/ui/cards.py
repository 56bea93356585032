"""Cards to choose from, a box to tick, and what only tells: banners and how far along the visitor is."""

from __future__ import annotations

from kiosk.ui import theme
from kiosk.ui.controls import Act, Tap, Tile
from kiosk.ui.layout import Box, Column, Pad, Row, Space, Surface
from kiosk.ui.paint import Plate
from kiosk.ui.text import Icon, Text, measure
from kiosk.ui.theme import px


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
        self.canvas.clear()
        gap = px(12)
        wide = (self.width - gap * (self.of - 1)) / self.of
        on, off = (theme.SUN, theme.VEIL) if self.dark else (theme.JADE, theme.SAND_DEEP)
        with self.canvas:
            for index in range(self.of):
                plate = Plate(on if index < self.done else off, px(5))
                plate.put(round(self.x + index * (wide + gap)), self.y, round(wide), px(10))
