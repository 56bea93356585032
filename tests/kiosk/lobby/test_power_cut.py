"""kill -9 in the middle of things, on real wires: whatever a visitor was told is on record and reaches the centre."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker.contract import facts
from broker.contract.asking import HostAsk, HostDecision
from broker.contract.facts import Decision, VisitRegistered
from kiosk.lobby.desk import Desk, DeskListener
from kiosk.lobby.flows.draft import Draft, Identity
from kiosk.lobby.flows.registration import Waiting
from kiosk.station.settings import load_lobby
from kiosk.station.station import Station
from tests.support.centre import DEMO_SITE
from tests.support.mosquitto import Mosquitto, running_mosquitto
from tests.support.terminal import FarSide, events, wait_for

PROGRAM = Path(__file__).parents[2] / "support" / "lobby_process.py"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path / "mosquitto") as running:
        yield running


@pytest.fixture
def config(tmp_path: Path, broker: Mosquitto) -> Path:
    path = tmp_path / "lobby.toml"
    path.write_text(
        f'site = "yunqi"\nstation = "lobby-1"\ndata = "lobby"\nsite_file = "{DEMO_SITE}"\n[broker]\nport = {broker.port}\n'
    )
    return path


class Process:
    """The lobby's process, and what it has said so far."""

    def __init__(self, config: Path) -> None:
        self.told: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_for(lambda: "ready" in self.told, 10)

    def register(self, count: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("Zhang Wei\n" * count)
        self._process.stdin.flush()

    def numbers(self) -> list[str]:
        return [line for line in self.told if line != "ready"]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join(5)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.told.append(line.strip())


def registered(far: FarSide) -> list[str]:
    found = [facts.read(e.type, e.v, e.data) for e in far.events()]
    return [fact.number for fact in found if isinstance(fact, VisitRegistered)]


def test_every_visit_that_was_told_its_number_reaches_the_centre_once(config: Path, broker: Mosquitto):
    told: list[str] = []
    with FarSide(broker.port) as far:
        for pause in (0.05, 0.1, 0.2):
            process = Process(config)
            process.register(200)
            wait_for(lambda process=process: process.numbers())
            time.sleep(pause)
            process.kill()
            told += process.numbers()
        station = Station(load_lobby(config), "lobby")
        on_record = [e.id for e in events(station)]
        station.start()
        wait_for(lambda: station.outbox.backlog() == 0, 10)
        station.stop()
        arrived = registered(far)
        assert len(told) > 30
        assert set(told) <= set(arrived)
        assert len(arrived) == len(set(arrived))
        assert [e.id for e in far.events()] == on_record


def test_a_visit_in_the_middle_goes_on_after_the_power_is_back(config: Path, broker: Mosquitto):
    with FarSide(broker.port) as far:
        far.receiving_asks = False
        process = Process(config)
        process.register(1)
        wait_for(process.numbers)
        process.kill()
        station = Station(load_lobby(config), "lobby")
        decisions: list[Decision] = []

        class Ear(DeskListener):
            def on_decision(self, visit: str, decision: Decision, place: str) -> None:
                decisions.append(decision)

        Desk(station, listener=Ear())
        before = len(far.asks)
        station.start()
        wait_for(lambda: any(isinstance(ask, HostAsk) for ask in far.asks[before:]))
        ask = next(ask for ask in far.asks[before:] if isinstance(ask, HostAsk))
        answer = HostDecision(
            id=ask.id, visit=ask.visit, decision=Decision.AGREED, decided_at=datetime.now(UTC)
        )
        began = time.monotonic()
        far.answer(answer)
        wait_for(lambda: decisions == [Decision.AGREED])
        assert time.monotonic() - began < 1.0
        wait_for(lambda: station.outbox.backlog() == 0)
        assert "visit.decided" in [e.type for e in far.events()]
        station.stop()


def test_the_broker_pulled_during_a_visit_and_brought_back(config: Path, broker: Mosquitto):
    """Goal 9: the visit goes on as its policy says; the events arrive when the broker is back."""
    with FarSide(broker.port) as far:
        station = Station(load_lobby(config), "lobby")
        waitings: list[Waiting] = []

        class Ear(DeskListener):
            def on_waiting(self, visit: str, waiting: Waiting) -> None:
                waitings.append(waiting)

        desk = Desk(station, listener=Ear())
        station.start()
        wait_for(lambda: station.status().online)
        draft = Draft(
            building="b1",
            unit="1",
            room="801",
            consent=True,
            identity=Identity.TYPED,
            name="Zhang Wei",
            phone="13812341234",
            purpose="family",
            arranged=True,
        )
        numbers: list[str] = []
        station.worker.submit(lambda: desk.register(draft), lambda visit: numbers.append(visit.number))
        wait_for(lambda: Waiting.WITH_STAFF in waitings)
        broker.stop()
        # Without a PIN set, the demo's policy comes down to holding the visit and calling staff.
        wait_for(lambda: waitings[-1] is Waiting.HOLD, 14)
        assert station.outbox.backlog() >= 1
        broker.start()
        wait_for(lambda: waitings[-1] is Waiting.WITH_STAFF, 14)
        wait_for(lambda: station.outbox.backlog() == 0, 10)
        assert registered(far) == numbers
        assert [e.type for e in far.events()].count("staff.called") == 1
        station.stop()


def test_a_second_process_with_the_same_data_folder_is_refused(config: Path):
    process = Process(config)
    try:
        done = subprocess.run(
            [sys.executable, str(PROGRAM), str(config)],
            input="",
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    finally:
        process.kill()
    assert done.returncode != 0
    assert "in use by another process" in done.stderr
