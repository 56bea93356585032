"""A simulated code scanner: what it scans comes out as bytes with a suffix; also rubbish, on demand."""

from __future__ import annotations

from pathlib import Path

from firmware_bridge.protocols.linescan import SUFFIXES
from firmware_bridge.simulators.wire import Wire


class CodeScannerSimulator:
    """A scanner on a line at `path`. `suffix`: a key of linescan.SUFFIXES."""

    def __init__(self, path: Path, *, suffix: str = "cr") -> None:
        self.wire = Wire(path, lambda _: None)
        self._suffix = SUFFIXES[suffix]

    def scan(self, text: str, *, encoding: str = "utf-8") -> bool:
        """Hold a code with `text` in front of the scanner. False where the host took it not (unplugged)."""
        return self.send(text.encode(encoding) + self._suffix)

    def send(self, data: bytes) -> bool:
        """Any bytes, as a broken scanner sends them."""
        return self.wire.send(data)

    def unplug(self) -> None:
        self.wire.unplug()

    def replug(self, path: Path | None = None) -> None:
        self.wire.replug(path)
