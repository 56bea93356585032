"""Corrections (V10): a registration is never altered; a wrong value gets a new entry beside it, with who and why.

The fields and the reasons are closed lists (`contract.facts`). A pass that was issued is not changed by a correction.
"""

from __future__ import annotations

import msgspec

from broker.contract.facts import CorrectedField, CorrectionReason, VisitCorrected
from broker.contract.personal import HostNamed, Personal, PersonName, Phone
from broker.visits.deciding import Refusal
from broker.visits.visit import Visit

MOST_PEOPLE = 99


class Choices(msgspec.Struct, frozen=True):
    """What may be chosen at this site: ids of purposes of the visit's type, and of buildings."""

    purposes: frozenset[str]
    buildings: frozenset[str]


def correct(
    visit: Visit | None,
    known: dict[str, Personal],
    field: str,
    given: dict[str, str],
    *,
    reason: str,
    account: str,
    choices: Choices,
) -> Refusal | tuple[VisitCorrected, list[Personal]]:
    """The new entry for a field, from what was `given` in the form; or why there is none. `known` is personal, by class."""
    if visit is None or not visit.registered_at:
        return Refusal.UNKNOWN_VISIT
    if reason not in list(CorrectionReason):
        return Refusal.NO_REASON
    if field not in list(CorrectedField):
        return Refusal.NO_SUCH_VALUE
    what = CorrectedField(field)
    value = " ".join(given.get("value", "").split())
    before, person = "", None
    match what:
        case CorrectedField.PURPOSE:
            before, fits = visit.purpose, value in choices.purposes
        case CorrectedField.BUILDING:
            before, fits = visit.building, value in choices.buildings
        case CorrectedField.PEOPLE:
            fits = value.isascii() and value.isdigit() and 1 <= int(value) <= MOST_PEOPLE
            before, value = str(visit.people), str(int(value)) if fits else ""
        case CorrectedField.NAME:
            old = known.get("name")
            person = PersonName(value, old.title if isinstance(old, PersonName) else None)
            fits = bool(value)
        case CorrectedField.PHONE:
            person, fits = Phone(value.replace(" ", "").replace("-", "")), True
        case CorrectedField.HOST:
            old = known.get("host")
            building = old.building if isinstance(old, HostNamed) else visit.building
            unit, room = given.get("unit", "").strip(), given.get("room", "").strip()
            person = HostNamed(building=building, unit=unit, room=room, name=value)
            fits = bool(value or unit or room)
    if not fits or (person is not None and not _is_valid(person)):
        return Refusal.NO_SUCH_VALUE
    if (person is None and value == before) or (person is not None and known.get(field) == person):
        return Refusal.NOTHING_CHANGED
    entry = VisitCorrected(
        visit=visit.id,
        field=what,
        before=before,
        after="" if person is not None else value,
        reason=CorrectionReason(reason),
        account=account,
    )
    return entry, [] if person is None else [person]


def _is_valid(person: Personal) -> bool:
    """By the contract's own limits, which a struct made here hasn't been held to yet."""
    try:
        msgspec.convert(msgspec.to_builtins(person), type(person))
    except msgspec.ValidationError:
        return False
    return True
