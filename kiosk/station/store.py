"""A station's database: one file, one writer, every commit on the disk before anybody is told.

SQLite in WAL mode with synchronous=FULL. All threads share one connection under one lock; another process may open the
file read-only. The folder is 0700 and the files 0600, because private keys and personal data stand in it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from kiosk.station.schema import migrations

FILE = "station.db"
_LOCK = "station.lock"


class StoreError(RuntimeError):
    """The data folder can't be used. The message is a sentence for a person, with a next step."""


class Store:
    """The one writer of a station's database.

    Raises:
        StoreError: another process uses the folder, it belongs to another station, or it can't be written.
    """

    def __init__(self, folder: Path, *, site: str, station: str) -> None:
        self.folder = folder
        self.failing = False
        """Whether the latest write failed: the disk is full, broken or read-only."""
        self._lock = threading.RLock()
        self._held = _take(folder, station)
        try:
            self._db = _open(folder / FILE)
            self._belongs(site, station)
        except (sqlite3.Error, OSError) as error:
            os.close(self._held)
            raise StoreError(
                f"{folder / FILE}: can't be opened ({error}). Check the disk, or restore the folder."
            ) from error
        except StoreError:
            os.close(self._held)
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside is committed together, durably, at the end; nested ones join."""
        with self._lock:
            try:
                with self._db.atomic():
                    yield self._db.conn
            except sqlite3.OperationalError:
                self.failing = True
                raise
            self.failing = False

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """The result of a query, read whole."""
        with self._lock:
            return self._db.conn.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first row of a query."""
        with self._lock:
            return self._db.conn.execute(sql, values).fetchone()

    def get(self, key: str, default: str = "") -> str:
        """A setting the station keeps for itself."""
        row = self.row("SELECT value FROM setting WHERE key = ?", (key,))
        return default if row is None else row["value"]

    def last_written(self) -> float:
        """When the last event was written, by the station's clock then: seconds since 1970, 0 before the first."""
        return _last_written(self)

    def put(self, key: str, value: str) -> None:
        """Keep a setting."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (key, value))

    def close(self) -> None:
        """Give the folder back. Nothing may be written afterwards."""
        with self._lock:
            self._db.close()
            os.close(self._held)

    def _belongs(self, site: str, station: str) -> None:
        owner, name = self.get("owner"), f"{site}/{station}"
        if not owner:
            self.put("owner", name)
        elif owner != name:
            raise StoreError(
                f"{self.folder} holds the log of {owner}, not of {name}. Give each station a data folder of its own."
            )


class ReadOnlyStore:
    """The same database for a look from another process; writes nothing and waits for nobody.

    Raises:
        StoreError: there is no database yet.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        if not path.exists():
            raise StoreError(f"{path}: no such file. Start the station once, or name its configuration.")
        try:
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
            )
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("SELECT 1 FROM setting")
        except sqlite3.Error as error:
            raise StoreError(f"{path}: can't be read ({error}).") from error

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        return self._connection.execute(sql, values).fetchone()

    def get(self, key: str, default: str = "") -> str:
        row = self.row("SELECT value FROM setting WHERE key = ?", (key,))
        return default if row is None else row["value"]

    def last_written(self) -> float:
        return _last_written(self)

    def close(self) -> None:
        self._connection.close()


def _last_written(store: Store | ReadOnlyStore) -> float:
    row = store.row(
        "SELECT time FROM event WHERE log = (SELECT log FROM log WHERE current = 1) ORDER BY seq DESC LIMIT 1"
    )
    return 0.0 if row is None else datetime.fromisoformat(row["time"]).timestamp()


def _take(folder: Path, station: str) -> int:
    """Hold the folder's lock for this process; the system frees it however the process ends."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        held = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"{folder}: can't be used as data folder ({error.strerror}). Name another one as `data`."
        ) from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(held, 32).decode("ascii", "replace").strip()
        os.close(held)
        raise StoreError(
            f"{folder} is in use by another process ({holder or 'unknown'}). "
            f"Stop the other {station}, or give this one a data folder and a name of its own."
        ) from None
    os.ftruncate(held, 0)
    os.write(held, f"{os.getpid()}\n".encode())
    return held


def _open(path: Path) -> Database:
    # Made here, so that it is never readable by others; SQLite gives its side files the same mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=5.0)
    connection.row_factory = sqlite3.Row
    db = Database(connection, execute_plugins=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    migrations.apply(db)
    return db
