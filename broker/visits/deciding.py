"""Who may answer for a visit, and when it is too late: decide once, and say why not.

"Wait" is an answer for the time being (V7): after it, one more follows. Agreed, away and declined are final.
"""

from __future__ import annotations

from enum import StrEnum

from broker.contract.facts import Decider, Decision
from broker.visits.visit import Visit


class Refusal(StrEnum):
    """Why an answer is not taken; the console has a sentence for each."""

    UNKNOWN_VISIT = "unknown_visit"
    ALREADY_ANSWERED = "already_answered"
    DECIDED_AT_TERMINAL = "decided_at_terminal"
    NOT_ASKED = "not_asked"
    ALREADY_WAITING = "already_waiting"
    NO_PLACE = "no_place"
    CALL_TAKEN = "call_taken"
    UNKNOWN_CALL = "unknown_call"
    TERMINAL_OFFLINE = "terminal_offline"
    NOTHING_CHANGED = "nothing_changed"
    NO_SUCH_VALUE = "no_such_value"
    NO_REASON = "no_reason"


FINAL = frozenset({Decision.AGREED, Decision.AWAY, Decision.DECLINED})


def may_answer(visit: Visit | None, decision: Decision, place: str, places: frozenset[str]) -> Refusal | None:
    """None where staff may answer so now, else why not. `places` are the ids of the site's waiting places."""
    if visit is None or not visit.registered_at:
        return Refusal.UNKNOWN_VISIT
    if visit.answer in FINAL:
        return Refusal.ALREADY_ANSWERED
    if visit.decision in FINAL:
        return Refusal.DECIDED_AT_TERMINAL
    if visit.decider != Decider.STAFF:
        return Refusal.NOT_ASKED
    if decision is Decision.WAIT:
        if Decision.WAIT in (visit.answer, visit.decision):
            return Refusal.ALREADY_WAITING
        if place not in places:
            return Refusal.NO_PLACE
    return None
