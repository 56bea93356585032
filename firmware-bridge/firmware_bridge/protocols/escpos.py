"""ESC/POS for a Chinese receipt printer: a ticket as bytes, and the printer's status (device-protocols.md §2).

Strategy: one encoder for exactly what a slip needs; each ticket starts from `ESC @` and Chinese mode, so nothing of an
earlier one shows through. A QR code goes as the printer's own command (221 bytes), or as a picture for printers without it.
Status is `DLE EOT n`, one byte back with fixed bits, so a stray byte is told from an answer. `escpos_reader` is the
printer's side.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from firmware_bridge.capabilities import Align, Feed, Line, Pair, PrinterStatus, QrCode, Rule, Ticket
from firmware_bridge.protocols import gbk_columns, qr

ESC, FS, GS, DLE, EOT = 0x1B, 0x1C, 0x1D, 0x10, 0x04

DOTS = {58: 384, 80: 576}
"""Printable dots across, by paper width in mm, at 8 dots a mm."""
COLUMN = 12
"""Dots a column of font A; a Han character has two."""
LINE = 30
"""Dots a line of text is high, spacing included."""
_CUT_FEED = 120

START = bytes((ESC, 0x40, FS, 0x26))
CUT = bytes((GS, 0x56, 0x42, 0x00))
_ALIGN = {Align.LEFT: 0, Align.CENTRE: 1, Align.RIGHT: 2}
_QUIET_LINE = bytes((ESC, 0x64, 1))
"""Above and below a QR code: 30 dots, the quiet zone of modules up to 7 dots."""
_QR_MODEL_2 = bytes.fromhex("1D286B0400 31413200")
_QR_LEVEL_M = bytes.fromhex("1D286B0300 314531")
_QR_PRINT = bytes.fromhex("1D286B0300 315130")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A ticket's bytes, and how many dots of paper it takes: with the printer's speed, how long it prints."""

    data: bytes
    dots: int

    def __repr__(self) -> str:
        return f"Encoded({len(self.data)} bytes, {self.dots} dots)"


def encode(ticket: Ticket, *, paper: int = 80, qr_by: Literal["native", "raster"] = "native") -> Encoded:
    """The bytes that print `ticket` on paper 58 or 80 mm wide. Raises ValueError when a QR code can't fit the paper."""
    dots = DOTS[paper]
    columns = dots // COLUMN
    data, height = bytearray(START), 0
    for element in ticket.elements:
        match element:
            case Line():
                lines = gbk_columns.wrap(element.text, columns // element.scale)
                data += _styled(lines, element)
                height += len(lines) * LINE * element.scale
            case Pair():
                lines = gbk_columns.pair(element.left, element.right, columns)
                data += _text(lines)
                height += len(lines) * LINE
            case Rule():
                data += _text(["-" * columns])
                height += LINE
            case Feed():
                data += bytes((ESC, 0x64, min(element.lines, 255)))
                height += element.lines * LINE
            case QrCode():
                rows = qr.modules(element.text)
                module = min(element.module, dots // len(rows))
                if module < 1:
                    raise ValueError(f"a QR code of {len(rows)} modules doesn't fit {dots} dots")
                data += _QUIET_LINE
                if qr_by == "native":
                    data += align(Align.CENTRE) + native_qr(element.text, module) + align(Align.LEFT)
                else:
                    data += raster_qr(rows, module, dots)
                data += _QUIET_LINE
                height += len(rows) * module + 2 * LINE
    return Encoded(bytes(data + CUT), height + _CUT_FEED)


def _text(lines: Iterable[str]) -> bytes:
    return b"".join(line.encode("gbk") + b"\n" for line in lines)


def _styled(lines: Iterable[str], line: Line) -> bytes:
    """`GS !` sizes both ASCII and Han; `ESC !` and `FS !` each leave out one of them on some printers."""
    size = 0x11 * (line.scale - 1)
    before = align(line.align) + bytes((GS, 0x21, size)) + bytes((ESC, 0x45, line.bold))
    after = bytes((ESC, 0x45, 0)) + bytes((GS, 0x21, 0)) + align(Align.LEFT)
    return before + _text(lines) + after


def align(where: Align) -> bytes:
    return bytes((ESC, 0x61, _ALIGN[where]))


def native_qr(text: str, module: int) -> bytes:
    """The printer's own QR command: model 2, error correction M, `module` dots a module (1 to 16)."""
    data = text.encode("utf-8")
    size = bytes.fromhex("1D286B0300 3143") + bytes((module,))
    store = bytes.fromhex("1D286B") + (len(data) + 3).to_bytes(2, "little") + b"\x31\x50\x30" + data
    return _QR_MODEL_2 + size + _QR_LEVEL_M + store + _QR_PRINT


def raster(rows: Iterable[bytes], width_bytes: int) -> bytes:
    """A picture by `GS v 0`: rows of `width_bytes` bytes each, most significant bit left, 1 = black."""
    picture = list(rows)
    head = bytes((GS, 0x76, 0x30, 0)) + width_bytes.to_bytes(2, "little") + len(picture).to_bytes(2, "little")
    return head + b"".join(picture)


def raster_qr(modules: Iterable[bytes], module: int, dots: int) -> bytes:
    """A QR symbol as a picture of the paper's whole width: centring then depends on no printer's setting."""
    rows: list[bytes] = []
    for row in modules:
        margin = (dots - len(row) * module) // 2
        bits = "0" * margin + "".join(("1" if dark else "0") * module for dark in row)
        line = int(bits.ljust(dots, "0"), 2).to_bytes(dots // 8, "big")
        rows += [line] * module
    return raster(rows, dots // 8)


# Status ------------------------------------------------------------------------------------------------------------

STATUS_KINDS = (1, 2, 3, 4)
"""Printer, cause of being offline, cause of an error, paper (§2.1)."""


def ask_status(kind: int) -> bytes:
    """`DLE EOT n`: answered at once, even when offline or the buffer is full. Never to be put inside another command."""
    return bytes((DLE, EOT, kind))


def is_status(byte: int) -> bool:
    """Whether a byte can be an answer to `DLE EOT` (fixed bits `0xx1xx10`)."""
    return byte & 0x93 == 0x12


def status_of(replies: dict[int, int]) -> PrinterStatus:
    """What the answers say together, by kind; what wasn't answered stays unknown."""
    general, cause, error, paper = (replies.get(kind) for kind in STATUS_KINDS)
    return PrinterStatus(
        online=None if general is None else not general & 0x08,
        cover_open=None if cause is None else bool(cause & 0x04),
        paper_out=None
        if paper is None and cause is None
        else bool((paper or 0) & 0x60 or (cause or 0) & 0x20),
        paper_near_end=None if paper is None else bool(paper & 0x0C),
        error=None if cause is None and error is None else bool((cause or 0) & 0x40 or (error or 0) & 0x68),
    )


def status_byte(
    kind: int, *, offline: bool, cover_open: bool, paper_out: bool, near_end: bool, error: bool
) -> int:
    """The printer's answer of one kind, computed from one snapshot, for a simulated printer."""
    bits = {
        1: 0x08 * offline,
        2: 0x04 * cover_open | 0x20 * paper_out | 0x40 * error,
        3: 0x20 * error,
        4: 0x0C * (near_end or paper_out) | 0x60 * paper_out,
    }
    return 0x12 | bits[kind]
