"""The centre's database: one connection that writes, on one thread; any number that read.

WAL with synchronous=FULL: what is acknowledged has reached the disk. SQL stays plain so that the file opens in any
tool; sqlite-utils makes and changes the tables.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database as SchemaTool

from broker.contract.names import new_log_id
from broker.store.schema import migrations

FILE = "centre.db"
LOCK = "centre.lock"


class StoreError(Exception):
    """The database can't be used; the message is a sentence for a person."""


class HeldError(StoreError):
    """Another process holds the data folder."""


@contextmanager
def hold(folder: Path, name: str = LOCK) -> Iterator[None]:
    """Be the one process that works so on a data folder; the system lets go however the process ends.

    Raises:
        HeldError: another process does.
        StoreError: the folder can't be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"{folder} can't be used as data folder: {error.strerror}. Name another one."
        ) from None
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(held, 32).decode("ascii", "replace").strip()
            raise HeldError(f"{folder} is in use by another process ({holder or 'unknown'}).") from None
        os.ftruncate(held, 0)
        os.write(held, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(held)


def open_writer(folder: Path) -> sqlite3.Connection:
    """The writing connection: tables brought up to date, an epoch drawn for a new database.

    Transactions are explicit (`transaction`). Use it on one thread.

    Raises:
        StoreError: the folder or file can't be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = sqlite3.connect(folder / FILE, isolation_level=None, check_same_thread=False)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma busy_timeout = 10000")
        connection.execute("pragma cache_size = -65536")
        migrations.apply(SchemaTool(connection, execute_plugins=False))
        (folder / FILE).chmod(0o600)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"{folder / FILE} can't be opened: {error}. Check the disk and the rights of the data folder."
        ) from None
    with transaction(connection):
        connection.execute("insert or ignore into meta values ('epoch', ?)", (new_log_id(),))
        connection.execute("insert or ignore into meta values ('centre_log', ?)", (new_log_id(),))
        connection.execute(
            "insert or ignore into meta values ('console_secret', ?)", (secrets.token_hex(32),)
        )
    return connection


def open_reader(folder: Path) -> sqlite3.Connection:
    """A connection that only reads; never waits for the writer.

    Raises:
        StoreError: there is no database yet.
    """
    path = folder / FILE
    if not path.is_file():
        raise StoreError(f"{path} is not there yet. Start `broker serve` once, or name another --config.")
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing: commits at the end, rolls back on any exception."""
    connection.execute("begin immediate")
    try:
        yield connection
        connection.execute("commit")
    except BaseException:
        # SQLite itself ends the transaction on some faults of the disk.
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def meta(connection: sqlite3.Connection, key: str) -> str:
    """A value of the `meta` table; KeyError where it isn't there."""
    row = connection.execute("select value from meta where key = ?", (key,)).fetchone()
    if row is None:
        raise KeyError(key)
    return row[0]


@contextmanager
def scratch(folder: Path, kind: str) -> Iterator[Path]:
    """A folder for a copy of the database while it is worked on; gone afterwards, and so is one that a kill left behind.

    Raises:
        HeldError: another process does the same.
    """
    with hold(folder, f"{kind}.lock"):
        for left in folder.glob(f"{kind}-*"):
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=f"{kind}-", dir=folder) as made:
            yield Path(made)


def is_storage_fault(error: BaseException) -> bool:
    """True where the disk is full, failing or read-only: the same work may succeed later, as it is."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, sqlite3.Error) and code in _STORAGE_FAULTS


_STORAGE_FAULTS = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}
