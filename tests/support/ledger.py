"""The ledger held against the promise, by other means than the product's: sqlite3, json and hashlib, nothing of ours.

Reads database files as they lie on the disk and knows only the columns' names and the fields of a body.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

Log = tuple[str, str]
"""(station, log id)"""


@dataclass
class Ledger:
    """What one database holds: each log's bodies in order, and which event ids drive the views."""

    bodies: dict[Log, list[bytes]] = field(default_factory=dict)
    counting: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.types: dict[str, int] = {}


def open_read_only(path: Path) -> sqlite3.Connection:
    """A look at a database that others write."""
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)


def of_centre(file: Path) -> Ledger:
    """The centre's log, checked: no gap, every `prev` fits, every stored hash is that of its body, in order of arrival.

    Raises:
        AssertionError: names the first thing that is wrong.
    """
    found = Ledger()
    with closing(open_read_only(file)) as db:
        db.execute("begin")  # one moment of the file, however many queries: the centre goes on meanwhile
        assert db.execute("pragma integrity_check").fetchone() == ("ok",), f"{file} is damaged"
        rows = db.execute(
            "select station, log, seq, id, body, hash, state, position from events order by station, log, seq"
        )
        last_position = 0
        for station, log, seq, id, body, stored_hash, state, position in rows:
            bodies = _chained(found, (station, log), seq, id, body, stored_hash)
            assert position > last_position or len(bodies) == 1, (
                f"{station}/{log}/{seq} was put before its predecessor"
            )
            last_position = position
            if state == "ok":
                found.counting.append(id)
                kind = json.loads(body)["type"]
                found.types[kind] = found.types.get(kind, 0) + 1
        heads = {
            (station, log): (seq, digest)
            for station, log, seq, digest in db.execute("select station, log, seq, hash from heads")
        }
    assert heads == {
        key: (len(bodies), hashlib.sha256(bodies[-1]).hexdigest()) for key, bodies in found.bodies.items()
    }, "the heads do not agree with the events"
    assert len(found.counting) == len(set(found.counting)), "a fact counts twice"
    return found


def of_station(file: Path) -> Ledger:
    """A station's own log, checked in the same way. Raises AssertionError."""
    found = Ledger()
    with closing(open_read_only(file)) as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",), f"{file} is damaged"
        [(owner,)] = db.execute("select value from setting where key = 'owner'")
        station = owner.partition("/")[2]
        rows = db.execute("select log, seq, id, body, hash from event order by log, seq")
        for log, seq, id, body, stored_hash in rows:
            _chained(found, (station, log), seq, id, body, stored_hash)
    return found


def _chained(found: Ledger, key: Log, seq: int, id: str, body: bytes, stored_hash: str) -> list[bytes]:
    bodies = found.bodies.setdefault(key, [])
    where = "/".join((*key, str(seq)))
    assert seq == len(bodies) + 1, f"{where} follows seq {len(bodies)}: a gap or a double"
    assert hashlib.sha256(body).hexdigest() == stored_hash, f"{where} is not what its hash says"
    event = json.loads(body)
    prev = hashlib.sha256(bodies[-1]).hexdigest() if bodies else "0" * 64
    assert event["prev"] == prev, f"{where} does not follow its predecessor"
    assert (event["station"], event["log"], event["seq"], event["id"]) == (*key, seq, id), (
        f"{where} says of itself that it is another"
    )
    bodies.append(body)
    found.ids.add(id)
    return bodies
