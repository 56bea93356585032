"""One open serial port, read by a thread of its own, so that its loss is noticed while nobody is asking it anything.

What arrives waits in a bounded buffer; when that is full the thread stops reading, and the wire's own back-pressure
holds the sender. One thread at a time asks; others may only `interrupt` or `end` it.
"""

from __future__ import annotations

import errno
import threading
import time
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import serial

_BUFFER = 1 << 16
_CHUNK = 256
_WRITE_SECONDS = 2.0
_IDLE_SECONDS = 0.25


class LinkReason(StrEnum):
    """Why a device can't be talked to."""

    UNPLUGGED = "unplugged"
    BUSY = "busy"
    FORBIDDEN = "forbidden"
    UNOPENABLE = "unopenable"
    NO_ANSWER = "no_answer"


class OpenError(Exception):
    """The port can't be opened; `reason` says in one word why."""

    def __init__(self, reason: LinkReason, cause: str) -> None:
        super().__init__(cause)
        self.reason = reason


class LinkLostError(Exception):
    """The port is gone: whatever was asked will not be answered."""


class StalledError(Exception):
    """The other side takes no more bytes; some of what was written may have arrived."""


class EndedError(Exception):
    """The link is being stopped."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes that arrived together; `at` is time.monotonic() right after."""

    data: bytes
    at: float


_REASONS = {
    errno.ENOENT: LinkReason.UNPLUGGED,
    errno.ENODEV: LinkReason.UNPLUGGED,
    errno.ENXIO: LinkReason.UNPLUGGED,
    errno.EIO: LinkReason.UNPLUGGED,
    errno.EACCES: LinkReason.FORBIDDEN,
    errno.EPERM: LinkReason.FORBIDDEN,
    errno.EAGAIN: LinkReason.BUSY,
    errno.EBUSY: LinkReason.BUSY,
}


class Port:
    """`url`: a path, or a pyserial URL. A path is opened exclusively: a second process gets BUSY.

    Raises:
        OpenError: see its reason.
    """

    def __init__(self, url: str, baudrate: int) -> None:
        self._serial = _open(url, baudrate)
        self._changed = threading.Condition()
        self._chunks: deque[Chunk] = deque()
        self._held = 0
        self._lost: str | None = None
        self._interrupted = False
        self._ended = False
        self._thread = threading.Thread(target=self._pump, name=f"port-{url}", daemon=True)
        self._thread.start()

    def read(self, seconds: float) -> Chunk | None:
        """What arrived, waiting up to `seconds`; None when nothing did, or when interrupted.

        Raises:
            LinkLostError: the port is gone and all that arrived before was read.
            EndedError: the link is being stopped.
        """
        with self._changed:
            self._changed.wait_for(self._anything, max(0.0, seconds))
            if self._ended:
                raise EndedError
            if self._chunks:
                chunk = self._chunks.popleft()
                self._held -= len(chunk.data)
                self._changed.notify_all()
                return chunk
            if self._lost is not None:
                raise LinkLostError(self._lost)
            self._interrupted = False
            return None

    def write(self, data: bytes) -> None:
        """Hand bytes to the port. Raises LinkLostError, EndedError, StalledError."""
        for start in range(0, len(data), _CHUNK):
            if self._ended:
                raise EndedError
            if self._lost is not None:
                raise LinkLostError(self._lost)
            try:
                self._serial.write(data[start : start + _CHUNK])
            except serial.SerialTimeoutException:
                raise StalledError("no bytes taken for 2 s") from None
            except (serial.SerialException, OSError) as error:
                self._lose(error)
                raise LinkLostError(str(error)) from None

    def discard(self) -> int:
        """Drop what arrived and wasn't read: late answers. Returns how many bytes."""
        with self._changed:
            dropped, self._held = self._held, 0
            self._chunks.clear()
            self._changed.notify_all()
            return dropped

    def pause(self, seconds: float) -> int:
        """Wait, dropping what arrives; shorter when interrupted. Returns how many bytes came. Raises as `read`."""
        end = time.monotonic() + seconds
        dropped = 0
        while (left := end - time.monotonic()) > 0:
            chunk = self.read(left)
            if chunk is None:
                break
            dropped += len(chunk.data)
        return dropped

    def settle(self, quiet: float = 0.1, at_most: float = 1.0) -> int:
        """After an answer that didn't come: drop what still trickles in until the line is quiet. Raises as `read`."""
        end = time.monotonic() + at_most
        dropped = 0
        while time.monotonic() < end and (chunk := self.read(quiet)) is not None:
            dropped += len(chunk.data)
        return dropped

    def interrupt(self) -> None:
        """Make a `read` or `pause` under way, or the next one, return early."""
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def end(self) -> None:
        """Make every call from now on raise EndedError."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        self.end()
        if cancel := getattr(self._serial, "cancel_read", None):  # only ports that have a file descriptor
            cancel()
        self._thread.join(5)
        self._serial.close()

    def _anything(self) -> bool:
        return bool(self._chunks) or self._lost is not None or self._interrupted or self._ended

    def _pump(self) -> None:
        try:
            while not self._ended:
                data: bytes = self._serial.read(1)
                if not data:
                    continue
                if waiting := self._serial.in_waiting:
                    data += self._serial.read(waiting)
                self._keep(Chunk(data, time.monotonic()))
        except (serial.SerialException, OSError, TypeError) as error:  # TypeError: pyserial, closed meanwhile
            self._lose(error)

    def _keep(self, chunk: Chunk) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._held < _BUFFER or self._ended)
            self._chunks.append(chunk)
            self._held += len(chunk.data)
            self._changed.notify_all()

    def _lose(self, error: Exception) -> None:
        with self._changed:
            self._lost = self._lost or str(error) or type(error).__name__
            self._changed.notify_all()


def _open(url: str, baudrate: int) -> Any:
    options: dict[str, Any] = {"exclusive": True} if "://" not in url else {}
    try:
        return serial.serial_for_url(
            url, baudrate=baudrate, timeout=_IDLE_SECONDS, write_timeout=_WRITE_SECONDS, **options
        )
    except (serial.SerialException, OSError) as error:
        raise OpenError(_reason_of(error), str(error)) from None
    except ValueError as error:
        raise OpenError(LinkReason.UNOPENABLE, str(error)) from None


def _reason_of(error: OSError) -> LinkReason:
    return _REASONS.get(error.errno or 0, LinkReason.UNOPENABLE)
