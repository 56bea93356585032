"""Backup while the centre serves, and restore.

A backup is the whole database as it stood at one moment, under a recovery passphrase: everything the centre needs but
its configuration. A restored centre is another one to the stations: it draws a new epoch, so that they send again what
came after the backup, and goes on in a new log of its own that names the old one.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from broker import clock
from broker.contract.facts import LogOpened, PredecessorLog
from broker.contract.names import CENTRE, new_log_id
from broker.contract.version import __version__
from broker.ledger import sealed_file
from broker.ledger.sealed_file import Header, SealedFileError
from broker.store import own_log
from broker.store.database import FILE, hold, meta, open_reader, open_writer, scratch, transaction
from broker.store.log import EventLog, LogKey

SHORTEST_PASSPHRASE = 12


class BackupError(Exception):
    """It can't be done; the message is a sentence for a person."""


def backup(folder: Path, out: Path, passphrase: str, *, site: str, force: bool = False) -> int:
    """Write the database of `folder` to `out`; returns the file's size in bytes. Nobody waits meanwhile.

    Raises:
        BackupError, StoreError: with what to do.
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise BackupError(f"A recovery passphrase has at least {SHORTEST_PASSPHRASE} characters.")
    if out.exists() and not force:
        raise BackupError(f"{out} is there already. Name another file, or give --force.")
    part = out.with_name(out.name + ".part")
    try:
        with (
            closing(open_reader(folder)) as live,
            scratch(folder, "backup") as beside,
        ):
            copy = beside / FILE
            with closing(sqlite3.connect(copy)) as made:
                # In one step: a snapshot, whatever is written meanwhile.
                live.backup(made)
                made.execute("pragma journal_mode = delete")
            with copy.open("rb") as source, open(_private(part), "wb") as sealed:
                sealed_file.seal(
                    source, sealed, passphrase, site=site, made=clock.stamp(clock.now()), version=__version__
                )
                sealed.flush()
                os.fsync(sealed.fileno())
        part.replace(out)
    except OSError as error:
        raise BackupError(f"{out} can't be written: {error.strerror}. Name another place.") from None
    finally:
        part.unlink(missing_ok=True)
    return out.stat().st_size


def restore(folder: Path, source: Path, passphrase: str, *, site: str, force: bool = False) -> Header:
    """Put a backup in the place of the database of `folder`. Either all of it is there afterwards, or nothing changed.

    Raises:
        BackupError, StoreError: with what to do.
    """
    with hold(folder):
        if (folder / FILE).exists() and not force:
            raise BackupError(
                f"{folder / FILE} is there already, and a restore takes its place. Give --force if that is meant."
            )
        with scratch(folder, "restore") as beside:
            header = _unseal(source, beside / FILE, passphrase, site)
            _begin_anew(beside, site)
            for suffix in ("-wal", "-shm"):
                # Of the old database; SQLite would read them into the new one.
                (folder / (FILE + suffix)).unlink(missing_ok=True)
            (beside / FILE).replace(folder / FILE)
            _sync(folder)
        return header


def _unseal(source: Path, copy: Path, passphrase: str, site: str) -> Header:
    try:
        with source.open("rb") as sealed:
            header, _ = sealed_file.read_header(sealed)
            if header.site != site:
                raise BackupError(
                    f"{source} is of site {header.site}, not of {site}. Name another file or --config."
                )
            sealed.seek(0)
            with open(_private(copy), "wb") as out:
                for piece in sealed_file.unseal(sealed, passphrase):
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
    except SealedFileError as error:
        raise BackupError(f"{source}: {error}.") from None
    except OSError as error:
        raise BackupError(f"{source}: {error.strerror or error}. Nothing was changed.") from None
    return header


def _begin_anew(folder: Path, site: str) -> None:
    """A new epoch and a new log of the centre's own, with a note in it; open sessions end."""
    with closing(open_writer(folder)) as db:
        old = LogKey(site, CENTRE, meta(db, "centre_log"))
        last = EventLog(db).head(old).seq
        with transaction(db):
            for key in ("epoch", "centre_log"):
                db.execute("update meta set value = ? where key = ?", (new_log_id(), key))
            db.execute("delete from sessions")
            note = LogOpened(reason="restored", predecessor=PredecessorLog(log=old.log, seq=last))
            own_log.write(db, EventLog(db), site, note)
        db.execute("pragma wal_checkpoint(truncate)")
        db.execute("pragma journal_mode = delete")


def _private(path: Path) -> int:
    """A new file that only we may read."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
