"""`firmware-bridge simulate …`: run simulated devices, and play the people and mishaps around them."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click

from firmware_bridge.simulators import KINDS, Fault, Simulators, SimulatorsError, default_folder
from firmware_bridge.simulators.control import CONDITIONS, ask, serving

folder_option = click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_folder,
    show_default="$FRONTDESK_DEVICES or var/devices",
    help="Where the simulated devices are.",
)
device_option = click.option(
    "--device",
    type=click.Choice([name for name, kind in KINDS.items() if kind == "code_scanner"]),
    default="scanner",
    show_default=True,
)


def _ask(folder: Path, do: str, **arguments: Any) -> Any:
    try:
        return ask(folder, do, **arguments)
    except SimulatorsError as error:
        raise click.ClickException(str(error)) from None


@click.group()
def simulate() -> None:
    """Simulated devices on pseudo-terminals: run them, place cards, take paper out, scan.

    \b
    Example:
      firmware-bridge simulate run --dir var/devices &
      firmware-bridge simulate card place --name 张伟
    """


@simulate.command()
@folder_option
@click.option(
    "--devices",
    default=",".join(KINDS),
    show_default=True,
    help="Which devices, with commas between them.",
)
@click.option("--width", type=click.Choice(["58", "80"]), default="80", help="The printer's paper, in mm.")
@click.option(
    "--font",
    type=click.Path(exists=True, dir_okay=False),
    help="Font file for receipts, instead of the built-in one.",
)
def run(folder: Path, devices: str, width: str, font: str | None) -> None:
    """Run simulated devices until interrupted."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    try:
        names = [name.strip() for name in devices.split(",") if name.strip()]
        with (
            Simulators(folder, devices=names, paper=int(width), font=font) as simulators,
            serving(simulators),
        ):
            for name, port in simulators.ports.items():
                click.echo(f"{name}: {port}")
            click.echo(
                "Simulated devices are running; see firmware-bridge simulate --help. Ctrl-C ends them."
            )
            sys.stdout.flush()
            over.wait()
    except SimulatorsError as error:
        raise click.ClickException(str(error)) from None


@simulate.group()
def card() -> None:
    """The visitor's identity card."""


@card.command()
@folder_option
@click.option("--name", help="Default 张伟.")
@click.option(
    "--number", help="Default 34052419800101001X, a published specimen; sex and birth follow from it."
)
@click.option("--sex", type=click.Choice(["male", "female", "unknown", "unstated"]))
@click.option("--nation", help="By name, e.g. 回.")
@click.option("--birth", help="YYYY-MM-DD.")
@click.option("--address")
@click.option("--issuer")
@click.option("--valid-from", help="YYYY-MM-DD.")
@click.option("--valid-to", help="YYYY-MM-DD, or 长期.")
@click.option("--flag", type=click.Choice(["J", "I", "Y"]), help="Another kind of card.")
def place(folder: Path, **fields: str | None) -> None:
    """Put a card on the reader: an invented person's, unless told otherwise."""
    given: dict[str, str | None] = {name: value for name, value in fields.items() if value is not None}
    if given.get("valid_to") == "长期":
        given["valid_to"] = None
    _ask(folder, "card.place", **given)


@card.command()
@folder_option
def remove(folder: Path) -> None:
    """Take the card away."""
    _ask(folder, "card.remove")


@simulate.command()
@folder_option
@click.argument("device", type=click.Choice(["reader"]))
@click.argument("fault", type=click.Choice([fault.value for fault in Fault]))
@click.option("--times", type=click.IntRange(1), help="For so many replies; until `none` when left out.")
def fault(folder: Path, device: str, fault: str, times: int | None) -> None:
    """Make the reader's replies go wrong."""
    _ask(folder, f"{device}.fault", fault=fault, times=times)


@simulate.command()
@folder_option
@click.argument("condition", type=click.Choice(list(CONDITIONS)))
def printer(folder: Path, condition: str) -> None:
    """Take the printer's paper out, open its cover, and so on."""
    _ask(folder, "printer", condition=condition)


@simulate.command()
@folder_option
@device_option
@click.option("--encoding", type=click.Choice(["utf-8", "gbk"]), default="utf-8")
@click.argument("text")
def scan(folder: Path, device: str, encoding: str, text: str) -> None:
    """Hold a code with TEXT in front of a scanner."""
    _ask(folder, "scan", device=device, text=text, encoding=encoding)


@simulate.command()
@folder_option
@device_option
@click.option("--count", type=click.IntRange(1, 10_000_000), default=1_000_000, help="How many bytes.")
@click.option("--binary", is_flag=True, help="Every byte there is, instead of letters.")
def rubbish(folder: Path, device: str, count: int, binary: bool) -> None:
    """Have a scanner send bytes without an end."""
    _ask(folder, "rubbish", device=device, count=count, binary=binary)


@simulate.command()
@folder_option
@click.argument("device", type=click.Choice(list(KINDS)))
def unplug(folder: Path, device: str) -> None:
    """Pull a device's cable out."""
    _ask(folder, "unplug", device=device)


@simulate.command()
@folder_option
@click.argument("device", type=click.Choice(list(KINDS)))
def replug(folder: Path, device: str) -> None:
    """Plug a device's cable in again."""
    _ask(folder, "replug", device=device)


@simulate.command()
@folder_option
@click.option("--json", "as_json", is_flag=True)
def receipts(folder: Path, as_json: bool) -> None:
    """What was printed. A pass's text lets its bearer in: keep it to yourself."""
    found = _ask(folder, "receipts")
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for receipt in found:
        click.echo(f"{receipt['path']}\n{receipt['text']}\n" + "".join(f"QR: {qr}\n" for qr in receipt["qr"]))


@simulate.command()
@folder_option
@click.option("--json", "as_json", is_flag=True)
def status(folder: Path, as_json: bool) -> None:
    """Which devices are running, and how they are."""
    found = _ask(folder, "status")
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for name, device in found["devices"].items():
        state = [key for key, value in device.items() if value is True]
        if "card" in device:
            state.append(device["card"])
        click.echo(f"{name}: {device['port']} ({', '.join(state) or 'unplugged'})")
