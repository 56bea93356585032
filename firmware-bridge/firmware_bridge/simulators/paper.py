"""A simulated receipt: printing events drawn as dots on paper, dot for dot, and read back as text and QR codes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from firmware_bridge.protocols import escpos_reader as sent
from firmware_bridge.protocols import gbk_columns, qr
from firmware_bridge.protocols.escpos import COLUMN, LINE

_HAN = 24
_MARGIN = 24
_WHITE, _BLACK = 255, 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came out of the printer. `qr` is what a scanner reads from the picture; both it and `text` may be a bearer credential."""

    path: Path
    text: str = field(repr=False)
    qr: tuple[str, ...] = field(repr=False)


@cache
def font(path: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, _HAN)


def default_font() -> str:
    """The font file in FRONTDESK_FONT, else the one that comes with the bridge."""
    return os.environ.get("FRONTDESK_FONT") or str(
        resources.files("firmware_bridge.simulators") / "fonts" / "receipt.otf"
    )


class Paper:
    """Paper `dots` wide, printed on until it is cut."""

    def __init__(self, dots: int, font_path: str | None = None) -> None:
        self._dots = dots
        self._font = font(font_path or default_font())
        self._reset()
        self._strips: list[Image.Image] = []
        self._lines: list[str] = []

    @property
    def blank(self) -> bool:
        return not self._strips and not self._line

    def take(self, event: sent.Event) -> None:
        """Print one event (a cut is the caller's)."""
        match event:
            case sent.Text():
                self._line += [(character, self._wide, self._high, self._bold) for character in event.text]
            case sent.NewLine():
                self._new_line()
            case sent.FeedLines():
                self._flush()
                self._feed(event.lines * LINE)
            case sent.Reset():
                self._flush()
                self._reset()
            case sent.AlignTo():
                self._align = event.where
            case sent.Size():
                self._wide, self._high = event.wide, event.high
            case sent.Bold():
                self._bold = event.on
            case sent.Picture():
                self._flush()
                picture = Image.frombytes("1", (event.width_bytes * 8, event.height), event.data)
                self._paste(picture.convert("L").point(lambda dot: _WHITE - dot))
            case sent.QrSymbol():
                self._flush()
                self._qr(event)
            case sent.ChineseMode() | sent.Unknown() | sent.Cut():
                pass

    def cut(self) -> tuple[Image.Image, str]:
        """The receipt so far as a picture with margins, and its text; the paper begins anew."""
        self._flush()
        height = sum(strip.height for strip in self._strips)
        picture = Image.new("L", (self._dots + 2 * _MARGIN, height + 2 * _MARGIN), _WHITE)
        top = _MARGIN
        for strip in self._strips:
            picture.paste(strip, (_MARGIN, top))
            top += strip.height
        text = "\n".join(self._lines)
        self._strips, self._lines = [], []
        return picture, text

    def _reset(self) -> None:
        self._align, self._wide, self._high, self._bold = 0, 1, 1, False
        self._line: list[tuple[str, int, int, bool]] = []

    def _flush(self) -> None:
        if self._line:
            self._new_line()

    def _new_line(self) -> None:
        """Set the line; what doesn't fit the paper goes on the next one, as printers do."""
        row: list[tuple[str, int, int, bool]] = []
        used = 0
        for cell in self._line:
            width = gbk_columns.width(cell[0]) * COLUMN * cell[1]
            if used + width > self._dots:
                self._set(row, used)
                row, used = [], 0
            row.append(cell)
            used += width
        self._set(row, used)
        self._line = []

    def _set(self, row: list[tuple[str, int, int, bool]], used: int) -> None:
        high = max((cell[2] for cell in row), default=1)
        strip = Image.new("L", (self._dots, LINE * high), _WHITE)
        x = (self._dots - used) * self._align // 2
        for character, wide, tall, bold in row:
            columns = gbk_columns.width(character)
            cell = Image.new("L", (columns * COLUMN, LINE), _WHITE)
            stroke = 0.5 if bold else 0
            ImageDraw.Draw(cell).text(
                (0, _HAN), character, fill=_BLACK, font=self._font, anchor="ls", stroke_width=stroke
            )
            if (wide, tall) != (1, 1):
                cell = cell.resize((cell.width * wide, cell.height * tall), Image.Resampling.NEAREST)
            strip.paste(cell, (x, strip.height - cell.height))
            x += cell.width
        self._strips.append(strip)
        self._lines.append("".join(cell[0] for cell in row))

    def _feed(self, dots: int) -> None:
        self._strips.append(Image.new("L", (self._dots, dots), _WHITE))

    def _paste(self, picture: Image.Image) -> None:
        strip = Image.new("L", (self._dots, picture.height), _WHITE)
        strip.paste(picture, (max(0, self._dots - picture.width) * self._align // 2, 0))
        self._strips.append(strip)

    def _qr(self, symbol: sent.QrSymbol) -> None:
        """A symbol wider than the paper isn't printed at all: so real printers do."""
        rows = qr.modules(symbol.text, symbol.level)
        side = len(rows)
        if side * symbol.module > self._dots:
            return
        picture = Image.frombytes("L", (side, side), b"".join(rows)).point(
            lambda dark: _BLACK if dark else _WHITE
        )
        self._paste(picture.resize((side * symbol.module, side * symbol.module), Image.Resampling.NEAREST))


def codes_on(picture: Image.Image) -> tuple[str, ...]:
    """The texts of the QR codes that a scanner reads on a picture."""
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return tuple(code.text for code in found)
