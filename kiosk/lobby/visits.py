"""The lobby's visits as rows: what must outlive a power cut, and nothing a slip or a recall doesn't need.

No full name, phone or document number stands here (they are in the log, beside the chain, on their way to the centre),
and no pass text: only its claims, from which it is signed anew.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from broker.contract.asking import HostDecision
from broker.contract.facts import Decision, SlipOutcome
from broker.contract.passes import Pass
from broker.contract.sitedata import Unreachable
from kiosk.station.store import Store

LIVES = 24 * 3600
"""Seconds after registration for which an undecided visit is still asked about and any visit can be brought back."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One row. `registered` in seconds since 1970; `decision` None while nobody has decided."""

    id: str
    number: str
    registered: int
    visit_type: str
    language: str
    building: str
    floor: int | None
    surname: str = field(repr=False)
    title: str | None
    last_four: str = field(repr=False)
    request: str
    unreachable: Unreachable
    deadline: datetime
    decision: Decision | None = None
    place: str = ""
    slip: SlipOutcome | None = None
    claims: Pass | None = field(default=None, repr=False)
    organisation: str = ""

    @property
    def open(self) -> bool:
        """Whether somebody may still decide: nobody has, or the visitor was asked to wait (V7)."""
        return self.decision in (None, Decision.WAIT)


class Visits:
    """The table. All writes join the caller's transaction where one is open."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def draw_number(self) -> str:
        """Six digits that no visit here has: random, so that one number doesn't tell the next visitor's."""
        while True:
            number = f"{secrets.randbelow(900_000) + 100_000}"
            if self._store.row("SELECT 1 FROM visit WHERE number = ?", (number,)) is None:
                return number

    def add(self, visit: Visit) -> None:
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO visit (visit, number, registered, visit_type, language, building, floor, surname, title,"
                " last_four, request, unreachable, deadline, decision, place)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    visit.id,
                    visit.number,
                    visit.registered,
                    visit.visit_type,
                    visit.language,
                    visit.building,
                    visit.floor,
                    visit.surname,
                    visit.title,
                    visit.last_four,
                    visit.request,
                    visit.unreachable.value,
                    visit.deadline.isoformat(),
                    visit.decision,
                    visit.place,
                ),
            )

    def get(self, visit: str) -> Visit | None:
        return self._one("visit = ?", (visit,))

    def by_number(self, number: str, last_four: str, *, since: int) -> Visit | None:
        """The visit with both facts, registered after `since`."""
        return self._one(
            "number = ? AND last_four = ? AND registered > ?", (number, last_four.upper(), since)
        )

    def undecided(self, *, since: int) -> list[Visit]:
        """Visits that somebody may still decide about, oldest first."""
        rows = self._store.rows(
            "SELECT * FROM visit WHERE (decision IS NULL OR decision = 'wait') AND registered > ? ORDER BY registered",
            (since,),
        )
        return [_visit(row) for row in rows]

    def decide(self, visit: str, decision: Decision, place: str) -> None:
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE visit SET decision = ?, place = ? WHERE visit = ?", (decision.value, place, visit)
            )

    def hear(self, answer: HostDecision, applied: bool) -> bool:
        """Note an answer; False where this very one was heard before."""
        with self._store.transaction() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO answer VALUES (?, ?, ?, ?, ?)",
                (answer.id, answer.decision.value, answer.place, answer.decided_at.isoformat(), applied),
            ).rowcount
            return bool(added)

    def keep_pass(self, visit: str, claims: Pass, organisation: str) -> None:
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE visit SET kid = ?, cti = ?, place_index = ?, not_before = ?, expires = ?, site = ?, areas = ?,"
                " entries = ?, mode = ?, organisation = ? WHERE visit = ?",
                (
                    claims.kid,
                    claims.cti,
                    claims.index,
                    claims.not_before,
                    claims.expires,
                    claims.site,
                    claims.areas,
                    claims.entries,
                    claims.mode,
                    organisation,
                    visit,
                ),
            )

    def take_slip(self, visit: str) -> bool:
        """Claim the printing of a visit's slip; False where it was claimed before and didn't fail.

        The claim reads `unknown` until the outcome comes: after a power cut in between that is the truth.
        """
        with self._store.transaction() as connection:
            return bool(
                connection.execute(
                    "UPDATE visit SET slip = 'unknown' WHERE visit = ? AND (slip IS NULL OR slip = 'failed')",
                    (visit,),
                ).rowcount
            )

    def slip_done(self, visit: str, outcome: SlipOutcome) -> None:
        with self._store.transaction() as connection:
            connection.execute("UPDATE visit SET slip = ? WHERE visit = ?", (outcome.value, visit))

    def prune(self, before: int) -> None:
        """Forget visits registered before, with the answers about them."""
        with self._store.transaction() as connection:
            connection.execute(
                "DELETE FROM answer WHERE request IN (SELECT request FROM visit WHERE registered < ?)",
                (before,),
            )
            connection.execute("DELETE FROM visit WHERE registered < ?", (before,))

    def _one(self, where: str, values: Sequence[Any]) -> Visit | None:
        row = self._store.row(f"SELECT * FROM visit WHERE {where}", values)
        return None if row is None else _visit(row)


def _visit(row: sqlite3.Row) -> Visit:
    claims = None
    if row["cti"] is not None:
        claims = Pass(
            kid=row["kid"],
            cti=row["cti"],
            not_before=row["not_before"],
            expires=row["expires"],
            site=row["site"],
            areas=row["areas"],
            entries=row["entries"],
            mode=row["mode"],
            index=row["place_index"],
        )
    return Visit(
        id=row["visit"],
        number=row["number"],
        registered=row["registered"],
        visit_type=row["visit_type"],
        language=row["language"],
        building=row["building"],
        floor=row["floor"],
        surname=row["surname"],
        title=row["title"],
        last_four=row["last_four"],
        request=row["request"],
        unreachable=Unreachable(row["unreachable"]),
        deadline=datetime.fromisoformat(row["deadline"]),
        decision=None if row["decision"] is None else Decision(row["decision"]),
        place=row["place"],
        slip=None if row["slip"] is None else SlipOutcome(row["slip"]),
        claims=claims,
        organisation=row["organisation"] or "",
    )
