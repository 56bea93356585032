"""The centre's tables, made and changed by numbered migrations (sqlite-utils).

`events` and what stands beside it are the log; everything under "views" is a function of the log and may be thrown
away and rebuilt. `people` is a view too, kept apart because it is purged by class: it holds personal data in clear in
this version, on one machine only; sealed columns replace `value` when `broker.contract.personal` seals.
"""

from __future__ import annotations

from typing import cast

from sqlite_utils import Database
from sqlite_utils.db import Table
from sqlite_utils.migrations import Migrations

migrations = Migrations("centre")


def _table(db: Database, name: str) -> Table:
    return cast("Table", db[name])


@migrations()
def m001_log(db: Database) -> None:
    """The log: events, ciphertexts beside them, heads, forks, and what was no message at all."""
    _table(db, "meta").create({"key": str, "value": str}, pk="key")
    events = _table(db, "events").create(
        {
            "position": int,
            "site": str,
            "station": str,
            "log": str,
            "seq": int,
            "id": str,
            "type": str,
            "v": int,
            "time": str,
            "body": bytes,
            "hash": str,
            "received": str,
            "state": str,
            "problem": str,
        },
        pk="position",
        not_null={"site", "station", "log", "seq", "id", "type", "body", "hash", "received", "state"},
    )
    events.create_index(["site", "station", "log", "seq"], unique=True)
    events.create_index(["station", "id"])
    _table(db, "ciphertexts").create(
        {"position": int, "class": str, "kid": str, "hash": str, "ciphertext": bytes},
        pk=("position", "class"),
    )
    _table(db, "heads").create(
        {"site": str, "station": str, "log": str, "seq": int, "hash": str, "moved": str},
        pk=("site", "station", "log"),
    )
    _table(db, "forks").create(
        {
            "site": str,
            "station": str,
            "log": str,
            "seq": int,
            "hash": str,
            "body": bytes,
            "ciphertexts": bytes,
            "received": str,
        },
        pk=("site", "station", "log", "seq", "hash"),
    )
    _table(db, "dead_letters").create(
        {
            "hash": str,
            "topic": str,
            "payload": bytes,
            "reason": str,
            "first_at": str,
            "last_at": str,
            "times": int,
        },
        pk="hash",
    )


@migrations()
def m002_views(db: Database) -> None:
    """What is made from the log: visits, passes, calls, pass keys, people; `subjects` finds a visit's events."""
    visits = _table(db, "visits").create(
        {
            "id": str,
            "station": str,
            "number": str,
            "visit_type": str,
            "purpose": str,
            "arranged": int,
            "identity": str,
            "people": int,
            "building": str,
            "language": str,
            "request": str,
            "decider": str,
            "deadline": str,
            "registered_at": str,
            "answer": str,
            "answer_place": str,
            "answer_account": str,
            "answered_at": str,
            "decision": str,
            "decision_place": str,
            "decided_by": str,
            "decided_at": str,
            "slip": str,
            "slip_reason": str,
            "recalled_at": str,
            "cti": str,
        },
        pk="id",
    )
    visits.create_index(["registered_at"])
    visits.create_index(["request"])
    passes = _table(db, "passes").create(
        {
            "cti": str,
            "visit": str,
            "kid": int,
            "issued_at": str,
            "expires": int,
            "entries": int,
            "entered_at": str,
            "left_at": str,
            "refused_at": str,
            "refused_reason": str,
            "gate": str,
            "inside": int,
        },
        pk="cti",
    )
    passes.create_index(["visit"])
    passes.create_index(["inside"])
    passes.create_index(["left_at"])
    passes.create_index(["expires"])
    calls = _table(db, "calls").create(
        {
            "id": str,
            "station": str,
            "visit": str,
            "screen": str,
            "called_at": str,
            "taken_at": str,
            "account": str,
        },
        pk="id",
    )
    calls.create_index(["taken_at", "called_at"])
    _table(db, "pass_keys").create(
        {"kid": int, "public_key": str, "station": str, "valid_from": int, "valid_until": int},
        pk="kid",
    )
    _table(db, "people").create(
        {"visit": str, "class": str, "value": bytes, "event": str}, pk=("visit", "class")
    )
    _table(db, "subjects").create({"subject": str, "position": int}, pk=("subject", "position"))


@migrations()
def m003_site_and_stations(db: Database) -> None:
    """What goes down, how stations and devices say they are, and what staff must know of."""
    _table(db, "site_documents").create(
        {"kind": str, "version": int, "body": str, "document": bytes}, pk="kind"
    )
    _table(db, "stations").create(
        {
            "station": str,
            "kind": str,
            "online": int,
            "since": str,
            "version": str,
            "backlog": int,
            "offset_ms": int,
            "alarms": str,
            "heard": str,
        },
        pk="station",
    )
    _table(db, "devices").create(
        {
            "station": str,
            "device": str,
            "kind": str,
            "availability": str,
            "reason": str,
            "since": str,
            "counters": str,
        },
        pk=("station", "device"),
    )
    _table(db, "alarms").create(
        {"kind": str, "subject": str, "first_at": str, "last_at": str, "times": int, "seen_by": str},
        pk=("kind", "subject"),
    )


@migrations()
def m004_staff(db: Database) -> None:
    """Who may use the console, who is logged in, and what was opened or done there (one line each)."""
    _table(db, "accounts").create(
        {"name": str, "password_hash": str, "created": str},
        pk="name",
    )
    _table(db, "sessions").create({"token_hash": str, "account": str, "created": str}, pk="token_hash")
    _table(db, "audit").create(
        {"id": int, "at": str, "account": str, "act": str, "subject": str}, pk="id"
    ).create_index(["subject"])


@migrations()
def m005_log_keys(db: Database) -> None:
    """The key of each log, as its first event brought it, and the last signature that covers it."""
    _table(db, "log_keys").create(
        {
            "site": str,
            "station": str,
            "log": str,
            "public_key": str,
            "first": int,
            "last": int,
            "signature": bytes,
        },
        pk=("site", "station", "log"),
        not_null={"public_key"},
    )
    db.execute(
        "insert into log_keys (site, station, log, public_key)"
        " select site, station, log, json_extract(cast(body as text), '$.data.public_key') from events"
        " where seq = 1 and type = 'log.opened' and state = 'ok'"
        " and json_extract(cast(body as text), '$.data.public_key') is not null"
    )


@migrations()
def m006_corrections(db: Database) -> None:
    """Which fields of a visit were corrected (V10)."""
    db.execute("alter table visits add column corrected text not null default ''")
