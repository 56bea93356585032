"""What this gate remembers of passes: how often each came in, and whether its holder is inside.

Without the line this ledger is all a gate has; two gates cut off from each other can't enforce single use together
(pass-format.md, "Single use with the line down"). No person stands in it, only pass ids.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from broker.contract.passes import Pass
from broker.contract.verdict import Direction, Uses


class Rows(Protocol):
    """Whatever can be asked for a row: the station's store, or a read-only view of it."""

    def row(self, sql: str, values: Sequence[Any] = ()) -> Any: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One pass. `last_at` in milliseconds since 1970."""

    entries: int
    inside: bool
    last_at: int
    last_direction: Direction


class Ledger:
    """Reads through `rows`; writes into the transaction it is given."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def entry(self, vpass: Pass) -> Entry | None:
        """What is known of a pass."""
        row = self._rows.row(
            "SELECT entries, inside, last_at, last_direction FROM ledger WHERE cti = ?", (vpass.cti,)
        )
        if row is None:
            return None
        return Entry(row["entries"], bool(row["inside"]), row["last_at"], Direction(row["last_direction"]))

    def uses(self, vpass: Pass) -> Uses:
        """The same, as the verdict asks for it."""
        entry = self.entry(vpass)
        return Uses() if entry is None else Uses(entries=entry.entries, inside=entry.inside)


def write(connection: sqlite3.Connection, vpass: Pass, direction: Direction, at_ms: int) -> None:
    """Somebody went through with this pass."""
    inside = direction is Direction.IN
    connection.execute(
        "INSERT INTO ledger (cti, kid, entries, inside, expires, last_at, last_direction)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (cti) DO UPDATE SET entries = entries + excluded.entries, inside = excluded.inside,"
        " last_at = excluded.last_at, last_direction = excluded.last_direction",
        (vpass.cti, vpass.kid, int(inside), int(inside), vpass.expires, at_ms, direction.value),
    )


def prune(connection: sqlite3.Connection, expired_before: int) -> None:
    """Forget passes that expired before (seconds since 1970); whoever is still inside stays."""
    connection.execute("DELETE FROM ledger WHERE expires < ? AND inside = 0", (expired_before,))
