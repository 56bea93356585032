"""`firmware-bridge`: what a technician needs to connect devices, and simulated devices for a desk without any."""

from __future__ import annotations

import json
import logging
import queue
import time
from datetime import date
from typing import Any

import click

from firmware_bridge.capabilities import (
    Align,
    CardWarning,
    DeviceHealth,
    Feed,
    IdCard,
    Line,
    LinkState,
    Pair,
    PrintOutcome,
    PrintState,
    QrCode,
    ReaderTrouble,
    Rule,
    Ticket,
)
from firmware_bridge.config import IdReaderSettings, TicketPrinterSettings
from firmware_bridge.hub import Hub
from firmware_bridge.probe import Finding, ports, probe
from firmware_bridge.protocols.idcard import LONG_TERM, masked
from firmware_bridge.simulate import simulate

SPEEDS = ["9600", "19200", "38400", "57600", "115200"]

NO_LINK = {
    "unplugged": "There is no port {port}. Check the cable, and find its name with: firmware-bridge probe",
    "busy": "Another program is using {port}. Stop it (a running kiosk, most likely), then try again.",
    "forbidden": "You may not open {port}. Run: sudo usermod -aG dialout $USER   then log in again.",
    "unopenable": "{port} can't be opened as a serial port. Find the right one with: firmware-bridge probe",
    "no_answer": "Nobody answers on {port}. Check the device's power, its cable, and --baudrate.",
    "reader_fault": "The reader on {port} reports that its security module failed. It needs its maker's service.",
}
TROUBLES = {
    ReaderTrouble.KEEP_STILL: "The card was moved too early. Lift it, put it back, and keep it still.",
    ReaderTrouble.NOT_READABLE: "This card can't be read. Lift it, turn it over, and try once more, or try another card.",
    ReaderTrouble.OTHER_CARD: "This is no resident identity card.",
}
PRINT_REASONS = {
    "paper_out": "The printer is out of paper. Put in a new roll, then try again.",
    "cover_open": "The printer's cover is open. Close it, then try again.",
    "error": "The printer reports an error: look at its cutter and its lamp.",
    "offline": "The printer is offline. Check its power and its lamp.",
    "too_late": "The printer took no data for too long.",
    "no_status": "The printer doesn't report its status: look whether the paper came out.",
}


@click.group()
@click.version_option(package_name="frontdesk", prog_name="firmware-bridge")
def main() -> None:
    """Connect an identity card reader, a receipt printer and a code scanner.

    \b
    Example:
      firmware-bridge probe
      firmware-bridge read-card --port /dev/ttyUSB0 --json
    """
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


@main.command("probe")
@click.option("--port", "wanted", multiple=True, help="This port only; may be given several times.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def probe_command(wanted: tuple[str, ...], as_json: bool) -> None:
    """See which serial ports there are, who answers on each, and what to write in the configuration.

    Questions go out on every port: name one with --port where something else hangs on another. Exit code 1 when nobody
    answers.

    \b
    Example:
      firmware-bridge probe --port /dev/ttyUSB0
    """
    findings: list[Finding] = []
    for port in wanted or ports():
        finding = probe(port)
        findings.append(finding)
        if not as_json:
            click.echo(_told(finding))
    if as_json:
        click.echo(json.dumps([_as_json(finding) for finding in findings], ensure_ascii=False, indent=2))
    elif not findings:
        click.echo("This machine has no serial port. Plug a device in, and wait a second.")
    if not any(finding.kind for finding in findings):
        raise click.exceptions.Exit(1)


def _as_json(finding: Finding) -> dict[str, Any]:
    return {
        "port": finding.port,
        "stable": finding.stable,
        "kind": finding.kind or None,
        "baudrate": finding.baudrate or None,
        "identity": finding.identity or None,
        "status": finding.status or None,
        "reason": finding.reason or None,
        "settings": finding.settings or None,
    }


def _told(finding: Finding) -> str:
    match finding.kind:
        case "id_reader":
            return f"{finding.port}: identity card reader {finding.identity}, {finding.baudrate} baud\n\n{finding.settings}"
        case "ticket_printer":
            state = [name for name, value in finding.status.items() if value] or ["no status"]
            return f"{finding.port}: receipt printer ({', '.join(state)}), {finding.baudrate} baud\n\n{finding.settings}"
        case _ if finding.reason == "no_answer":
            return (
                f"{finding.port}: no answer. A scanner never answers; a printer may not. Try: firmware-bridge print-test"
                f" --port {finding.port}"
            )
        case _:
            return f"{finding.port}: " + NO_LINK[finding.reason].format(port=finding.port)


@main.command("read-card")
@click.option(
    "--port", required=True, help="A path such as /dev/ttyUSB0, or a URL such as socket://host:port."
)
@click.option("--baudrate", type=click.Choice(SPEEDS), default="115200", show_default=True)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1),
    default=30.0,
    show_default=True,
    help="Seconds to wait for a card.",
)
@click.option("--full", is_flag=True, help="Show the whole number instead of 110105********002X.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; dates YYYY-MM-DD, valid_to null for 长期.")
def read_card(port: str, baudrate: str, timeout: float, full: bool, as_json: bool) -> None:
    """Wait for a resident identity card and show what is on it.

    \b
    Example:
      firmware-bridge read-card --port /dev/ttyUSB0 --json
    """
    news: queue.Queue[IdCard | ReaderTrouble | DeviceHealth] = queue.Queue()
    settings = IdReaderSettings(name="id-reader", resource=_resource(port), baudrate=_baudrate(baudrate))
    with Hub([settings], news.put) as hub:
        assert hub.reader is not None
        hub.reader.start(news.put, news.put)
        end = time.monotonic() + timeout
        while True:
            try:
                item = news.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise click.ClickException(
                    f"No card was read in {timeout:g} s. Put one on the reader, then try again."
                ) from None
            match item:
                case IdCard():
                    break
                case DeviceHealth():
                    _check(item, port)
                    click.echo("Put a card on the reader.", err=True)
                case ReaderTrouble() if item in TROUBLES:
                    click.echo(TROUBLES[item], err=True)
                case _:
                    pass  # the health of the link says the same, in more words
    fields = _card_fields(item, full=full)
    if as_json:
        click.echo(json.dumps(fields, ensure_ascii=False, indent=2))
    else:
        if fields["valid_to"] is None and CardWarning.VALIDITY_UNCLEAR not in item.warnings:
            fields["valid_to"] = LONG_TERM
        for name, value in fields.items():
            click.echo(f"{name}: {', '.join(value) if isinstance(value, list) else value or '-'}")


def _card_fields(card: IdCard, *, full: bool) -> dict[str, Any]:
    def day(value: date | None) -> str | None:
        return value.isoformat() if value else None

    return {
        "type": card.type.value,
        "name": card.name,
        "sex": card.sex,
        "nation": card.nation,
        "birth": day(card.birth),
        "address": card.address,
        "number": card.number if full else masked(card.number),
        "issuer": card.issuer,
        "valid_from": day(card.valid_from),
        "valid_to": day(card.valid_to),
        "warnings": [warning.value for warning in card.warnings],
    }


@main.command("print-test")
@click.option(
    "--port", required=True, help="A path such as /dev/ttyUSB1, or a URL such as socket://host:port."
)
@click.option("--baudrate", type=click.Choice(SPEEDS), default="115200", show_default=True)
@click.option(
    "--width", type=click.Choice(["58", "80"]), default="80", show_default=True, help="Paper in mm."
)
@click.option("--qr", type=click.Choice(["native", "raster"]), default="native", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def print_test(port: str, baudrate: str, width: str, qr: str, as_json: bool) -> None:
    """Print a test receipt: Chinese, columns, sizes, a QR code, the cut.

    Exit code 1 when it is known not to have been printed, or it stopped on the way.

    \b
    Example:
      firmware-bridge print-test --port /dev/ttyUSB1 --width 58
    """
    settings = TicketPrinterSettings(
        name="printer",
        resource=_resource(port),
        baudrate=_baudrate(baudrate),
        paper_width=58 if width == "58" else 80,
        qr="raster" if qr == "raster" else "native",
    )
    outcome = _print(settings, port)
    if as_json:
        click.echo(json.dumps({"outcome": outcome.state.value, "reason": outcome.reason}))
    elif outcome.state is PrintState.PRINTED:
        click.echo(
            "Printed. Scan the code on it: it says FRONTDESK TEST. If it isn't there, use --qr raster."
        )
    else:
        click.echo(PRINT_REASONS.get(outcome.reason) or NO_LINK[outcome.reason].format(port=port), err=True)
    if outcome.state is not PrintState.PRINTED and outcome.reason != "no_status":
        raise click.exceptions.Exit(1)


def _print(settings: TicketPrinterSettings, port: str) -> PrintOutcome:
    news: queue.Queue[DeviceHealth] = queue.Queue()
    outcomes: queue.Queue[PrintOutcome] = queue.Queue()
    with Hub([settings], news.put) as hub:
        assert hub.printer is not None
        _check(news.get(timeout=30), port)
        hub.printer.print_ticket(_test_ticket(settings.paper_width), outcomes.put, within=30)
        return outcomes.get(timeout=40)


def _test_ticket(paper: int) -> Ticket:
    ruler = "1234567890" * 5
    return Ticket(
        "test",
        (
            Line("打印测试", Align.CENTRE, scale=2, bold=True),
            Line("Test receipt", Align.CENTRE),
            Rule(),
            Line(ruler[: 32 if paper == 58 else 48]),
            Pair("纸宽", f"{paper} mm"),
            Pair("金额", "￥0.00"),
            Line("标点：“您好”——请看，是否对齐·……"),
            Line("加粗 bold", bold=True),
            Line("靠右 right", Align.RIGHT),
            Rule(),
            QrCode("FRONTDESK TEST"),
            Line("FRONTDESK TEST", Align.CENTRE),
            Feed(),
        ),
    )


def _check(health: DeviceHealth, port: str) -> None:
    """Raises ClickException with a next step when the device can't be talked to."""
    if health.state is not LinkState.READY and health.reason in NO_LINK:
        raise click.ClickException(NO_LINK[health.reason].format(port=port))


def _resource(port: str) -> str:
    return port if "://" in port else f"serial:{port}"


def _baudrate(text: str) -> Any:
    """click's choices are text; they are among the settings' speeds."""
    return int(text)


main.add_command(simulate)

if __name__ == "__main__":
    main()
