"""How stations and devices say they are, as last heard; and what staff did at the console, one audit line each."""

from __future__ import annotations

import sqlite3

import msgspec

from broker import clock
from broker.contract.state import DeviceState, StationState


def station_said(db: sqlite3.Connection, state: StationState) -> None:
    """Keep a station's word about itself."""
    db.execute(
        "insert or replace into stations values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            state.station,
            state.kind,
            int(state.online),
            clock.stamp(state.since if state.online else clock.now()),
            state.version,
            state.backlog,
            state.clock.offset_ms,
            msgspec.json.encode(state.alarms).decode(),
            clock.stamp(clock.now()),
        ),
    )


def device_said(db: sqlite3.Connection, station: str, state: DeviceState) -> None:
    """Keep what a station says of one of its devices."""
    db.execute(
        "insert or replace into devices values (?, ?, ?, ?, ?, ?, ?)",
        (
            station,
            state.device,
            state.kind,
            state.availability,
            state.reason,
            clock.stamp(state.since),
            msgspec.json.encode(state.counters).decode(),
        ),
    )


def all_unheard(db: sqlite3.Connection) -> None:
    """A fresh broker knows nobody: every station is offline until it says otherwise."""
    db.execute("update stations set online = 0, since = ? where online", (clock.stamp(clock.now()),))


def is_online(db: sqlite3.Connection, station: str) -> bool:
    row = db.execute("select online from stations where station = ?", (station,)).fetchone()
    return bool(row and row[0])


def audit(db: sqlite3.Connection, account: str, act: str, subject: str) -> None:
    """One line: who did what to which visit, call or account. Never a visitor's data."""
    db.execute(
        "insert into audit (at, account, act, subject) values (?, ?, ?, ?)",
        (clock.stamp(clock.now()), account, act, subject),
    )
