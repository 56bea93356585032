"""The verdict on a scan: one function, for a gate without the network and for the centre alike.

Order of the checks (architecture.md, "Passes"): readable → signature and key → revoked → flagged → time window → area →
uses; the first failure is the reason shown. Validity comes before use, so a withdrawn pass is never called a friendly
"already used". Leaving is never refused: the reason is kept, the barrier opens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from broker.contract import passes
from broker.contract.passes import KeySet, Pass, PassError


class Direction(StrEnum):
    """Which way somebody goes through the lane."""

    IN = "in"
    OUT = "out"


class Outcome(StrEnum):
    """What the lane does."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    LEFT = "left"


class Reason(StrEnum):
    """Why; the closed list that every gate has a text, an icon, a colour and a sound for."""

    OK = "ok"
    UNREADABLE = "unreadable"
    UNKNOWN_KEY = "unknown_key"
    FORGED = "forged"
    KEY_NOT_VALID = "key_not_valid"
    REVOKED = "revoked"
    FLAGGED = "flagged"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    OTHER_SITE = "other_site"
    WRONG_AREA = "wrong_area"
    USED_UP = "used_up"
    ALREADY_INSIDE = "already_inside"
    ASK_CENTRE = "ask_centre"
    CLOCK_WRONG = "clock_wrong"


@dataclass(frozen=True, slots=True)
class Uses:
    """What is known of earlier uses of a pass: how many entries, and whether its holder is inside."""

    entries: int = 0
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """What the judge must know of the lane: the site's number, the areas behind it (bit mask), the direction.

    `clock_trusted` is False when the gate's clock can't be believed: then nobody is admitted, exits go on.
    """

    site: int
    areas: int
    direction: Direction
    clock_trusted: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer. `vpass` is there whenever signature and claims held, also on a refusal."""

    outcome: Outcome
    reason: Reason
    vpass: Pass | None = None


_FAULTS = {
    passes.UNREADABLE: Reason.UNREADABLE,
    passes.UNKNOWN_KEY: Reason.UNKNOWN_KEY,
    passes.BAD_SIGNATURE: Reason.FORGED,
    passes.BAD_CLAIMS: Reason.FORGED,
}


def _no(_: Pass) -> bool:
    return False


def _unused(_: Pass) -> Uses:
    return Uses()


def judge(
    text: str,
    *,
    keys: KeySet,
    lane: Lane,
    now: int,
    revoked: Callable[[Pass], bool] = _no,
    flagged: Callable[[Pass], bool] = _no,
    uses: Callable[[Pass], Uses] = _unused,
) -> Verdict:
    """Judge one scanned text. `now` in seconds since 1970. Never raises for any text."""
    try:
        vpass = passes.check(text, keys)
    except PassError as error:
        return _close(lane, _FAULTS[error.fault], None)
    return _close(lane, _first_failure(vpass, keys, lane, now, revoked, flagged, uses), vpass)


def _first_failure(
    vpass: Pass,
    keys: KeySet,
    lane: Lane,
    now: int,
    revoked: Callable[[Pass], bool],
    flagged: Callable[[Pass], bool],
    uses: Callable[[Pass], Uses],
) -> Reason:
    key = keys.keys[vpass.kid]
    beyond_key = (
        vpass.not_before < key.valid_from - passes.LEEWAY
        or vpass.not_before > key.valid_until
        or vpass.expires - vpass.not_before > key.longest
        or vpass.areas & ~key.areas
    )
    if beyond_key:
        return Reason.KEY_NOT_VALID
    if revoked(vpass):
        return Reason.REVOKED
    if flagged(vpass):
        return Reason.FLAGGED
    if not lane.clock_trusted:
        return Reason.CLOCK_WRONG
    if now < vpass.not_before - passes.LEEWAY:
        return Reason.NOT_YET
    if now >= vpass.expires + passes.LEEWAY:
        return Reason.EXPIRED
    if vpass.site != lane.site:
        return Reason.OTHER_SITE
    if not vpass.areas & lane.areas:
        return Reason.WRONG_AREA
    used = uses(vpass)
    if vpass.mode & passes.MODE_ANTI_PASSBACK and used.inside:
        return Reason.ALREADY_INSIDE
    if vpass.entries and used.entries >= vpass.entries:
        return Reason.USED_UP
    if vpass.mode & passes.MODE_ASK_CENTRE:
        return Reason.ASK_CENTRE
    return Reason.OK


def _close(lane: Lane, reason: Reason, vpass: Pass | None) -> Verdict:
    if lane.direction is Direction.OUT:
        return Verdict(Outcome.LEFT, reason, vpass)
    return Verdict(Outcome.ADMITTED if reason is Reason.OK else Outcome.REFUSED, reason, vpass)
