"""The end of a serial line that a simulated device holds: a pseudo-terminal with a stable name, to unplug and replug.

The slave stays open here: on Linux the master would read EIO whenever no client has it open. To unplug is to close both
ends and take the name away, as udev does; a client reads EIO at once. To replug is a new pair under the old name.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)


class Wire:
    """One simulated line at `path`. `on_bytes` is called on this line's own thread with what the host sent."""

    def __init__(self, path: Path, on_bytes: Callable[[bytes], None]) -> None:
        self.path = path
        self._on_bytes = on_bytes
        self._lock = threading.RLock()
        self._master: int | None = None
        self._slave: int | None = None
        self._woken, self._wake = os.pipe()
        self._over = False
        self._thread = threading.Thread(target=self._run, name=f"wire-{path.name}", daemon=True)

    def start(self) -> None:
        self.replug()
        self._thread.start()

    def close(self) -> None:
        """Unplug for good."""
        self._over = True
        self.unplug()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(5)
        os.close(self._wake)
        os.close(self._woken)

    @property
    def plugged(self) -> bool:
        return self._master is not None

    def unplug(self) -> None:
        """The line is pulled out: a client's next read fails."""
        with self._lock:
            for end in (self._master, self._slave):
                if end is not None:
                    os.close(end)
            self._master = self._slave = None
            self.path.unlink(missing_ok=True)
            self._notify()

    def replug(self, path: Path | None = None) -> None:
        """The line comes back, as a new terminal, under its old name or another."""
        with self._lock:
            if self.plugged:
                return
            self.path = path or self.path
            self._master, self._slave = os.openpty()
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            fresh = self.path.with_name(f".{self.path.name}.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(os.ttyname(self._slave))
            fresh.replace(self.path)
            self._notify()

    def send(self, data: bytes, *, within: float = 10.0) -> bool:
        """Put bytes on the line, waiting for the host to take them; False where it was pulled or nobody took them."""
        end = time.monotonic() + within
        while data:
            with self._lock:
                if self._master is None:
                    return False
                try:
                    data = data[os.write(self._master, data) :]
                    continue
                except BlockingIOError:
                    pass
                except OSError:
                    return False
            if self._over or time.monotonic() > end:
                return False
            time.sleep(0.002)
        return True

    def _notify(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake, b".")

    def _run(self) -> None:
        while not self._over:
            with self._lock:
                master = self._master
            ends = [self._woken] if master is None else [self._woken, master]
            try:
                ready, _, _ = select.select(ends, [], [], 1.0)
            except OSError:  # unplugged between the two lines above
                continue
            if self._woken in ready:
                os.read(self._woken, 4096)
                continue
            if ready and (data := self._read(master)):
                try:
                    self._on_bytes(data)
                except Exception:
                    log.exception("%s: the simulated device failed", self.path.name)

    def _read(self, master: int | None) -> bytes:
        with self._lock:
            if master is None or master != self._master:
                return b""
            try:
                return os.read(master, 65536)
            except OSError:
                return b""
