"""A visit as the centre sees it, and how each fact changes it.

The rules are functions of a value and a fact. Facts of one log come in order, those of different logs in any: each
rule therefore writes fields of its own or keeps the later moment, so that a rebuilt view equals the live one.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from broker.contract import facts
from broker.contract.facts import CorrectedField, Decision


class Visit(msgspec.Struct, frozen=True):
    """One visit. Moments are stamps in UTC, "" where it hasn't happened; nothing personal stands here.

    `answer…` is what staff answered at the console, `decision…` what the terminal took over; either may come first,
    and while the line is down one comes without the other.
    """

    id: str
    station: str = ""
    number: str = ""
    visit_type: str = ""
    purpose: str = ""
    arranged: bool | None = None
    identity: str = ""
    people: int = 1
    building: str = ""
    language: str = ""
    request: str = ""
    decider: str = ""
    deadline: str = ""
    registered_at: str = ""
    answer: str = ""
    answer_place: str = ""
    answer_account: str = ""
    answered_at: str = ""
    decision: str = ""
    decision_place: str = ""
    decided_by: str = ""
    decided_at: str = ""
    slip: str = ""
    slip_reason: str = ""
    recalled_at: str = ""
    cti: str = ""
    corrected: str = ""
    """Fields that were corrected (V10), with a space between: what stands here of them is the corrected value."""

    @property
    def effective(self) -> str:
        """What holds: the terminal's word, unless staff answered after it had only said "wait"."""
        if not self.decision:
            return self.answer
        if self.decision == Decision.WAIT and self.answer and self.answered_at > self.decided_at:
            return self.answer
        return self.decision

    @property
    def place(self) -> str:
        """Where the visitor was asked to wait (V7)."""
        return self.decision_place or self.answer_place


class PassUse(msgspec.Struct, frozen=True):
    """What is known of one pass. A gate's scan may arrive before the terminal told whose pass it is: `visit` is ""."""

    cti: str
    visit: str = ""
    kid: int = 0
    issued_at: str = ""
    expires: int = 0
    entries: int = 0
    entered_at: str = ""
    left_at: str = ""
    refused_at: str = ""
    refused_reason: str = ""
    gate: str = ""

    @property
    def inside(self) -> bool:
        """True from an entry until a later exit."""
        return self.entered_at > self.left_at


VisitFact = (
    facts.VisitRegistered
    | facts.VisitDecided
    | facts.HostAnswered
    | facts.PassIssued
    | facts.SlipPrinted
    | facts.VisitRecalled
    | facts.VisitCorrected
)
GateFact = facts.PassAdmitted | facts.PassRefused | facts.PassLeft


def after(visit: Visit, fact: VisitFact, *, station: str, at: str) -> Visit:
    """The visit after a fact of `station` that happened `at`."""
    match fact:
        case facts.VisitRegistered():
            held = visit.corrected.split()
            return replace(
                visit,
                station=station,
                number=fact.number,
                visit_type=fact.visit_type,
                purpose=visit.purpose if "purpose" in held else fact.purpose,
                arranged=fact.arranged,
                identity=fact.identity,
                people=visit.people if "people" in held else fact.people,
                building=visit.building if "building" in held else fact.building,
                language=fact.consent.language,
                request=fact.request.id,
                decider=fact.request.decider,
                deadline=fact.request.deadline.isoformat(),
                registered_at=at,
            )
        case facts.VisitDecided() if fact.applied and at >= visit.decided_at:
            return replace(
                visit, decision=fact.decision, decision_place=fact.place, decided_by=fact.by, decided_at=at
            )
        case facts.VisitDecided():
            # It came after another had been applied: recorded in the log, never applied twice.
            return visit
        case facts.HostAnswered():
            return replace(
                visit,
                answer=fact.decision,
                answer_place=fact.place,
                answer_account=fact.account,
                answered_at=at,
            )
        case facts.PassIssued():
            return replace(visit, cti=fact.cti)
        case facts.SlipPrinted():
            return replace(visit, slip=fact.outcome, slip_reason=fact.reason)
        case facts.VisitCorrected():
            held = sorted({*visit.corrected.split(), fact.field})
            values: dict[str, object] = {"corrected": " ".join(held)}
            match fact.field:
                case CorrectedField.PURPOSE | CorrectedField.BUILDING:
                    values[fact.field] = fact.after
                case CorrectedField.PEOPLE:
                    values["people"] = (
                        int(fact.after) if fact.after.isdecimal() and len(fact.after) < 4 else visit.people
                    )
                case CorrectedField.NAME | CorrectedField.PHONE | CorrectedField.HOST:
                    pass
            return replace(visit, **values)
        case facts.VisitRecalled():
            return replace(visit, recalled_at=max(visit.recalled_at, at))


def issued(use: PassUse, fact: facts.PassIssued, *, at: str) -> PassUse:
    """A pass after the terminal told of it."""
    return replace(use, visit=fact.visit, kid=fact.kid, issued_at=at, expires=fact.expires)


def used(use: PassUse, fact: GateFact, *, at: str) -> PassUse:
    """A pass after a gate told what it did; gates may report in any order, the latest moment holds."""
    match fact:
        case facts.PassAdmitted():
            last = max(use.entered_at, at)
            return replace(use, entries=use.entries + 1, entered_at=last, gate=fact.gate)
        case facts.PassLeft():
            return replace(use, left_at=max(use.left_at, at), gate=fact.gate)
        case facts.PassRefused():
            if at < use.refused_at:
                return use
            return replace(use, refused_at=at, refused_reason=fact.reason)
