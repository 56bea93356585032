"""Frames of the resident-card reader ("SDT": the SAM module), both directions (device-protocols.md §1.3–1.7).

A frame is `AA AA AA 96 69 | Len | body | XOR`: Len (big-endian) counts body and checksum, XOR runs from Len to the end of
the body. A request's body is CMD PARA data, a reply's SW1 SW2 SW3 data; SW3 alone says how it went.

Strategy: keep bytes until a preamble is found by search (AA repeats, so a byte-wise state machine would lose frames);
a wrong length or checksum drops *one* byte and searches again inside, so that a real frame behind a false preamble is
found. The buffer never holds more than one frame of the largest size.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

PREAMBLE = bytes.fromhex("AAAAAA9669")
_HEAD = len(PREAMBLE) + 2
_SHORTEST_REQUEST = 3
_SHORTEST_REPLY = 4
_LONGEST_REQUEST = 64
_LONGEST_REPLY = 4096


class Status(IntEnum):
    """SW3 of a reply (§1.5)."""

    OK = 0x90
    NO_CONTENT = 0x91
    FOUND = 0x9F
    BAD_CHECKSUM = 0x10
    BAD_LENGTH = 0x11
    BAD_COMMAND = 0x21
    NO_PRIVILEGE = 0x23
    UNRECOGNISED = 0x24
    CARD_REFUSED_SAM = 0x31
    SAM_REFUSED_CARD = 0x32
    NOT_VERIFIED = 0x33
    WRONG_CARD = 0x40
    READ_FAILED = 0x41
    NO_RANDOM = 0x47
    SELF_TEST_FAILED = 0x60
    NOT_AUTHORISED = 0x66
    NO_CARD = 0x80
    SELECT_FAILED = 0x81


class Command(IntEnum):
    """CMD PARA of a request (§1.4)."""

    RESET = 0x10FF
    SAM_STATUS = 0x11FF
    SAM_ID = 0x12FF
    FIND = 0x2001
    SELECT = 0x2002
    READ = 0x3001
    READ_ADDED_ADDRESS = 0x3003


@dataclass(frozen=True, slots=True)
class _Answers:
    """What can answer a command: success codes, failure codes of its own, data lengths of a success, seconds to wait."""

    success: tuple[int, ...]
    failure: tuple[int, ...]
    lengths: range
    seconds: float


_EXACTLY_NONE = range(1)
_ANSWERS: dict[Command, _Answers] = {
    Command.RESET: _Answers((0x90,), (), _EXACTLY_NONE, 1.0),
    Command.SAM_STATUS: _Answers((0x90,), (), _EXACTLY_NONE, 0.5),
    Command.SAM_ID: _Answers((0x90,), (), range(16, 17), 0.5),
    Command.FIND: _Answers((0x9F,), (0x80,), range(16), 0.5),
    Command.SELECT: _Answers((0x90,), (0x81,), range(16), 0.5),
    Command.READ: _Answers((0x90,), (0x41,), range(260, _LONGEST_REPLY), 2.0),
    Command.READ_ADDED_ADDRESS: _Answers((0x90, 0x91), (0x41,), range(512), 1.5),
}
_OWN_FAILURES = frozenset(
    code for answers in _ANSWERS.values() for code in (*answers.success, *answers.failure)
)


@dataclass(frozen=True, slots=True)
class Request:
    """What the host asks."""

    command: int
    data: bytes = b""

    def encode(self) -> bytes:
        return encode_frame(self.command.to_bytes(2, "big") + self.data)

    @classmethod
    def of(cls, body: bytes) -> Request:
        """The request in a frame's body (at least 2 bytes, as `Framer.for_requests` gives)."""
        return cls(int.from_bytes(body[:2], "big"), body[2:])


@dataclass(frozen=True, slots=True)
class Reply:
    """What the reader answers; `data` may be a card's content and doesn't show in repr."""

    status: int
    data: bytes = b""

    def encode(self) -> bytes:
        return encode_frame(bytes((0, 0, self.status)) + self.data)

    @classmethod
    def of(cls, body: bytes) -> Reply:
        """The reply in a frame's body (at least 3 bytes, as `Framer.for_replies` gives)."""
        return cls(body[2], body[3:])

    def __repr__(self) -> str:
        return f"Reply(status=0x{self.status:02X}, {len(self.data)} bytes)"


def seconds_for(command: Command) -> float:
    """How long to wait for the first byte of the answer (§1.10.5, find and select with slack)."""
    return _ANSWERS[command].seconds


def answers(command: Command, reply: Reply) -> bool:
    """Whether `reply` can be the answer to `command`.

    Replies name no command, so one that comes too late could be taken for the answer to the next request: a find's
    9F for a select's, a whole card for a find's. Codes that belong to other commands only are not accepted.
    """
    own = _ANSWERS[command]
    if reply.status in own.success:
        return len(reply.data) in own.lengths
    return reply.status in own.failure or reply.status not in _OWN_FAILURES


def encode_frame(body: bytes) -> bytes:
    """Preamble, length, body and checksum."""
    counted = (len(body) + 1).to_bytes(2, "big") + body
    return PREAMBLE + counted + bytes((_checksum(counted),))


def _checksum(data: bytes | bytearray) -> int:
    """XOR of all bytes; 0 over a sound frame with its checksum."""
    value = 0
    for byte in data:
        value ^= byte
    return value


class Damage(StrEnum):
    """Why a frame was given up at its preamble; the search goes on one byte further."""

    LENGTH = "length"
    CHECKSUM = "checksum"


class Framer:
    """Finds frames in what a line delivers. `dropped` counts bytes that belonged to none."""

    def __init__(self, *, shortest: int, longest: int) -> None:
        self._shortest, self._longest = shortest, longest
        self._buffer = bytearray()
        self.dropped = 0

    @classmethod
    def for_requests(cls) -> Framer:
        return cls(shortest=_SHORTEST_REQUEST, longest=_LONGEST_REQUEST)

    @classmethod
    def for_replies(cls) -> Framer:
        return cls(shortest=_SHORTEST_REPLY, longest=_LONGEST_REPLY)

    @property
    def waiting(self) -> int:
        """Bytes of an unfinished frame."""
        return len(self._buffer)

    def reset(self) -> None:
        """Forget an unfinished frame (its time ran out)."""
        self.dropped += len(self._buffer)
        self._buffer.clear()

    def feed(self, data: bytes) -> list[bytes | Damage]:
        """Bodies of the frames that `data` completed, and damage, in the order of the line."""
        found: list[bytes | Damage] = []
        for start in range(0, len(data), self._longest):
            self._buffer += data[start : start + self._longest]
            self._search(found)
        return found

    def _search(self, found: list[bytes | Damage]) -> None:
        while True:
            at = self._buffer.find(PREAMBLE)
            if at < 0:
                self._drop(len(self._buffer) - self._preamble_begun())
                return
            self._drop(at)
            if len(self._buffer) < _HEAD:
                return
            length = int.from_bytes(self._buffer[len(PREAMBLE) : _HEAD], "big")
            if not self._shortest <= length <= self._longest:
                found.append(Damage.LENGTH)
                self._drop(1)
                continue
            total = _HEAD + length
            if len(self._buffer) < total:
                return
            if _checksum(self._buffer[len(PREAMBLE) : total]):
                found.append(Damage.CHECKSUM)
                self._drop(1)
                continue
            found.append(bytes(self._buffer[_HEAD : total - 1]))
            del self._buffer[:total]

    def _preamble_begun(self) -> int:
        """How many bytes at the end may be the start of a preamble."""
        for count in range(min(len(PREAMBLE) - 1, len(self._buffer)), 0, -1):
            if self._buffer.endswith(PREAMBLE[:count]):
                return count
        return 0

    def _drop(self, count: int) -> None:
        self.dropped += count
        del self._buffer[:count]


@dataclass(frozen=True, slots=True)
class CardContent:
    """What a READ brought: the text's 256 bytes and the photo's 1,024, both opaque here and kept out of repr."""

    text: bytes
    photo: bytes

    def encode(self) -> bytes:
        return len(self.text).to_bytes(2, "big") + len(self.photo).to_bytes(2, "big") + self.text + self.photo

    @classmethod
    def of(cls, data: bytes) -> CardContent | None:
        """By the length words, not by constants (§1.7); None where they don't fit the data."""
        text, photo = int.from_bytes(data[0:2], "big"), int.from_bytes(data[2:4], "big")
        if len(data) < 4 + text + photo:
            return None
        return cls(data[4 : 4 + text], data[4 + text : 4 + text + photo])

    def __repr__(self) -> str:
        return f"CardContent({len(self.text)} + {len(self.photo)} bytes)"


def sam_id(data: bytes) -> str:
    """The reader's own number as vendors print it, e.g. `05.01-20130101-0000012345-0000067890` (§1.6; 16 bytes)."""
    date, number, more = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8, 12))
    return f"{data[0]:02d}.{data[2]:02d}-{date:08d}-{number:010d}-{more:010d}"


def encode_sam_id(kind: int, maker: int, date: int, number: int, more: int) -> bytes:
    """The inverse of `sam_id`, for a simulated reader."""
    return bytes((kind, 0, maker, 0)) + b"".join(part.to_bytes(4, "little") for part in (date, number, more))
