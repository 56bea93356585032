"""Terminals for tests: settings, a site, a clock that is set by hand, and the centre's side of the line on a bare broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as mqtt
from msgspec.structs import replace
from paho.mqtt.enums import CallbackAPIVersion

from broker.contract import acknowledgement, asking, event, message, state
from broker.contract.acknowledgement import Acknowledgement
from broker.contract.asking import Answer, Ask, AskReceived, TimeAnswer, TimeAsk
from broker.contract.event import Event
from broker.contract.facts import Decider
from broker.contract.names import new_id
from broker.contract.sitedata import Keys, PassKey, PassTerms, Unreachable
from broker.contract.topics import Topics
from kiosk.station.clock import Clock
from kiosk.station.settings import BrokerSettings, GateSettings, LobbySettings
from kiosk.station.station import Station
from tests.support.centre import DEMO_SITE

SITE = "yunqi"
START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC).timestamp()
"""Noon at the demo site: the day desk's hours."""


def wait_for(condition: Callable[[], object], seconds: float = 5.0, what: str = "") -> None:
    """Return as soon as the condition holds; fail when it doesn't in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"still not so after {seconds} s: {what or condition}")
        time.sleep(0.01)


class HandClock:
    """Wall clock and monotonic clock that only move when told."""

    def __init__(self, wall: float = START) -> None:
        self.wall = wall
        self.mono = 1000.0

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.wall, monotonic=lambda: self.mono)

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.mono += seconds


def lobby_settings(
    folder: Path, port: int = 1, *, station: str = "lobby-1", **changes: object
) -> LobbySettings:
    values: dict = {"site_file": str(DEMO_SITE), **changes}
    return LobbySettings(
        site=SITE, station=station, data=str(folder), broker=BrokerSettings(port=port), **values
    )


def gate_settings(folder: Path, port: int = 1, **changes: object) -> GateSettings:
    values: dict = {"site_file": str(DEMO_SITE), "station": "gate-1", **changes}
    return GateSettings(site=SITE, data=str(folder), broker=BrokerSettings(port=port), **values)


def set_policy(
    station: Station,
    *,
    decider: Decider = Decider.STAFF,
    unreachable: Unreachable = Unreachable.HOLD,
    terms: PassTerms | None = None,
) -> None:
    """The site's policy with one rule for all hours."""

    policy = station.site.policy
    assert policy is not None
    kind = policy.visit_types[0]
    hours = [replace(one, decider=decider, unreachable=unreachable) for one in kind.hours]
    station.site.policy = replace(policy, visit_types=[replace(kind, hours=hours, terms=terms or kind.terms)])


def trust(station: Station, *keys: PassKey) -> None:
    """Put keys into the station's cached key set, as the centre would."""
    station.site.keys = Keys(keys=list(keys))
    station.site._key_set = station.site._make_key_set()


def events(station: Station) -> list[Event]:
    """The station's log, checked: no gap, and every `prev` fits."""
    found: list[Event] = []
    prev = event.NO_PREDECESSOR
    for row in station.store.rows(
        "SELECT seq, body, hash FROM event WHERE log = ? ORDER BY seq", (station.outbox.log,)
    ):
        one = event.decode(row["body"])
        assert (one.seq, one.prev) == (len(found) + 1, prev)
        prev = event.body_hash(row["body"])
        assert prev == row["hash"]
        found.append(one)
    return found


def kinds(station: Station) -> list[str]:
    return [one.type for one in events(station)]


@dataclass
class FarSide:
    """The centre's side of the line, by hand: collects what stations send, acknowledges when told to.

    It checks what the real one does: order, chain, duplicates by hash.
    """

    port: int
    acknowledging: bool = True
    telling_time: bool = True
    receiving_asks: bool = True
    epoch: str = field(default_factory=new_id)
    logs: dict[tuple[str, str], list[bytes]] = field(default_factory=dict)
    states: list[state.StationState] = field(default_factory=list)
    devices: list[state.DeviceState] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    messages: int = 0
    largest: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._topics = Topics(SITE)
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"far-{new_id()}", protocol=mqtt.MQTTv5
        )
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.connect_async("127.0.0.1", self.port, keepalive=30)
        self._client.reconnect_delay_set(1, 1)
        self._client.loop_start()
        wait_for(self._client.is_connected, what="the far side's connection")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> FarSide:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def events(self, station: str = "lobby-1") -> list[Event]:
        """What arrived of a station's latest log, in order and once."""
        with self._lock:
            mine = [bodies for (name, _), bodies in self.logs.items() if name == station]
            return [event.decode(body) for body in mine[-1]] if mine else []

    def forget(self, keep: int = 0) -> None:
        """A centre restored from a backup: another epoch, only the first events of each log."""
        with self._lock:
            self.epoch = new_id()
            for key in self.logs:
                self.logs[key] = self.logs[key][:keep]

    def acknowledge(self, station: str = "lobby-1") -> None:
        """Say how far the latest log of a station is stored."""
        with self._lock:
            key = [key for key in self.logs if key[0] == station][-1]
            self._say_stored(*key)

    def answer(self, answer: Answer, station: str = "lobby-1") -> None:
        self._client.publish(self._topics.answer(station), asking.encode(answer), 1)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, 1, retain)

    def _on_connect(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe([(name, 1) for name in self._topics.for_centre()])

    def _on_message(self, _c: object, _u: object, received: mqtt.MQTTMessage) -> None:
        parsed = self._topics.parse(received.topic)
        assert parsed is not None
        kind, (station, *_rest) = parsed
        with self._lock:
            if kind == "event":
                self._take(station, received.payload)
            elif kind == "state":
                self.states.append(state.decode_station(received.payload))
            elif kind == "device":
                self.devices.append(state.decode_device(received.payload))
            elif kind == "ask":
                self._asked(station, asking.decode_ask(received.payload))

    def _asked(self, station: str, ask: Ask) -> None:
        self.asks.append(ask)
        if isinstance(ask, TimeAsk):
            if self.telling_time:
                self.answer(TimeAnswer(id=ask.id, centre_time=datetime.now(UTC)), station)
        elif self.receiving_asks:
            self.answer(AskReceived(id=ask.id), station)

    def _take(self, station: str, payload: bytes) -> None:
        batch = message.decode(payload)
        self.messages += 1
        self.largest = max(self.largest, len(payload))
        bodies = self.logs.setdefault((station, batch.log), [])
        if batch.first > len(bodies) + 1:
            # A gap: the answer is how far we are.
            self._say_stored(station, batch.log)
            return
        for seq, item in enumerate(batch.items, batch.first):
            if seq <= len(bodies):
                assert item.body == bodies[seq - 1], "a fork"
            else:
                assert event.decode(item.body).prev == self._head(bodies)
                bodies.append(item.body)
        if self.acknowledging:
            self._say_stored(station, batch.log)

    def _say_stored(self, station: str, log: str) -> None:
        bodies = self.logs[station, log]
        word = Acknowledgement(
            epoch=self.epoch,
            log=log,
            seq=len(bodies),
            head_hash=self._head(bodies),
            centre_time=datetime.now(UTC),
        )
        self._client.publish(self._topics.ack(station), acknowledgement.encode(word), 1, retain=True)

    @staticmethod
    def _head(bodies: list[bytes]) -> str:
        return event.body_hash(bodies[-1]) if bodies else event.NO_PREDECESSOR
