"""The station's log, which is its outbox too: appended with the visit, kept until the centre has it (event-log.md).

A body is encoded once, in the transaction that makes it a fact. An acknowledgement is the only thing that marks events
as stored, and marked ones stay for `keep_days`, so that a centre restored from yesterday's backup gets them again. Where
this log can't go on (our disk was restored, or what the centre lost was pruned here) a new one is opened that names it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.contract import event, facts, personal
from broker.contract.acknowledgement import Acknowledgement
from broker.contract.event import Event, SealedRef
from broker.contract.facts import Fact, LogOpened, PredecessorLog
from broker.contract.message import MAX_CIPHERTEXT, MAX_MESSAGE, Item, Message, signed
from broker.contract.names import new_id, new_log_id
from broker.contract.personal import Personal
from kiosk.station.clock import Clock
from kiosk.station.store import Store

_log = logging.getLogger(__name__)
_ciphertexts = msgspec.msgpack.Decoder(dict[str, bytes])

HEADER_ROOM = 512
"""Bytes of a message that are not items, at most."""


class Acked(Enum):
    """What an acknowledgement meant for the log."""

    IGNORED = "ignored"
    PROGRESS = "progress"
    REPLAY = "replay"
    REOPENED = "reopened"


class Outbox:
    """The log of one station. Safe to call from any thread."""

    def __init__(self, store: Store, *, site: str, station: str, clock: Clock) -> None:
        self._store = store
        self._site = site
        self._station = station
        self._clock = clock
        self.on_append: Callable[[], None] = lambda: None
        self.log, self.acked, self._key = "", 0, Ed25519PrivateKey.generate()
        self._reload()
        if not self.log:
            with store.transaction() as connection:
                self._open_log(connection, "new", None)

    def append(self, fact: Fact, *people: Personal) -> str:
        """Write one fact with the personal data beside it; returns the event's id. Joins an open transaction.

        Raises:
            EventError: the event would exceed its limit; nothing is written then.
            sqlite3.Error: the disk took nothing (full, broken).
        """
        with self._store.transaction() as connection:
            event_id = self._append(connection, fact, people)
        self.on_append()
        return event_id

    def head(self) -> tuple[int, str]:
        """(seq, hash) of the last event."""
        row = self._store.row(
            "SELECT seq, hash FROM event WHERE log = ? ORDER BY seq DESC LIMIT 1", (self.log,)
        )
        return (0, event.NO_PREDECESSOR) if row is None else (row["seq"], row["hash"])

    def backlog(self) -> int:
        """How many events the centre has not acknowledged."""
        return self.head()[0] - self.acked

    def batch(self, after: int, most: int) -> Message | None:
        """The next events after seq `after`, at most `most` and within MAX_MESSAGE; None where there are none."""
        rows = self._store.rows(
            "SELECT seq, body, ciphertexts FROM event WHERE log = ? AND seq > ? ORDER BY seq LIMIT ?",
            (self.log, after, most),
        )
        items: list[Item] = []
        size = HEADER_ROOM
        for row in rows:
            ciphertexts = _ciphertexts.decode(row["ciphertexts"]) if row["ciphertexts"] else {}
            size += len(row["body"]) + len(row["ciphertexts"] or b"") + 64
            if items and size > MAX_MESSAGE:
                break
            items.append(Item(row["body"], ciphertexts))
        if not items:
            return None
        first = rows[0]["seq"]
        last = first + len(items) - 1
        return signed(
            Message(
                site=self._site, station=self._station, log=self.log, first=first, last=last, items=items
            ),
            self._key,
        )

    def acknowledge(self, ack: Acknowledgement) -> Acked:
        """Take the centre's word about this log.

        Another epoch or a lower seq means a replay from there; a seq or a hash that this log doesn't have means that
        this station's disk was restored, and a seq before what is still kept can't be replayed: both open a new log.
        """
        try:
            with self._store.transaction() as connection:
                return self._acknowledge(connection, ack)
        except sqlite3.Error:
            self._reload()
            raise

    def prune(self, keep_days: int) -> int:
        """Drop events that were acknowledged so long ago, never the last one; returns how many.

        Days by the centre's clock: call it only while this station's clock is known to agree with that one.
        """
        limit = _text(datetime.fromtimestamp(self._clock.true_seconds(), UTC) - timedelta(days=keep_days))
        with self._store.transaction() as connection:
            gone = 0
            for (log,) in connection.execute("SELECT log FROM log").fetchall():
                # Acknowledgements are cumulative, so what may go is a log's beginning: only that is looked at.
                first = connection.execute(
                    "SELECT seq FROM event WHERE log = ? AND (acked_at IS NULL OR acked_at >= ?) ORDER BY seq LIMIT 1",
                    (log, limit),
                ).fetchone()
                last = connection.execute("SELECT max(seq) FROM event WHERE log = ?", (log,)).fetchone()[0]
                end = first[0] if first else (last or 0) + (log != self.log)
                gone += connection.execute("DELETE FROM event WHERE log = ? AND seq < ?", (log, end)).rowcount
            connection.execute(
                "DELETE FROM anchor WHERE at < ? AND NOT (log = ? AND seq = ?)", (limit, self.log, self.acked)
            )
            connection.execute(
                "DELETE FROM log WHERE current = 0 AND NOT EXISTS (SELECT 1 FROM event WHERE event.log = log.log)"
            )
            return gone

    def _reload(self) -> None:
        row = self._store.row("SELECT log, acked, private FROM log WHERE current = 1")
        if row is not None:
            self.log, self.acked = row["log"], row["acked"]
            self._key = Ed25519PrivateKey.from_private_bytes(row["private"])

    def _acknowledge(self, connection: sqlite3.Connection, ack: Acknowledgement) -> Acked:
        self._bring_over(connection, ack.epoch)
        if ack.log != self.log:
            return Acked.IGNORED
        head, _ = self.head()
        row = self._store.row("SELECT hash FROM event WHERE log = ? AND seq = ?", (self.log, ack.seq))
        if ack.seq > head or (row is not None and row["hash"] != ack.head_hash):
            self._open_log(connection, "restored", after=self.acked, ended=ack.centre_time)
            return Acked.REOPENED
        first = self._store.row("SELECT min(seq) AS seq FROM event WHERE log = ?", (self.log,))
        assert first is not None
        if ack.seq + 1 < first["seq"]:
            self._open_log(connection, "pruned", after=ack.seq, ended=ack.centre_time)
            return Acked.REOPENED
        known = self._store.row("SELECT epoch FROM log WHERE log = ?", (self.log,))
        assert known is not None
        replay = ack.seq < self.acked or known["epoch"] not in (None, ack.epoch)
        self._mark(connection, ack)
        return Acked.REPLAY if replay else Acked.PROGRESS

    def _append(self, connection: sqlite3.Connection, fact: Fact, people: tuple[Personal, ...]) -> str:
        sealed: dict[str, SealedRef] = {}
        ciphertexts: dict[str, bytes] = {}
        for value in people:
            kind = personal.class_of(value)
            ciphertexts[kind], sealed[kind] = personal.seal(value)
            if len(ciphertexts[kind]) > MAX_CIPHERTEXT:
                raise event.EventError(
                    f"class {kind} of {len(ciphertexts[kind])} bytes exceeds {MAX_CIPHERTEXT}"
                )
        event_type, version = facts.type_of(fact)
        seq, prev = self.head()
        made = Event(
            id=new_id(),
            site=self._site,
            station=self._station,
            log=self.log,
            seq=seq + 1,
            prev=prev,
            type=event_type,
            v=version,
            time=self._clock.now(),
            clock=self._clock.reading(),
            data=msgspec.Raw(msgspec.json.encode(fact)),
            sealed=sealed,
        )
        self._insert(connection, made, msgspec.msgpack.encode(ciphertexts) if ciphertexts else None)
        self._clock.wrote(made.time.timestamp())
        return made.id

    def _insert(self, connection: sqlite3.Connection, made: Event, ciphertexts: bytes | None) -> str:
        body = event.encode(made)
        digest = event.body_hash(body)
        connection.execute(
            "INSERT INTO event (log, seq, id, type, time, body, hash, ciphertexts) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (made.log, made.seq, made.id, made.type, _text(made.time), body, digest, ciphertexts),
        )
        return digest

    def _bring_over(self, connection: sqlite3.Connection, epoch: str) -> None:
        """Append anew, same ids, what stands in closed logs and was stored in another epoch than this one.

        The centre was restored since, and only the current log is replayed.
        """
        closed = self._store.rows(
            "SELECT log, acked FROM log WHERE current = 0 AND epoch != ? ORDER BY opened", (epoch,)
        )
        for log in closed:
            rows = self._store.rows(
                "SELECT body, ciphertexts FROM event WHERE log = ? AND seq <= ? AND type != 'log.opened' ORDER BY seq",
                (log["log"], log["acked"]),
            )
            self._again(connection, rows)
            connection.execute("UPDATE log SET epoch = NULL WHERE log = ?", (log["log"],))
            _log.warning("the centre was restored: %d events of closed log %s again", len(rows), log["log"])

    def _open_log(
        self, connection: sqlite3.Connection, reason: str, after: int | None, ended: datetime | None = None
    ) -> None:
        """Open a new log; what of the old one (after seq `after`) the centre may lack is appended anew, same ids.

        The old one has `ended` by the centre's clock: what it holds is kept as long as if it had been acknowledged.
        """
        old, (last, _) = self.log, self.head()
        again = self._store.rows(
            "SELECT body, ciphertexts FROM event WHERE log = ? AND seq > ? AND type != 'log.opened' ORDER BY seq",
            (old, last if after is None else after),
        )
        now = _text(self._clock.now())
        connection.execute("UPDATE log SET current = 0")
        connection.execute(
            "UPDATE event SET acked_at = ? WHERE acked_at IS NULL", (_text(ended) if ended else now,)
        )
        self.log, self.acked, self._key = new_log_id(), 0, Ed25519PrivateKey.generate()
        connection.execute(
            "INSERT INTO log (log, private, opened, reason, current) VALUES (?, ?, ?, ?, 1)",
            (self.log, self._key.private_bytes_raw(), now, reason),
        )
        predecessor = PredecessorLog(log=old, seq=last) if old else None
        public = self._key.public_key().public_bytes_raw().hex()
        self._append(connection, LogOpened(reason=reason, predecessor=predecessor, public_key=public), ())
        self._again(connection, again)
        _log.warning(
            "opened log %s (%s) after %s/%d, %d events again", self.log, reason, old or "-", last, len(again)
        )

    def _again(self, connection: sqlite3.Connection, rows: list[sqlite3.Row]) -> None:
        """Facts of another log at the end of this one, with the ids by which they count once."""
        seq, prev = self.head()
        for row in rows:
            seq += 1
            moved = msgspec.structs.replace(event.decode(row["body"]), log=self.log, seq=seq, prev=prev)
            prev = self._insert(connection, moved, row["ciphertexts"])

    def _mark(self, connection: sqlite3.Connection, ack: Acknowledgement) -> None:
        # By the centre's clock: this one may be wrong by years, and throws nothing away for that.
        now = _text(ack.centre_time)
        connection.execute(
            "UPDATE log SET acked = ?, epoch = ? WHERE log = ?", (ack.seq, ack.epoch, self.log)
        )
        connection.execute(
            "UPDATE event SET acked_at = ? WHERE log = ? AND seq > ? AND seq <= ? AND acked_at IS NULL",
            (now, self.log, min(self.acked, ack.seq), ack.seq),
        )
        if ack.seq < self.acked:
            connection.execute(
                "UPDATE event SET acked_at = NULL WHERE log = ? AND seq > ?", (self.log, ack.seq)
            )
        connection.execute(
            "INSERT OR REPLACE INTO anchor VALUES (?, ?, ?, ?, ?)",
            (ack.epoch, self.log, ack.seq, ack.head_hash, now),
        )
        self.acked = ack.seq


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
