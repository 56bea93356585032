"""A station on the wire: real paho, real broker, no kiosk. It sends messages, and hears what the centre says."""

from __future__ import annotations

import queue
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from broker.contract import acknowledgement, asking, state
from broker.contract.acknowledgement import Acknowledgement
from broker.contract.state import DeviceState, StationState
from broker.contract.topics import Topics
from tests.support.log_writer import LogWriter

A = TypeVar("A")


class MqttStation:
    """Connected from construction until `close`; every message heard is kept with the moment it came (monotonic)."""

    def __init__(self, port: int, log: LogWriter) -> None:
        self.log = log
        self.topics = Topics(log.site)
        self.heard: queue.SimpleQueue[tuple[float, str, bytes]] = queue.SimpleQueue()
        self._kept: list[tuple[float, str, bytes]] = []
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"{log.site}.{log.station}", protocol=paho.MQTTv5
        )
        self.client.on_socket_open = lambda client, data, sock: sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )
        self.client.on_message = lambda client, data, m: self.heard.put(
            (time.monotonic(), m.topic, bytes(m.payload))
        )
        self.client.on_connect = lambda client, *_: client.subscribe(
            [(topic, 1) for topic in self.topics.for_station(log.station)]
        )
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def send(self, payload: bytes) -> None:
        """A message of events."""
        self.publish(self.topics.event(self.log.station), payload)

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publishes once connected; paho would queue what is published before, and send all of it later."""
        deadline = time.monotonic() + 15
        while not self.client.is_connected() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def ask(self, ask: asking.Ask) -> None:
        self.publish(self.topics.ask(self.log.station), asking.encode(ask))

    def say(
        self, *, online: bool = True, kind: str = "lobby", backlog: int = 0, alarms: list[str] | None = None
    ) -> None:
        """How the station is, retained."""
        word = StationState(
            station=self.log.station,
            kind=kind,
            online=online,
            since=datetime.now(UTC),
            version="0.1.0",
            backlog=backlog,
            alarms=alarms or [],
        )
        self.publish(self.topics.state(self.log.station), state.encode(word), retain=True)

    def say_device(self, device: str, kind: str, availability: state.Availability, reason: str = "") -> None:
        """How one of its devices is, retained."""
        word = DeviceState(
            device=device, kind=kind, availability=availability, reason=reason, since=datetime.now(UTC)
        )
        self.publish(self.topics.device(self.log.station, device), state.encode(word), retain=True)

    def wait_for(self, read: Callable[[str, bytes], A | None], patience: float = 5.0) -> A:
        """The first thing heard, from now or before, that `read` makes something of; it is then forgotten."""
        deadline = time.monotonic() + patience
        while True:
            for n, (_, topic, payload) in enumerate(self._kept):
                found = read(topic, payload)
                if found is not None:
                    del self._kept[n]
                    return found
            try:
                self._kept.append(self.heard.get(timeout=max(0.01, deadline - time.monotonic())))
            except queue.Empty:
                raise AssertionError("not heard in time") from None

    def acknowledged(self, seq: int, patience: float = 5.0) -> Acknowledgement:
        """Waits until everything up to `seq` of the log is acknowledged."""

        def read(topic: str, payload: bytes) -> Acknowledgement | None:
            if topic != self.topics.ack(self.log.station):
                return None
            word = acknowledgement.decode(payload)
            return word if word.log == self.log.log and word.seq >= seq else None

        return self.wait_for(read, patience)

    def answered(self, kind: type[A], patience: float = 5.0) -> A:
        """Waits for an answer of a kind."""

        def read(topic: str, payload: bytes) -> A | None:
            if topic != self.topics.answer(self.log.station):
                return None
            word = asking.decode_answer(payload)
            return word if isinstance(word, kind) else None

        return self.wait_for(read, patience)
