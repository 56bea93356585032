"""The command `broker`: run the service centre, read and look after its log, accounts, the interface's description."""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from broker.contract.version import __version__
from broker.ledger import commands as ledger
from broker.ledger.commands import CONFIG, settings_of


@click.group(epilog="Example: broker serve --config config/demo/centre.toml")
@click.version_option(__version__, prog_name="broker")
def main() -> None:
    """The service centre: MQTT broker, event log, console."""


@main.command(epilog="Example: broker serve --config config/demo/centre.toml")
@CONFIG
@click.option("--verbose", is_flag=True, help="Log what the MQTT broker says as well.")
def serve(config: Path, verbose: bool) -> None:
    """Run the centre until Ctrl-C. Prints where the console is, and at the first run the password, once."""
    from broker.mqtt.mosquitto import MosquittoError
    from broker.service import ServiceError
    from broker.service import serve as run
    from broker.store.database import StoreError

    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    settings = settings_of(config)

    def say_line(line: str) -> None:
        click.echo(line)
        sys.stdout.flush()

    try:
        run(settings, say_line)
    except (MosquittoError, StoreError, ServiceError) as error:
        raise click.ClickException(str(error)) from None


@main.group(epilog="Example: broker events tail --json")
def events() -> None:
    """Read the event log. Bodies only: no names, no numbers, no pass texts."""


@events.command(
    "export", epilog="Example: broker events export --json --since 2026-11-23T00:00 > events.jsonl"
)
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--since", default="", help="A position, or a moment in UTC (2026-11-23T08:00).")
def export(config: Path, as_json: bool, since: str) -> None:
    """Print the log from the beginning, in order of arrival."""
    db, position = _log(config, since)
    for _, line in _lines(db, position, as_json):
        click.echo(line)


@events.command("tail", epilog="Example: broker events tail --json --since 120")
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--since", default="", help="A position, or a moment in UTC; without it, only what comes from now on."
)
def tail(config: Path, as_json: bool, since: str) -> None:
    """Print events as they come, until Ctrl-C."""
    db, position = _log(config, since)
    if not since:
        position = db.execute("select coalesce(max(position), 0) from events").fetchone()[0]
    while True:
        for reached, line in _lines(db, position, as_json):
            click.echo(line)
            position = reached
        sys.stdout.flush()
        time.sleep(0.2)


@main.command(epilog="Example: broker password admin")
@CONFIG
@click.argument("account")
def password(config: Path, account: str) -> None:
    """Give ACCOUNT a new generated password, print it once, end its sessions. Makes the account if need be."""
    from broker.store import accounts
    from broker.store.database import StoreError, open_writer, transaction

    if not account.isprintable() or not 1 <= len(account) <= 32:
        raise click.BadParameter("an account's name has 1–32 characters")
    settings = settings_of(config)
    try:
        db = open_writer(settings.data)
    except StoreError as error:
        raise click.ClickException(str(error)) from None
    with transaction(db):
        fresh = accounts.new_password(db, account)
    db.close()
    click.echo(fresh)


@main.command(epilog="Example: broker asyncapi > docs/asyncapi.json")
def asyncapi() -> None:
    """Print the AsyncAPI 3 document of what travels over MQTT."""
    from broker.contract.asyncapi import document

    click.echo(json.dumps(document(), indent=2, ensure_ascii=False))


def _log(config: Path, since: str) -> tuple[sqlite3.Connection, int]:
    from broker import clock
    from broker.store.database import StoreError, open_reader
    from broker.store.log import position_before

    settings = settings_of(config)
    try:
        db = open_reader(settings.data)
    except StoreError as error:
        raise click.ClickException(str(error)) from None
    if not since:
        return db, 0
    if since.isdigit():
        return db, int(since)
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise click.BadParameter(
            f"{since!r} is neither a position nor a moment", param_hint="--since"
        ) from None
    if moment.tzinfo is None:
        moment = datetime.fromisoformat(f"{moment.isoformat()}+00:00")
    return db, position_before(db, clock.stamp(moment))


def _lines(db: sqlite3.Connection, position: int, as_json: bool) -> Iterator[tuple[int, str]]:
    from broker.store.log import Stored, read

    show: Callable[[Stored], str] = _as_json if as_json else _as_text
    while True:
        page = list(read(db, after=position))
        if not page:
            return
        for stored in page:
            position = stored.position
            yield position, show(stored)


def _as_json(stored: Any) -> str:
    """The body stands in the line as it was sent, byte for byte."""
    problem = json.dumps(stored.problem, ensure_ascii=False)
    return (
        f'{{"position": {stored.position}, "received": "{stored.received}", "state": "{stored.state}", '
        f'"problem": {problem}, "event": {stored.body.decode()}}}'
    )


def _as_text(stored: Any) -> str:
    from broker.contract import event

    found = event.decode(stored.body)
    note = "" if stored.state == "ok" else f"  [{stored.state}: {stored.problem}]"
    return f"{stored.position:>8}  {stored.received}  {found.station}/{found.seq}  {found.type}{note}"


for command in (ledger.verify, ledger.rebuild, ledger.redrive, ledger.backup, ledger.restore):
    main.add_command(command)


if __name__ == "__main__":
    main()
