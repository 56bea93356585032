"""How boxes share the space: a column, a row, a grid, a padded surface. Measured first, then placed, in one pass.

Kivy's layouts settle over several frames; here a screen is whole before its first frame, a picture of it needs no
waiting, and a test can audit it without drawing. All sizes are pixels; gaps and pads are given in design units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui import theme
from kiosk.ui.paint import Plate, Shade
from kiosk.ui.theme import Colour, px

Pad = tuple[float, float, float, float]
"""Left, top, right, bottom in design units."""


class Box(Widget):
    """A widget that can say how wide it would like to be and how high it is at a width. `grow` takes spare space."""

    canvas: Any
    """Kivy's stubs allow None; a widget always has one after its construction."""

    def __init__(self, *, grow: float = 0.0) -> None:
        # No kv rules: Kivy's own style would dress a class that happens to be called Button.
        super().__init__(__no_builder=True, size_hint=(None, None), size=(0, 0))
        self.grow = grow

    def want(self) -> float:
        """Its natural width."""
        return 0.0

    def need(self, width: float) -> float:
        """Its height at a width."""
        return 0.0

    def lay(self, x: float, y: float, w: float, h: float) -> None:
        """Take this place and arrange what is inside."""
        self.pos = (round(x), round(y))
        self.size = (round(w), round(h))
        self.arrange()

    def arrange(self) -> None:
        """Place what is inside."""

    def wipe(self) -> None:
        """Forget every text, here and inside; called when a visitor is gone."""
        for child in list(self.children):
            if isinstance(child, Box):
                child.wipe()


class Space(Box):
    """Nothing, of a fixed height and width in design units; with `grow` it takes what is left."""

    def __init__(self, size: float = 0.0, *, grow: float = 0.0) -> None:
        super().__init__(grow=grow)
        self._size = size

    def want(self) -> float:
        return px(self._size)

    def need(self, width: float) -> float:
        return px(self._size)


class Group(Box):
    """A box with boxes inside, in reading order."""

    def __init__(self, boxes: Sequence[Box], *, grow: float = 0.0) -> None:
        super().__init__(grow=grow)
        self.boxes = list(boxes)
        for box in self.boxes:
            self.add_widget(box)

    def fill(self, boxes: Sequence[Box]) -> None:
        """Other boxes inside; takes effect with the next arrangement."""
        self.clear_widgets()
        self.boxes = list(boxes)
        for box in self.boxes:
            self.add_widget(box)


class Column(Group):
    """One under another. Spare height goes to those that grow, else it stays below (or around: `middle`)."""

    def __init__(
        self,
        boxes: Sequence[Box],
        *,
        gap: float = theme.GAP,
        grow: float = 0.0,
        middle: bool = False,
        align: str = "stretch",
    ) -> None:
        super().__init__(boxes, grow=grow)
        self.gap = gap
        self.middle = middle
        self.align = align

    def want(self) -> float:
        return max((box.want() for box in self.boxes), default=0.0)

    def need(self, width: float) -> float:
        heights = [box.need(self._wide(box, width)) for box in self.boxes]
        return sum(heights) + self._gaps(heights)

    def _wide(self, box: Box, width: float) -> float:
        return width if self.align == "stretch" else min(width, box.want() or width)

    def _gaps(self, heights: list[float]) -> float:
        shown = sum(1 for box, high in zip(self.boxes, heights, strict=True) if high > 0 or box.grow)
        return px(self.gap) * max(0, shown - 1)

    def arrange(self) -> None:
        heights = [box.need(self._wide(box, self.width)) for box in self.boxes]
        spare = self.height - sum(heights) - self._gaps(heights)
        gap = px(self.gap)
        if spare < 0:
            # Too little room: the gaps give way before anything lies on anything.
            shown = max(
                2, sum(1 for box, high in zip(self.boxes, heights, strict=True) if high > 0 or box.grow)
            )
            gap = max(px(8), gap + spare / (shown - 1))
            spare = 0.0
        parts = sum(box.grow for box in self.boxes)
        top = self.top - (max(0.0, spare) / 2 if self.middle and not parts else 0.0)
        for box, high in zip(self.boxes, heights, strict=True):
            if box.grow and parts:
                high = max(0.0, high + spare * box.grow / parts)
            wide = self._wide(box, self.width)
            left = self.x + ((self.width - wide) / 2 if self.align == "centre" else 0.0)
            box.lay(left, top - high, wide, high)
            if high > 0 or box.grow:
                top -= high + gap


class Row(Group):
    """One beside another, each as wide as it wants; those that grow share the rest. `align`: top, middle, stretch."""

    def __init__(
        self, boxes: Sequence[Box], *, gap: float = theme.GAP, grow: float = 0.0, align: str = "middle"
    ) -> None:
        super().__init__(boxes, grow=grow)
        self.gap = gap
        self.align = align

    def want(self) -> float:
        return sum(box.want() for box in self.boxes) + px(self.gap) * max(0, len(self.boxes) - 1)

    def _widths(self, width: float) -> list[float]:
        fixed = sum(box.want() for box in self.boxes if not box.grow)
        spare = width - fixed - px(self.gap) * max(0, len(self.boxes) - 1)
        parts = sum(box.grow for box in self.boxes) or 1.0
        return [max(0.0, spare * box.grow / parts) if box.grow else box.want() for box in self.boxes]

    def need(self, width: float) -> float:
        return max((box.need(w) for box, w in zip(self.boxes, self._widths(width), strict=True)), default=0.0)

    def arrange(self) -> None:
        left = self.x
        for box, wide in zip(self.boxes, self._widths(self.width), strict=True):
            high = self.height if self.align == "stretch" else min(self.height, box.need(wide))
            y = self.top - high if self.align == "top" else self.y + (self.height - high) / 2
            box.lay(left, y, wide, high)
            left += wide + px(self.gap)


class Grid(Group):
    """Cells of one size in `columns`, row by row; as high as given, cells between `least` and `most` design units."""

    def __init__(
        self,
        boxes: Sequence[Box],
        *,
        columns: int,
        gap: float = theme.GAP,
        least: float = 120,
        most: float = 220,
        grow: float = 0.0,
    ) -> None:
        super().__init__(boxes, grow=grow)
        self.columns = columns
        self.gap = gap
        self.least = least
        self.most = most

    @property
    def rows(self) -> int:
        return -(-len(self.boxes) // self.columns)

    def need(self, width: float) -> float:
        return self.rows * px(self.least) + max(0, self.rows - 1) * px(self.gap)

    def arrange(self) -> None:
        if not self.boxes:
            return
        gap = px(self.gap)
        wide = (self.width - gap * (self.columns - 1)) / self.columns
        high = min(px(self.most), (self.height - gap * (self.rows - 1)) / self.rows)
        for index, box in enumerate(self.boxes):
            row, column = divmod(index, self.columns)
            box.lay(self.x + column * (wide + gap), self.top - (row + 1) * high - row * gap, wide, high)


class Surface(Box):
    """A rounded plate with one box inside; `depth` gives it a shadow, `line` an outline."""

    def __init__(
        self,
        inside: Box | None = None,
        *,
        colour: Colour = theme.WHITE,
        radius: float = theme.R_CARD,
        pad: Pad = (40, 36, 40, 36),
        depth: float = 0.0,
        line: Colour | None = None,
        weight: float = 2.0,
        grow: float = 0.0,
    ) -> None:
        super().__init__(grow=grow)
        self.inside = inside
        self.pad = pad
        self.weight = weight
        with self.canvas.before:
            self._shade = Shade(depth, px(radius)) if depth else None
            self._line = Plate(line or (0, 0, 0, 0), px(radius)) if line else None
            self.plate = Plate(colour, px(radius) - (px(weight) if line else 0))
        if inside is not None:
            self.add_widget(inside)

    def outline(self, colour: Colour, weight: float) -> None:
        """Another outline (only where there was one)."""
        self.weight = weight
        if self._line is not None:
            self._line.paint(colour)
        self._put()

    def want(self) -> float:
        return (self.inside.want() if self.inside else 0.0) + px(self.pad[0]) + px(self.pad[2])

    def need(self, width: float) -> float:
        inner = width - px(self.pad[0]) - px(self.pad[2])
        return (self.inside.need(inner) if self.inside else 0.0) + px(self.pad[1]) + px(self.pad[3])

    def arrange(self) -> None:
        self._put()
        if self.inside is not None:
            left, top, right, bottom = (px(side) for side in self.pad)
            self.inside.lay(
                self.x + left, self.y + bottom, self.width - left - right, self.height - top - bottom
            )

    def _put(self) -> None:
        if self._shade is not None:
            self._shade.put(self.x, self.y, self.width, self.height)
        inset = 0.0
        if self._line is not None:
            self._line.put(self.x, self.y, self.width, self.height)
            inset = px(self.weight)
        self.plate.put(self.x + inset, self.y + inset, self.width - 2 * inset, self.height - 2 * inset)


class Fixed(Box):
    """A box inside a box of fixed size in design units (0 = as it wants), in its middle."""

    def __init__(self, inside: Box, *, wide: float = 0.0, high: float = 0.0, grow: float = 0.0) -> None:
        super().__init__(grow=grow)
        self.inside = inside
        self._wide = wide
        self._high = high
        self.add_widget(inside)

    def want(self) -> float:
        return px(self._wide) if self._wide else self.inside.want()

    def need(self, width: float) -> float:
        return px(self._high) if self._high else self.inside.need(width)

    def arrange(self) -> None:
        high = self.inside.need(self.width) or self.height
        high = min(high, self.height) if not isinstance(self.inside, Surface) else self.height
        wide = self.width
        self.inside.lay(self.x, self.y + (self.height - high) / 2, wide, high)
