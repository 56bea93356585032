"""The line to the centre: MQTT 5, the outbox replayed until acknowledged. The one file where paho's callbacks end.

One thread owns all decisions; paho's callbacks only put what happened into its queue. Every connection is a fresh client:
paho's own reconnect would send from its memory, and an exception in its thread leaves it looking connected
(mqtt-notes.md). Callers never wait: they hand over and return, whether the broker answers, refuses or is gone.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import paho.mqtt.client as mqtt
from msgspec.structs import replace
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from broker.contract import acknowledgement, asking, message, state
from broker.contract.asking import Answer, Ask
from broker.contract.personal import require_loopback
from broker.contract.state import DeviceState, StationState
from broker.contract.topics import QOS, Topics
from kiosk.station.outbox import Acked, Outbox

_log = logging.getLogger(__name__)

WINDOW = 500
"""Events sent and not yet acknowledged by the centre, at most."""

BATCH = 250
RESEND_FIRST, RESEND_MOST = 2.0, 10.0
RECONNECT_FIRST, RECONNECT_MOST = 0.5, 5.0
STEADY = 5.0
"""Seconds a connection must have held for the next try to come fast."""

TAKEN_FIRST, TAKEN_MOST = 15.0, 120.0
"""Seconds of silence after another station took this one's name: two clients with one id oust each other for ever.

Some brokers say so when they close the older connection; others just close it. So each station also reads its own
retained state back after a reconnect: if it isn't the one this run left behind, somebody else was here. Who notices says
goodbye with the alarm and is silent for a while; who then finds that goodbye stays, and knows too.
"""

TAKEN_TURN = 1.0
"""Seconds at most that who comes back takes to get its events acknowledged before it leaves the name to the other."""

TAKEN_SHOWN = 600.0
KEEPALIVE = 10
STATE_EVERY = 5.0
SESSION_TAKEN_OVER = 0x8E
NAME_TAKEN = "name_taken"


class Listener(Protocol):
    """Hears what comes down. Called on the uplink's thread: hand over and return."""

    def on_answer(self, answer: Answer) -> None: ...
    def on_document(self, payload: bytes) -> None: ...
    def on_link(self, connected: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Address:
    """Which station this is and where its broker listens."""

    site: str
    station: str
    host: str
    port: int


class _Client(mqtt.Client):
    @property
    def dead(self) -> bool:
        """True where the network thread of a started client ended, which paho itself doesn't notice."""
        return self._thread is None or not self._thread.is_alive()


class Uplink:
    """Keeps trying from `start` to `stop`.

    Args:
        tell_state: the station's state to publish; called on the uplink's thread.

    Raises:
        NotLoopbackError: the broker isn't on this machine, and personal data isn't sealed yet.
    """

    def __init__(
        self,
        address: Address,
        outbox: Outbox,
        listener: Listener,
        *,
        tell_state: Callable[[], StationState],
    ) -> None:
        require_loopback(address.host)
        self._address = address
        self._topics = Topics(address.site)
        self._outbox = outbox
        self._listener = listener
        self._tell_state = tell_state
        self._taken_wait = TAKEN_FIRST
        self._taken_at: float | None = None
        self._connections = 0
        self._inbox: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)
        self._stopping = False
        self._client: _Client | None = None
        self._next_try = 0.0
        self._reconnect_wait = RECONNECT_FIRST
        self.connected = False
        self._connected_at = 0.0
        self._sent = 0
        self._confirmed = False
        self._leave_at: float | None = None
        self._resend_wait = RESEND_FIRST
        self._resend_at = 0.0
        self._devices: dict[str, DeviceState] = {}
        self._last_state = b""
        self._state_at = 0.0
        outbox.on_append = lambda: self._inbox.put(("work",))

    @property
    def name_taken(self) -> bool:
        """Another station took this one's name in the last minutes."""
        return self._taken_at is not None and time.monotonic() - self._taken_at < TAKEN_SHOWN

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye and end; a broker that doesn't answer is waited for 2 s at most."""
        self._stopping = True
        self._inbox.put(("work",))
        if self._thread.ident is not None:
            self._thread.join(6.0)

    def ask(self, ask: Ask) -> None:
        """Send a question now, or forget it while there is no connection: whoever asks repeats it."""
        self._inbox.put(("ask", asking.encode(ask)))

    def device(self, device: DeviceState) -> None:
        """How a device is, kept for the next connection too."""
        self._inbox.put(("device", device))

    def state_changed(self) -> None:
        """Publish the station's state soon."""
        self._inbox.put(("state",))

    # ---- the uplink's thread

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._step()
            except Exception:
                # Whatever it was, the line must come back; a full disk, for one, ends some day.
                _log.exception("the uplink stumbled and goes on")
                time.sleep(1.0)
        self._goodbye()

    def _step(self) -> None:
        try:
            work = self._inbox.get(timeout=self._until_next())
            while True:
                self._take(work)
                work = self._inbox.get_nowait()
        except queue.Empty:
            pass
        now = time.monotonic()
        if self._client is not None and self._client.dead:
            self._lost("its network thread ended")
        if self._client is None:
            if now >= self._next_try:
                self._connect()
        elif self.connected:
            self._send_events(now)
            self._send_state(now)
            if self._leave_at is not None and (now >= self._leave_at or self._outbox.backlog() == 0):
                self._taken()

    def _until_next(self) -> float:
        if self._client is None:
            due = self._next_try
        elif self.connected and (self._outbox.acked < self._sent or not self._confirmed):
            due = min(self._resend_at, self._state_at)
        else:
            due = self._state_at if self.connected else time.monotonic() + 1.0
        if self._leave_at is not None:
            due = min(due, self._leave_at)
        return min(max(due - time.monotonic(), 0.005), 1.0)

    def _take(self, work: tuple[Any, ...]) -> None:
        match work:
            case ("message", client, topic, payload, retained) if client is self._client:
                self._message(topic, payload, retained)
            case ("connected", client, code) if client is self._client:
                self._connected(code)
            case ("failed", client) if client is self._client:
                self._lost("nobody listens there")
            case ("lost", client, code) if client is self._client:
                if code.value == SESSION_TAKEN_OVER:
                    self._taken()
                else:
                    self._lost(str(code))
            case ("refused", client, code) if client is self._client:
                _log.error("the broker refused a publish: %s", code)
            case ("ask", payload) if self.connected:
                self._publish(self._topics.ask(self._address.station), payload)
            case ("device", device):
                self._devices[device.device] = device
                if self.connected:
                    self._publish_device(device)
            case ("state",):
                self._state_at = 0.0
            case _:
                pass

    def _connect(self) -> None:
        station = self._address.station
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{self._address.site}.{station}",
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        put = self._inbox.put

        # These six run on paho's thread, some of them under its lock: they only hand over, and can't fail.
        def on_connect(_c: Any, _u: Any, _f: Any, code: ReasonCode, _p: Properties | None) -> None:
            put(("connected", client, code))

        def on_connect_fail(_c: Any, _u: Any) -> None:
            put(("failed", client))

        def on_disconnect(_c: Any, _u: Any, _f: Any, code: ReasonCode, _p: Properties | None) -> None:
            put(("lost", client, code))

        def on_message(_c: Any, _u: Any, received: mqtt.MQTTMessage) -> None:
            put(("message", client, received.topic, received.payload, received.retain))

        def on_publish(_c: Any, _u: Any, _mid: int, code: ReasonCode, _p: Properties) -> None:
            if code.is_failure:
                put(("refused", client, code))

        def on_socket_open(_c: Any, _u: Any, sock: Any) -> None:
            with contextlib.suppress(OSError):  # a socket that is closed already; the loop will say so
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        client.on_connect = on_connect
        client.on_connect_fail = on_connect_fail
        client.on_disconnect = on_disconnect
        client.on_message = on_message
        client.on_publish = on_publish
        client.on_socket_open = on_socket_open
        client.connect_timeout = 5.0
        will = state.encode(_offline(self._tell_state()))
        client.will_set(self._topics.state(station), will, QOS, retain=True)
        client.connect_async(self._address.host, self._address.port, keepalive=KEEPALIVE, clean_start=True)
        self._client = client
        client.loop_start()

    def _connected(self, code: ReasonCode) -> None:
        client = self._client
        assert client is not None
        if code.is_failure:
            self._lost(f"the broker refused the connection: {code}")
            return
        filters = [(name, QOS) for name in self._topics.for_station(self._address.station)]
        client.subscribe(filters)
        self.connected = True
        self._connections += 1
        self._connected_at = time.monotonic()
        self._confirmed = False
        self._restart()
        _log.info("connected to %s:%d", self._address.host, self._address.port)
        self._listener.on_link(True)
        self._last_state = b""
        self._state_at = 0.0
        for device in self._devices.values():
            self._publish_device(device)

    def _lost(self, why: str, wait: float | None = None) -> None:
        """Drop the client; a new one is made after a while."""
        client, self._client = self._client, None
        was, self.connected = self.connected, False
        self._leave_at = None
        if was and time.monotonic() - self._connected_at > STEADY:
            self._reconnect_wait = RECONNECT_FIRST
        if wait is None:
            wait = self._reconnect_wait
            self._reconnect_wait = min(self._reconnect_wait * 2, RECONNECT_MOST)
        self._next_try = time.monotonic() + wait
        _log.warning("no line to the centre (%s); next try in %.0f s", why, wait)
        if client is not None:
            # Not waited for: whatever the old client still does, its words are no longer listened to.
            _end(client)
        if was:
            self._listener.on_link(False)

    def _left_behind(self, found: StationState) -> None:
        """What a reconnect finds under this station's name must be what this run left there."""
        if self._connections < 2 or found.run == self._tell_state().run:
            return
        if NAME_TAKEN in found.alarms and not found.online:
            self._note_taken()
            self.state_changed()
        else:
            # Not before what is sent now is acknowledged: later the one topic for it speaks of the other's log.
            self._leave_at = time.monotonic() + TAKEN_TURN

    def _note_taken(self) -> None:
        if not self.name_taken:
            self._taken_wait = TAKEN_FIRST
        self._taken_at = time.monotonic()
        _log.error(
            "another station uses the name %s/%s: give one of them another name",
            self._address.site,
            self._address.station,
        )

    def _taken(self) -> None:
        self._note_taken()
        if self._client is not None:
            goodbye = replace(self._tell_state(), online=False, alarms=[NAME_TAKEN])
            self._publish(self._topics.state(self._address.station), state.encode(goodbye), retain=True)
        self._lost("name taken", wait=self._taken_wait)
        self._taken_wait = min(self._taken_wait * 2, TAKEN_MOST)

    def _message(self, topic: str, payload: bytes, retained: bool) -> None:
        parsed = self._topics.parse(topic)
        if parsed is None or len(payload) > message.MAX_MESSAGE:
            _log.warning("ignored %d bytes on %s", len(payload), topic)
            return
        kind, _ = parsed
        try:
            if kind == "ack":
                self._acknowledged(payload, retained)
            elif kind == "answer":
                self._listener.on_answer(asking.decode_answer(payload))
            elif kind == "site":
                self._listener.on_document(payload)
            elif kind == "state" and retained:
                self._left_behind(state.decode_station(payload))
        except (acknowledgement.AcknowledgementError, asking.AskError, state.StateError) as error:
            _log.warning("ignored what came on %s: %s", topic, error)

    def _acknowledged(self, payload: bytes, retained: bool) -> None:
        before = self._outbox.acked
        meant = self._outbox.acknowledge(acknowledgement.decode(payload))
        self._confirmed = self._confirmed or (meant is not Acked.IGNORED and not retained)
        if meant in (Acked.REPLAY, Acked.REOPENED):
            _log.warning("the centre asks for a replay: %s", meant.value)
            self._restart()
        elif meant is Acked.PROGRESS and self._outbox.acked > before:
            self._resend_wait = RESEND_FIRST
            self._resend_at = time.monotonic() + self._resend_wait
            # What was sent before the log moved on elsewhere may be behind the acknowledgement.
            self._sent = max(self._sent, self._outbox.acked)

    def _restart(self) -> None:
        self._rewind()
        self._resend_wait = RESEND_FIRST
        self._resend_at = time.monotonic() + self._resend_wait

    def _rewind(self) -> None:
        """Back to what is acknowledged; and until the centre has spoken on this connection, one event further.

        A centre with an empty database doesn't know whom to ask for a replay: an event that it lacks tells it.
        """
        self._sent = max(0, self._outbox.acked - (0 if self._confirmed else 1))

    def _send_events(self, now: float) -> None:
        acked = self._outbox.acked
        if (self._sent > acked or not self._confirmed) and now >= self._resend_at and self._sent >= acked:
            _log.info("no acknowledgement past %d; sending again", acked)
            self._rewind()
            self._resend_wait = min(self._resend_wait * 2, RESEND_MOST)
        while (room := min(BATCH, WINDOW - (self._sent - acked))) > 0:
            batch = self._outbox.batch(self._sent, room)
            if batch is None:
                return
            if self._sent <= acked:
                self._resend_at = now + self._resend_wait
            self._publish(self._topics.event(self._address.station), message.encode(batch))
            self._sent = batch.last

    def _send_state(self, now: float) -> None:
        if now < self._state_at:
            return
        self._state_at = now + STATE_EVERY
        encoded = state.encode(self._tell_state())
        if encoded != self._last_state:
            self._last_state = encoded
            self._publish(self._topics.state(self._address.station), encoded, retain=True)

    def _publish_device(self, device: DeviceState) -> None:
        topic = self._topics.device(self._address.station, device.device)
        self._publish(topic, state.encode(device), retain=True)

    def _publish(self, topic: str, payload: bytes, *, retain: bool = False) -> mqtt.MQTTMessageInfo | None:
        return None if self._client is None else self._client.publish(topic, payload, QOS, retain)

    def _goodbye(self) -> None:
        if self._client is None:
            return
        if self.connected:
            self._send_events(time.monotonic())
            offline = state.encode(_offline(self._tell_state()))
            info = self._publish(self._topics.state(self._address.station), offline, retain=True)
            if info is not None:
                # The line may go just now; the last will says the same then.
                with contextlib.suppress(RuntimeError, ValueError):
                    info.wait_for_publish(1.0)
        self.connected = False
        _end(self._client).join(2.0)
        self._client = None


def _offline(now: StationState) -> StationState:
    # A last will is no goodbye: only the station that leaves its name to another says that it is taken.
    return replace(now, online=False, alarms=[alarm for alarm in now.alarms if alarm != NAME_TAKEN])


def _end(client: mqtt.Client) -> threading.Thread:
    """End a client, on a thread of its own: a broker that doesn't take its last bytes holds nobody up."""
    client.disconnect()
    ender = threading.Thread(target=client.loop_stop, name="uplink-end", daemon=True)
    ender.start()
    return ender
