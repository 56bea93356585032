"""The staff PIN of a terminal: with it a colleague decides while the centre is out of reach.

Only an Argon2id hash stands in the data folder, set by `kiosk set-pin`; there is no default PIN. A stolen disk with a
short PIN can still be guessed; the PIN decides nothing while the centre is in reach, so a stolen one is worth little.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kiosk.station.tries import Tries

FILE = "staff-pin"
SHORTEST, LONGEST = 4, 12


class PinError(ValueError):
    """This can't be a PIN; the message is a sentence for a person."""


class PinAnswer(StrEnum):
    """What became of a typed PIN."""

    RIGHT = "right"
    WRONG = "wrong"
    TOO_MANY_TRIES = "too_many_tries"
    UNSET = "unset"


def set_pin(folder: Path, pin: str) -> None:
    """Keep the hash of a new PIN in the data folder.

    Raises:
        PinError: not 4–12 digits, or all the same.
        OSError: the folder can't be written.
    """
    if not pin.isascii() or not pin.isdigit() or not SHORTEST <= len(pin) <= LONGEST:
        raise PinError(f"A PIN has {SHORTEST} to {LONGEST} digits. Choose another one.")
    if len(set(pin)) == 1:
        raise PinError("A PIN of one repeated digit is guessed at once. Choose another one.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = folder / f"{FILE}.new"
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, PasswordHasher().hash(pin).encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
    new.replace(folder / FILE)


def is_set(folder: Path) -> bool:
    """Whether this terminal has a staff PIN."""
    return (folder / FILE).exists()


def check_pin(folder: Path, pin: str, tries: Tries) -> PinAnswer:
    """Compare a typed PIN, at most as often as `tries` allows. Takes about 50 ms."""
    if tries.wait():
        return PinAnswer.TOO_MANY_TRIES
    try:
        kept = (folder / FILE).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return PinAnswer.UNSET
    try:
        PasswordHasher().verify(kept, pin)
    except (VerificationError, InvalidHashError):
        tries.wrong()
        return PinAnswer.TOO_MANY_TRIES if tries.wait() else PinAnswer.WRONG
    tries.right()
    return PinAnswer.RIGHT
