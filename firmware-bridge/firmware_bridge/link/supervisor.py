"""Keeps one device's link up for ever: DISCONNECTED → OPENING → HANDSHAKE → READY → (FAULT) → BACKOFF → OPENING …

Ready means that the device answered, not that a port opened. After a failure it waits 0.5 s, doubling to 10 s, with
jitter, and less when the port's path comes back: who replugs a cable doesn't want to wait. The device is told when it is
down, so that what waits for it fails at once. All of it runs on one thread a device, which is also the only one to ask.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from firmware_bridge.capabilities import DeviceHealth, LinkState
from firmware_bridge.link.listeners import tell
from firmware_bridge.link.port import EndedError, LinkLostError, LinkReason, OpenError, Port, StalledError

log = logging.getLogger(__name__)

FIRST_WAIT = 0.5
LONGEST_WAIT = 10.0
_LOOK_FOR_PATH = 0.2

Report = Callable[[LinkState, str], None]


class DeviceFaultError(Exception):
    """The device can't do its work though its port is open; the message is the reason, e.g. `no_answer`."""


class Device(Protocol):
    """What a driver gives a link to supervise. All calls come from the link's thread."""

    counters: Counter[str]

    def handshake(self, port: Port) -> None:
        """Return when the device has answered. Raises DeviceFaultError."""
        ...

    def serve(self, port: Port, report: Report) -> None:
        """Do the device's work until the port raises, or a DeviceFaultError is raised here; reports READY or FAULT."""
        ...

    def down(self, reason: str) -> None:
        """The link isn't there: end what waits for it. Called again whenever woken meanwhile."""
        ...


class Link:
    """Supervises `device` at `url`. `on_health` is told when it becomes ready, ceases to be, or the reason changes."""

    def __init__(
        self,
        name: str,
        kind: str,
        url: str,
        baudrate: int,
        device: Device,
        on_health: Callable[[DeviceHealth], None],
    ) -> None:
        self.name, self.kind = name, kind
        self._url, self._baudrate, self._device, self._on_health = url, baudrate, device, on_health
        self._lock = threading.Lock()
        self._state, self._reason, self._since = LinkState.DISCONNECTED, "", time.time()
        self._told: tuple[bool, str] = (False, "")
        self._port: Port | None = None
        self._woken = threading.Event()
        self._over = False
        self._thread = threading.Thread(target=self._run, name=f"link-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the link and wait for its thread; what waits for the device fails."""
        self._over = True
        self.wake()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(10)

    def wake(self) -> None:
        """There is something to do for the device."""
        self._woken.set()
        with self._lock:
            port = self._port
        if port is not None:
            if self._over:
                port.end()
            else:
                port.interrupt()

    def health(self) -> DeviceHealth:
        with self._lock:
            return DeviceHealth(
                self.name, self.kind, self._state, self._reason, self._since, dict(self._device.counters)
            )

    def _run(self) -> None:
        wait = FIRST_WAIT
        while not self._over:
            seen = _identity(self._url)
            try:
                reason, was_ready = self._connect()
            except EndedError:
                break
            except Exception:
                log.exception("%s: the driver failed", self.name)
                reason, was_ready = LinkReason.UNOPENABLE.value, False
                self._become(LinkState.FAULT, reason)
            wait = FIRST_WAIT if was_ready else wait
            if self._wait(wait * random.uniform(0.8, 1.2), reason, seen):
                wait = FIRST_WAIT
            else:
                wait = min(wait * 2, LONGEST_WAIT)
        self._device.down(LinkReason.UNPLUGGED)
        self._become(LinkState.DISCONNECTED, self._reason)

    def _connect(self) -> tuple[str, bool]:
        """Open, shake hands, serve; returns why that ended, and whether the device had been ready. Raises EndedError."""
        self._become(LinkState.OPENING, self._reason)
        try:
            port = Port(self._url, self._baudrate)
        except OpenError as error:
            log.debug("%s: %s", self.name, error)
            self._become(LinkState.FAULT, error.reason)
            return error.reason, False
        self._device.counters["opens"] += 1
        with self._lock:
            self._port = port
        if self._over:
            port.end()
        was_ready = False
        try:
            self._become(LinkState.HANDSHAKE, self._reason)
            self._device.handshake(port)
            was_ready = True
            self._become(LinkState.READY, "")
            self._device.serve(port, self._become)
            return "", was_ready
        except LinkLostError:
            self._device.counters["losses"] += 1
            self._become(LinkState.DISCONNECTED, LinkReason.UNPLUGGED)
            return LinkReason.UNPLUGGED, was_ready
        except StalledError:
            self._become(LinkState.FAULT, LinkReason.NO_ANSWER)
            return LinkReason.NO_ANSWER, was_ready
        except DeviceFaultError as error:
            self._become(LinkState.FAULT, str(error))
            return str(error), was_ready
        finally:
            with self._lock:
                self._port = None
            port.close()

    def _wait(self, seconds: float, reason: str, seen: tuple[int, int, str] | None) -> bool:
        """Back off; True when cut short because another port is at the path now."""
        self._device.down(reason)
        self._become(LinkState.BACKOFF, reason)
        end = time.monotonic() + seconds
        while not self._over and (left := end - time.monotonic()) > 0:
            if self._woken.wait(min(left, _LOOK_FOR_PATH)):
                self._woken.clear()
                self._device.down(reason)
            now = _identity(self._url)
            if now is not None and now != seen:
                return True
        return False

    def _become(self, state: LinkState, reason: str) -> None:
        with self._lock:
            if (state, reason) == (self._state, self._reason):
                return
            self._state, self._reason, self._since = state, str(reason), time.time()
            told = (state is LinkState.READY, str(reason))
            if told == self._told:
                return
            self._told = told
        log.log(
            logging.INFO if told[0] or not reason else logging.WARNING,
            "%s: %s%s",
            self.name,
            state.value,
            f" ({reason})" if reason else "",
        )
        tell(self._on_health, self.health(), self.name)


def _identity(url: str) -> tuple[int, int, str] | None:
    """Which port is at a path now: it changes when a cable is replugged. None where there is none, and for URLs."""
    if "://" in url:
        return None
    try:
        entry = Path(url).lstat()
    except OSError:
        return None
    return entry.st_ino, entry.st_ctime_ns, os.path.realpath(url)
