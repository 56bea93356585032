"""What was set aside and never dropped: events that weren't understood, messages that were none, forks.

Listed for people by reason, station, time and size; what is inside is shown to nobody, because it may hold anything.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from broker.contract.event import Event
from broker.contract.event import decode as decode_event
from broker.store.log import QUARANTINED

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Record:
    """One thing to look at. `kind` is `quarantined`, `dead_letter` or `fork`; `at` when it came (last)."""

    kind: str
    station: str
    at: str
    reason: str
    size: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An event that waits for a program that understands it."""

    position: int
    event: Event
    ciphertexts: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was refused, whole."""

    hash: str
    topic: str
    payload: bytes
    reason: str


def records(db: sqlite3.Connection) -> list[Record]:
    """What there is to look at, newest first, at most MOST_LISTED of each kind."""
    found = [
        Record("quarantined", *row)
        for row in db.execute(
            "select station, received, problem, length(body) from events where state = ?"
            " order by position desc limit ?",
            (QUARANTINED, MOST_LISTED),
        )
    ]
    found += [
        Record("dead_letter", row[0].rsplit("/", 1)[-1], *row[1:])
        for row in db.execute(
            "select topic, last_at, reason, length(payload), times from dead_letters order by last_at desc limit ?",
            (MOST_LISTED,),
        )
    ]
    found += [
        Record("fork", row[0], row[1], f"seq {row[2]}", row[3])
        for row in db.execute(
            "select station, received, seq, length(body) from forks order by received desc limit ?",
            (MOST_LISTED,),
        )
    ]
    return sorted(found, key=lambda record: record.at, reverse=True)


def count(db: sqlite3.Connection) -> int:
    """How many things there are to look at."""
    return db.execute(
        "select (select count(*) from events where state = ?) + (select count(*) from dead_letters)"
        " + (select count(*) from forks)",
        (QUARANTINED,),
    ).fetchone()[0]


def quarantined(db: sqlite3.Connection, *, after: int, limit: int) -> list[Quarantined]:
    """Quarantined events after a position, in order of arrival."""
    rows = db.execute(
        "select position, body from events where state = ? and position > ? order by position limit ?",
        (QUARANTINED, after, limit),
    ).fetchall()
    return [Quarantined(row[0], decode_event(row[1]), beside(db, row[0])) for row in rows]


def beside(db: sqlite3.Connection, position: int) -> dict[str, bytes]:
    """The ciphertexts beside an event, by class."""
    rows = db.execute("select class, ciphertext from ciphertexts where position = ?", (position,))
    return {row[0]: row[1] for row in rows}


def judge_anew(db: sqlite3.Connection, position: int, state: str) -> None:
    """Note that an event is understood now. What was stored of it, its bytes and hash, is not touched."""
    db.execute("update events set state = ?, problem = '' where position = ?", (state, position))


def dead_letters(db: sqlite3.Connection) -> list[str]:
    """The hashes of all refused messages, oldest first."""
    return [row[0] for row in db.execute("select hash from dead_letters order by first_at, hash")]


def dead_letter(db: sqlite3.Connection, hash: str) -> DeadLetter | None:
    """One refused message."""
    row = db.execute(
        "select hash, topic, payload, reason from dead_letters where hash = ?", (hash,)
    ).fetchone()
    return DeadLetter(*row) if row else None


def settle(db: sqlite3.Connection, hash: str) -> None:
    """A refused message is in the log now: it need not be kept twice."""
    db.execute("delete from dead_letters where hash = ?", (hash,))
