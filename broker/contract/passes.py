"""The visitor pass VP1: issue, and the strict check a gate makes with no network (pass-format.md).

`VP1` + base32 of a COSE_Sign1 (RFC 9052) CWT (RFC 8392) signed with Ed25519 (RFC 9864 alg −19). The header is compared
as one fixed string for the key it names, so nothing an attacker wrote is parsed before its signature holds; after that
the claims must be exactly the four we write, in our encoding: one text per pass.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PREFIX = "VP1"
MAX_TEXT = 200
"""Characters of the longest pass: PREFIX + base32 of 123 bytes."""

LEEWAY = 60
"""Seconds by which two clocks may differ (pass-format.md, "Reader, strict")."""

PLACES = 65_536
"""Places in the status list of one key id."""

MODE_ANTI_PASSBACK = 1
MODE_ESCORT = 2
MODE_ASK_CENTRE = 4
MODE_SCAN_LEAVING = 8

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TO_INT = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_FROM_INT = str.maketrans("0123456789abcdefghijklmnopqrstuv", _ALPHABET)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PRIVATE_CLAIM = -65537


class PassError(ValueError):
    """A text is no pass that may be trusted. `fault` says why, from a closed list."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


UNREADABLE = "unreadable"
UNKNOWN_KEY = "unknown_key"
BAD_SIGNATURE = "bad_signature"
BAD_CLAIMS = "bad_claims"


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass says. Times in seconds since 1970; `areas` a bit mask; `cti` 8 bytes; no person anywhere."""

    kid: int
    cti: bytes
    not_before: int
    expires: int
    site: int
    areas: int
    entries: int
    mode: int
    index: int

    @property
    def code(self) -> str:
        """The 8 characters to type when the code is damaged (see `typed_code`)."""
        return typed_code(self.cti)


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key and what its certificate allows; times in seconds, `areas` a bit mask, `longest` in seconds."""

    kid: int
    public: Ed25519PublicKey
    station: str
    areas: int
    valid_from: int
    valid_until: int
    longest: int


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys a verifier trusts, for one organisation."""

    organisation: str
    keys: Mapping[int, TrustedKey]
    _aad: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_aad", _bytes(f"vpass/1|{self.organisation}".encode()))

    @property
    def aad(self) -> bytes:
        """external_aad as a CBOR byte string: it binds a pass to this installation for no bytes."""
        return self._aad


def sign(claims: Pass, key: Ed25519PrivateKey, organisation: str) -> str:
    """The text of a pass, 189 characters (200 at worst).

    Raises:
        ValueError: a claim is out of its range.
    """
    payload = _payload(claims)
    aad = _bytes(f"vpass/1|{organisation}".encode())
    signature = key.sign(_to_be_signed(claims.kid, aad, payload))
    token = b"".join((b"\xd2\x84", _protected(claims.kid), b"\xa0", _bytes(payload), _bytes(signature)))
    return PREFIX + _base32(token)


def check(text: str, keys: KeySet) -> Pass:
    """The pass behind a scanned text, if it is exactly one we issued. Says nothing about time, area or use.

    Raises:
        PassError: `unreadable`, `unknown_key`, `bad_signature` or `bad_claims`.
    """
    token = _token(text)
    # d2 84 | 47 a2 01 32 04 42 kk kk | a0 | 58 LL payload | 58 40 signature
    if len(token) < 80 or token[:2] != b"\xd2\x84":
        raise PassError(UNREADABLE)
    kid = int.from_bytes(token[8:10], "big")
    if token[2:11] != _protected(kid) + b"\xa0" or token[11] != 0x58:
        raise PassError(UNREADABLE)
    end = 13 + token[12]
    if len(token) != end + 66 or token[end : end + 2] != b"\x58\x40":
        raise PassError(UNREADABLE)
    key = keys.keys.get(kid)
    if key is None:
        raise PassError(UNKNOWN_KEY)
    payload = token[13:end]
    try:
        key.public.verify(token[end + 2 :], _to_be_signed(kid, keys.aad, payload))
    except InvalidSignature:
        raise PassError(BAD_SIGNATURE) from None
    return _claims(kid, payload)


def draw_cti() -> bytes:
    """A fresh pass id: 8 random bytes whose typed code needs no character that a keypad lacks."""
    while True:
        cti = secrets.token_bytes(8)
        if (int.from_bytes(cti, "big") >> 29) % 37 < 32:
            return cti


def typed_code(cti: bytes) -> str:
    """Crockford base32 of the first 35 bits of `cti` and Crockford's check character (mod 37): 8 characters."""
    number = int.from_bytes(cti, "big") >> 29
    digits = "".join(_CROCKFORD[number >> shift & 31] for shift in range(30, -1, -5))
    return digits + (_CROCKFORD + "*~$=U")[number % 37]


def _token(text: str) -> bytes:
    if not text.startswith(PREFIX) or not 100 <= len(text) <= MAX_TEXT:
        raise PassError(UNREADABLE)
    body = text[len(PREFIX) :]
    if body.strip(_ALPHABET):
        raise PassError(UNREADABLE)
    size, spare = divmod(len(body) * 5, 8)
    try:
        value = int(body.translate(_TO_INT), 32)
    except ValueError:
        raise PassError(UNREADABLE) from None
    # Canonical only: the unused bits of the last character are zero, and no whole character is unused.
    if spare >= 5 or value & ((1 << spare) - 1):
        raise PassError(UNREADABLE)
    return (value >> spare).to_bytes(size, "big")


def _base32(token: bytes) -> str:
    spare = -len(token) * 8 % 5
    value = int.from_bytes(token, "big") << spare
    length = (len(token) * 8 + spare) // 5
    digits: list[str] = []
    for shift in range((length - 1) * 5, -1, -5):
        digits.append(_ALPHABET[value >> shift & 31])
    return "".join(digits)


def _protected(kid: int) -> bytes:
    """{1: -19, 4: kid} as a byte string: 47 a2 01 32 04 42 kk kk."""
    return b"\x47\xa2\x01\x32\x04\x42" + kid.to_bytes(2, "big")


def _to_be_signed(kid: int, aad: bytes, payload: bytes) -> bytes:
    """Sig_structure (RFC 9052 §4.4): ["Signature1", protected, external_aad, payload]."""
    return b"".join((b"\x84\x6aSignature1", _protected(kid), aad, _bytes(payload)))


def _bytes(value: bytes) -> bytes:
    return cbor2.dumps(value)


def _payload(claims: Pass) -> bytes:
    limits = (
        (claims.kid, 0xFFFF),
        (claims.not_before, 0xFFFFFFFF),
        (claims.expires, 0xFFFFFFFF),
        (claims.site, 0xFFFF),
        (claims.areas, 0xFFFFFFFF),
        (claims.entries, 0xFF),
        (claims.mode, 15),
        (claims.index, PLACES - 1),
    )
    if len(claims.cti) != 8 or any(not 0 <= value <= limit for value, limit in limits):
        raise ValueError("a claim of the pass is out of its range")
    rest = [claims.site, claims.areas, claims.entries, claims.mode, claims.index]
    # exp and nbf always take four bytes, so that every pass of a site has one length.
    return b"".join(
        (
            b"\xa4\x04\x1a",
            claims.expires.to_bytes(4, "big"),
            b"\x05\x1a",
            claims.not_before.to_bytes(4, "big"),
            b"\x07\x48",
            claims.cti,
            cbor2.dumps(_PRIVATE_CLAIM),
            cbor2.dumps(rest),
        )
    )


def _claims(kid: int, payload: bytes) -> Pass:
    try:
        claims = cast("dict[int, object]", cbor2.loads(payload))
        private = cast("list[object]", claims[_PRIVATE_CLAIM])
        site, areas, entries, mode, index = (_uint(value) for value in private)
        cti = claims[7]
        if not isinstance(cti, bytes):
            raise PassError(BAD_CLAIMS)
        found = Pass(kid, cti, _uint(claims[5]), _uint(claims[4]), site, areas, entries, mode, index)
        if _payload(found) != payload:
            raise PassError(BAD_CLAIMS)
    except PassError:
        raise
    except Exception:
        # cbor2 raises many kinds, and a wrong shape more; a signed payload that isn't ours is refused whichever it is.
        raise PassError(BAD_CLAIMS) from None
    return found


def _uint(value: object) -> int:
    if type(value) is not int:
        raise PassError(BAD_CLAIMS)
    return value
