"""The command `kiosk`: the lobby's terminal, a gate's post, and what a technician needs beside them.

Kivy is imported only by the commands that open a window: it eats arguments, and `--help` must not wait for it. Nor do the
windows wait for the store, the line to the centre and the rest of the station: those are imported after the first frame.
Exit codes: 0 done or let through, 1 the answer is no, 2 wrong usage or configuration.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import NoReturn

import click

from broker.contract.settings import SettingsError
from broker.contract.version import __version__
from kiosk.station.settings import load_gate, load_lobby, load_terminal

MAX_STDIN = 1024 * 1024

_config = click.option(
    "--config",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The terminal's configuration, a TOML file (annotated examples: config/demo).",
)
_pilot = click.option(
    "--pilot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Make a socket here by which a script can drive the window (demonstrations, tests).",
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: kiosk lobby --config config/demo/lobby.toml",
)
@click.version_option(__version__, prog_name="kiosk")
def main() -> None:
    """Terminals of the front desk: the visitors' in the lobby, the guards' at a gate."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )


@main.command(epilog="Example: kiosk lobby --config config/demo/lobby.toml")
@_config
@_pilot
def lobby(config: Path, pilot: Path | None) -> None:
    """Run the visitors' terminal."""
    try:
        settings = load_lobby(config)
        from kiosk.lobby.app import run

        sys.exit(run(settings, pilot=pilot))
    except SettingsError as error:
        _stop(error)


@main.command(epilog="Example: kiosk gate --config config/demo/gate.toml")
@_config
@_pilot
def gate(config: Path, pilot: Path | None) -> None:
    """Run a guards' post."""
    try:
        settings = load_gate(config)
        from kiosk.gate.app import run

        sys.exit(run(settings, pilot=pilot))
    except SettingsError as error:
        _stop(error)


@main.command(epilog="Example: kiosk verdict - --config config/demo/gate.toml --json < scanned.txt")
@click.argument("text")
@_config
@click.option(
    "--direction", type=click.Choice(["in", "out"]), help="Which way; else as the gate is configured."
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def verdict(text: str, config: Path, direction: str | None, as_json: bool) -> None:
    """Say what the gate would say to TEXT now; uses nothing up.

    TEXT may be `-`: read it from standard input, so that a pass doesn't stand in the process list.
    Exit code 0: let through (admitted, or leaving). 1: refused.
    """
    from broker.contract.verdict import Direction, Outcome
    from kiosk.gate.post import look
    from kiosk.station.store import StoreError

    if text == "-":
        text = sys.stdin.buffer.read(MAX_STDIN).decode("utf-8", "replace").strip("\r\n")
    try:
        found, way = look(text, load_gate(config), Direction(direction) if direction else None)
    except (SettingsError, StoreError) as error:
        _stop(error)
    vpass = found.vpass
    if as_json:
        said: dict[str, object] = {
            "outcome": found.outcome.value,
            "reason": found.reason.value,
            "direction": way.value,
            "pass": None
            if vpass is None
            else {
                "cti": vpass.cti.hex(),
                "kid": vpass.kid,
                "not_before": vpass.not_before,
                "expires": vpass.expires,
                "site": vpass.site,
                "areas": vpass.areas,
                "entries": vpass.entries,
                "mode": vpass.mode,
            },
        }
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        click.echo(f"{found.outcome.value}: {found.reason.value} ({way.value})")
    sys.exit(1 if found.outcome is Outcome.REFUSED else 0)


@main.command("set-pin", epilog="Example: kiosk set-pin --config config/demo/lobby.toml")
@_config
def set_pin_command(config: Path) -> None:
    """Set the staff PIN of a lobby terminal, typed or from standard input.

    With it a colleague decides at the terminal while the service centre is out of reach.
    """
    from kiosk.station.pin import PinError, set_pin

    try:
        settings = load_lobby(config)
        if sys.stdin.isatty():
            pin = click.prompt("New staff PIN", hide_input=True, confirmation_prompt=True)
        else:
            pin = sys.stdin.readline(256).rstrip("\r\n")
        set_pin(settings.folder, pin)
    except (SettingsError, PinError, OSError) as error:
        _stop(error)
    click.echo(f"The staff PIN of {settings.station} is set.")


@main.command(epilog="Example: kiosk anchors --config config/demo/lobby.toml --json > lobby-1.json")
@_config
@click.option("--json", "as_json", is_flag=True, help="Print them as `broker verify --anchors` reads them.")
def anchors(config: Path, as_json: bool) -> None:
    """Show what the centre acknowledged to this terminal: up to where, and with which hash.

    Kept here, out of the centre's reach: a log that was rewritten there is found out by `broker verify --anchors`.
    """
    from kiosk.station.store import ReadOnlyStore, StoreError

    try:
        terminal = load_terminal(config)
        store = ReadOnlyStore(terminal.folder)
    except (SettingsError, StoreError) as error:
        _stop(error)
    rows = store.rows("SELECT epoch, log, seq, head_hash, at FROM anchor ORDER BY at, seq")
    store.close()
    if as_json:
        kept = [{key: row[key] for key in ("epoch", "log", "seq", "head_hash")} for row in rows]
        click.echo(json.dumps({"site": terminal.site, "station": terminal.station, "anchors": kept}))
    else:
        for row in rows:
            click.echo(f"{row['at']}  {row['log']}  {row['seq']:>8}  {row['head_hash']}")


def _stop(error: Exception) -> NoReturn:
    """A person gets a sentence, not a traceback."""
    click.echo(str(error), err=True)
    sys.exit(2)
