"""A simulated receipt printer: decodes what it is sent, prints it as a PNG, and tells its status honestly or not at all.

Every status answer is computed from one snapshot. `DLE EOT` is answered as it arrives, wherever it stands, even while
paper is out; what came to be printed then is held, and printed when the paper is back.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from firmware_bridge.protocols import escpos_reader as sent
from firmware_bridge.protocols.escpos import DLE, DOTS, EOT, STATUS_KINDS, status_byte
from firmware_bridge.simulators.paper import Paper, Receipt, codes_on
from firmware_bridge.simulators.wire import Wire

_MEMORY = 1 << 18
"""Bytes held while it can't print; more is lost, as in a printer without flow control."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is the matter with the printer."""

    paper_out: bool = False
    near_end: bool = False
    cover_open: bool = False
    error: bool = False
    silent: bool = False

    @property
    def offline(self) -> bool:
        return self.paper_out or self.cover_open or self.error


class PrinterSimulator:
    """A printer on a line at `path`; receipts go to `folder` as PNG and text, readable by their owner only."""

    def __init__(self, path: Path, folder: Path, *, paper: int = 80, font: str | None = None) -> None:
        self.wire = Wire(path, self._receive)
        self.bytes_received = 0
        self.last_received_at = 0.0
        self._folder = folder
        self._lock = threading.Condition()
        self._condition = Condition()
        self._reader = sent.Reader()
        self._paper = Paper(DOTS[paper], font)
        self._held = bytearray()
        self._realtime = bytearray()
        self._receipts: list[Receipt] = []
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._number = max((int(png.stem[8:]) for png in folder.glob("receipt-[0-9]*.png")), default=0)

    @property
    def condition(self) -> Condition:
        return self._condition

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """What was printed since this printer was started, oldest first."""
        with self._lock:
            return tuple(self._receipts)

    def wait_for_receipt(self, count: int = 1, within: float = 10.0) -> Receipt:
        """The `count`th receipt, as soon as it is there. Raises TimeoutError."""
        with self._lock:
            if not self._lock.wait_for(lambda: len(self._receipts) >= count, within):
                raise TimeoutError(f"{len(self._receipts)} receipts after {within} s, {count} wanted")
            return self._receipts[count - 1]

    def paper_out(self) -> None:
        self._become(paper_out=True)

    def paper_ok(self) -> None:
        """A new roll: neither out nor near its end."""
        self._become(paper_out=False, near_end=False)

    def near_end(self) -> None:
        self._become(near_end=True)

    def cover_open(self) -> None:
        self._become(cover_open=True)

    def cover_closed(self) -> None:
        self._become(cover_open=False)

    def cutter_jams(self) -> None:
        self._become(error=True)

    def cutter_freed(self) -> None:
        self._become(error=False)

    def silent(self) -> None:
        """It prints and never answers a status request, as some cheap ones."""
        self._become(silent=True)

    def answering(self) -> None:
        self._become(silent=False)

    def unplug(self) -> None:
        self.wire.unplug()
        with self._lock:
            self._reader.reset()
            self._realtime.clear()

    def replug(self, path: Path | None = None) -> None:
        self.wire.replug(path)

    def _become(self, **changed: bool) -> None:
        with self._lock:
            self._condition = replace(self._condition, **changed)
            if self._held and not self._condition.offline:
                held, self._held = bytes(self._held), bytearray()
                self._print(held)

    def _receive(self, data: bytes) -> None:
        with self._lock:
            self.bytes_received += len(data)
            self.last_received_at = time.monotonic()
            self._answer(data)
            if self._condition.offline:
                self._held += data[: _MEMORY - len(self._held)]
            else:
                self._print(data)

    def _answer(self, data: bytes) -> None:
        """Answer each `DLE EOT n`, also one split between two reads."""
        self._realtime += data
        at = 0
        while (at := self._realtime.find(bytes((DLE, EOT)), at)) >= 0 and at + 2 < len(self._realtime):
            kind = self._realtime[at + 2]
            if kind in STATUS_KINDS and not self._condition.silent:
                now = self._condition
                answer = status_byte(
                    kind,
                    offline=now.offline,
                    cover_open=now.cover_open,
                    paper_out=now.paper_out,
                    near_end=now.near_end,
                    error=now.error,
                )
                self.wire.send(bytes((answer,)))
            at += 3
        del self._realtime[: max(0, len(self._realtime) - 2) if at < 0 else at]

    def _print(self, data: bytes) -> None:
        for event in self._reader.feed(data):
            if isinstance(event, sent.Cut):
                self._cut()
            else:
                self._paper.take(event)

    def _cut(self) -> None:
        picture, text = self._paper.cut()
        self._number += 1
        path = self._folder / f"receipt-{self._number:04d}.png"
        for target in (path, path.with_suffix(".txt")):
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        picture.save(path)
        path.with_suffix(".txt").write_text(text + "\n", "utf-8")
        self._receipts.append(Receipt(path, text, codes_on(picture)))
        self._lock.notify_all()
