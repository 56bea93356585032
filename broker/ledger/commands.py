"""The commands that look after the ledger. Their modules are loaded when they run: `--help` waits for nothing."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from broker.contract.settings import SettingsError

if TYPE_CHECKING:
    from broker.settings import Centre

CONFIG = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    default=Path("config/demo/centre.toml"),
    show_default=True,
    help="The centre's configuration.",
)


def settings_of(config: Path) -> Centre:
    """The centre's settings; a sentence and exit code 2 where they can't be read."""
    from broker import settings

    try:
        return settings.load(config)
    except SettingsError as error:
        click.echo(f"broker: {error}", err=True)
        raise SystemExit(2) from None


@click.command(epilog="Example: broker verify --anchors lobby-1.json")
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.option(
    "--anchors",
    "anchors",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="What a station was told, as `kiosk anchors --json` prints it. May be given more than once.",
)
def verify(config: Path, as_json: bool, anchors: tuple[Path, ...]) -> None:
    """Read the whole log and say whether it is whole; a centre may go on serving meanwhile.

    Exit code 0: whole. 1: not; the first thing wrong is named. 2: wrong usage or configuration.
    """
    from broker.ledger import verify as checks

    try:
        outside = [one for path in anchors for one in checks.read_anchors(path)]
    except checks.AnchorsError as error:
        click.echo(f"broker: {error}", err=True)
        raise SystemExit(2) from None
    with _reading(settings_of(config)) as db, _progress(db, "Verifying") as progress:
        verdict = checks.verify(db, outside, progress)
    if as_json:
        said = asdict(verdict) | {"whole": verdict.whole, "seconds": round(verdict.seconds, 3)}
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        click.echo(
            f"{verdict.events} events of {verdict.logs} logs, {verdict.ciphertexts} ciphertexts, "
            f"{verdict.anchors} anchors read in {verdict.seconds:.1f} s"
        )
        if verdict.ciphertexts_gone:
            click.echo(
                f"{verdict.ciphertexts_gone} ciphertexts are deleted or never came; the chain holds without"
            )
        if verdict.unsigned:
            click.echo(f"{verdict.unsigned} logs are from before messages were signed")
        if verdict.unbacked:
            click.echo(f"{verdict.unbacked} anchors are of events that a restored centre does not have")
        click.echo("whole" if verdict.whole else f"NOT WHOLE: {verdict.wrong}")
    sys.exit(0 if verdict.whole else 1)


@click.command(epilog="Example: broker rebuild")
@CONFIG
def rebuild(config: Path) -> None:
    """Make the views (visits, passes, calls, people) anew from the log; a centre may go on serving meanwhile."""
    from broker.ledger.rebuild import rebuild as run
    from broker.store.database import StoreError

    settings = settings_of(config)
    with _reading(settings) as db, _progress(db, "Rebuilding") as progress:
        try:
            done = run(settings.data, progress)
        except StoreError as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"views made anew from {done.events} events, {done.driving} of which count")


@click.command(epilog="Example: broker redrive")
@CONFIG
def redrive(config: Path) -> None:
    """Try again what was set aside: events that were not understood, messages that were refused.

    For an ended centre; while it serves, the console's page of records to look at has a button for it.
    """
    from broker.ingest.batch import Ingest
    from broker.ledger.redrive import redrive as run
    from broker.store.database import HeldError, StoreError, hold, open_writer
    from broker.store.log import EventLog

    settings = settings_of(config)
    with _reading(settings):
        pass
    try:
        with hold(settings.data), closing(open_writer(settings.data)) as db:
            done = run(db, Ingest(settings.site, EventLog(db), db))
    except HeldError as error:
        raise click.ClickException(
            f"{error} A centre that serves does this itself: press 重新处理 / Try again on its page of records."
        ) from None
    except StoreError as error:
        raise click.ClickException(str(error)) from None
    click.echo(
        f"{done.events} events count now, {done.messages} messages are in the log now, {done.left} are left"
    )


PASSPHRASE = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Read the recovery passphrase from the first line of this file; without it, it is asked for.",
)


@click.command(epilog="Example: broker backup /media/usb/centre-2026-11-23.backup")
@CONFIG
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@PASSPHRASE
@click.option("--force", is_flag=True, help="Write over FILE if it is there.")
def backup(config: Path, file: Path, passphrase_file: Path | None, force: bool) -> None:
    """Write the whole database to FILE, encrypted under a recovery passphrase; a centre may go on serving meanwhile.

    Without the passphrase nobody can read it, nor can you: keep it apart from the backup.
    """
    from broker.ledger import backup as backups
    from broker.store.database import StoreError

    settings = settings_of(config)
    passphrase = _passphrase(passphrase_file, new=True)
    try:
        size = backups.backup(settings.data, file, passphrase, site=settings.site, force=force)
    except (backups.BackupError, StoreError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{file}: {size} bytes")


@click.command(epilog="Example: broker restore /media/usb/centre-2026-11-23.backup")
@CONFIG
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@PASSPHRASE
@click.option("--force", is_flag=True, help="Take the place of a database that is there.")
def restore(config: Path, file: Path, passphrase_file: Path | None, force: bool) -> None:
    """Bring back the database from FILE. The centre must not be running.

    Stations send again what came after the backup, once the centre serves.
    """
    from broker.ledger import backup as backups
    from broker.store.database import HeldError, StoreError

    settings = settings_of(config)
    passphrase = _passphrase(passphrase_file, new=False)
    try:
        header = backups.restore(settings.data, file, passphrase, site=settings.site, force=force)
    except HeldError as error:
        raise click.ClickException(
            f"{error} End the centre first: it can't serve from what is replaced."
        ) from None
    except (backups.BackupError, StoreError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"restored as of {header.made}; start the centre, and stations send what came after it")


def _passphrase(file: Path | None, *, new: bool) -> str:
    """From a file or a prompt; never an argument, which any process can read."""
    if file is None:
        return click.prompt("Recovery passphrase", hide_input=True, confirmation_prompt=new)
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        click.echo(f"broker: {file} can't be read ({error}). Name another --passphrase-file.", err=True)
        raise SystemExit(2) from None
    return lines[0] if lines else ""


@contextmanager
def _reading(settings: Centre) -> Iterator[sqlite3.Connection]:
    from broker.store.database import StoreError, open_reader

    try:
        db = open_reader(settings.data)
    except StoreError as error:
        raise click.ClickException(str(error)) from None
    try:
        yield db
    finally:
        db.close()


@contextmanager
def _progress(db: sqlite3.Connection, label: str) -> Iterator[Callable[[int], None]]:
    """A bar for whoever looks on; nothing where nobody does."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    total = db.execute("select coalesce(max(position), 0) from events").fetchone()[0]
    with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
        yield lambda done: bar.update(done - bar.pos)
