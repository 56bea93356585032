"""The line to the centre over a real Mosquitto: resend, replay, outages, a frozen broker, a taken name."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from broker.contract import sitedata
from broker.contract.asking import Answer, CallTaken
from broker.contract.facts import StaffCalled
from broker.contract.names import new_id
from broker.contract.personal import NotLoopbackError
from broker.contract.state import Availability
from broker.contract.topics import Topics
from firmware_bridge.capabilities import DeviceHealth, LinkState
from kiosk.station import uplink
from kiosk.station.station import Station
from kiosk.station.uplink import Address, Uplink
from tests.support.centre import free_port
from tests.support.mosquitto import Mosquitto, running_mosquitto
from tests.support.terminal import FarSide, lobby_settings, wait_for


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path / "mosquitto") as running:
        yield running


@pytest.fixture
def far(broker: Mosquitto) -> Iterator[FarSide]:
    with FarSide(broker.port) as side:
        yield side


@pytest.fixture
def station(tmp_path: Path, broker: Mosquitto) -> Iterator[Station]:
    made = Station(lobby_settings(tmp_path / "lobby", broker.port), "lobby")
    yield made
    made.stop()


def call(station: Station, count: int = 1) -> None:
    for _ in range(count):
        station.outbox.append(StaffCalled(call=new_id()))


class Ear:
    """Hears what the station passes on."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.links: list[bool] = []
        self.kinds: list[str] = []

    def on_answer(self, answer: Answer) -> None:
        self.answers.append(answer)

    def on_link(self, connected: bool) -> None:
        self.links.append(connected)

    def on_site(self, kind: str) -> None:
        self.kinds.append(kind)

    def tick(self) -> None:
        pass


def test_events_arrive_in_order_and_are_acknowledged(station: Station, far: FarSide):
    call(station, 3)
    station.start()
    call(station, 3)
    wait_for(lambda: station.outbox.backlog() == 0)
    assert [one.seq for one in far.events()] == [1, 2, 3, 4, 5, 6, 7]


def test_a_fresh_event_arrives_within_a_moment(station: Station, far: FarSide):
    station.start()
    wait_for(lambda: station.outbox.backlog() == 0)
    took = []
    for _ in range(20):
        began = time.perf_counter()
        call(station)
        wait_for(lambda: station.outbox.backlog() == 0)
        took.append(time.perf_counter() - began)
    # Without TCP_NODELAY the median was 24 ms; the poll of this test is 10 ms.
    assert sorted(took)[10] < 0.025


def test_a_days_backlog_drains_many_events_a_message(station: Station, far: FarSide):
    with station.store.transaction():
        call(station, 3000)
    station.start()
    wait_for(lambda: station.outbox.backlog() == 0, 20)
    assert len(far.events()) == 3001
    assert far.messages < 40


def test_without_an_acknowledgement_events_are_sent_again_ever_more_slowly(
    station: Station, far: FarSide, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(uplink, "RESEND_FIRST", 0.2)
    monkeypatch.setattr(uplink, "RESEND_MOST", 0.8)
    far.acknowledging = False
    station.start()
    arrivals: list[float] = []
    seen = 0
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline and len(arrivals) < 5:
        if far.messages > seen:
            seen = far.messages
            arrivals.append(time.monotonic())
        time.sleep(0.005)
    gaps = [after - before for before, after in itertools.pairwise(arrivals)]
    assert gaps == [pytest.approx(gap, abs=0.15) for gap in (0.2, 0.4, 0.8, 0.8)]
    far.acknowledging = True
    wait_for(lambda: station.outbox.backlog() == 0)
    assert len(far.events()) == 1


def test_a_restored_centre_gets_everything_again_that_it_lacks(station: Station, far: FarSide):
    station.start()
    call(station, 9)
    wait_for(lambda: station.outbox.backlog() == 0)
    far.forget(keep=4)
    far.acknowledge()
    wait_for(lambda: len(far.events()) == 10)
    wait_for(lambda: station.outbox.backlog() == 0)


def test_a_lower_seq_restarts_the_replay_from_there(station: Station, far: FarSide):
    station.start()
    call(station, 9)
    wait_for(lambda: station.outbox.backlog() == 0)
    epoch = far.epoch
    far.forget(keep=7)
    far.epoch = epoch
    far.acknowledge()
    wait_for(lambda: len(far.events()) == 10 and station.outbox.backlog() == 0)


def test_the_broker_stopped_and_started_costs_nothing_but_time(
    station: Station, far: FarSide, broker: Mosquitto
):
    ear = Ear()
    station.add(ear)
    station.start()
    wait_for(lambda: station.status().online)
    broker.stop()
    wait_for(lambda: not station.status().online, 3)
    began = time.perf_counter()
    call(station, 20)
    assert time.perf_counter() - began < 1.0
    broker.start()
    wait_for(lambda: station.outbox.backlog() == 0, 15)
    wait_for(lambda: station.status().online, 10)
    assert len(far.events()) == 21
    assert ear.links == [True, False, True]


def test_a_broker_that_is_away_for_longer_is_found_again(station: Station, far: FarSide, broker: Mosquitto):
    """Several tries fail in between: paho's own retry would have ended its thread in silence."""
    station.start()
    wait_for(lambda: station.uplink.connected)
    broker.stop()
    call(station, 3)
    time.sleep(4)
    broker.start()
    wait_for(lambda: station.outbox.backlog() == 0, 12)
    assert len(far.events()) == 4


def test_a_station_that_starts_before_its_broker_finds_it(tmp_path: Path, broker: Mosquitto):
    broker.stop()
    made = Station(lobby_settings(tmp_path / "lobby", broker.port), "lobby")
    made.start()
    time.sleep(2)
    broker.start()
    wait_for(lambda: made.uplink.connected, 8)
    made.stop()


def test_a_frozen_broker_blocks_nobody(station: Station, far: FarSide, broker: Mosquitto):
    station.start()
    wait_for(lambda: station.outbox.backlog() == 0)
    broker.freeze()
    try:
        began = time.perf_counter()
        call(station, 50)
        station.uplink.state_changed()
        assert time.perf_counter() - began < 1.0
        assert station.outbox.backlog() == 50
    finally:
        broker.thaw()
    wait_for(lambda: station.outbox.backlog() == 0, 10)
    assert len(far.events()) == 51


def test_a_station_stops_in_seconds_though_its_broker_is_frozen(tmp_path: Path, broker: Mosquitto):
    made = Station(lobby_settings(tmp_path / "lobby", broker.port), "lobby")
    made.start()
    wait_for(lambda: made.uplink.connected)
    broker.freeze()
    began = time.perf_counter()
    made.stop()
    took = time.perf_counter() - began
    broker.thaw()
    assert took < 6


def test_a_broker_that_refuses_the_connection_is_tried_again(tmp_path: Path, broker: Mosquitto):
    broker.stop()
    broker.anonymous = False
    broker.start()
    made = Station(lobby_settings(tmp_path / "lobby", broker.port), "lobby")
    made.start()
    time.sleep(0.5)
    assert not made.uplink.connected
    broker.stop()
    broker.anonymous = True
    broker.start()
    wait_for(lambda: made.uplink.connected, 15)
    made.stop()


def test_a_listener_that_speaks_rubbish_is_survived(tmp_path: Path, broker: Mosquitto):
    """Garbage kills paho's own thread; the uplink notices and begins anew."""
    port = free_port()
    served = threading.Event()

    def serve() -> None:
        with socket.create_server(("127.0.0.1", port)) as server:
            for _ in range(2):
                peer, _addr = server.accept()
                with peer:
                    peer.recv(4096)
                    peer.sendall(b"\x20\x0b\x00\x00\x08\x27\x00\x10\x00\x00" + b"\xff" * 200)
                    time.sleep(0.1)
        served.set()

    threading.Thread(target=serve, daemon=True).start()
    made = Station(lobby_settings(tmp_path / "lobby", port), "lobby")
    made.start()
    assert served.wait(15)
    broker.stop()
    broker.port = port
    broker.start()
    wait_for(lambda: made.uplink.connected, 15)
    made.stop()


def test_state_is_retained_with_a_last_will(station: Station, far: FarSide, tmp_path: Path):
    station.start()
    wait_for(lambda: far.states)
    assert far.states[-1].online
    # The connection torn, not ended: the broker speaks for the station.
    client = station.uplink._client
    assert client is not None
    sock = client.socket()
    assert sock is not None
    sock.shutdown(socket.SHUT_RDWR)
    wait_for(lambda: any(not one.online for one in far.states))
    wait_for(lambda: far.states[-1].online)


def test_a_station_that_stops_says_goodbye_itself(tmp_path: Path, broker: Mosquitto, far: FarSide):
    made = Station(lobby_settings(tmp_path / "lobby", broker.port), "lobby")
    made.start()
    wait_for(lambda: far.states)
    made.stop()
    wait_for(lambda: not far.states[-1].online)


def test_devices_are_told_once_the_line_is_there(station: Station, far: FarSide):
    station.device(
        DeviceHealth(
            "printer", "ticket_printer", LinkState.READY, "paper_out", 1_795_000_000.0, {"printed": 3}
        )
    )
    station.start()
    wait_for(lambda: far.devices)
    assert (far.devices[0].device, far.devices[0].availability) == ("printer", Availability.FAULT)
    assert (far.devices[0].reason, far.devices[0].counters) == ("paper_out", {"printed": 3})
    wait_for(lambda: far.states and far.states[-1].devices == {"printer": Availability.FAULT})


def test_answers_and_site_documents_reach_whoever_listens(station: Station, far: FarSide):
    ear = Ear()
    station.add(ear)
    station.start()
    wait_for(lambda: station.uplink.connected)
    call_taken = CallTaken(id=new_id())
    far.answer(call_taken)
    topics = Topics("yunqi")
    far.publish(topics.answer("lobby-1"), b"\xff rubbish")
    far.publish(topics.site_document("policy"), b"[" * 1000, retain=True)
    assert station.site.policy is not None
    newer = msgspec.structs.replace(station.site.policy, unreachable_seconds=9)
    document = sitedata.issue(newer, last_version=0, now=datetime.now(UTC))
    far.publish(topics.site_document("policy"), sitedata.encode(document), retain=True)
    wait_for(lambda: ear.kinds == ["policy"])
    assert station.site.policy.unreachable_seconds == 9
    wait_for(lambda: ear.answers == [call_taken])


def test_connected_means_that_the_centre_answers_not_the_broker_alone(station: Station, far: FarSide):
    far.telling_time = False
    station.start()
    wait_for(lambda: station.uplink.connected)
    time.sleep(0.5)
    assert not station.status().online
    far.telling_time = True
    station.reach._asked = -60
    wait_for(lambda: station.status().online)


def test_two_stations_of_one_name_are_noticed_and_do_not_fight(
    tmp_path: Path, broker: Mosquitto, far: FarSide, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(uplink, "TAKEN_FIRST", 2.0)
    first = Station(lobby_settings(tmp_path / "one", broker.port), "lobby")
    first.start()
    wait_for(lambda: first.uplink.connected)
    second = Station(lobby_settings(tmp_path / "two", broker.port), "lobby")
    second.start()
    # Mosquitto 2.0 closes the older connection without a word; what each finds on its return tells.
    wait_for(lambda: first.uplink.name_taken)
    wait_for(lambda: second.uplink.name_taken)
    wait_for(lambda: "name_taken" in first.status().alarms and "name_taken" in second.status().alarms)
    # The console hears of it from the one that stays; the other is silent for a while, so that one can work.
    wait_for(lambda: any(one.online and "name_taken" in one.alarms for one in far.states))
    for station in (first, second):
        call(station, 3)
    # Neither loses anything: the silent one's turn comes. And they don't fight: each comes back a few times, not often.
    began = time.monotonic()
    wait_for(lambda: second.outbox.backlog() == 0, 30)
    wait_for(lambda: first.outbox.backlog() == 0, 30)
    assert first.uplink._connections + second.uplink._connections < 8 + (time.monotonic() - began)
    first.stop()
    second.stop()


def test_a_restarted_station_is_not_taken_for_a_second_one(tmp_path: Path, broker: Mosquitto, far: FarSide):
    for _ in range(2):
        made = Station(lobby_settings(tmp_path / "lobby", broker.port), "lobby")
        made.start()
        wait_for(lambda made=made: made.uplink.connected and made.outbox.backlog() == 0)
        client = made.uplink._client
        assert client is not None
        sock = client.socket()
        assert sock is not None
        sock.shutdown(socket.SHUT_RDWR)
        wait_for(lambda made=made: made.uplink._connections == 2)
        time.sleep(0.2)
        assert not made.uplink.name_taken
        made.stop()


def test_no_broker_off_this_machine_is_spoken_to(station: Station):
    with pytest.raises(NotLoopbackError):
        Uplink(
            Address("yunqi", "lobby-1", "192.168.1.9", 1883),
            station.outbox,
            station,
            tell_state=station._state,
        )
