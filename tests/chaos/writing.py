"""Writes a station's or a centre's database as fast as it goes, in a process of its own, and says what is on record.

After each commit one line goes to stdout: the station's new seq, or the seq that the centre would acknowledge now. What has
been printed was committed before; a copy of the files made later must hold it.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

from broker.contract import message
from broker.contract.facts import StaffCalled
from broker.contract.names import new_id
from broker.contract.personal import PersonName
from broker.ingest.batch import Ingest
from broker.store.database import open_writer, transaction
from broker.store.log import EventLog
from kiosk.station.clock import Clock
from kiosk.station.outbox import Outbox
from kiosk.station.store import Store

SITE, STATION = "yunqi", "lobby-1"


def say(seq: int) -> None:
    os.write(1, f"{seq}\n".encode())


def open_outbox(folder: Path) -> Outbox:
    return Outbox(Store(folder, site=SITE, station=STATION), site=SITE, station=STATION, clock=Clock())


def station(folder: Path) -> None:
    """One visit's commit after the other."""
    outbox = open_outbox(folder)
    for _ in itertools.count():
        outbox.append(StaffCalled(call=new_id()), PersonName("张伟"))
        say(outbox.head()[0])


def centre(folder: Path) -> None:
    """Batch after batch of messages from a station beside it, whose own database is kept as well."""
    outbox = open_outbox(folder / "station")
    db = open_writer(folder)
    ingest = Ingest(SITE, EventLog(db), db)
    topic = f"frontdesk/v1/{SITE}/event/{STATION}"
    for _ in itertools.count():
        for _ in range(7):
            outbox.append(StaffCalled(call=new_id()), PersonName("张伟"))
        batch = outbox.batch(outbox.acked, 500)
        assert batch is not None
        with transaction(db):
            taken = ingest.take([(topic, STATION, message.encode(batch))])
        word = taken.acknowledgements[STATION]
        outbox.acknowledge(word)
        say(word.seq)


if __name__ == "__main__":
    {"station": station, "centre": centre}[sys.argv[1]](Path(sys.argv[2]))
