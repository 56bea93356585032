"""The centre as stations see it: a real Mosquitto, real paho, `broker serve` in a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broker.contract import sitedata
from broker.contract.acknowledgement import Acknowledgement
from broker.contract.asking import AskReceived, HostAsk, TimeAnswer, TimeAsk
from broker.contract.facts import PassKeyMade, SlipOutcome, SlipPrinted
from broker.contract.message import MAX_MESSAGE
from broker.contract.names import new_id
from broker.contract.sitedata import Areas, Keys, Policy, SiteDocument
from broker.store.database import open_reader
from tests.support.centre import RunningCentre, prepare_centre, running_centre
from tests.support.log_writer import LogWriter, a_person, a_registration
from tests.support.mqtt_station import MqttStation

Connect = Callable[..., MqttStation]


def site_document(station: MqttStation, kind: str, newer_than: int = 0) -> SiteDocument:
    """Waits for a document of a kind."""

    def read(topic: str, payload: bytes) -> SiteDocument | None:
        if topic != station.topics.site_document(kind):
            return None
        found = sitedata.decode(payload)
        return found if found.version > newer_than else None

    return station.wait_for(read)


def mosquitto_of(centre: RunningCentre) -> int:
    told = subprocess.run(
        ["pgrep", "-P", str(centre.pid), "mosquitto"], capture_output=True, text=True, check=True
    )
    return int(told.stdout)


def test_an_event_is_acknowledged_after_it_is_stored(centre: RunningCentre, station: Connect) -> None:
    lobby = station("wire-1")
    lobby.log.add(a_registration(), a_person())
    lobby.send(lobby.log.payload())
    word = lobby.acknowledged(2)
    assert word.head_hash == lobby.log.head
    assert abs((word.centre_time - datetime.now(UTC)).total_seconds()) < 5
    reading = open_reader(centre.data)
    stored = reading.execute("select body from events where log = ?", (lobby.log.log,)).fetchall()
    assert [row[0] for row in stored] == [item.body for item in lobby.log.items]
    reading.close()


def test_a_station_that_connects_hears_site_and_its_acknowledgement_at_once(station: Connect) -> None:
    first = station("wire-2")
    first.log.add(a_registration())
    first.send(first.log.payload())
    first.acknowledged(1)
    again = station("wire-2")
    again.log = first.log
    assert again.acknowledged(1).seq == 2
    areas = sitedata.read(site_document(again, "areas"), Areas)
    policy = sitedata.read(site_document(again, "policy"), Policy)
    assert [len(areas.buildings), len(areas.places), areas.organisation] == [4, 2, "yunqi.example"]
    assert sum(1 for one in areas.buildings if one.floors) == 3
    night = policy.visit_types[0].hours_at(datetime(2026, 1, 1, 23, 0, tzinfo=UTC).time())
    day = policy.visit_types[0].hours_at(datetime(2026, 1, 1, 8, 0, tzinfo=UTC).time())
    assert (day.decider, day.unreachable, night.unreachable) == ("staff", "pin", "hold"), "V13"


def test_the_time_is_told_for_the_very_question(station: Connect) -> None:
    lobby = station("wire-3")
    ask = TimeAsk(id=new_id())
    lobby.ask(ask)
    answer = lobby.answered(TimeAnswer)
    assert answer.id == ask.id
    assert abs((answer.centre_time - datetime.now(UTC)).total_seconds()) < 2


def test_an_ask_is_received_even_before_its_event_has_come(station: Connect) -> None:
    lobby = station("wire-4")
    ask = HostAsk(id=new_id(), visit=new_id(), deadline=datetime.now(UTC) + timedelta(minutes=2))
    lobby.ask(ask)
    assert lobby.answered(AskReceived).id == ask.id


def test_a_pass_key_joins_the_key_set_and_a_taken_number_does_not(station: Connect) -> None:
    lobby, other = station("wire-5"), station("wire-6")
    now = int(time.time())
    before = site_document(lobby, "keys").version
    lobby.log.add(PassKeyMade(kid=4242, public_key="ab" * 32, valid_from=now, valid_until=now + 600))
    lobby.send(lobby.log.payload())
    document = site_document(lobby, "keys", newer_than=before)
    [key] = [one for one in sitedata.read(document, Keys).keys if one.kid == 4242]
    assert (key.station, key.public_key, key.areas, key.longest) == ("wire-5", "ab" * 32, 0b1111, 240 * 60)
    other.log.add(PassKeyMade(kid=4242, public_key="cd" * 32, valid_from=now, valid_until=now + 600))
    other.send(other.log.payload())
    other.acknowledged(1)
    third = station("wire-7")
    keys = sitedata.read(site_document(third, "keys"), Keys).keys
    assert [one.public_key for one in keys if one.kid == 4242] == ["ab" * 32]


def test_rubbish_on_every_topic_stops_nobody(station: Connect) -> None:
    lobby = station("wire-8")
    topics = lobby.topics
    for topic in (
        topics.event("wire-8"),
        topics.ask("wire-8"),
        topics.state("wire-8"),
        topics.device("wire-8", "printer"),
        topics.event("wire-8") + "x",
    ):
        for payload in (b"", b"rubbish", b"[1]", b"\xff" * 1000, b"[" * 100_000):
            lobby.publish(topic, payload)
    lobby.log.add(a_registration())
    lobby.send(lobby.log.payload())
    assert lobby.acknowledged(1).seq == 2


def test_a_message_past_the_limit_is_refused_by_the_broker_itself(
    centre: RunningCentre, station: Connect
) -> None:
    giant, lobby = station("wire-9"), station("wire-90")
    ended = threading.Event()
    giant.client.on_disconnect = lambda *_: ended.set()
    giant.client.publish(giant.topics.event("wire-9"), b"x" * (MAX_MESSAGE + 1), qos=1)
    assert ended.wait(5), "the broker ends the connection of whoever sends it"
    giant.close()
    lobby.log.add(a_registration())
    lobby.send(lobby.log.payload())
    lobby.acknowledged(1)
    reading = open_reader(centre.data)
    assert (
        reading.execute("select count(*) from dead_letters where length(payload) > 1000000").fetchone()[0]
        == 0
    )
    reading.close()


def test_a_catching_up_station_is_stored_in_order_and_fast(station: Connect) -> None:
    lobby = station("wire-10")
    for _ in range(2999):
        lobby.log.add(SlipPrinted(visit=new_id(), outcome=SlipOutcome.PRINTED))
    began = time.monotonic()
    for first in range(1, 3001, 250):
        lobby.client.publish(lobby.topics.event("wire-10"), lobby.log.payload(first, first + 249), qos=1)
    assert lobby.acknowledged(3000, patience=20).head_hash == lobby.log.head
    print(f"{3000 / (time.monotonic() - began):.0f} events/s over the wire")


def test_killed_between_commit_and_acknowledgement_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    centre = prepare_centre(tmp_path)
    centre.start(
        first="import broker.centre, os, signal\n"
        "broker.centre.Centre._acknowledge = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    )
    lobby = MqttStation(centre.mqtt_port, LogWriter("lobby-1"))
    for n in range(39):
        lobby.log.add(a_registration(number=f"{n:06}"), a_person())
    lobby.client.publish(lobby.topics.event("lobby-1"), lobby.log.payload(), qos=1)
    deadline = time.monotonic() + 10
    while centre.running and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not centre.running, "it died before it could acknowledge"
    centre.kill()
    assert sum("log in as admin with password" in line for line in centre.output) == 1
    centre.output.clear()
    centre.start()
    assert not any("password" in line for line in centre.output), "it is shown at the first run only"
    try:
        at_start = lobby.acknowledged(40, patience=15)
        lobby.send(lobby.log.payload())
        word = lobby.acknowledged(40)
        assert (word.epoch, word.head_hash) == (at_start.epoch, lobby.log.head)
        reading = open_reader(centre.data)
        rows = reading.execute("select seq, body from events order by position").fetchall()
        assert [tuple(row) for row in rows] == [(n + 1, item.body) for n, item in enumerate(lobby.log.items)]
        assert reading.execute("select count(*) from visits").fetchone()[0] == 39
        reading.close()
    finally:
        lobby.close()
        assert centre.stop() == 0


def test_a_killed_centre_leaves_no_broker_behind(tmp_path: Path) -> None:
    centre = prepare_centre(tmp_path)
    centre.start()
    broker = mosquitto_of(centre)
    centre.kill()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        status = Path(f"/proc/{broker}/stat")
        if not status.exists() or status.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("mosquitto lives on")


def test_a_broker_that_dies_is_started_again_and_everything_is_there_as_before(tmp_path: Path) -> None:
    with running_centre(tmp_path) as centre:
        lobby = MqttStation(centre.mqtt_port, LogWriter("lobby-1"))
        lobby.log.add(a_registration())
        lobby.send(lobby.log.payload())
        lobby.acknowledged(1)
        version = site_document(lobby, "areas").version
        os.kill(mosquitto_of(centre), signal.SIGKILL)
        deadline = time.monotonic() + 20
        while True:
            # As a station does: again after a while without an acknowledgement.
            try:
                lobby.acknowledged(1, patience=1)
                break
            except AssertionError:
                assert time.monotonic() < deadline
        assert site_document(lobby, "areas", newer_than=version - 1).version == version, "not issued anew"
        lobby.log.add(a_registration())
        lobby.send(lobby.log.payload(3, 3))
        lobby.acknowledged(3, patience=10)
        lobby.close()


def test_a_restored_older_centre_has_stations_replay_and_ends_whole(tmp_path: Path) -> None:
    centre = prepare_centre(tmp_path)
    centre.start()
    lobby = MqttStation(centre.mqtt_port, LogWriter("lobby-1"))
    for n in range(5):
        lobby.log.add(a_registration(number=f"{n:06}"))
    lobby.send(lobby.log.payload(1, 3))
    lobby.acknowledged(3)
    centre.stop()
    backup = (centre.data / "centre.db").read_bytes()
    centre.start()
    lobby.acknowledged(3, patience=10)
    lobby.send(lobby.log.payload(4, 6))
    lobby.acknowledged(6)
    centre.stop()
    for old in centre.data.glob("centre.db*"):
        old.unlink()
    (centre.data / "centre.db").write_bytes(backup)
    centre.start()
    try:

        def behind(topic: str, payload: bytes) -> Acknowledgement | None:
            from broker.contract import acknowledgement

            word = acknowledgement.decode(payload) if topic == lobby.topics.ack("lobby-1") else None
            return word if word and word.seq == 3 else None

        assert lobby.wait_for(behind, 10).seq == 3, "a lower seq than before restarts the replay"
        lobby.send(lobby.log.payload(4, 6))
        assert lobby.acknowledged(6).head_hash == lobby.log.head
    finally:
        lobby.close()
        centre.stop()


def test_ctrl_c_ends_everything_and_frees_both_ports(tmp_path: Path) -> None:
    centre = prepare_centre(tmp_path)
    centre.start()
    assert centre.stop() == 0
    for port in (centre.mqtt_port, centre.console_port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    assert not any("Traceback" in line for line in centre.output)


@pytest.mark.parametrize("taken", ["mqtt", "console"])
def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path, taken: str) -> None:
    centre = prepare_centre(tmp_path)
    port = centre.mqtt_port if taken == "mqtt" else centre.console_port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(AssertionError, match=rf"port {port} .*can't be used"):
            centre.start()
    assert not any("Traceback" in line for line in centre.output)
