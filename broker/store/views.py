"""The views, kept in step with the log: visits, passes, calls, pass keys, people, alarms.

`Views` is one batch's unit of work: it reads what the batch touches once, applies the domain's rules in memory and
writes each changed row once. `apply` takes an event and its position and nothing else, so a rebuild is the same calls
over the whole log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec.structs import astuple, replace

from broker import clock
from broker.contract import facts
from broker.contract.event import Event
from broker.contract.facts import Fact
from broker.contract.names import CENTRE
from broker.visits import visit as rules
from broker.visits.calls import Call
from broker.visits.visit import PassUse, Visit

V = TypeVar("V", Visit, PassUse, Call)

VISIT_COLUMNS = list(Visit.__struct_fields__)
PASS_COLUMNS = list(PassUse.__struct_fields__)
CALL_COLUMNS = list(Call.__struct_fields__)

TABLES = ("visits", "passes", "calls", "pass_keys", "people", "subjects")
"""What is a function of the log, and may be made anew from it at any time. Alarms are not: people have seen them."""


@dataclass(slots=True)
class Changes:
    """What a commit changed, for whoever shows it."""

    visits: set[str] = field(default_factory=set)
    calls: bool = False
    stations: bool = False
    alarms: bool = False
    keys: bool = False

    def __bool__(self) -> bool:
        return bool(self.visits or self.calls or self.stations or self.alarms)

    def add(self, other: Changes) -> None:
        """Take another commit's changes in."""
        self.visits |= other.visits
        self.calls |= other.calls
        self.stations |= other.stations
        self.alarms |= other.alarms
        self.keys |= other.keys


@dataclass(slots=True)
class Views:
    """The views within one transaction; call `flush` before its end."""

    db: sqlite3.Connection
    changes: Changes = field(default_factory=Changes)
    _visits: dict[str, Visit] = field(default_factory=dict)
    _passes: dict[str, PassUse] = field(default_factory=dict)
    _calls: dict[str, Call] = field(default_factory=dict)
    _people: list[tuple[str, str, bytes, str]] = field(default_factory=list)
    _subjects: set[tuple[str, int]] = field(default_factory=set)

    def visit(self, id: str) -> Visit:
        """A visit as it stands; an empty one where nothing is known yet."""
        if id not in self._visits:
            self._visits[id] = read_visit(self.db, id) or Visit(id)
        return self._visits[id]

    def use(self, cti: str) -> PassUse:
        """A pass as it stands; an empty one where nothing is known yet."""
        if cti not in self._passes:
            self._passes[cti] = read_pass(self.db, cti) or PassUse(cti)
        return self._passes[cti]

    def call(self, id: str) -> Call:
        """A call as it stands; an empty one where nothing is known yet."""
        if id not in self._calls:
            self._calls[id] = read_call(self.db, id) or Call(id)
        return self._calls[id]

    def apply(self, position: int, event: Event, fact: Fact, opened: dict[str, bytes]) -> None:
        """Let one fact count. `opened` holds its personal data by class, as JSON."""
        at = clock.happened(event)
        match fact:
            case (
                facts.VisitRegistered()
                | facts.VisitDecided()
                | facts.HostAnswered()
                | facts.PassIssued()
                | facts.SlipPrinted()
                | facts.VisitRecalled()
                | facts.VisitCorrected()
            ):
                if isinstance(fact, facts.VisitRegistered):
                    held = self.visit(fact.visit).corrected.split()
                    opened = {name: value for name, value in opened.items() if name not in held}
                self._visits[fact.visit] = rules.after(
                    self.visit(fact.visit), fact, station=event.station, at=at
                )
                self.changes.visits.add(fact.visit)
                self._subjects.add((fact.visit, position))
                self._people += [(fact.visit, name, value, event.id) for name, value in opened.items()]
                if isinstance(fact, facts.PassIssued):
                    self._passes[fact.cti] = rules.issued(self.use(fact.cti), fact, at=at)
            case facts.PassAdmitted() | facts.PassRefused() | facts.PassLeft():
                if fact.cti is None:
                    return
                use = self._passes[fact.cti] = rules.used(self.use(fact.cti), fact, at=at)
                self._subjects.add((fact.cti, position))
                if use.visit:
                    self.changes.visits.add(use.visit)
            case facts.StaffCalled():
                self._calls[fact.call] = replace(
                    self.call(fact.call),
                    station=event.station,
                    visit=fact.visit or "",
                    screen=fact.screen,
                    called_at=at,
                )
                if fact.visit:
                    self._subjects.add((fact.visit, position))
                self.changes.calls = True
            case facts.StaffComing():
                call = self._calls[fact.call] = replace(
                    self.call(fact.call), taken_at=at, account=fact.account
                )
                if call.visit:
                    self._subjects.add((call.visit, position))
                self.changes.calls = True
            case facts.PassKeyMade():
                self._key(event.station, fact)
            case facts.LogOpened():
                if fact.predecessor is not None:
                    self.alarm("restored" if event.station == CENTRE else "log_reopened", event.station)

    def _key(self, station: str, fact: facts.PassKeyMade) -> None:
        """A kid belongs to the first key that took it; a second one is not trusted, and staff see it."""
        done = self.db.execute(
            "insert or ignore into pass_keys values (?, ?, ?, ?, ?)",
            (fact.kid, fact.public_key, station, fact.valid_from, fact.valid_until),
        )
        if done.rowcount:
            self.changes.keys = True
            return
        taken = self.db.execute("select public_key from pass_keys where kid = ?", (fact.kid,)).fetchone()
        if taken[0] != fact.public_key:
            self.alarm("kid_taken", station)

    def alarm(self, kind: str, subject: str) -> None:
        """Something staff must know of; the same again counts up and shows again."""
        raise_alarm(self.db, kind, subject)
        self.changes.alarms = True

    def flush(self) -> Changes:
        """Write what changed. Returns what to show."""
        touched = [v for v in self._visits.values() if v.id in self.changes.visits]
        _write(self.db, "visits", [astuple(v) for v in touched], len(VISIT_COLUMNS))
        passes = [(*astuple(use), int(use.inside)) for use in self._passes.values()]
        _write(self.db, "passes", passes, len(PASS_COLUMNS) + 1)
        _write(self.db, "calls", [astuple(call) for call in self._calls.values()], len(CALL_COLUMNS))
        _write(self.db, "people", self._people, 4)
        _write(self.db, "subjects", list(self._subjects), 2)
        return self.changes


def read_visit(db: sqlite3.Connection, id: str) -> Visit | None:
    """A visit by its id."""
    return _read(db, Visit, "visits", "id", id)


def read_pass(db: sqlite3.Connection, cti: str) -> PassUse | None:
    """A pass by its cti."""
    return _read(db, PassUse, "passes", "cti", cti)


def read_call(db: sqlite3.Connection, id: str) -> Call | None:
    """A call by its id."""
    return _read(db, Call, "calls", "id", id)


def raise_alarm(db: sqlite3.Connection, kind: str, subject: str) -> None:
    """Note an alarm; a dismissed one shows again."""
    at = clock.stamp(clock.now())
    db.execute(
        "insert into alarms values (?, ?, ?, ?, 1, '') on conflict (kind, subject)"
        " do update set last_at = excluded.last_at, times = times + 1, seen_by = ''",
        (kind, subject, at, at),
    )


def _read(db: sqlite3.Connection, kind: type[V], table: str, key: str, value: str) -> V | None:
    row = db.execute(
        f"select {', '.join(kind.__struct_fields__)} from {table} where {key} = ?", (value,)
    ).fetchone()
    return make(kind, tuple(row)) if row else None


def make(kind: type[V], values: tuple[object, ...]) -> V:
    """A domain value from a row's columns in its order; SQLite keeps truth values as numbers."""
    if kind is Visit:
        at = VISIT_COLUMNS.index("arranged")
        arranged = None if values[at] is None else bool(values[at])
        values = (*values[:at], arranged, *values[at + 1 :])
    return kind(*values)  # type: ignore[arg-type]


def _write(db: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]], width: int) -> None:
    if rows:
        db.executemany(f"insert or replace into {table} values ({', '.join('?' * width)})", rows)
