"""Where each visit stands on the board: needs an answer, waiting in a place, expected, inside, left, not received.

A pure function of the visit, its pass and the time. Ends are kept apart (field-notes.md): somebody who left, a pass
that ran out unused and a visitor who is inside past the end are three different things.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from broker.contract.facts import Decider, Decision
from broker.visits.visit import PassUse, Visit


class Standing(StrEnum):
    """The board's groups, in its order."""

    NEEDS_ANSWER = "needs_answer"
    WAITING = "waiting"
    EXPECTED = "expected"
    INSIDE = "inside"
    LEFT = "left"
    NOT_RECEIVED = "not_received"
    NOT_COME = "not_come"
    UNANSWERED = "unanswered"


ON_BOARD = (
    Standing.NEEDS_ANSWER,
    Standing.WAITING,
    Standing.EXPECTED,
    Standing.INSIDE,
    Standing.LEFT,
    Standing.NOT_RECEIVED,
)

OPEN_FOR = timedelta(hours=24)
"""A visit that nobody answered leaves the board after so long; it stays in the records as unanswered."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A visit with its pass and where it stands. `since` is the stamp the board counts from."""

    visit: Visit
    use: PassUse | None
    standing: Standing
    since: str
    overstaying: bool = False


def place(visit: Visit, use: PassUse | None, now: datetime) -> Placed:
    """Where a registered visit stands at `now`."""
    if use and use.inside:
        over = bool(use.expires) and now.timestamp() > use.expires
        return Placed(visit, use, Standing.INSIDE, use.entered_at, over)
    if use and use.left_at:
        return Placed(visit, use, Standing.LEFT, use.left_at)
    decided_at = visit.decided_at or visit.answered_at
    match visit.effective:
        case Decision.AGREED:
            if use and use.expires and now.timestamp() > use.expires:
                return Placed(visit, use, Standing.NOT_COME, decided_at)
            return Placed(visit, use, Standing.EXPECTED, decided_at)
        case Decision.AWAY | Decision.DECLINED:
            return Placed(visit, use, Standing.NOT_RECEIVED, decided_at)
        case Decision.WAIT:
            standing = Standing.WAITING
        case _:
            # A policy that agrees by itself needs nobody; its decision follows within the same moment.
            standing = Standing.NEEDS_ANSWER if visit.decider == Decider.STAFF else Standing.EXPECTED
    if now - datetime.fromisoformat(visit.registered_at) > OPEN_FOR:
        standing = Standing.UNANSWERED
    return Placed(visit, use, standing, visit.registered_at)


def is_on_board(placed: Placed, day_began: str) -> bool:
    """Open visits always; ended ones on the day they ended. `day_began` is the stamp of local midnight."""
    if placed.standing in (Standing.LEFT, Standing.NOT_RECEIVED):
        return placed.since >= day_began
    return placed.standing in ON_BOARD
