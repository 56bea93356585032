"""Finds out what hangs on serial ports: who answers beats any name. Printers are asked first, as a question to a reader
could end up as garbage on paper; a scanner can't be asked at all, so a silent port may be one."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from serial.tools import list_ports

from firmware_bridge.link.port import LinkLostError, OpenError, Port, StalledError
from firmware_bridge.protocols import escpos, sdt
from firmware_bridge.protocols.sdt import Command, Reply, Status

PRINTER_SPEEDS = (115200, 9600, 19200, 38400)
READER_SPEEDS = (115200, 9600, 19200, 38400, 57600)
_NAMES = Path("/dev/serial")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one port is. `kind` "" where nobody answered, with `reason`; `identity` a reader's SAM id; `stable` the name to configure."""

    port: str
    stable: str
    kind: str = ""
    baudrate: int = 0
    identity: str = ""
    status: dict[str, bool | None] = field(default_factory=dict[str, "bool | None"])
    reason: str = ""

    @property
    def settings(self) -> str:
        """What to write in the configuration; "" for a silent port."""
        if not self.kind:
            return ""
        name = {"id_reader": "id-reader", "ticket_printer": "printer"}[self.kind]
        resource = self.stable if "://" in self.stable else f"serial:{self.stable}"
        return f'[[devices]]\nkind = "{self.kind}"\nname = "{name}"\nresource = "{resource}"\nbaudrate = {self.baudrate}\n'


def ports() -> list[str]:
    """The serial ports of this machine."""
    return sorted(port.device for port in list_ports.comports())


def stable_name(port: str, names: Path = _NAMES) -> str:
    """A name that stays when other devices are plugged in: by-id where the adapter has a serial number, else by-path.

    An adapter without one (CH340) shares its by-id name with every other of its make, so its place is what tells it.
    """
    serials = {info.device: info.serial_number for info in list_ports.comports()}
    order = ("by-id", "by-path") if serials.get(port) else ("by-path", "by-id")
    for kind in order:
        for link in sorted((names / kind).glob("*")):
            if link.resolve() == Path(port).resolve():
                return str(link)
    return port


def probe(port: str) -> Finding:
    """Ask who is there, at the usual speeds. Takes up to four seconds where nobody answers."""
    stable = stable_name(port)
    try:
        for baudrate in PRINTER_SPEEDS:
            replies = _printer(port, baudrate)
            if replies:
                status = escpos.status_of(replies)
                known = ("online", "cover_open", "paper_out", "paper_near_end", "error")
                found = {name: getattr(status, name) for name in known}
                return Finding(port, stable, "ticket_printer", baudrate, status=found)
        for baudrate in READER_SPEEDS:
            identity = _reader(port, baudrate)
            if identity is not None:
                return Finding(port, stable, "id_reader", baudrate, identity=identity)
    except OpenError as error:
        return Finding(port, stable, reason=error.reason)
    except (LinkLostError, StalledError):
        return Finding(port, stable, reason="unplugged")
    return Finding(port, stable, reason="no_answer")


def _printer(port: str, baudrate: int) -> dict[int, int]:
    """Status answers by kind; empty where the first isn't answered."""
    line = Port(port, baudrate)
    try:
        replies: dict[int, int] = {}
        for kind in escpos.STATUS_KINDS:
            line.write(escpos.ask_status(kind))
            chunk = line.read(0.3)
            if chunk is None or len(chunk.data) != 1 or not escpos.is_status(chunk.data[0]):
                break
            replies[kind] = chunk.data[0]
        return replies
    finally:
        line.close()


def _reader(port: str, baudrate: int) -> str | None:
    """The SAM id, "" where only the status is answered, None where nobody answers."""
    line = Port(port, baudrate)
    try:
        status = _ask(line, Command.SAM_STATUS)
        if status is None:
            return None
        identity = _ask(line, Command.SAM_ID)
        return sdt.sam_id(identity.data) if identity and identity.status == Status.OK else ""
    finally:
        line.close()


def _ask(line: Port, command: Command) -> Reply | None:
    framer = sdt.Framer.for_replies()
    line.discard()
    line.write(sdt.Request(command).encode())
    end = time.monotonic() + sdt.seconds_for(command)
    while (left := end - time.monotonic()) > 0:
        chunk = line.read(left)
        bodies: Iterable[object] = framer.feed(chunk.data) if chunk else ()
        for body in bodies:
            if isinstance(body, bytes) and sdt.answers(command, reply := Reply.of(body)):
                return reply
    return None
