"""A visit's corrections, each with the value that stood before: read from the log, where both still are (V10)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from broker import clock
from broker.contract import event as events
from broker.contract import facts
from broker.contract.facts import CorrectedField, VisitCorrected
from broker.contract.personal import Personal, PersonalError, unseal
from broker.store.aside import beside
from broker.store.log import OK
from broker.store.people import Masked, masked

PERSONAL = frozenset({CorrectedField.NAME, CorrectedField.PHONE, CorrectedField.HOST})


@dataclass(frozen=True, slots=True)
class Correction:
    """One entry. Values of a personal field are masked; None where they have been deleted since."""

    field: CorrectedField
    before: str | Masked | None
    after: str | Masked | None
    reason: str
    account: str
    at: str


def of_visit(db: sqlite3.Connection, visit: str) -> list[Correction]:
    """A visit's corrections, oldest first."""
    rows = db.execute(
        "select e.position, e.body from subjects s join events e on e.position = s.position where s.subject = ?"
        " and e.type in ('visit.registered', 'visit.corrected') and e.state = ? order by e.type != 'visit.registered',"
        " e.position",
        (visit, OK),
    ).fetchall()
    found: list[Correction] = []
    known: dict[str, Masked] = {}
    for position, body in rows:
        event = events.decode(body)
        fact = facts.read(event.type, event.v, event.data)
        fresh = _masked(event, beside(db, position))
        if isinstance(fact, VisitCorrected):
            personal = fact.field in PERSONAL
            found.append(
                Correction(
                    fact.field,
                    known.get(fact.field) if personal else fact.before,
                    fresh.get(fact.field) if personal else fact.after,
                    fact.reason,
                    fact.account,
                    clock.happened(event),
                )
            )
            known.pop(fact.field, None)
        known |= fresh
    return found


def _masked(event: events.Event, ciphertexts: dict[str, bytes]) -> dict[str, Masked]:
    values: dict[str, Masked] = {}
    for name, ciphertext in ciphertexts.items():
        try:
            value: Personal = unseal(ciphertext, event.sealed[name])
        except PersonalError:
            continue
        values[name] = masked({name: value})
    return values
