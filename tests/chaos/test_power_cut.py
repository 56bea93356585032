"""The power goes at a random moment: what lies on the disk then opens, is whole, holds what was promised, and goes on.

The files are copied while another process writes them, half-written pages and all, the database before the log that
mends it: what a disk holds that wrote in order. The shared-memory file comes along as it is, and torn ends are tried.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker.contract import message
from broker.contract.facts import StaffCalled
from broker.contract.names import new_id
from broker.ingest.batch import Ingest
from broker.store.database import open_writer, transaction
from broker.store.log import EventLog
from tests.chaos.house import ROOT
from tests.chaos.writing import SITE, STATION, open_outbox
from tests.support import ledger

COPIES = 60 if os.environ.get("LONG") == "1" else 8
WRITER = Path(__file__).with_name("writing.py")


@dataclass
class Writing:
    """A process that writes; `said` is the last seq it said is on record."""

    said: int = 0

    def read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.said = int(line)


@contextmanager
def writing(what: str, folder: Path) -> Iterator[Writing]:
    path = os.pathsep.join((str(ROOT), str(ROOT / "firmware-bridge")))
    process = subprocess.Popen(
        [sys.executable, str(WRITER), what, str(folder)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    told = Writing()
    reader = threading.Thread(target=told.read, args=(process,), daemon=True)
    reader.start()
    try:
        deadline = time.monotonic() + 20
        while told.said < 50:
            assert process.poll() is None, "the writer ended"
            assert time.monotonic() < deadline, "the writer does not write"
            time.sleep(0.01)
        yield told
    finally:
        process.kill()
        process.wait()
        reader.join()


def copy_as_the_power_goes(database: Path, to: Path, draw: random.Random, *, torn: bool) -> None:
    """The files at this moment. A torn end: some last bytes of the log never reached the disk, or as other bytes."""
    to.mkdir(parents=True)
    wal = database.with_name(database.name + "-wal")
    copied = to / wal.name
    # A checkpoint moves pages from the log into the database and then begins the log anew; between the two copies the
    # log must not have begun anew, or they are of two moments.
    while True:
        before = wal.read_bytes()[:32]
        shutil.copy(database, to / database.name)
        shutil.copy(wal, copied)
        if wal.read_bytes()[:32] == before:
            break
    shutil.copy(database.with_name(database.name + "-shm"), to)
    if torn:
        size = copied.stat().st_size
        with copied.open("r+b") as file:
            # Beyond what any commit was told of: an unfinished frame.
            file.seek(size)
            file.write(draw.randbytes(draw.randrange(1, 5000)))


@pytest.mark.slow
@pytest.mark.parametrize("torn", [False, True], ids=["clean end", "torn end"])
def test_a_station_whose_power_goes_mid_write_has_all_it_promised_and_goes_on(
    tmp_path: Path, torn: bool
) -> None:
    draw = random.Random(os.environ.get("SEED", "7"))
    folder = tmp_path / "lobby"
    copies: list[tuple[Path, int]] = []
    with writing("station", folder) as told:
        for n in range(COPIES):
            time.sleep(draw.uniform(0.0, 0.15))
            promised = told.said
            copy = tmp_path / f"copy-{n}"
            copy_as_the_power_goes(folder / "station.db", copy, draw, torn=torn)
            copies.append((copy, promised))
    for copy, promised in copies:
        [bodies] = ledger.of_station(copy / "station.db").bodies.values()
        assert len(bodies) >= promised, "an event that was on record is gone"
        outbox = open_outbox(copy)
        outbox.append(StaffCalled(call=new_id()))
        assert outbox.head()[0] == len(bodies) + 1
        ledger.of_station(copy / "station.db")
    assert copies[-1][1] > copies[0][1] + 10, "nothing was written between the copies: that proves nothing"


@pytest.mark.slow
@pytest.mark.parametrize("torn", [False, True], ids=["clean end", "torn end"])
def test_a_centre_whose_power_goes_mid_write_has_all_it_acknowledged_and_goes_on(
    tmp_path: Path, torn: bool
) -> None:
    draw = random.Random(os.environ.get("SEED", "7"))
    folder = tmp_path / "centre"
    copies: list[tuple[Path, int]] = []
    with writing("centre", folder) as told:
        for n in range(COPIES):
            time.sleep(draw.uniform(0.0, 0.15))
            promised = told.said
            copy = tmp_path / f"copy-{n}"
            copy_as_the_power_goes(folder / "centre.db", copy, draw, torn=torn)
            copies.append((copy, promised))
    outbox = open_outbox(folder / "station")
    for copy, promised in copies:
        [bodies] = ledger.of_centre(copy / "centre.db").bodies.values()
        assert len(bodies) >= promised, "an event that was acknowledged is gone"
        db = open_writer(copy)
        ingest = Ingest(SITE, EventLog(db), db)
        # The station replays from what is there, as after any restart.
        while (batch := outbox.batch(len(ledger.of_centre(copy / "centre.db").ids), 500)) is not None:
            with transaction(db):
                ingest.take([(f"frontdesk/v1/{SITE}/event/{STATION}", STATION, message.encode(batch))])
        db.close()
        [bodies] = ledger.of_centre(copy / "centre.db").bodies.values()
        assert len(bodies) == outbox.head()[0]
    assert copies[-1][1] > copies[0][1] + 10, "nothing was written between the copies: that proves nothing"
