"""What ingest makes of messages, good and bad: a table of cases on a real database, no broker."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from broker.contract import event as events
from broker.contract import message
from broker.contract.acknowledgement import Acknowledgement
from broker.contract.facts import DecidedBy, Decision, LogOpened, PassKeyMade, PredecessorLog, VisitDecided
from broker.contract.message import MAX_MESSAGE, Item
from broker.contract.names import new_id
from broker.contract.personal import Phone
from broker.ingest.batch import Ingest
from broker.store import log as store_log
from broker.store import people
from broker.store.board import read_alarms
from broker.store.database import open_writer, transaction
from broker.store.log import EventLog
from broker.store.views import Views, read_visit
from tests.support.log_writer import LogWriter, a_person, a_registration

TOPIC = "frontdesk/v1/yunqi/event/lobby-1"


@dataclass
class Centre:
    """A database with an ingest, and a clock for its back-off."""

    db: sqlite3.Connection
    ingest: Ingest
    time: float = 0.0

    def take(self, *payloads: bytes, station: str = "lobby-1") -> Acknowledgement | None:
        """The acknowledgement after one batch, if there was any."""
        with transaction(self.db):
            taken = self.ingest.take([(TOPIC, station, payload) for payload in payloads])
        return taken.acknowledgements.get(station)

    def count(self, table: str, where: str = "1") -> int:
        return self.db.execute(f"select count(*) from {table} where {where}").fetchone()[0]

    def alarms(self) -> set[str]:
        return {alarm.kind for alarm in read_alarms(self.db)}


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    db = open_writer(tmp_path)
    made = Centre(db, Ingest("yunqi", EventLog(db), db))
    made.ingest.monotonic = lambda: made.time
    yield made
    db.close()


def a_log(events: int = 5, station: str = "lobby-1") -> LogWriter:
    """A log of so many events: its opening, then registrations."""
    log = LogWriter(station)
    for n in range(events - 1):
        log.add(a_registration(number=f"{n:06}"), a_person())
    return log


def test_what_was_sent_is_stored_byte_for_byte_and_acknowledged_with_its_head(centre: Centre) -> None:
    log = a_log(5)
    word = centre.take(log.payload())
    assert word is not None
    assert (word.log, word.seq, word.head_hash, word.epoch) == (
        log.log,
        5,
        log.head,
        centre.ingest.events.epoch,
    )
    stored = [row[0] for row in centre.db.execute("select body from events order by position")]
    assert stored == [item.body for item in log.items]
    assert centre.count("ciphertexts") == 12
    assert centre.count("visits") == 4


def test_a_message_that_comes_again_changes_nothing_and_is_acknowledged_again(centre: Centre) -> None:
    log = a_log(5)
    centre.take(log.payload(), log.payload())
    word = centre.take(log.payload(2, 4))
    assert word is not None
    assert word.seq == 5
    assert (centre.count("events"), centre.count("visits"), centre.alarms()) == (5, 4, set())


def test_a_message_that_overlaps_brings_only_its_new_part(centre: Centre) -> None:
    log = a_log(6)
    centre.take(log.payload(1, 4))
    word = centre.take(log.payload(3, 6))
    assert word is not None
    assert (word.seq, centre.count("events")) == (6, 6)


def test_a_gap_is_answered_by_what_we_have_and_asked_again_with_growing_pauses(centre: Centre) -> None:
    log = a_log(9)
    centre.take(log.payload(1, 2))
    asked_at: list[float] = []
    for step in range(200):
        centre.time = step * 0.1
        word = centre.take(log.payload(5, 9))
        if word is not None:
            assert word.seq == 2
            asked_at.append(centre.time)
    assert asked_at == pytest.approx([0, 0.5, 1.5, 3.5, 7.5, 15.5])
    word = centre.take(log.payload(3, 9))
    assert word is not None
    assert (word.seq, centre.count("events"), centre.alarms()) == (9, 9, set())


def test_a_log_never_seen_that_starts_in_the_middle_is_asked_for_from_the_beginning(centre: Centre) -> None:
    word = centre.take(a_log(5).payload(4, 5))
    assert word is not None
    assert (word.seq, word.head_hash, centre.count("events")) == (0, "0" * 64, 0)


def test_a_fork_is_kept_whole_alarmed_and_not_acknowledged(centre: Centre) -> None:
    log = a_log(4)
    other = LogWriter(log=log.log, items=log.items[:2], head=events.body_hash(log.items[1].body), key=log.key)
    other.add(a_registration(), a_person("王五"))
    other.add(a_registration())
    centre.take(log.payload(1, 3))
    word = centre.take(other.payload(1, 4))
    assert word is not None, "it is told what we hold, so that a station whose disk was restored notices"
    assert (word.seq, word.head_hash) == (3, events.body_hash(log.items[2].body))
    assert centre.take(other.payload(3, 4)) is None, "told once, then with growing pauses"
    kept = centre.db.execute("select seq, body from forks order by seq").fetchall()
    assert kept == [(3, other.items[2].body), (4, other.items[3].body)]
    assert centre.count("forks", "length(ciphertexts) > 100") == 1
    assert (centre.count("events"), centre.alarms()) == (3, {"fork"})
    word = centre.take(log.payload(4, 4))
    assert word is not None, "the log itself goes on"
    assert word.seq == 4


def test_an_event_whose_predecessor_is_another_is_a_fork(centre: Centre) -> None:
    log = a_log(2)
    stranger = a_log(2)
    centre.take(log.payload())
    rebuilt = LogWriter(log=log.log, items=stranger.items[:2], head=stranger.head, key=log.key)
    rebuilt.add(a_registration())
    word = centre.take(rebuilt.payload(3, 3))
    assert word is not None
    assert (word.seq, word.head_hash) == (2, log.head)
    assert (centre.count("forks"), centre.count("events"), centre.alarms()) == (1, 2, {"fork"})


@pytest.mark.parametrize(
    ("type", "v", "data"),
    [
        pytest.param("visit.teleported", 1, b"{}", id="unknown type"),
        pytest.param("visit.registered", 99, b"{}", id="unknown version"),
        pytest.param("visit.decided", 1, b'{"visit": 7}', id="data that doesn't fit"),
    ],
)
def test_what_is_not_understood_is_quarantined_acknowledged_and_blocks_nothing(
    centre: Centre, type: str, v: int, data: bytes
) -> None:
    log = a_log(1)
    log.add(None, type=type, v=v, data=data)
    log.add(a_registration(number="after"), a_person())
    word = centre.take(log.payload())
    assert word is not None
    assert word.seq == 3
    assert centre.count("events", "state = 'quarantined' and problem != ''") == 1
    assert centre.count("visits", "number = 'after'") == 1
    assert "quarantined" in centre.alarms()


def _wrong_site(log: LogWriter) -> bytes:
    return message.encode(msgspec.structs.replace(message.decode(log.payload()), site="elsewhere"))


def _wrong_station(log: LogWriter) -> bytes:
    return message.encode(msgspec.structs.replace(message.decode(log.payload()), station="lobby-2"))


def _count_differs(log: LogWriter) -> bytes:
    found = message.decode(log.payload())
    return message.encode(msgspec.structs.replace(found, last=found.last + 1))


def _body_of_another_log(log: LogWriter) -> bytes:
    other = LogWriter(log.station)
    other.add(a_registration())
    return log.message([log.items[0], other.items[1]])


def _body_is_no_event(log: LogWriter) -> bytes:
    return log.message([log.items[0], Item(b'{"id": 1}')])


def _a_body_before_a_signed_end_replaced(log: LogWriter) -> bytes:
    """Signature and last body are the station's own; what stands before them is not."""
    other = LogWriter(log.station, log=log.log, items=log.items[:1], key=log.key)
    other.head = events.body_hash(log.items[0].body)
    forged = other.add(a_registration(number="forged"))
    log.add(a_registration())
    found = message.decode(log.payload())
    return message.encode(msgspec.structs.replace(found, items=[found.items[0], forged, found.items[2]]))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda _: b"rubbish", id="rubbish"),
        pytest.param(lambda _: b"", id="nothing"),
        pytest.param(lambda _: b"\x93" * 100_000, id="nested without end"),
        pytest.param(lambda _: b"\x00" * (MAX_MESSAGE + 1), id="oversize"),
        pytest.param(lambda log: log.payload()[:-20], id="cut off"),
        pytest.param(_wrong_site, id="another site"),
        pytest.param(_wrong_station, id="another station than the topic's"),
        pytest.param(_count_differs, id="count contradicts itself"),
        pytest.param(_body_of_another_log, id="a body from another log"),
        pytest.param(_body_is_no_event, id="a body that is no event"),
        pytest.param(_a_body_before_a_signed_end_replaced, id="a body forged before a signed end"),
    ],
)
def test_a_bad_message_goes_to_the_dead_letters_whole_and_is_not_acknowledged(
    centre: Centre, make: Callable[[LogWriter], bytes]
) -> None:
    payload = make(a_log(2))
    assert centre.take(payload) is None
    assert centre.take(payload) is None, "the same again counts up"
    kept = centre.db.execute("select topic, payload, times from dead_letters").fetchall()
    assert kept == [(TOPIC, payload, 2)]
    assert (centre.count("events"), centre.alarms()) == (0, {"dead_letter"})
    assert centre.take(a_log(2).payload()) is not None, "and good ones still go through"


def test_nobody_speaks_in_the_centres_own_name(centre: Centre) -> None:
    assert centre.take(a_log(1, station="centre").payload(), station="centre") is None
    assert centre.alarms() == {"dead_letter"}


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"signature": None}, id="none"),
        pytest.param({"signature": b""}, id="empty"),
        pytest.param({"signature": b"\0" * 64}, id="of nothing"),
        pytest.param({}, id="of another key"),
    ],
)
@pytest.mark.parametrize("first", [1, 4], ids=["from the beginning", "of a log that is known"])
def test_a_bad_signature_is_a_dead_letter_alarmed_and_not_acknowledged(
    centre: Centre, first: int, spoil: dict[str, bytes | None]
) -> None:
    log = a_log(5)
    if first > 1:
        centre.take(log.payload(1, first - 1))
    right = message.decode(log.payload(first))
    wrong = msgspec.structs.replace(message.signed(right, LogWriter().key) if not spoil else right, **spoil)
    assert centre.take(message.encode(wrong)) is None
    assert centre.count("events") == first - 1, "nothing of it is stored"
    assert centre.db.execute("select reason from dead_letters").fetchall() == [("bad signature",)]
    assert centre.alarms() == {"bad_signature"}
    word = centre.take(message.encode(right))
    assert word is not None, "the right one still goes through"
    assert word.seq == 5


def test_a_log_keeps_the_key_it_began_with(centre: Centre) -> None:
    log = a_log(3)
    centre.take(log.payload())
    thief = LogWriter(log=log.log)
    thief.add(a_registration())
    assert centre.take(thief.payload()) is None, "a new key for an old log is not believed"
    assert (centre.count("events"), centre.count("forks"), centre.alarms()) == (3, 0, {"bad_signature"})


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(lambda log: log.add(a_registration()), id="no opening"),
        pytest.param(lambda log: log.add(LogOpened(reason="new")), id="an opening without a key"),
        pytest.param(lambda log: log.add(LogOpened(reason="new", public_key="f" * 64)), id="another's key"),
    ],
)
def test_a_log_whose_first_event_brought_no_key_of_its_own_is_not_taken(
    centre: Centre, begin: Callable[[LogWriter], Item]
) -> None:
    log = LogWriter()
    log.items, log.head = [], events.NO_PREDECESSOR
    begin(log)
    assert centre.take(log.payload()) is None
    assert (centre.count("events"), centre.alarms()) == (0, {"bad_signature"})


def test_the_last_signature_of_each_log_is_kept_and_covers_its_head(centre: Centre) -> None:
    log = a_log(6)
    centre.take(log.payload(1, 2), log.payload(3, 4))
    centre.take(log.payload(2, 6))
    centre.take(log.payload(1, 3))
    key, first, last, signature = centre.db.execute(
        "select public_key, first, last, signature from log_keys"
    ).fetchone()
    assert (first, last) == (2, 6)
    proof = msgspec.structs.replace(message.decode(log.payload(2, 6)), signature=signature)
    assert message.signature_holds(proof, log.key.public_key())
    assert key == log.key.public_key().public_bytes_raw().hex()


@pytest.mark.parametrize("named", [True, False], ids=["naming the old one", "naming none"])
def test_a_new_log_of_a_known_station_is_taken_and_shown_if_it_names_no_predecessor(
    centre: Centre, named: bool
) -> None:
    old = a_log(3)
    centre.take(old.payload())
    new = LogWriter(predecessor=PredecessorLog(log=old.log, seq=3) if named else None)
    word = centre.take(new.payload())
    assert word is not None
    assert (word.log, word.seq) == (new.log, 1)
    assert centre.alarms() == ({"log_reopened"} if named else {"log_replaced"})


def test_an_altered_ciphertext_is_not_believed_but_the_visit_counts(centre: Centre) -> None:
    log = LogWriter()
    registration = a_registration()
    item = log.add(registration, a_person())
    forged = msgspec.json.encode(Phone("13900000000"))
    log.items[1] = Item(item.body, {**item.ciphertexts, "phone": forged, "document": b"stowaway"})
    payload = log.payload()
    word = centre.take(payload)
    assert word is not None, "one bad event never blocks a station"
    assert set(people.of_visit(centre.db, registration.visit)) == {"name", "host"}
    assert centre.count("ciphertexts") == 2
    assert read_visit(centre.db, registration.visit) is not None
    reason, kept = centre.db.execute("select reason, payload from dead_letters").fetchone()
    assert "document, phone" in reason
    assert "13900000000" not in reason
    assert kept == payload


def test_a_ciphertext_that_was_purged_on_the_way_leaves_the_rest_whole(centre: Centre) -> None:
    log = LogWriter()
    registration = a_registration()
    item = log.add(registration, a_person())
    log.items[1] = Item(item.body, {"name": item.ciphertexts["name"]})
    assert centre.take(log.payload()) is not None
    assert set(people.of_visit(centre.db, registration.visit)) == {"name"}
    assert centre.alarms() == set()


def test_a_fact_that_comes_again_in_a_new_log_counts_once(centre: Centre) -> None:
    log = LogWriter()
    again = LogWriter(predecessor=PredecessorLog(log=log.log, seq=1))
    key = PassKeyMade(kid=5, public_key="ab" * 32, valid_from=0, valid_until=10)
    registration, id = a_registration(), new_id()
    log.add(key)
    log.add(registration, a_person(), id=id)
    decision = VisitDecided(
        visit=registration.visit, request=registration.request.id, decision=Decision.AGREED, by=DecidedBy.PIN
    )
    again.add(registration, a_person("改名"), id=id)
    again.add(decision)
    centre.take(log.payload())
    word = centre.take(again.payload())
    assert word is not None
    assert word.log == again.log
    assert [row[0] for row in centre.db.execute("select state from events order by position")] == [
        "ok",
        "ok",
        "ok",
        "ok",
        "repeated",
        "ok",
    ]
    name = people.of_visit(centre.db, registration.visit)["name"]
    assert getattr(name, "text", "") == "张伟"


def test_a_key_number_that_is_taken_is_not_given_to_another_key(centre: Centre) -> None:
    first, second = LogWriter("lobby-1"), LogWriter("lobby-2")
    for log, key in ((first, "aa" * 32), (second, "bb" * 32)):
        log.add(PassKeyMade(kid=5, public_key=key, valid_from=0, valid_until=10))
        centre.take(log.payload(), station=log.station)
    assert centre.db.execute("select public_key, station from pass_keys").fetchall() == [
        ("aa" * 32, "lobby-1")
    ]
    assert centre.alarms() == {"kid_taken"}


def test_the_dead_letters_are_bounded(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_log, "MAX_DEAD_LETTERS", 3)
    for n in range(10):
        centre.take(b"rubbish %d" % n)
    assert centre.count("dead_letters") == 3


def test_views_made_anew_from_the_log_equal_the_live_ones(centre: Centre) -> None:
    from tests.broker.days import a_busy_day

    for station, payload in a_busy_day():
        centre.take(payload, station=station)
    tables = ("visits", "passes", "calls", "pass_keys", "people", "subjects")

    def content() -> dict[str, list[tuple[object, ...]]]:
        return {table: sorted(centre.db.execute(f"select * from {table}").fetchall()) for table in tables}

    live = content()
    assert all(live.values())
    with transaction(centre.db):
        for table in tables:
            centre.db.execute(f"delete from {table}")
        views = Views(centre.db)
        for stored in store_log.read(centre.db, limit=10_000):
            event = events.decode(stored.body)
            if stored.state != store_log.OK:
                continue
            beside = dict(
                centre.db.execute(
                    "select class, ciphertext from ciphertexts where position = ?", (stored.position,)
                ).fetchall()
            )
            from broker.contract import facts

            views.apply(stored.position, event, facts.read(event.type, event.v, event.data), beside)
        views.flush()
    assert content() == live
