"""A file under a passphrase: frames of authenticated encryption, so that no byte comes out that did not go in.

Layout: a line that names the format; a line of JSON (how the key is made, and what the file is); then frames of up to
1 MiB, each ChaCha20-Poly1305 under a key of argon2id (RFC 9106), with its number and whether it is the last as nonce
and the two lines as associated data. So a frame can't be changed, moved, dropped or added, nor the end cut off.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from typing import Annotated, BinaryIO

import msgspec
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

MAGIC = b"frontdesk backup 1\n"
FRAME = 1024 * 1024
TAG = 16
MAX_HEADER = 4096


class SealedFileError(Exception):
    """The file can't be opened; the message is a sentence for a person."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """How the key is made, and what the file is. `check` tells a wrong passphrase from a damaged file."""

    salt: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    check: str
    time_cost: Annotated[int, msgspec.Meta(ge=1, le=16)] = 3
    memory_kib: Annotated[int, msgspec.Meta(ge=8 * 1024, le=1024 * 1024)] = 64 * 1024
    lanes: Annotated[int, msgspec.Meta(ge=1, le=16)] = 4
    site: str
    made: str
    version: str


def seal(source: BinaryIO, out: BinaryIO, passphrase: str, *, site: str, made: str, version: str) -> None:
    """Write `source` under a passphrase."""
    salt = secrets.token_bytes(16)
    header = Header(salt=salt, check="", site=site, made=made, version=version)
    key, check = _keys(header, passphrase)
    head = MAGIC + msgspec.json.encode(msgspec.structs.replace(header, check=check)) + b"\n"
    out.write(head)
    cipher = ChaCha20Poly1305(key)
    number, frame = 0, source.read(FRAME)
    while True:
        following = source.read(FRAME)
        out.write(cipher.encrypt(_nonce(number, last=not following), frame, head))
        if not following:
            return
        number, frame = number + 1, following


def read_header(sealed: BinaryIO) -> tuple[Header, bytes]:
    """What a file says of itself, and those bytes. Raises SealedFileError."""
    head = sealed.read(len(MAGIC))
    if head != MAGIC:
        raise SealedFileError("this is no backup of a service centre; name a file that `broker backup` wrote")
    line = sealed.readline(MAX_HEADER)
    try:
        return msgspec.json.decode(line, type=Header), head + line
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SealedFileError(
            "the backup is damaged at its very beginning; take another copy of it"
        ) from None


def unseal(sealed: BinaryIO, passphrase: str) -> Iterator[bytes]:
    """The content, piece by piece; complete only if the iteration ends without an error.

    Raises:
        SealedFileError: no backup, a wrong passphrase, or a file that was altered or cut off.
    """
    header, head = read_header(sealed)
    key, check = _keys(header, passphrase)
    if not hmac.compare_digest(check, header.check):
        raise SealedFileError("the passphrase is not the one that this backup was made with")
    cipher = ChaCha20Poly1305(key)
    number, frame = 0, sealed.read(FRAME + TAG)
    while True:
        following = sealed.read(FRAME + TAG)
        try:
            yield cipher.decrypt(_nonce(number, last=not following), frame, head)
        except InvalidTag:
            raise SealedFileError(
                f"the backup was altered or cut off (after {number * FRAME} bytes of content); take another copy of it"
            ) from None
        if not following:
            return
        number, frame = number + 1, following


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")


def _keys(header: Header, passphrase: str) -> tuple[bytes, str]:
    """The frames' key, and a value that a wrong passphrase doesn't give; neither tells of the other."""
    made = hash_secret_raw(
        passphrase.encode(),
        header.salt,
        time_cost=header.time_cost,
        memory_cost=header.memory_kib,
        parallelism=header.lanes,
        hash_len=64,
        type=Type.ID,
    )
    return made[:32], hashlib.sha256(made[32:]).hexdigest()
