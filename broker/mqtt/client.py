"""The centre's MQTT connection; paho's callbacks end at this file's edge.

What bites in paho and is met here: no TCP_NODELAY by default, an exception in a callback ends the network thread
unseen, `publish` while offline queues in memory and is lost at a crash. So callbacks are guarded, publishing happens
only while connected, and messages are acknowledged to the broker by the caller, after its commit.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from broker.contract.topics import QOS

log = logging.getLogger(__name__)

SESSION_SECONDS = 24 * 3600
RECEIVE_MAXIMUM = 500
"""Messages the broker may have under way to us: with the size limit of a message it bounds our memory."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message from the broker. `retained` is True for what was there before we subscribed."""

    topic: str
    payload: bytes
    retained: bool
    mid: int


class Connection:
    """One lasting connection. `on_message` and `on_connected` run on the network thread and must return at once."""

    def __init__(
        self,
        *,
        client_id: str,
        host: str,
        port: int,
        filters: list[str],
        on_message: Callable[[Arrival], None],
        on_connected: Callable[[], None],
    ) -> None:
        self._filters = filters
        self._on_message = on_message
        self._on_connected = on_connected
        self._host, self._port = host, port
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5,
            manual_ack=True,
        )
        self._client.reconnect_delay_set(min_delay=1, max_delay=5)
        self._client.max_queued_messages_set(0)
        self._client.on_socket_open = self._socket_open
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._watch_thread, name="mqtt-watch", daemon=True)

    def start(self) -> None:
        """Connect and keep connected; returns at once."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_SECONDS
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        self._client.connect_async(
            self._host, self._port, keepalive=20, clean_start=False, properties=properties
        )
        self._client.loop_start()
        self._watch.start()

    def stop(self) -> None:
        """Disconnect and end the threads."""
        self._stopping.set()
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        return self._client.is_connected()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Publish now, QoS 1; False while there is no connection (nothing is queued for later)."""
        if not self._client.is_connected():
            return False
        return self._client.publish(topic, payload, qos=QOS, retain=retain).rc == paho.MQTT_ERR_SUCCESS

    def done(self, arrival: Arrival) -> None:
        """Tell the broker that a message is safe with us."""
        self._client.ack(arrival.mid, QOS)

    def _socket_open(self, client: paho.Client, userdata: Any, sock: Any) -> None:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, AttributeError):
            log.warning("TCP_NODELAY can't be set: answers will be slower")

    def _connected(
        self, client: paho.Client, userdata: Any, flags: paho.ConnectFlags, reason: ReasonCode, _: Any
    ) -> None:
        try:
            if reason.is_failure:
                log.error("the MQTT broker refuses the connection: %s", reason)
                return
            client.subscribe([(topic, QOS) for topic in self._filters])
            log.info("connected to the MQTT broker at %s:%d", self._host, self._port)
            self._on_connected()
        except Exception:
            log.exception("after connecting")

    def _disconnected(
        self, client: paho.Client, userdata: Any, flags: Any, reason: ReasonCode, _: Any
    ) -> None:
        if self._stopping.is_set():
            return
        if reason.value == 0x8E:
            log.error(
                "another program has connected under the centre's name; is a second `broker serve` running?"
            )
        else:
            log.warning("the connection to the MQTT broker is lost: %s", reason)

    def _message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        try:
            self._on_message(Arrival(message.topic, bytes(message.payload), message.retain, message.mid))
        except Exception:
            log.exception("a message on %s could not be taken", message.topic)

    def _watch_thread(self) -> None:
        """A dead network thread looks connected for ever: notice it, and start it again."""
        while not self._stopping.wait(2.0):
            thread = self._client._thread
            if thread is not None and not thread.is_alive() and not self._stopping.is_set():
                log.error("the MQTT network thread died; starting it again")
                self._client.loop_stop()
                self._client.loop_start()
