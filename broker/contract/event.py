"""An event: one fact, encoded once.

`encode` makes the body bytes at append; from then on those bytes are stored, hashed, sent and stored again, and
nobody encodes them anew (event-log.md, "An event"). `decode` reads an envelope strictly but leaves `data` raw, so an
event of a type this version doesn't know still fits, is appended and acknowledged.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated

import msgspec

from broker.contract.names import HexDigest, Id, Name

MAX_BODY = 8 * 1024
"""Bytes of one body. Enforced at append, at the station: what is too big is refused before it is a fact."""

NO_PREDECESSOR = "0" * 64
"""`prev` of the first event of a log."""

EventType = Annotated[str, msgspec.Meta(pattern="^[a-z_]{1,32}[.][a-z_]{1,32}$")]
PersonalClass = Annotated[str, msgspec.Meta(pattern="^[a-z_]{1,32}$")]


class EventError(ValueError):
    """The bytes are no event of ours, or the event can't be one; says what is wrong, never with its content."""


class ClockReading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the station's clock stands from the centre's (`offset_ms` = centre − station) and how sure that is.

    Both are None while the station has not heard the centre's time since it started.
    """

    offset_ms: int | None = None
    sure_ms: int | None = None


class SealedRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stands in the chain for one class of personal data; the ciphertext itself travels beside the body."""

    hash: HexDigest
    kid: Annotated[str, msgspec.Meta(max_length=64)]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of a fact. Unknown extra fields are tolerated: a newer station may send them."""

    id: Id
    site: Name
    station: Name
    log: Id
    seq: Annotated[int, msgspec.Meta(ge=1)]
    prev: HexDigest
    type: EventType
    v: Annotated[int, msgspec.Meta(ge=1)]
    time: datetime
    clock: ClockReading
    data: msgspec.Raw
    sealed: dict[PersonalClass, SealedRef] = {}


_decoder = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """The body bytes of a new event.

    Raises:
        EventError: `time` is not UTC-aware, or the body would exceed MAX_BODY.
    """
    if event.time.tzinfo is None:
        raise EventError("an event's time must carry its time zone")
    body = msgspec.json.encode(event)
    if len(body) > MAX_BODY:
        raise EventError(f"an event of {len(body)} bytes exceeds the limit of {MAX_BODY}")
    return body


def decode(body: bytes) -> Event:
    """Read an envelope; `data` stays raw (see `facts.read`).

    Raises:
        EventError: not an event, or too large.
    """
    if len(body) > MAX_BODY:
        raise EventError(f"a body of {len(body)} bytes exceeds the limit of {MAX_BODY}")
    try:
        event = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EventError(f"not an event: {_where(error)}") from None
    if event.time.tzinfo is None:
        raise EventError("not an event: its time has no time zone")
    return event


def body_hash(body: bytes) -> str:
    """SHA-256 of the body bytes exactly as sent, in hex: the next event's `prev`."""
    return hashlib.sha256(body).hexdigest()


def _where(error: Exception) -> str:
    """The problem without any of the offending content (msgspec names types and paths only)."""
    return str(error) if isinstance(error, msgspec.ValidationError) else type(error).__name__
