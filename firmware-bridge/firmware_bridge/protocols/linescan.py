"""Text from a code scanner: lines ended by a suffix, or by silence (device-protocols.md §3).

Scanner input is hostile text. It is kept up to 4 KB; what is longer is thrown away to its end and told once. A line is
UTF-8, else GBK (the default of a widespread engine), else refused; so is one with control characters. A scanner whose
suffix got lost, or that never had one, ends a scan by saying nothing for a while: the caller's clock calls `silence`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 4096

_ENDS = {"cr": b"\r\n", "lf": b"\r\n", "crlf": b"\r\n", "tab": b"\t\r\n", "none": b""}
SUFFIXES = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "tab": b"\t", "none": b""}
"""What a scanner set so puts behind a code."""

_SYMBOLOGY = re.compile(r"\](?:Q[246](?:\\[0-9]{6})?|[A-Za-z][0-9A-Za-z])")
"""AIM prefix of ISO/IEC 15424, and for a QR code with ECI the first designator behind it."""


class Fault(StrEnum):
    """Why what came is no scan."""

    TOO_LONG = "too_long"
    NOT_TEXT = "not_text"


@dataclass(frozen=True, slots=True)
class Code:
    """One code's text, or "" and what was wrong."""

    text: str
    fault: Fault | None = None

    def __repr__(self) -> str:
        return f"Code({len(self.text)} characters, fault={self.fault})"


class LineScan:
    """Cuts what a scanner sends into codes. `suffix`: a key of SUFFIXES."""

    def __init__(self, suffix: str) -> None:
        self._end = re.compile(b"[" + re.escape(_ENDS[suffix]) + b"]") if _ENDS[suffix] else None
        self._line = bytearray()
        self._flooded = False

    @property
    def open(self) -> bool:
        """Whether a code has begun and not ended."""
        return bool(self._line) or self._flooded

    def feed(self, data: bytes) -> list[Code]:
        """The codes that `data` completed."""
        codes: list[Code] = []
        pieces = self._end.split(data) if self._end else [data]
        for number, piece in enumerate(pieces):
            if number:
                self._close(codes)
            self._keep(piece, codes)
        return codes

    def silence(self) -> list[Code]:
        """The line has been silent for long enough: what began is complete."""
        codes: list[Code] = []
        self._close(codes)
        return codes

    def reset(self) -> None:
        """The line was lost: what began will never be complete."""
        self._line.clear()
        self._flooded = False

    def _keep(self, piece: bytes, codes: list[Code]) -> None:
        if self._flooded:
            return
        if len(self._line) + len(piece) > LONGEST:
            self._line.clear()
            self._flooded = True
            codes.append(Code("", Fault.TOO_LONG))
            return
        self._line += piece

    def _close(self, codes: list[Code]) -> None:
        line = bytes(self._line)
        self.reset()
        if line and (code := read(line)) != Code(""):
            codes.append(code)


def read(line: bytes) -> Code:
    """A line's text without its symbology prefix."""
    for encoding in ("utf-8", "gbk"):
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    else:
        return Code("", Fault.NOT_TEXT)
    text = text.removeprefix("\ufeff")
    text = text[match.end() :] if (match := _SYMBOLOGY.match(text)) else text
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in text):
        return Code("", Fault.NOT_TEXT)
    return Code(text)
