"""Text and icons as boxes that know how high they are: a texture a line, own line breaks, own line heights.

Noto's line box is 1.45 em and its ink sits low in it, so each line is placed by the middle of its characters. Bold holds
GB 2312 only and Regular GBK: a line with a rarer character is drawn in Regular, a character in neither as 〓, never as
an empty box.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from kivy.core.text import Label as CoreLabel
from kivy.core.text import LabelBase
from kivy.graphics import Color, Rectangle

from kiosk.ui import theme
from kiosk.ui.icons import ICONS
from kiosk.ui.layout import Box
from kiosk.ui.linebreak import break_lines
from kiosk.ui.theme import Colour, px

FONTS = Path(__file__).resolve().parent / "fonts"
_MIDDLE = 0.663
"""From a line texture's bottom to the middle of its characters, in em: descent 0.288 + 0.375."""


@cache
def register_fonts() -> None:
    """Make the two families known to Kivy, once."""
    LabelBase.register(
        "text", fn_regular=str(FONTS / "text-regular.ttf"), fn_bold=str(FONTS / "text-bold.ttf")
    )
    LabelBase.register(
        "icons", fn_regular=str(FONTS / "icons-regular.ttf"), fn_bold=str(FONTS / "icons-fill.ttf")
    )


@cache
def _label(size: int, bold: bool, family: str) -> Any:
    register_fonts()
    return CoreLabel(font_size=size, font_name=family, bold=bold, font_hinting=None)


@lru_cache(maxsize=4096)
def _width(text: str, size: int, bold: bool) -> float:
    return float(_label(size, bold, "text").get_extents(text)[0])


def measure(text: str, size: float, *, bold: bool = False) -> float:
    """Width of one line in pixels. Only single characters and short words are remembered, never a line."""
    if len(text) == 1:
        return _width(text, int(size), bold)
    return float(_label(int(size), bold, "text").get_extents(text)[0])


@lru_cache(maxsize=4096)
def _drawable(character: str, codec: str) -> bool:
    if character < "\u0250" or "\u2010" <= character <= "\u203f":
        return True
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def drawable(text: str, *, bold: bool) -> tuple[str, bool]:
    """`text` with characters that no font of ours holds replaced by 〓, and whether Bold can draw it."""
    if text.isascii():
        return text, bold
    # The font's middle dot is as wide as a character; spaces around it would tear the words apart.
    text = text.replace(" · ", "·")
    if not any("\u2e80" <= c <= "\uffef" for c in text):
        # Its apostrophe too is a full-width quotation mark, right in Chinese only.
        text = text.replace("’", "'")
    shown = "".join(c if _drawable(c, "gbk") else "〓" for c in text)
    return shown, bold and all(_drawable(c, "gb2312") for c in shown)


class Text(Box):
    """One text. `lines` limits how many lines it may take; on one line it shrinks to 70 %, then is cut."""

    def __init__(
        self,
        words: str = "",
        *,
        size: float = theme.BODY,
        bold: bool = False,
        colour: Colour = theme.INK,
        align: str = "left",
        leading: float = 1.4,
        lines: int = 0,
        tail: bool = False,
        grow: float = 0.0,
    ) -> None:
        super().__init__(grow=grow)
        self.tail = tail
        self.words = words
        self.bold = bold
        self.align = align
        self.leading = leading
        self.limit = lines
        self._design = size
        self._colour = colour
        self._shown: list[str] = []
        self._worked_out: tuple[tuple[str, float, float], tuple[list[str], float]] | None = None

    @property
    def em(self) -> float:
        """Type size in pixels."""
        return px(self._design)

    def say(self, words: str) -> None:
        """Other words in the same box."""
        if words != self.words:
            self.words = words
            self.arrange()

    def tint(self, colour: Colour) -> None:
        """Another colour."""
        if colour != self._colour:
            self._colour = colour
            self.arrange()

    def want(self) -> float:
        return max((self._measure(line, self.em) for line in self.words.split("\n")), default=0.0)

    def need(self, width: float) -> float:
        if not self.words:
            return 0.0
        return round(len(self._lines(width)[0]) * self.em * self.leading)

    def arrange(self) -> None:
        self.canvas.clear()
        self._shown = []
        if not self.words or self.width < 1:
            return
        shown, size = self._lines(self.width)
        self._shown = shown
        step = size * self.leading
        top = self.y + (self.height + len(shown) * step) / 2
        with self.canvas:
            Color(*self._colour)
            for index, line in enumerate(shown):
                self._draw(line, size, top - (index + 0.5) * step)

    def overflow(self) -> float:
        """How far the text stands out of its box, in pixels; for the audit of all screens."""
        if not self.words:
            return 0.0
        shown, size = self._lines(self.width)
        wide = max(self._measure(line, size) for line in shown) - self.width
        return max(wide, len(shown) * size * min(self.leading, 1.2) - self.height, 0.0)

    def ink(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of the characters, in pixels; for the audit of all screens."""
        shown, size = self._lines(self.width)
        wide = max(self._measure(line, size) for line in shown)
        high = (len(shown) - 1) * size * self.leading + size
        spare = self.width - wide
        left = self.x + (spare / 2 if self.align == "centre" else spare if self.align == "right" else 0.0)
        return left, self.center_y - high / 2, left + wide, self.center_y + high / 2

    def wipe(self) -> None:
        self.words = ""
        self._shown = []
        self._worked_out = None
        self.canvas.clear()
        super().wipe()

    def _measure(self, line: str, size: float) -> float:
        shown, bold = drawable(line, bold=self.bold)
        return measure(shown, size, bold=bold)

    def _lines(self, width: float) -> tuple[list[str], float]:
        """The lines and their size at a width; asked for several times in one arrangement, worked out once."""
        asked = (self.words, width, self.em)
        if self._worked_out is None or self._worked_out[0] != asked:
            self._worked_out = (asked, self._break(width))
        return self._worked_out[1]

    def _break(self, width: float) -> tuple[list[str], float]:
        size = self.em
        if self.limit == 1:
            wide = self._measure(self.words, size)
            if wide > width:
                size = max(size * 0.7, size * width / wide - 0.5)
            size = float(int(size))
            return [self._cut(width, size)], size
        return break_lines(self.words, width, lambda text: self._measure(text, size)), size

    def _cut(self, width: float, size: float) -> str:
        """The one line, with … where it is still too wide: at its end, or at its start while it is being typed."""
        if self._measure(self.words, size) <= width:
            return self.words
        for length in range(len(self.words) - 1, 0, -1):
            part = f"…{self.words[-length:]}" if self.tail else f"{self.words[:length].rstrip()}…"
            if self._measure(part, size) <= width:
                return part
        return ""

    def _draw(self, line: str, size: float, middle: float) -> None:
        if not line.strip():
            return
        shown, bold = drawable(line, bold=self.bold)
        label = CoreLabel(text=shown, font_size=int(size), font_name="text", bold=bold, font_hinting=None)
        label.refresh()
        texture = label.texture
        wide = texture.width
        spare = self.width - wide
        x = self.x + (spare / 2 if self.align == "centre" else spare if self.align == "right" else 0.0)
        Rectangle(texture=texture, pos=(round(x), round(middle - _MIDDLE * size)), size=texture.size)


class Icon(Box):
    """One Phosphor icon, in a square of `size`; `solid` takes the filled cut."""

    def __init__(
        self, name: str, *, size: float = 40, colour: Colour = theme.JADE, solid: bool = False
    ) -> None:
        super().__init__()
        self.name = name
        self.solid = solid
        self._design = size
        self._colour = colour

    def show(self, name: str, colour: Colour | None = None) -> None:
        """Another icon in the same place."""
        self.name = name
        self._colour = colour or self._colour
        self.arrange()

    def want(self) -> float:
        return px(self._design)

    def need(self, width: float) -> float:
        return px(self._design)

    def arrange(self) -> None:
        self.canvas.clear()
        register_fonts()
        label = CoreLabel(
            text=ICONS[self.name], font_size=int(px(self._design)), font_name="icons", bold=self.solid
        )
        label.refresh()
        texture = label.texture
        with self.canvas:
            Color(*self._colour)
            Rectangle(
                texture=texture,
                pos=(round(self.center_x - texture.width / 2), round(self.center_y - texture.height / 2)),
                size=texture.size,
            )
