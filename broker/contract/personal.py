"""Personal data by retention class, how it is masked, and the place where it will be sealed.

A class is what is kept or deleted together. In this version a "ciphertext" is the class's JSON in clear under the key
id `clear`; `require_loopback` keeps that off every network. Sealing to the centre's public key replaces `seal` and
`unseal` and nothing else: all callers already carry classes beside the body, with their hashes in the chain.
"""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Annotated

import msgspec

from broker.contract.event import SealedRef

CLEAR = "clear"
"""Key id of data that travels unsealed, on loopback only."""

Text = Annotated[str, msgspec.Meta(max_length=120)]


class PersonName(msgspec.Struct, frozen=True, tag_field="class", tag="name"):
    """Whose visit it is. `title` is `mr`, `ms` or None where no document says it."""

    text: Text
    title: str | None = None


class Phone(msgspec.Struct, frozen=True, tag_field="class", tag="phone"):
    """A phone number as typed: digits, with a leading + for other countries."""

    number: Annotated[str, msgspec.Meta(pattern=r"^\+?[0-9]{5,15}$")]


class Document(msgspec.Struct, frozen=True, tag_field="class", tag="document"):
    """An identity document that was read. `kind` is `resident` in this version; the photo never leaves the terminal."""

    kind: str
    number: Annotated[str, msgspec.Meta(max_length=32)]


class HostNamed(msgspec.Struct, frozen=True, tag_field="class", tag="host"):
    """Whom the visitor comes to see, in the visitor's words: it may or may not be somebody who lives there."""

    building: Text
    unit: Text = ""
    room: Text = ""
    name: Text = ""


Personal = PersonName | Phone | Document | HostNamed
CLASSES: dict[str, type[Personal]] = {
    "name": PersonName,
    "phone": Phone,
    "document": Document,
    "host": HostNamed,
}

_decoder = msgspec.json.Decoder(Personal)


class PersonalError(ValueError):
    """What should be personal data of a class can't be read; says so without its content."""


class NotLoopbackError(ValueError):
    """Unsealed personal data would leave this machine."""


def class_of(value: Personal) -> str:
    """The retention class a value belongs to."""
    return next(name for name, kind in CLASSES.items() if isinstance(value, kind))


def seal(value: Personal) -> tuple[bytes, SealedRef]:
    """The bytes that travel beside the body, and what stands for them in the chain."""
    ciphertext = msgspec.json.encode(value)
    return ciphertext, SealedRef(hash=hashlib.sha256(ciphertext).hexdigest(), kid=CLEAR)


def unseal(ciphertext: bytes, ref: SealedRef) -> Personal:
    """The value behind a ciphertext.

    Raises:
        PersonalError: the hash doesn't match the chain, the key is unknown, or the content is no class of ours.
    """
    if hashlib.sha256(ciphertext).hexdigest() != ref.hash:
        raise PersonalError("a ciphertext does not match its hash in the chain")
    if ref.kid != CLEAR:
        raise PersonalError(f"no key {ref.kid!r} to open this")
    try:
        return _decoder.decode(ciphertext)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise PersonalError("a ciphertext opens to no known class") from None


def require_loopback(host: str) -> None:
    """Refuse to carry unsealed personal data off this machine.

    Raises:
        NotLoopbackError: `host` is neither `localhost` nor a loopback address.
    """
    if host == "localhost":
        return
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass
    raise NotLoopbackError(
        f"{host} is not this machine: personal data is not sealed yet, so stations and centre must share one machine"
    )


def mask_name(text: str) -> str:
    """`张伟` → `张*`, `欧阳修` → `欧**`, `Anna Maria` → `A*** M***`: the first character of each word."""
    if text.isascii():
        return " ".join(word[0] + "*" * min(len(word) - 1, 3) for word in text.split())
    return text[:1] + "*" * max(len(text) - 1, 0)


def mask_phone(number: str) -> str:
    """`13812341234` → `138****1234`; a shorter one keeps its last four digits at most."""
    if len(number) >= 11:
        return number[:3] + "*" * (len(number) - 7) + number[-4:]
    return "*" * max(len(number) - 4, 0) + number[-4:] if len(number) > 4 else "*" * len(number)


def mask_document(number: str) -> str:
    """`11010519491231002X` → `1101**********002X`: never the birth date."""
    return number[:4] + "*" * (len(number) - 8) + number[-4:] if len(number) > 8 else "*" * len(number)
