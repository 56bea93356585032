"""A TCP proxy that does to a connection what networks do: pass, cut, half-open, delay, throttle, garbage.

Threads and plain sockets, one pair of pumps a connection, so that it works where the kernel has no `netem`. A connection
that lost bytes once stays mute until it is cut: TCP never delivers the rest of a stream without its middle.

with FaultProxy(port_behind) as proxy:
    client.connect("127.0.0.1", proxy.port)
    proxy.delay(0.3); proxy.cut(); proxy.half_open(); proxy.heal()
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

CHUNK = 16 * 1024


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to bytes now. `throttle` in bytes a second, 0 = as fast as it goes; `garbage` is a share of chunks."""

    delay: float = 0.0
    throttle: int = 0
    swallow: bool = False
    refuse: bool = False
    garbage: float = 0.0


CLEAR = Weather()


@dataclass(eq=False)
class _Pair:
    """One connection through us: the client's socket, ours to the server, and whether bytes were lost already."""

    near: socket.socket
    far: socket.socket
    mute: bool = False
    ends: list[threading.Thread] = field(default_factory=list)

    def close(self, *, hard: bool) -> None:
        for sock in (self.near, self.far):
            with contextlib.suppress(OSError):
                if hard:
                    # No goodbye: the peer sees a reset, as when a router forgets the connection.
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # Wakes a pump that waits in recv; close alone doesn't.
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


class FaultProxy:
    """Stands before 127.0.0.1:`behind` from construction until `close`. What it does is set from any thread."""

    def __init__(self, behind: int, *, seed: int = 0) -> None:
        self._behind = behind
        self._random = random.Random(seed)
        self._weather = CLEAR
        self._pairs: set[_Pair] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        """Connections taken so far: a test sees by it that somebody came again."""
        self._closing = False
        self._thread = threading.Thread(target=self._accept, name="fault-proxy", daemon=True)
        self._thread.start()

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the proxy and every connection through it."""
        self._closing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._thread.join(2.0)

    def heal(self) -> None:
        """New bytes pass unharmed. Connections that were half-open stay so until they are cut."""
        self._weather = CLEAR

    def cut(self) -> None:
        """Reset every connection there is; new ones are taken."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            pair.close(hard=True)

    def refuse(self) -> None:
        """Cut everything, and close whatever connects from now on."""
        self._weather = Weather(refuse=True)
        self.cut()

    def half_open(self) -> None:
        """Swallow every byte in both directions and close nothing, for old connections and new ones."""
        self._weather = Weather(swallow=True)

    def delay(self, seconds: float) -> None:
        """Hold each chunk back, in order."""
        self._weather = Weather(delay=seconds)

    def throttle(self, bytes_a_second: int) -> None:
        """Let so many bytes a second through, a direction of a connection."""
        self._weather = Weather(throttle=bytes_a_second)

    def garbage(self, share: float = 1.0) -> None:
        """Overwrite some bytes of this share of the chunks, in both directions, drawn from the seed."""
        self._weather = Weather(garbage=share)

    def _accept(self) -> None:
        while not self._closing:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self._weather.refuse:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._behind), 2.0)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            for sock in (near, far):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = _Pair(near, far)
            with self._lock:
                self._pairs.add(pair)
            for source, sink in ((near, far), (far, near)):
                end = threading.Thread(target=self._pump, args=(pair, source, sink), daemon=True)
                pair.ends.append(end)
                end.start()

    def _pump(self, pair: _Pair, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK):
                weather = self._weather
                if pair.mute or weather.swallow:
                    pair.mute = True
                    continue
                if weather.garbage and self._random.random() < weather.garbage:
                    chunk = self._spoil(chunk)
                if weather.delay:
                    time.sleep(weather.delay)
                if weather.throttle:
                    time.sleep(len(chunk) / weather.throttle)
                sink.sendall(chunk)
        if not pair.mute:
            pair.close(hard=False)
            with self._lock:
                self._pairs.discard(pair)

    def _spoil(self, chunk: bytes) -> bytes:
        spoiled = bytearray(chunk)
        for _ in range(1 + len(chunk) // 64):
            spoiled[self._random.randrange(len(spoiled))] = self._random.randrange(256)
        return bytes(spoiled)
