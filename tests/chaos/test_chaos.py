"""Everything breaks at random moments; at the end every event is at the centre: once, in order, unaltered.

SEED=… repeats a run, LONG=1 runs for minutes, SECONDS=… for as long as is wanted.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.house import House, Schedule, StationProcess
from tests.chaos.station_process import cti_of
from tests.support import ledger
from tests.support.ledger import Ledger

LONG = os.environ.get("LONG") == "1"
SECONDS = float(os.environ.get("SECONDS", 240 if LONG else 12))
STATIONS = 5 if LONG else 3
PATIENCE = 180.0 if LONG else 60.0


@pytest.mark.slow
@pytest.mark.timeout(SECONDS * 3 + PATIENCE + 60)
@pytest.mark.parametrize("persistent", [False, True], ids=["broker forgets", "broker remembers"])
def test_whatever_is_killed_cut_filled_or_restored_every_event_arrives_once_in_order_unaltered(
    tmp_path: Path, persistent: bool
) -> None:
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"SEED={seed}")
    house = House.build(tmp_path / "house", stations=STATIONS, persistent=persistent, seed=seed)
    schedule = Schedule(house, seed, SECONDS)
    try:
        house.open()
        schedule.run()
        house.settle(PATIENCE)
        for station in house.stations:
            station.stop()
    finally:
        house.close()

    centre = ledger.of_centre(house.database)
    sent = 0
    for station in house.stations:
        sent += whole(station, ledger.of_station(station.database), centre)
    print(f"{sent} events sent = stored")
    assert sent > STATIONS * SECONDS * 5, "the stations hardly got to say anything: that proves nothing"
    views_count_each_fact_once(house, centre)
    verify = [sys.executable, "-m", "broker.cli", "verify", "--config", str(house.centre.config)]
    said = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def whole(station: StationProcess, own: Ledger, centre: Ledger) -> int:
    """A station's log stands at the centre byte for byte, all of it and nothing else; returns its length."""
    there = {key: bodies for key, bodies in centre.bodies.items() if key[0] == station.name}
    assert list(own.bodies) == list(there), f"{station.name} has other logs than the centre has of it"
    for key, bodies in own.bodies.items():
        assert bodies == there[key], f"{key} is not the same on both sides"
    told = station.told()
    assert len(told) == len(set(told))
    missing = [id for id in told if id not in centre.ids]
    assert not missing, (
        f"{len(missing)} events of {station.name} were on record and are lost, first {missing[0]}"
    )
    assert len(own.bodies) == 1, f"{station.name} opened a new log though nothing happened to its disk"
    return sum(map(len, own.bodies.values()))


def views_count_each_fact_once(house: House, centre: Ledger) -> None:
    with closing(sqlite3.connect(house.database)) as db:

        def count(sql: str) -> int:
            return db.execute(sql).fetchone()[0] or 0

        assert (
            count("select count(*) from visits where registered_at != ''") == centre.types["visit.registered"]
        )
        assert count("select count(*) from calls") == centre.types["staff.called"]
        assert count("select sum(entries) from passes") == centre.types["pass.admitted"]
        people = count("select count(*) from people where class = 'name'")
        assert people == centre.types["visit.registered"]
        ctis = {row[0] for row in db.execute("select cti from passes")}
    assert ctis <= {cti_of(station.name) for station in house.stations}
