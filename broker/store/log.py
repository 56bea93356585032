"""The event log: append, heads, forks, dead letters. The narrow seam between ingest and the database.

Nothing here knows what an event means. Rows are written as they came; `position` is the order of arrival, in which
views are made and rebuilt.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from broker import clock
from broker.contract.event import NO_PREDECESSOR
from broker.contract.message import Message
from broker.store.database import meta

MAX_DEAD_LETTERS = 10_000
"""A sender of rubbish can't fill the disk: past so many, only the alarm counts on."""

OK = "ok"
QUARANTINED = "quarantined"
REPEATED = "repeated"
"""States of an event: drives the views; kept for after a fix; another copy of a fact that already counts."""


class LogKey(NamedTuple):
    """Which log: everything that is numbered together."""

    site: str
    station: str
    log: str


@dataclass(frozen=True, slots=True)
class Head:
    """How far a log is stored: the last seq and the hash of its body (64 zeros before the first)."""

    seq: int = 0
    hash: str = NO_PREDECESSOR


@dataclass(frozen=True, slots=True)
class Row:
    """One event to append. `ciphertexts` are (class, key id, hash, bytes)."""

    seq: int
    id: str
    type: str
    v: int
    time: str
    body: bytes
    hash: str
    state: str = OK
    problem: str = ""
    ciphertexts: tuple[tuple[str, str, str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """An event read back, in order of arrival."""

    position: int
    station: str
    body: bytes
    state: str
    problem: str
    received: str


class EventLog:
    """The log within the writing connection; every call belongs into a transaction of the caller."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.epoch = meta(connection, "epoch")
        self.centre_log = meta(connection, "centre_log")
        self._next = self._db.execute("select coalesce(max(position), 0) + 1 from events").fetchone()[0]
        self._heads: dict[LogKey, Head] = {}
        self._keys: dict[LogKey, str] = {}
        self._signed: dict[LogKey, tuple[str, int, int, bytes | None]] = {}

    def forget(self) -> None:
        """Drop what is remembered of the database; needed after a rollback."""
        self._heads.clear()
        self._keys.clear()
        self._signed.clear()
        self._next = self._db.execute("select coalesce(max(position), 0) + 1 from events").fetchone()[0]

    def head(self, key: LogKey) -> Head:
        """How far a log is stored."""
        known = self._heads.get(key)
        if known is None:
            row = self._db.execute(
                "select seq, hash from heads where site = ? and station = ? and log = ?", key
            ).fetchone()
            if row is None:
                # Not remembered: anybody can name logs that there aren't, as many as they like.
                return Head()
            known = self._heads[key] = Head(*row)
        return known

    def public_key(self, key: LogKey) -> str | None:
        """The key that signs a stored log, in hex; None where its first event brought none."""
        known = self._keys.get(key)
        if known is None:
            row = self._db.execute(
                "select public_key from log_keys where site = ? and station = ? and log = ?", key
            ).fetchone()
            if row is None:
                return None
            known = self._keys[key] = row[0]
        return known

    def has_another(self, key: LogKey) -> bool:
        """Whether the station has a log beside this one."""
        row = self._db.execute(
            "select 1 from heads where site = ? and station = ? and log != ? limit 1", key
        ).fetchone()
        return row is not None

    def signed(self, key: LogKey, public: str, message: Message) -> None:
        """Note that a log's key signed it up to the end of a message; `flush` writes it, once a batch."""
        self._keys[key] = public
        self._signed[key] = (public, message.first, message.last, message.signature)

    def flush(self) -> None:
        """Write what `signed` noted; call it before the transaction's end."""
        if self._signed:
            self._db.executemany(
                "insert or replace into log_keys values (?, ?, ?, ?, ?, ?, ?)",
                [(*key, *said) for key, said in self._signed.items()],
            )
            self._signed.clear()

    def latest(self) -> list[tuple[LogKey, Head]]:
        """Of every station the log that moved last, with its head."""
        rows = self._db.execute(
            "select site, station, log, seq, hash, max(moved) from heads group by site, station"
        )
        return [(LogKey(*row[:3]), Head(row[3], row[4])) for row in rows]

    def hashes(self, key: LogKey, first: int, last: int) -> dict[int, str]:
        """The stored hashes of a range, by seq."""
        return dict(
            self._db.execute(
                "select seq, hash from events where site = ? and station = ? and log = ? and seq between ? and ?",
                (*key, first, last),
            ).fetchall()
        )

    def counted(self, station: str, ids: Iterable[str]) -> set[str]:
        """Which of these event ids of a station drive the views already: facts count once, by id."""
        found = self._db.execute(
            "select id from events where station = ? and state = 'ok' and id in (select value from json_each(?))",
            (station, msgspec.json.encode(list(ids)).decode()),
        )
        return {row[0] for row in found}

    def append(self, key: LogKey, rows: list[Row], received: str) -> list[int]:
        """Write consecutive events after the head, and move it. Returns their positions."""
        first = self._next
        positions = list(range(first, first + len(rows)))
        self._db.executemany(
            "insert into events values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    at,
                    *key,
                    row.seq,
                    row.id,
                    row.type,
                    row.v,
                    row.time,
                    row.body,
                    row.hash,
                    received,
                    row.state,
                    row.problem,
                )
                for at, row in zip(positions, rows, strict=True)
            ],
        )
        beside = [(at, *one) for at, row in zip(positions, rows, strict=True) for one in row.ciphertexts]
        if beside:
            self._db.executemany("insert into ciphertexts values (?, ?, ?, ?, ?)", beside)
        head = Head(rows[-1].seq, rows[-1].hash)
        self._db.execute(
            "insert or replace into heads values (?, ?, ?, ?, ?, ?)", (*key, head.seq, head.hash, received)
        )
        self._heads[key] = head
        self._next = first + len(rows)
        return positions

    def keep_fork(
        self, key: LogKey, seq: int, digest: str, body: bytes, ciphertexts: dict[str, bytes], received: str
    ) -> bool:
        """Keep an event whose key is taken by another; False where it is kept already."""
        done = self._db.execute(
            "insert or ignore into forks values (?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, seq, digest, body, msgspec.msgpack.encode(ciphertexts), received),
        )
        return done.rowcount > 0

    def keep_dead_letter(self, topic: str, payload: bytes, reason: str) -> None:
        """Keep what is no message of ours, whole; the same again only counts up."""
        digest = hashlib.sha256(topic.encode() + b"\0" + payload).hexdigest()
        at = clock.stamp(clock.now())
        again = self._db.execute(
            "update dead_letters set times = times + 1, last_at = ? where hash = ?", (at, digest)
        )
        if again.rowcount:
            return
        if self._db.execute("select count(*) from dead_letters").fetchone()[0] < MAX_DEAD_LETTERS:
            self._db.execute(
                "insert into dead_letters values (?, ?, ?, ?, ?, ?, 1)",
                (digest, topic, payload, reason, at, at),
            )


def read(connection: sqlite3.Connection, *, after: int = 0, limit: int = 1000) -> Iterator[Stored]:
    """Events in order of arrival, from the one after position `after`."""
    rows = connection.execute(
        "select position, station, body, state, problem, received from events where position > ?"
        " order by position limit ?",
        (after, limit),
    )
    for row in rows:
        yield Stored(*row)


def position_before(connection: sqlite3.Connection, received: str) -> int:
    """The last position received before a stamp."""
    row = connection.execute("select max(position) from events where received < ?", (received,)).fetchone()
    return row[0] or 0
