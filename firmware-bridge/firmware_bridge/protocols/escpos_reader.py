"""ESC/POS as a printer reads it: bytes in, printing events out. The simulated printer and the tests lean on it.

Strategy: a table of commands says how long each one's parameters are; text between commands is GBK. Incremental: a
command or a character that isn't complete waits for its rest. Unknown commands are events, so that a test sees them.
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware_bridge.protocols.escpos import DLE, ESC, FS, GS

_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Text:
    """Characters to set at the current place."""

    text: str


@dataclass(frozen=True, slots=True)
class NewLine:
    """The line is complete: LF."""


@dataclass(frozen=True, slots=True)
class FeedLines:
    lines: int


@dataclass(frozen=True, slots=True)
class Reset:
    """`ESC @`."""


@dataclass(frozen=True, slots=True)
class AlignTo:
    """0 left, 1 centre, 2 right."""

    where: int


@dataclass(frozen=True, slots=True)
class Size:
    """Times as wide, times as high."""

    wide: int
    high: int


@dataclass(frozen=True, slots=True)
class Bold:
    on: bool


@dataclass(frozen=True, slots=True)
class ChineseMode:
    on: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """Rows of `width_bytes` bytes, most significant bit left, 1 = black."""

    width_bytes: int
    height: int
    data: bytes


@dataclass(frozen=True, slots=True)
class QrSymbol:
    """The stored text printed as a QR code, `module` dots a module, error correction `L`, `M`, `Q` or `H`."""

    text: str
    module: int
    level: str


@dataclass(frozen=True, slots=True)
class Cut:
    """The paper is cut: the receipt is complete."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A command that isn't in the table; its parameters can't be told from text."""

    command: bytes


Event = (
    Text
    | NewLine
    | FeedLines
    | Reset
    | AlignTo
    | Size
    | Bold
    | ChineseMode
    | Picture
    | QrSymbol
    | Cut
    | Unknown
)

_PARAMETERS: dict[bytes, int] = {
    bytes((ESC, 0x40)): 0,
    bytes((ESC, 0x61)): 1,
    bytes((ESC, 0x45)): 1,
    bytes((ESC, 0x64)): 1,
    bytes((ESC, 0x21)): 1,
    bytes((FS, 0x26)): 0,
    bytes((FS, 0x2E)): 0,
    bytes((FS, 0x21)): 1,
    bytes((GS, 0x21)): 1,
    bytes((DLE, 0x04)): 1,
    bytes((DLE, 0x05)): 1,
}
_LEVELS = {0x30: "L", 0x31: "M", 0x32: "Q", 0x33: "H"}


class Reader:
    """Reads what a printer was sent."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._module, self._level, self._stored = 3, "L", b""

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completed."""
        self._buffer += data
        events: list[Event] = []
        while self._buffer:
            taken = self._command(events) if self._buffer[0] in (ESC, FS, GS, DLE) else self._text(events)
            if not taken:
                break
            del self._buffer[:taken]
        return events

    def reset(self) -> None:
        """The power was off: what was begun is gone."""
        self._buffer.clear()
        self._module, self._level, self._stored = 3, "L", b""

    def _text(self, events: list[Event]) -> int:
        """Characters up to the next control byte; 0 where the first one isn't complete."""
        at, buffer = 0, self._buffer
        while at < len(buffer) and buffer[at] >= 0x20:
            step = 2 if buffer[at] >= 0x80 else 1
            if at + step > len(buffer):
                break
            at += step
        if at:
            events.append(Text(buffer[:at].decode("gbk", "replace")))
            return at
        if buffer[0] >= 0x20:
            return 0
        if buffer[0] == 0x0A:
            events.append(NewLine())
        return 1

    def _command(self, events: list[Event]) -> int:
        """The command at the start; 0 where it isn't complete."""
        buffer = self._buffer
        if len(buffer) < 2:
            return 0
        name = bytes(buffer[:2])
        match name:
            case b"\x1d\x56":
                return self._cut(events)
            case b"\x1d\x28":
                return self._function(events)
            case b"\x1d\x76":
                return self._picture(events)
            case _:
                pass
        if name not in _PARAMETERS:
            events.append(Unknown(name))
            return 2
        total = 2 + _PARAMETERS[name]
        if len(buffer) < total:
            return 0
        event = _simple(name, buffer[2] if total > 2 else 0)
        if event is not None:
            events.append(event)
        return total

    def _cut(self, events: list[Event]) -> int:
        """`GS V 0|1`, or `GS V A|B n` with a feed before."""
        if len(self._buffer) < 3:
            return 0
        total = 4 if self._buffer[2] in (0x41, 0x42) else 3
        if len(self._buffer) < total:
            return 0
        events.append(Cut())
        return total

    def _function(self, events: list[Event]) -> int:
        """`GS ( k pL pH cn fn …`: the QR code's functions, cn 49."""
        if len(self._buffer) < 5:
            return 0
        total = 5 + int.from_bytes(self._buffer[3:5], "little")
        if len(self._buffer) < total:
            return 0
        body = bytes(self._buffer[5:total])
        if self._buffer[2] != 0x6B or body[:1] != b"\x31":
            events.append(Unknown(bytes(self._buffer[:5])))
            return total
        match body[1:2]:
            case b"C":
                self._module = body[2]
            case b"E":
                self._level = _LEVELS.get(body[2], "L")
            case b"P":
                self._stored = body[3:]
            case b"Q":
                events.append(QrSymbol(self._stored.decode("utf-8", "replace"), self._module, self._level))
            case _:
                pass
        return total

    def _picture(self, events: list[Event]) -> int:
        """`GS v 0 m xL xH yL yH data`."""
        if len(self._buffer) < 8:
            return 0
        width = int.from_bytes(self._buffer[4:6], "little")
        height = int.from_bytes(self._buffer[6:8], "little")
        if width * height > _LONGEST:
            events.append(Unknown(bytes(self._buffer[:8])))
            return 8
        total = 8 + width * height
        if len(self._buffer) < total:
            return 0
        events.append(Picture(width, height, bytes(self._buffer[8:total])))
        return total


def _simple(name: bytes, value: int) -> Event | None:
    """Commands that are a name and at most a byte; None for those that print nothing."""
    match name:
        case b"\x1b\x40":
            return Reset()
        case b"\x1b\x61":
            return AlignTo(value % 0x30)
        case b"\x1b\x45":
            return Bold(bool(value & 1))
        case b"\x1b\x64":
            return FeedLines(value)
        case b"\x1d\x21":
            return Size((value >> 4 & 7) + 1, (value & 7) + 1)
        case b"\x1c\x26":
            return ChineseMode(True)
        case b"\x1c\x2e":
            return ChineseMode(False)
        case _:
            return None
