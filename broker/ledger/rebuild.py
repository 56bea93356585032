"""The views made anew from the log, while events go on arriving.

They grow in a database of their own beside the live one, batch by batch, without keeping anybody from writing. Once
they are nearly there, one transaction on the live database brings in the rest and puts them in the old ones' place: a
page shows either the old state or the new one, never half of each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database as SchemaTool

from broker.contract import event as events
from broker.contract import facts
from broker.ingest.opening import open_beside
from broker.store.database import FILE, StoreError, scratch, transaction
from broker.store.log import OK
from broker.store.schema import migrations
from broker.store.views import TABLES, Views

BATCH = 2_000
NEARLY = 1_000
"""Events that may be left for the last transaction, during which the centre waits."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many events there were, and how many drive the views."""

    events: int
    driving: int


def rebuild(folder: Path, progress: Callable[[int], None] = lambda done: None) -> Rebuilt:
    """Make the views of the database in `folder` anew. A centre may serve meanwhile.

    Raises:
        StoreError: there is no database, or it can't be written.
    """
    if not (folder / FILE).is_file():
        raise StoreError(
            f"{folder / FILE} is not there yet. Start `broker serve` once, or name another --config."
        )
    with ExitStack() as stack:
        path = stack.enter_context(scratch(folder, "rebuild")) / "views.db"
        db = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
        db.execute("pragma journal_mode = off")
        db.execute("pragma synchronous = off")
        db.execute("pragma busy_timeout = 10000")
        migrations.apply(SchemaTool(db, execute_plugins=False))
        try:
            db.execute("attach ? as live", (str(folder / FILE),))
            return _rebuild(db, progress)
        except sqlite3.OperationalError as error:
            raise StoreError(
                f"{folder / FILE} can't be written: {error}. The views are as they were; try again."
            ) from None


def _rebuild(db: sqlite3.Connection, progress: Callable[[int], None]) -> Rebuilt:
    at = driving = 0
    while db.execute("select count(*) from live.events where position > ?", (at,)).fetchone()[0] > NEARLY:
        at, drove = _drive(db, at)
        driving += drove
        progress(at)
    with transaction(db):
        while True:
            reached, drove = _drive(db, at)
            driving += drove
            if reached == at:
                break
            at = reached
        for table in TABLES:
            db.execute(f"delete from live.{table}")
            db.execute(f"insert into live.{table} select * from main.{table}")
    progress(at)
    total = db.execute("select count(*) from live.events where position <= ?", (at,)).fetchone()[0]
    return Rebuilt(total, driving)


def _drive(db: sqlite3.Connection, after: int) -> tuple[int, int]:
    """One batch of events into the new views: (position reached, how many drove)."""
    rows = db.execute(
        "select position, body, state from live.events where position > ? order by position limit ?",
        (after, BATCH),
    ).fetchall()
    if not rows:
        return after, 0
    last = rows[-1][0]
    beside: dict[int, dict[str, bytes]] = {}
    for position, name, ciphertext in db.execute(
        "select position, class, ciphertext from live.ciphertexts where position > ? and position <= ?",
        (after, last),
    ):
        beside.setdefault(position, {})[name] = ciphertext
    views = Views(db)
    driving = [(position, events.decode(body)) for position, body, state in rows if state == OK]
    for position, event in driving:
        opened, _ = open_beside(event, beside.get(position, {}))
        views.apply(position, event, facts.read(event.type, event.v, event.data), opened)
    views.flush()
    return last, len(driving)
