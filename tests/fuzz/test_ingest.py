"""Ingest as a whole: whatever stations and strangers send, in any order, it never stumbles and the log stays a log."""

from __future__ import annotations

import gc
import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.contract import message
from broker.contract.message import Item, Message
from broker.contract.names import new_id, new_log_id
from broker.ingest.batch import Ingest
from broker.store.database import FILE, open_writer, transaction
from broker.store.log import EventLog
from tests.fuzz import payloads
from tests.support import ledger
from tests.support.log_writer import LogWriter, a_person, a_registration

EXAMPLES = int(os.environ.get("FUZZ", "60"))
SITE = "yunqi"


@dataclass
class Centre:
    """A database that lives through all examples: what one left behind meets the next."""

    folder: Path
    clock: float = 0.0
    sure: dict[tuple[str, str], int] = field(default_factory=dict)
    """By (station, log), how far it was acknowledged: that never goes back."""

    def __post_init__(self) -> None:
        self.db = open_writer(self.folder)
        self.ingest = Ingest(SITE, EventLog(self.db), self.db)
        self.ingest.monotonic = lambda: self.clock

    def take(self, *letters: tuple[str, bytes]) -> None:
        """One batch; everything that it acknowledges is held against the database at once."""
        self.clock += 60
        with transaction(self.db):
            taken = self.ingest.take(
                [(f"frontdesk/v1/{SITE}/event/{station}", station, payload) for station, payload in letters]
            )
        for station, word in taken.acknowledgements.items():
            row = self.db.execute(
                "select count(*), max(seq), (select hash from events where station = ? and log = ? and seq = ?)"
                " from events where station = ? and log = ?",
                (station, word.log, word.seq, station, word.log),
            ).fetchone()
            assert row == ((word.seq, word.seq, word.head_hash) if word.seq else (0, None, None))
            assert word.seq >= self.sure.get((station, word.log), 0)
            self.sure[station, word.log] = word.seq

    def check(self) -> None:
        """The whole log, by other means than the product's; and what was acknowledged is in it."""
        found = ledger.of_centre(self.folder / FILE)
        for key, seq in self.sure.items():
            assert len(found.bodies.get(key, [])) >= seq


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = Centre(tmp_path)
    yield made
    made.db.close()


def a_log(station: str = "lobby-1", events: int = 12) -> LogWriter:
    log = LogWriter(station)
    for n in range(events):
        log.add(a_registration(), a_person() if n % 2 else ())
    return log


@st.composite
def letters(draw: st.DrawFn, logs: list[LogWriter]) -> tuple[str, bytes]:
    """(station, payload): a stretch of a log, such a stretch with its insides changed, or bytes from nowhere."""
    log = draw(st.sampled_from(logs))
    first = draw(st.integers(1, len(log.items)))
    last = draw(st.integers(first, len(log.items)))
    station = draw(st.sampled_from([log.station, log.station, log.station, "lobby-2", "centre"]))
    match draw(st.sampled_from(["stretch", "stretch", "stretch", "flipped", "bodies", "strange", "nowhere"])):
        case "stretch":
            return station, log.payload(first, last)
        case "flipped":
            return station, draw(payloads.flipped(log.payload(first, last)))
        case "bodies":
            return station, draw(with_odd_bodies(log, first, last))
        case "strange":
            return station, draw(with_strange_beside(log, first, last))
        case _:
            return station, draw(payloads.BYTES_FROM_NOWHERE)


@st.composite
def with_odd_bodies(draw: st.DrawFn, log: LogWriter, first: int, last: int) -> bytes:
    """Well formed outside; one body inside is not what it was, or its order is another."""
    items = list(log.items[first - 1 : last])
    at = draw(st.integers(0, len(items) - 1))
    what = draw(st.sampled_from(["order", "predecessor", "predecessor", "bytes"]))
    if what == "order" and len(items) > 1:
        items[at], items[at - 1] = items[at - 1], items[at]
    elif what == "predecessor":
        prev = msgspec.json.decode(items[at].body)["prev"].encode()
        items[at] = Item(items[at].body.replace(prev, draw(st.sampled_from([b"0", b"a"])) * 64), {})
    else:
        spoil = draw(st.sampled_from([payloads.odd_json, payloads.flipped]))
        items[at] = Item(draw(spoil(items[at].body))[:8192], items[at].ciphertexts)
    return whole(log, first, last, items)


@st.composite
def with_strange_beside(draw: st.DrawFn, log: LogWriter, first: int, last: int) -> bytes:
    """Ciphertexts that nobody announced, or others than were announced, or none."""
    items = list(log.items[first - 1 : last])
    at = draw(st.integers(0, len(items) - 1))
    names = st.sampled_from(["name", "phone", "host", "fingerprint"])
    beside = draw(st.dictionaries(names, st.binary(max_size=100), max_size=4))
    items[at] = Item(items[at].body, beside)
    return whole(log, first, last, items)


def whole(log: LogWriter, first: int, last: int, items: list[Item]) -> bytes:
    made = Message(site=log.site, station=log.station, log=log.log, first=first, last=last, items=items)
    return message.encode(sign(log, made))


def sign(log: LogWriter, made: Message) -> Message:
    """By the log's key where logs have one: a thief of a station could do as much."""
    key = getattr(log, "key", None)
    return made if key is None else message.signed(made, key)


def test_whatever_is_sent_the_log_stays_whole_and_ingest_never_stumbles(centre: Centre) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.data())
    def feed(data: st.DataObject) -> None:
        logs = [a_log(), a_log(), a_log("gate-1")]
        for _ in range(data.draw(st.integers(1, 6))):
            centre.take(*data.draw(st.lists(letters(logs), min_size=1, max_size=4)))
        # However it was upset, the station's own resending brings everything that fits.
        for log in logs:
            key = (log.station, log.log)
            held = centre.db.execute(
                "select body from events where station = ? and log = ? order by seq", key
            ).fetchall()
            if [body for (body,) in held] == [item.body for item in log.items[: len(held)]]:
                centre.take((log.station, log.payload()))
                assert centre.sure.get(key) == len(log.items), "a bad message blocked a station"

    feed()
    centre.check()
    assert centre.db.execute("select count(*) from events").fetchone()[0] > EXAMPLES
    assert centre.db.execute("select count(*) from dead_letters").fetchone()[0] > EXAMPLES // 10


def test_strangers_in_any_number_cost_no_memory(centre: Centre) -> None:
    """A log id is drawn by the sender: whatever is kept by it must be bounded."""
    log = a_log(events=2)

    def strangers(count: int) -> None:
        for _ in range(count):
            made = Message(
                site=SITE, station="lobby-1", log=new_log_id(), first=5, last=5, items=[log.items[1]]
            )
            centre.take(("lobby-1", message.encode(sign(log, made))))
        centre.sure.clear()

    strangers(300)
    tracemalloc.start()
    strangers(1_500)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    strangers(4_000)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 4_000 * 40, f"{grown / 4000:.0f} bytes are kept for each log id that was ever named"


def test_the_same_dead_letter_in_any_number_is_kept_once(centre: Centre) -> None:
    payload = f"rubbish {new_id()}".encode()
    for _ in range(50):
        centre.take(*[("lobby-1", payload)] * 20)
    assert centre.db.execute("select count(*), sum(times) from dead_letters").fetchone() == (1, 1000)
