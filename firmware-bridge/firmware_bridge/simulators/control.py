"""Drives running simulated devices from another process: JSON lines over a Unix socket in their folder, its owner's only.

    {"do": "scan", "device": "scanner", "text": "VP1…"}  →  {"ok": true, "result": null}

A request that can't be done is answered `{"ok": false, "error": "a sentence"}`.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from firmware_bridge.simulators.bench import KINDS, Simulators, SimulatorsError
from firmware_bridge.simulators.printer import PrinterSimulator
from firmware_bridge.simulators.reader import IdReaderSimulator, specimen

SOCKET = "control.sock"
_LONGEST = 1 << 20

CONDITIONS: dict[str, Callable[[PrinterSimulator], None]] = {
    "paper-out": PrinterSimulator.paper_out,
    "paper-ok": PrinterSimulator.paper_ok,
    "near-end": PrinterSimulator.near_end,
    "cover-open": PrinterSimulator.cover_open,
    "cover-closed": PrinterSimulator.cover_closed,
    "cutter-jams": PrinterSimulator.cutter_jams,
    "cutter-freed": PrinterSimulator.cutter_freed,
    "silent": PrinterSimulator.silent,
    "answering": PrinterSimulator.answering,
}


@contextmanager
def serving(simulators: Simulators) -> Iterator[Path]:
    """Answer requests for as long as the context lasts; yields the socket's path."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in iter(lambda: self.rfile.readline(_LONGEST), b""):
                self.wfile.write(json.dumps(_answer(simulators, line), ensure_ascii=False).encode() + b"\n")

    path = simulators.folder / SOCKET
    path.unlink(missing_ok=True)
    with _short(path) as address, _Server(address, Handler) as server:
        path.chmod(0o600)
        thread = threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True)
        thread.start()
        try:
            yield path
        finally:
            server.shutdown()
            path.unlink(missing_ok=True)


def ask(folder: Path, do: str, **arguments: Any) -> Any:
    """Have the devices running in `folder` do something. Raises SimulatorsError with a sentence when that isn't possible."""
    try:
        with _short(folder / SOCKET) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(30)
            line.connect(address)
            line.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
            answer = json.loads(line.makefile("rb").readline() or b"{}")
    except (OSError, ValueError):
        raise SimulatorsError(
            f"No simulated devices are running in {folder}. Start them with: firmware-bridge simulate run --dir {folder}"
        ) from None
    if not answer.get("ok"):
        raise SimulatorsError(str(answer.get("error", "The simulated devices gave no answer.")))
    return answer.get("result")


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name for `path` that fits a socket address (108 bytes), however deep its folder lies."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _answer(simulators: Simulators, line: bytes) -> dict[str, Any]:
    try:
        request: dict[str, Any] = json.loads(line)
        act = _ACTS.get(request.pop("do", ""))
        if act is None:
            raise SimulatorsError(f"There is no such request; there are {', '.join(_ACTS)}.")
        return {"ok": True, "result": act(simulators, request)}
    except (SimulatorsError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        return {"ok": False, "error": str(error) or type(error).__name__}


def _status(simulators: Simulators, _: dict[str, Any]) -> dict[str, Any]:
    devices: dict[str, dict[str, Any]] = {}
    for name, port in simulators.ports.items():
        device = simulators[name]
        devices[name] = {"kind": KINDS[name], "port": str(port), "plugged": device.wire.plugged}
        match device:
            case IdReaderSimulator():
                devices[name] |= {"card": device.state.value, "reads": device.reads}
            case PrinterSimulator():
                devices[name] |= asdict(device.condition) | {"receipts": len(device.receipts)}
            case _:
                pass
    return {"folder": str(simulators.folder), "devices": devices}


def _place(simulators: Simulators, card: dict[str, Any]) -> None:
    """The specimen's card, with what the request says otherwise; dates as YYYY-MM-DD, `valid_to` null for 长期."""
    flag = card.pop("flag", " ")
    for name in ("birth", "valid_from", "valid_to"):
        if card.get(name):
            card[name] = date.fromisoformat(card[name])
    simulators.reader.place(specimen(**card), flag=flag)


def _printer(simulators: Simulators, request: dict[str, Any]) -> None:
    if request["condition"] not in CONDITIONS:
        raise SimulatorsError(
            f"There is no condition {request['condition']!r}; there are {', '.join(CONDITIONS)}."
        )
    CONDITIONS[request["condition"]](simulators.printer)


def _receipts(simulators: Simulators, _: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"path": str(receipt.path), "text": receipt.text, "qr": list(receipt.qr)}
        for receipt in simulators.printer.receipts
    ]


def _scan(simulators: Simulators, request: dict[str, Any]) -> None:
    scanner = simulators.scanner_named(request.get("device", "scanner"))
    if not scanner.scan(request["text"], encoding=request.get("encoding", "utf-8")):
        raise SimulatorsError("The scanner is unplugged, or nobody reads from it.")


def _rubbish(simulators: Simulators, request: dict[str, Any]) -> None:
    """Bytes without an end: letters, or every byte there is."""
    scanner = simulators.scanner_named(request.get("device", "scanner"))
    pattern = bytes(range(256)) if request.get("binary") else b"RUBBISH "
    count = int(request["count"])
    if not scanner.send((pattern * (count // len(pattern) + 1))[:count]):
        raise SimulatorsError("The scanner is unplugged, or nobody reads from it.")


_ACTS: dict[str, Callable[[Simulators, dict[str, Any]], Any]] = {
    "status": _status,
    "card.place": _place,
    "card.remove": lambda simulators, _: simulators.reader.remove(),
    "reader.fault": lambda simulators, request: simulators.reader.fault(
        request["fault"], request.get("times")
    ),
    "printer": _printer,
    "receipts": _receipts,
    "scan": _scan,
    "rubbish": _rubbish,
    "unplug": lambda simulators, request: simulators.unplug(request["device"]),
    "replug": lambda simulators, request: simulators.replug(request["device"]),
}
