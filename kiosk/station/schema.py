"""The tables of a station's database, as migrations that are never edited once released.

Plain SQL tables with readable names: the file opens in any tool. `event` is the log and the outbox in one; `visit` is
what the lobby must still know of a visit after a power cut; `ledger` is the gate's memory of uses.
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("station")


@migrations()
def m001_log(db: Database) -> None:
    db.execute("CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID")
    # `private` signs this log's messages; `acked` is how far the centre holds it, `epoch` the database that said so.
    db.execute(
        """CREATE TABLE log (
            log TEXT PRIMARY KEY, private BLOB NOT NULL, opened TEXT NOT NULL, reason TEXT NOT NULL, current INTEGER NOT NULL,
            acked INTEGER NOT NULL DEFAULT 0, epoch TEXT
        ) STRICT"""
    )
    db.execute(
        """CREATE TABLE event (
            log TEXT NOT NULL REFERENCES log(log), seq INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
            time TEXT NOT NULL, body BLOB NOT NULL, hash TEXT NOT NULL, ciphertexts BLOB, acked_at TEXT,
            PRIMARY KEY (log, seq)
        ) STRICT"""
    )
    # What the centre said it held, kept as outside anchors: a log rewritten there is noticed.
    db.execute(
        """CREATE TABLE anchor (
            epoch TEXT NOT NULL, log TEXT NOT NULL, seq INTEGER NOT NULL, head_hash TEXT NOT NULL, at TEXT NOT NULL,
            PRIMARY KEY (epoch, log, seq)
        ) STRICT, WITHOUT ROWID"""
    )
    db.execute(
        """CREATE TABLE site_document (
            kind TEXT PRIMARY KEY, version INTEGER NOT NULL, payload BLOB NOT NULL, received TEXT NOT NULL
        ) STRICT"""
    )


@migrations()
def m002_passes(db: Database) -> None:
    db.execute(
        """CREATE TABLE pass_key (
            kid INTEGER PRIMARY KEY, private BLOB NOT NULL, public TEXT NOT NULL,
            valid_from INTEGER NOT NULL, valid_until INTEGER NOT NULL, retired INTEGER NOT NULL DEFAULT 0
        ) STRICT"""
    )
    db.execute(
        "CREATE TABLE used_place (kid INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (kid, place))"
        " STRICT, WITHOUT ROWID"
    )


@migrations()
def m003_visits(db: Database) -> None:
    # No full name, phone or document number: only what the slip and a recall need. No pass text: it is signed anew.
    db.execute(
        """CREATE TABLE visit (
            visit TEXT PRIMARY KEY, number TEXT NOT NULL UNIQUE, registered INTEGER NOT NULL,
            visit_type TEXT NOT NULL, language TEXT NOT NULL, building TEXT NOT NULL, floor INTEGER,
            surname TEXT NOT NULL, title TEXT, last_four TEXT NOT NULL,
            request TEXT NOT NULL, unreachable TEXT NOT NULL, deadline TEXT NOT NULL,
            decision TEXT, place TEXT NOT NULL DEFAULT '', slip TEXT,
            kid INTEGER, cti BLOB, place_index INTEGER, not_before INTEGER, expires INTEGER,
            site INTEGER, areas INTEGER, entries INTEGER, mode INTEGER, organisation TEXT
        ) STRICT"""
    )
    # Each answer that was heard, so that one that arrives twice is one.
    db.execute(
        """CREATE TABLE answer (
            request TEXT NOT NULL, decision TEXT NOT NULL, place TEXT NOT NULL, decided_at TEXT NOT NULL,
            applied INTEGER NOT NULL, PRIMARY KEY (request, decision, place, decided_at)
        ) STRICT, WITHOUT ROWID"""
    )


@migrations()
def m004_ledger(db: Database) -> None:
    # `last_at` in milliseconds since 1970: a re-read within a few seconds repeats the answer, also after a restart.
    db.execute(
        """CREATE TABLE ledger (
            cti BLOB PRIMARY KEY, kid INTEGER NOT NULL, entries INTEGER NOT NULL, inside INTEGER NOT NULL,
            expires INTEGER NOT NULL, last_at INTEGER NOT NULL, last_direction TEXT NOT NULL
        ) STRICT"""
    )
