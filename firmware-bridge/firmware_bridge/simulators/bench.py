"""A bench of simulated devices in one folder: a line each, under a name that stays, and one owner at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from firmware_bridge.simulators.printer import PrinterSimulator
from firmware_bridge.simulators.reader import IdReaderSimulator
from firmware_bridge.simulators.scanner import CodeScannerSimulator

KINDS = {
    "id-reader": "id_reader",
    "printer": "ticket_printer",
    "scanner": "code_scanner",
    "gate-scanner": "code_scanner",
}
"""The devices there are to simulate, by name, and what kind each is."""

Device = IdReaderSimulator | PrinterSimulator | CodeScannerSimulator


class SimulatorsError(RuntimeError):
    """The message is a sentence for a person."""


def default_folder() -> Path:
    """Where simulated devices live: FRONTDESK_DEVICES, else var/devices."""
    return Path(os.environ.get("FRONTDESK_DEVICES") or "var/devices")


class Simulators:
    """Simulated devices in `folder`, made on entering and gone on leaving. `devices`: names out of KINDS, all by default.

    Raises SimulatorsError on entering a folder where others are running.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        devices: Iterable[str] = tuple(KINDS),
        paper: int = 80,
        font: str | None = None,
    ) -> None:
        self.folder = Path(folder).absolute()
        self._names = tuple(devices)
        unknown = [name for name in self._names if name not in KINDS]
        if unknown:
            raise SimulatorsError(
                f"There is no simulated device {unknown[0]!r}; there are {', '.join(KINDS)}."
            )
        self._paper, self._font = paper, font
        self._devices: dict[str, Device] = {}
        self._lock: int | None = None

    def start(self) -> Simulators:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            self._lock = None
            raise SimulatorsError(
                f"Simulated devices are running in {self.folder} already. Stop them, or name another folder with --dir."
            ) from None
        for name in self._names:
            self._devices[name] = self._make(name)
            self._devices[name].wire.start()
        return self

    def stop(self) -> None:
        for device in self._devices.values():
            device.wire.close()
        self._devices = {}
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Simulators:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __getitem__(self, name: str) -> Device:
        if name not in self._devices:
            raise SimulatorsError(
                f"No device {name!r} is running here; there are {', '.join(self._devices)}."
            )
        return self._devices[name]

    @property
    def reader(self) -> IdReaderSimulator:
        device = self["id-reader"]
        assert isinstance(device, IdReaderSimulator)
        return device

    @property
    def printer(self) -> PrinterSimulator:
        device = self["printer"]
        assert isinstance(device, PrinterSimulator)
        return device

    @property
    def scanner(self) -> CodeScannerSimulator:
        return self.scanner_named("scanner")

    def scanner_named(self, name: str) -> CodeScannerSimulator:
        """`scanner` or `gate-scanner`."""
        device = self[name]
        if not isinstance(device, CodeScannerSimulator):
            raise SimulatorsError(f"{name} is no scanner.")
        return device

    @property
    def ports(self) -> dict[str, Path]:
        """Where to open each device; the path stays the same over an unplug and a replug."""
        return {name: device.wire.path for name, device in self._devices.items()}

    def unplug(self, name: str) -> None:
        self[name].unplug()

    def replug(self, name: str) -> None:
        self[name].replug()

    def _make(self, name: str) -> Device:
        path = self.folder / name
        match KINDS[name]:
            case "id_reader":
                return IdReaderSimulator(path)
            case "ticket_printer":
                return PrinterSimulator(path, self.folder / "receipts", paper=self._paper, font=self._font)
            case _:
                return CodeScannerSimulator(path)
