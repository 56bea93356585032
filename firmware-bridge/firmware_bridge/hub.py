"""Which devices a terminal has, and how each is doing.

with Hub(settings.devices, on_health=print, folder=config.parent) as hub:
    hub.reader.start(on_card, on_trouble)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from firmware_bridge.capabilities import CodeScanner, DeviceHealth, IdReader, TicketPrinter
from firmware_bridge.config import (
    CodeScannerSettings,
    DeviceSettings,
    IdReaderSettings,
    TicketPrinterSettings,
)
from firmware_bridge.drivers.line_scanner import LineScanner
from firmware_bridge.drivers.sdt_reader import SdtReader
from firmware_bridge.drivers.ticket_printer import EscposPrinter
from firmware_bridge.link.supervisor import Link


class Hub:
    """The devices in `devices`, at most one of a kind. Accessors are None where none of the kind is configured.

    `on_health` is called from a device's thread when it becomes ready, ceases to be, or the reason changes. Relative
    paths in the settings are taken from `folder`.

    Raises:
        ValueError: two devices of one kind, or with one name.
    """

    def __init__(
        self,
        devices: Sequence[DeviceSettings],
        on_health: Callable[[DeviceHealth], None] | None = None,
        *,
        folder: Path | None = None,
    ) -> None:
        for what in ("name", "kind"):
            values = [str(getattr(device, what)) for device in devices]
            twice = next((value for value in values if values.count(value) > 1), None)
            if twice:
                raise ValueError(
                    f"Two devices have the {what} {twice!r}: give one of them another, or leave it out."
                )
        self.reader: IdReader | None = None
        self.printer: TicketPrinter | None = None
        self.scanner: CodeScanner | None = None
        self._on_health = on_health or (lambda _: None)
        self._links = [self._link(device, folder) for device in devices]

    def start(self) -> None:
        """Begin to open the devices; returns at once."""
        for link in self._links:
            link.start()

    def stop(self) -> None:
        """Close all devices; tickets not yet printed end as failed or unknown."""
        for link in self._links:
            link.stop()

    def health(self) -> tuple[DeviceHealth, ...]:
        """How each device is doing now, in the order of the settings."""
        return tuple(link.health() for link in self._links)

    def __enter__(self) -> Hub:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _link(self, device: DeviceSettings, folder: Path | None) -> Link:
        match device:
            case IdReaderSettings():
                driver = self.reader = SdtReader(poll_seconds=device.poll_seconds)
            case TicketPrinterSettings():
                driver = self.printer = EscposPrinter(
                    paper=device.paper_width,
                    qr=device.qr,
                    print_speed=device.print_speed,
                    baudrate=device.baudrate,
                )
            case CodeScannerSettings():
                driver = self.scanner = LineScanner(suffix=device.suffix, idle_gap=device.idle_gap)
        link = Link(
            device.name,
            device.kind,
            device.port(folder),
            device.baudrate,
            driver,
            lambda health: self._on_health(health),
        )
        if not isinstance(driver, LineScanner):
            driver.wake = link.wake
        return link
