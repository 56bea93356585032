"""Stations that are only simulated, with an MQTT connection and a window each, sent again when no acknowledgement comes.

The rules are the real uplink's (kiosk.station.uplink): so many events under way, 2 s of patience growing to 10 s.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from broker.contract import acknowledgement
from broker.contract.topics import QOS, Topics
from kiosk.station.uplink import RESEND_FIRST, RESEND_MOST, WINDOW
from tools.bench.wire import SITE


@dataclass(slots=True)
class Line:
    """One station's way out: where each message is to be had, by its last seq."""

    station: str
    log: str
    lasts: list[int]
    read: Callable[[int], bytes]
    window: int = WINDOW
    """Events under way at most."""
    sent: int = 0
    """Messages sent, as an index into `lasts`."""
    acked: int = 0
    done: int = 0
    """Messages acknowledged whole."""
    wait: float = RESEND_FIRST
    resend_at: float = 0.0
    again: int = 0
    """Messages sent again."""


@dataclass
class Sender:
    """Stations with a connection each, from construction to `close`. `heard` gets (moment, station, seq)."""

    port: int
    heard: Callable[[float, str, int], None] = lambda moment, station, seq: None
    lines: dict[str, Line] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._topics = Topics(SITE)
        self._inbox: queue.SimpleQueue[tuple[float, str, bytes]] = queue.SimpleQueue()
        self._clients: dict[str, paho.Client] = {}

    def add(self, line: Line) -> None:
        """Connect one more station; returns when it hears its acknowledgements."""
        station = self.lines[line.station] = line
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"{SITE}.{line.station}", protocol=paho.MQTTv5
        )
        ready = threading.Event()
        client.on_socket_open = lambda _c, _u, sock: _no_delay(sock)
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = lambda _c, _u, found: self._inbox.put(
            (time.monotonic(), station.station, bytes(found.payload))
        )
        client.connect("127.0.0.1", self.port, keepalive=60)
        client.loop_start()
        client.subscribe(self._topics.ack(line.station), QOS)
        assert ready.wait(20), "the broker does not answer"
        self._clients[line.station] = client

    def close(self) -> None:
        for client in self._clients.values():
            client.disconnect()
        for client in self._clients.values():
            client.loop_stop()

    def publish(self, station: str, payload: bytes) -> None:
        self._clients[station].publish(self._topics.event(station), payload, QOS)

    def drain(self, patience: float) -> float:
        """Send everything there is on all lines; returns when the last was acknowledged (monotonic seconds).

        Raises:
            AssertionError: no acknowledgement at all for that long.
        """
        moved = time.monotonic()
        waiting = dict.fromkeys(line.station for line in self.lines.values() if line.done < len(line.lasts))
        for station in waiting:
            self._fill(self.lines[station], moved)
        looked = moved
        while waiting:
            for line, moment in self.acknowledgements(0.1):
                moved = moment
                if line.done == len(line.lasts):
                    waiting.pop(line.station, None)
                else:
                    self._fill(line, time.monotonic())
            now = time.monotonic()
            assert now - moved < patience, f"nothing acknowledged for {patience} s; {len(waiting)} lines wait"
            if now - looked > 0.2:
                looked = now
                for station in waiting:
                    self._patience(self.lines[station], now)
        return moved

    def acknowledgements(self, seconds: float) -> list[tuple[Line, float]]:
        """Take what was heard, waiting so long for the first; which lines moved, and when."""
        found: list[tuple[Line, float]] = []
        try:
            letter = self._inbox.get(timeout=seconds)
            while True:
                moment, station, payload = letter
                line = self.lines[station]
                word = acknowledgement.decode(payload)
                if word.log == line.log and word.seq > line.acked:
                    line.acked, line.wait = word.seq, RESEND_FIRST
                    line.resend_at = moment + line.wait
                    while line.done < len(line.lasts) and line.lasts[line.done] <= word.seq:
                        line.done += 1
                    line.sent = max(line.sent, line.done)
                    self.heard(moment, station, word.seq)
                    found.append((line, moment))
                letter = self._inbox.get_nowait()
        except queue.Empty:
            return found

    def _fill(self, line: Line, now: float) -> None:
        while line.sent < len(line.lasts) and line.lasts[line.sent] - line.acked <= line.window:
            if line.sent == line.done:
                line.resend_at = now + line.wait
            self.publish(line.station, line.read(line.sent))
            line.sent += 1

    def _patience(self, line: Line, now: float) -> None:
        if line.sent > line.done and now >= line.resend_at:
            line.again += line.sent - line.done
            line.sent, line.wait = line.done, min(line.wait * 2, RESEND_MOST)
            self._fill(line, now)


def _no_delay(sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
