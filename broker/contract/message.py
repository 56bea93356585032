"""A message: consecutive events of one log on their way to the centre.

MessagePack, because bodies and ciphertexts are bytes and must arrive unaltered. The log's own Ed25519 key, whose public
half its first event `log.opened` brings, signs each message once over (site, station, log, first seq, last seq, hash of
the last body): the chain below that hash makes it hold for every event, at the price of one signature a message.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from broker.contract.event import MAX_BODY, PersonalClass, body_hash
from broker.contract.names import Id, Name

MAX_ITEMS = 500
MAX_CIPHERTEXT = 4 * 1024
MAX_MESSAGE = 1024 * 1024
"""Bytes of one message on the wire; a sender closes a message before it grows past this."""


class MessageError(ValueError):
    """The payload is no message of ours; says what is wrong, never with its content."""


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One event: its body bytes, and beside them one ciphertext per class of personal data."""

    body: Annotated[bytes, msgspec.Meta(max_length=MAX_BODY)]
    ciphertexts: Annotated[
        dict[PersonalClass, Annotated[bytes, msgspec.Meta(max_length=MAX_CIPHERTEXT)]],
        msgspec.Meta(max_length=16),
    ] = {}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Items `first` … `last` of one log, in order."""

    v: int = 1
    site: Name
    station: Name
    log: Id
    first: Annotated[int, msgspec.Meta(ge=1)]
    last: Annotated[int, msgspec.Meta(ge=1)]
    items: Annotated[list[Item], msgspec.Meta(min_length=1, max_length=MAX_ITEMS)]
    signature: Annotated[bytes, msgspec.Meta(max_length=64)] | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Message)


def encode(message: Message) -> bytes:
    """The message as MessagePack bytes."""
    return _encoder.encode(message)


def decode(payload: bytes) -> Message:
    """Read a message from the wire.

    Raises:
        MessageError: too large, not MessagePack, of another version, or its counts contradict each other.
    """
    if len(payload) > MAX_MESSAGE:
        raise MessageError(f"a message of {len(payload)} bytes exceeds the limit of {MAX_MESSAGE}")
    try:
        message = _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(
            f"not a message: {error if isinstance(error, msgspec.ValidationError) else 'malformed'}"
        ) from None
    if message.v != 1:
        raise MessageError(f"a message of version {message.v}; this program reads version 1")
    if message.last - message.first + 1 != len(message.items):
        raise MessageError(
            f"a message of events {message.first}–{message.last} holds {len(message.items)} items"
        )
    return message


def signed(message: Message, key: Ed25519PrivateKey) -> Message:
    """The message with the signature of its log's key."""
    return msgspec.structs.replace(message, signature=key.sign(_to_be_signed(message)))


def signature_holds(message: Message, key: Ed25519PublicKey) -> bool:
    """True where the log's key signed exactly these events under this site, station and log.

    The signature covers the last body; that the earlier ones belong before it is the chain's business.
    """
    if message.signature is None:
        return False
    try:
        key.verify(message.signature, _to_be_signed(message))
    except InvalidSignature:
        return False
    return True


def _to_be_signed(message: Message) -> bytes:
    """Plain text; no part can hold a `|`, so no two messages share one."""
    head = body_hash(message.items[-1].body)
    parts = (message.site, message.station, message.log, str(message.first), str(message.last), head)
    return "|".join(("frontdesk/message/1", *parts)).encode()
