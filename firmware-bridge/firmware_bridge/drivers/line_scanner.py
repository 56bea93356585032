"""Delivers what a code scanner sends, a line a code (device-protocols.md §3). It is never spoken to."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from firmware_bridge.capabilities import Scan
from firmware_bridge.link.listeners import tell
from firmware_bridge.link.port import Chunk, Port
from firmware_bridge.link.supervisor import Report
from firmware_bridge.protocols.linescan import Code, LineScan

_LOST_SUFFIX = 0.5
"""Seconds of silence after which a code is complete though its suffix didn't come."""
_IDLE = 60.0


class LineScanner:
    """A `CodeScanner`. `suffix`: a key of linescan.SUFFIXES; `idle_gap` in seconds ends a code where it is `none`."""

    def __init__(self, *, suffix: str = "cr", idle_gap: float = 0.1) -> None:
        self.counters: Counter[str] = Counter()
        self._lines = LineScan(suffix)
        self._gap = idle_gap if suffix == "none" else max(idle_gap, _LOST_SUFFIX)
        self._on_scan: Callable[[Scan], None] = lambda _: None

    def listen(self, on_scan: Callable[[Scan], None]) -> None:
        self._on_scan = on_scan

    def handshake(self, port: Port) -> None:
        """A scanner answers nothing: an open port is all there is to know. Half a code from before is no code."""
        self._lines.reset()

    def serve(self, port: Port, report: Report) -> None:
        last = time.monotonic()
        while True:
            chunk: Chunk | None = port.read(
                max(0.0, last + self._gap - time.monotonic()) if self._lines.open else _IDLE
            )
            if chunk is not None:
                last = chunk.at
                self._deliver(self._lines.feed(chunk.data), last)
            elif self._lines.open and time.monotonic() - last >= self._gap:
                self._deliver(self._lines.silence(), last)

    def down(self, reason: str) -> None:
        """Nobody waits for a scanner."""

    def _deliver(self, codes: list[Code], at: float) -> None:
        for code in codes:
            self.counters[code.fault or "scans"] += 1
            tell(self._on_scan, Scan(code.text, at, code.fault or ""), "scanner")
