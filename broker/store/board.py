"""What the console reads: the board, one visit with its events, calls, stations, alarms. Reading only, any thread."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from broker import clock
from broker.store.people import Masked, masked, of_visits
from broker.store.views import CALL_COLUMNS, PASS_COLUMNS, VISIT_COLUMNS, make
from broker.visits import board as rules
from broker.visits.board import Placed
from broker.visits.calls import Call
from broker.visits.visit import PassUse, Visit

_JOINED = (
    f"select {', '.join('v.' + name for name in VISIT_COLUMNS)}, {', '.join('p.' + name for name in PASS_COLUMNS)}"
    " from visits v left join passes p on p.cti = v.cti and v.cti != ''"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A visit on the board, with what may be shown of the person."""

    placed: Placed
    person: Masked


@dataclass(frozen=True, slots=True)
class Device:
    """One device as its station last told."""

    device: str
    kind: str
    availability: str
    reason: str
    since: str


@dataclass(frozen=True, slots=True)
class Station:
    """One station as last heard."""

    station: str
    kind: str
    online: bool
    since: str
    version: str
    backlog: int
    offset_ms: int | None
    alarms: tuple[str, ...]
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something staff must know of, until they have seen it."""

    kind: str
    subject: str
    last_at: str
    times: int


@dataclass(frozen=True, slots=True)
class Board:
    """Everything the board shows at one moment."""

    rows: tuple[Row, ...]
    calls: tuple[Call, ...]
    stations: tuple[Station, ...]
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a visit, for its page: no personal data stands in `data`."""

    type: str
    station: str
    at: str
    state: str
    data: dict[str, Any]


def read_board(db: sqlite3.Connection, now: datetime, day_began: datetime) -> Board:
    """The board at `now`; `day_began` is local midnight."""
    return Board(
        tuple(_rows(db, now, clock.stamp(day_began))),
        tuple(open_calls(db)),
        tuple(read_stations(db)),
        tuple(read_alarms(db)),
    )


def read_one(db: sqlite3.Connection, visit: str, now: datetime) -> Row | None:
    """One registered visit, on the board or not."""
    row = db.execute(f"{_JOINED} where v.id = ? and v.registered_at != ''", (visit,)).fetchone()
    if row is None:
        return None
    placed = _place(tuple(row), now)
    return Row(placed, masked(of_visits(db, [visit]).get(visit, {})))


def _rows(db: sqlite3.Connection, now: datetime, day_began: str) -> list[Row]:
    # Whoever may be on the board, by indexes; the domain then says where each stands.
    found = db.execute(
        f"{_JOINED} where v.registered_at != '' and v.id in ("
        " select id from visits where registered_at >= ?"
        " union select visit from passes where inside = 1"
        " union select visit from passes where left_at >= ?"
        " union select visit from passes where expires >= ?)",
        (
            min(clock.stamp(now - rules.OPEN_FOR - timedelta(minutes=1)), day_began),
            day_began,
            int(now.timestamp()),
        ),
    )
    placed = [_place(tuple(row), now) for row in found]
    placed = [one for one in placed if rules.is_on_board(one, day_began)]
    people = of_visits(db, [one.visit.id for one in placed])
    rows = [Row(one, masked(people.get(one.visit.id, {}))) for one in placed]
    rows.sort(key=lambda row: (row.placed.since, row.placed.visit.id))
    return rows


def _place(columns: tuple[Any, ...], now: datetime) -> Placed:
    visit = make(Visit, columns[: len(VISIT_COLUMNS)])
    rest = columns[len(VISIT_COLUMNS) :]
    use = make(PassUse, rest) if rest[0] else None
    return rules.place(visit, use, now)


def open_calls(db: sqlite3.Connection) -> list[Call]:
    """Calls that nobody has taken, oldest first."""
    rows = db.execute(
        f"select {', '.join(CALL_COLUMNS)} from calls where taken_at = '' and called_at != '' order by called_at"
    )
    return [make(Call, tuple(row)) for row in rows]


def read_stations(db: sqlite3.Connection) -> list[Station]:
    """All stations ever heard, with their devices."""
    devices: dict[str, list[Device]] = {}
    for row in db.execute(
        "select station, device, kind, availability, reason, since from devices order by station, device"
    ):
        devices.setdefault(row[0], []).append(Device(*row[1:]))
    rows = db.execute(
        "select station, kind, online, since, version, backlog, offset_ms, alarms from stations order by station"
    )
    return [
        Station(
            row[0],
            row[1],
            bool(row[2]),
            row[3],
            row[4],
            row[5],
            row[6],
            tuple(msgspec.json.decode(row[7])),
            tuple(devices.get(row[0], ())),
        )
        for row in rows
    ]


def read_alarms(db: sqlite3.Connection) -> list[Alarm]:
    """Alarms that nobody has put away, newest first."""
    rows = db.execute(
        "select kind, subject, last_at, times from alarms where seen_by = '' order by last_at desc limit 20"
    )
    return [Alarm(*row) for row in rows]


def timeline(db: sqlite3.Connection, visit: Visit) -> list[Entry]:
    """A visit's events and its pass's at the gates, as they happened."""
    rows = db.execute(
        "select e.type, e.station, e.time, e.state, e.body from subjects s join events e on e.position = s.position"
        " where s.subject in (?, ?) and s.subject != '' order by e.time, e.position",
        (visit.id, visit.cti),
    )
    return [Entry(row[0], row[1], row[2], row[3], msgspec.json.decode(row[4])["data"]) for row in rows]


def opened(db: sqlite3.Connection, visit: str) -> list[tuple[str, str, str]]:
    """(moment, account, act) of what staff opened or did outside the log, oldest first."""
    rows = db.execute("select at, account, act from audit where subject = ? order by id", (visit,))
    return [(row[0], row[1], row[2]) for row in rows]
