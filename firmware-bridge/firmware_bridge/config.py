"""Which devices there are, as settings: a list of these stands in a terminal's configuration under `[[devices]]`.

The resource says where a device is, the driver how it is spoken to, the kind what it can do. A kind has its own options,
so that a printer's option on a scanner is an error that names the key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

Name = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]{0,31}$")]
Baudrate = Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400]
_LOCAL = "serial:"


class _Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", kw_only=True):
    """What every device has. `resource`: `serial:/dev/…`, or a pyserial URL such as `socket://host:port`."""

    name: Name
    resource: str
    baudrate: Baudrate = 115200

    def __post_init__(self) -> None:
        if not (self.resource.startswith(_LOCAL) or "://" in self.resource):
            raise ValueError(
                f"resource {self.resource!r} is neither serial:/dev/… nor a URL such as socket://…"
            )

    @property
    def kind(self) -> str:
        return str(self.__struct_config__.tag)

    def port(self, folder: Path | None = None) -> str:
        """What to open: a path (a relative one is taken from `folder`) or a URL."""
        if not self.resource.startswith(_LOCAL):
            return self.resource
        return str((folder or Path()).joinpath(self.resource.removeprefix(_LOCAL)))


class IdReaderSettings(_Device, frozen=True, tag="id_reader"):
    """A resident-card reader. `poll_seconds` between two looks for a card."""

    driver: Literal["sdt"] = "sdt"
    poll_seconds: Annotated[float, msgspec.Meta(ge=0.05, le=5)] = 0.3


class TicketPrinterSettings(_Device, frozen=True, tag="ticket_printer"):
    """A receipt printer. `paper_width` and `print_speed` in mm and mm/s, `qr` how it is given a QR code."""

    driver: Literal["escpos"] = "escpos"
    paper_width: Literal[58, 80] = 80
    qr: Literal["native", "raster"] = "native"
    print_speed: Annotated[int, msgspec.Meta(ge=20, le=2000)] = 100


class CodeScannerSettings(_Device, frozen=True, tag="code_scanner"):
    """A code scanner. `suffix` is what it puts behind a code; with `none`, `idle_gap` seconds of silence end one."""

    baudrate: Baudrate = 9600
    driver: Literal["lines"] = "lines"
    suffix: Literal["cr", "lf", "crlf", "tab", "none"] = "cr"
    idle_gap: Annotated[float, msgspec.Meta(ge=0.02, le=2)] = 0.1


DeviceSettings = IdReaderSettings | TicketPrinterSettings | CodeScannerSettings
