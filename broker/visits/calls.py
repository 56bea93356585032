"""A visitor's call for a person, from the button on the terminal until somebody is on the way."""

from __future__ import annotations

import msgspec

from broker.visits.deciding import Refusal


class Call(msgspec.Struct, frozen=True):
    """`taken_at` is "" while nobody has taken it."""

    id: str
    station: str = ""
    visit: str = ""
    screen: str = ""
    called_at: str = ""
    taken_at: str = ""
    account: str = ""


def may_take(call: Call | None) -> Refusal | None:
    """None where the call is open, else why not."""
    if call is None or not call.called_at:
        return Refusal.UNKNOWN_CALL
    return Refusal.CALL_TAKEN if call.taken_at else None
