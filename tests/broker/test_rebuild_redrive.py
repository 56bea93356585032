"""Views made anew while events arrive; what was set aside, tried again."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from broker.cli import main
from broker.contract import facts, message
from broker.contract.facts import PassKeyMade, StaffComing
from broker.contract.names import new_id
from broker.ingest.batch import Ingest
from broker.ledger import rebuild as rebuilding
from broker.ledger.rebuild import rebuild
from broker.ledger.redrive import redrive
from broker.ledger.verify import verify
from broker.store import aside, own_log
from broker.store.database import FILE, open_reader, open_writer, transaction
from broker.store.log import EventLog
from broker.store.views import TABLES, read_visit
from tests.broker.days import a_busy_day
from tests.support.centre import prepare_centre
from tests.support.log_writer import LogWriter, a_person, a_registration


@dataclass
class Centre:
    """A database, its ingest, and the configuration that names it."""

    folder: Path
    config: Path
    db: sqlite3.Connection
    ingest: Ingest

    def take(self, station: str, payload: bytes) -> bool:
        """Whether it was acknowledged."""
        with transaction(self.db):
            taken = self.ingest.take([(f"frontdesk/v1/yunqi/event/{station}", station, payload)])
        return station in taken.acknowledgements

    def views(self) -> dict[str, list[tuple[object, ...]]]:
        return {table: sorted(self.db.execute(f"select * from {table}").fetchall()) for table in TABLES}

    def states(self) -> list[str]:
        return [row[0] for row in self.db.execute("select state from events order by position")]


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    prepared = prepare_centre(tmp_path)
    db = open_writer(prepared.data)
    yield Centre(prepared.data, prepared.config, db, Ingest("yunqi", EventLog(db), db))
    db.close()


def test_views_made_anew_equal_the_live_ones(centre: Centre) -> None:
    for station, payload in a_busy_day():
        centre.take(station, payload)
    with transaction(centre.db):
        call = centre.db.execute("select id from calls where taken_at = '' limit 1").fetchone()[0]
        own_log.write(centre.db, centre.ingest.events, "yunqi", StaffComing(call=call, account="admin"))
    live = centre.views()
    assert all(live.values()), "a day that fills every view"
    done = rebuild(centre.folder)
    assert centre.views() == live
    assert done.events == len(centre.states())
    assert list(centre.folder.glob("rebuild-*")) == [], "nothing of it stays"


def test_views_that_were_spoilt_are_right_again(centre: Centre) -> None:
    for station, payload in a_busy_day(4):
        centre.take(station, payload)
    live = centre.views()
    for spoil in (
        "delete from people",
        "update visits set people = 99",
        "delete from passes where rowid % 2",
        "insert into calls (id) values ('never-called')",
    ):
        centre.db.execute(spoil)
    result = CliRunner().invoke(main, ["rebuild", "--config", str(centre.config)])
    assert (result.exit_code, "views made anew" in result.output) == (0, True)
    assert centre.views() == live


def test_events_that_arrive_meanwhile_are_in_the_new_views_too(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer goes on during the whole rebuild, in batches so small that the rebuild has to run after it."""
    monkeypatch.setattr(rebuilding, "BATCH", 20)
    monkeypatch.setattr(rebuilding, "NEARLY", 40)
    log = LogWriter("lobby-1")
    for n in range(600):
        log.add(a_registration(number=f"{n:06}"), a_person())
    centre.take("lobby-1", log.payload(1, 200))
    at, stop = [200], threading.Event()

    def arrive() -> None:
        while not stop.is_set() and at[0] < 600:
            centre.take("lobby-1", log.payload(at[0] + 1, at[0] + 5))
            at[0] += 5

    writer = threading.Thread(target=arrive)
    writer.start()
    try:
        done = rebuild(centre.folder)
    finally:
        stop.set()
        writer.join()
    assert done.events > 200, "events did arrive meanwhile"
    assert centre.db.execute("select count(*) from visits").fetchone()[0] == at[0] - 1
    live = centre.views()
    rebuild(centre.folder)
    assert centre.views() == live
    assert not list(centre.folder.glob("rebuild-*"))


def test_a_rebuild_that_fails_leaves_the_views_as_they_were(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    for station, payload in a_busy_day(4):
        centre.take(station, payload)
    live = centre.views()
    monkeypatch.setattr(rebuilding, "TABLES", (*TABLES, "no_such_table"))
    result = CliRunner().invoke(main, ["rebuild", "--config", str(centre.config)])
    assert (result.exit_code, "as they were" in result.output) == (1, True)
    assert centre.views() == live


class VisitDreamed(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of a later release."""

    visit: str


def test_after_an_update_quarantined_events_count_and_the_views_equal_rebuilt_ones(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = facts.read
    log = LogWriter()
    first, second = a_registration(number="000001"), a_registration(number="000002")
    key = PassKeyMade(kid=5, public_key="ab" * 32, valid_from=0, valid_until=10)
    for fact in (first, second):
        log.add(fact, a_person())
    log.add(key)
    log.add(None, type="visit.dreamed", data=b'{"visit": "never-known"}')

    def older(type: str, version: int, data: bytes) -> facts.Fact:
        if type in ("visit.registered", "pass_key.made"):
            raise facts.FactError(f"unknown event type {type} version {version}")
        return known(type, version, data)

    monkeypatch.setattr(facts, "read", older)
    assert centre.take("lobby-1", log.payload())
    assert centre.states() == ["ok", *["quarantined"] * 4]
    assert redrive(centre.db, centre.ingest).events == 0, "not before the update"
    monkeypatch.setattr(facts, "read", known)
    done = redrive(centre.db, centre.ingest)
    assert (done.events, done.left, done.changes.keys) == (3, 1, True)
    assert done.changes.visits == {first.visit, second.visit}
    assert centre.states() == ["ok", "ok", "ok", "ok", "quarantined"]
    assert read_visit(centre.db, second.visit) is not None
    live = centre.views()
    assert len(live["people"]) == 6
    rebuild(centre.folder)
    assert centre.views() == live
    assert verify(centre.db).whole, "the log itself was not touched"


def test_an_event_that_meanwhile_came_again_in_another_log_counts_once(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = facts.read
    registration, id = a_registration(), new_id()
    log, again = LogWriter(), LogWriter()
    log.add(registration, a_person(), id=id)
    again.add(registration, a_person(), id=id)

    def older(type: str, version: int, data: bytes) -> facts.Fact:
        if type == "visit.registered":
            raise facts.FactError("unknown")
        return known(type, version, data)

    monkeypatch.setattr(facts, "read", older)
    centre.take("lobby-1", log.payload())
    monkeypatch.setattr(facts, "read", known)
    centre.take("lobby-1", again.payload())
    redrive(centre.db, centre.ingest)
    assert centre.states() == ["ok", "repeated", "ok", "ok"]
    assert verify(centre.db).whole


def test_a_refused_message_that_fits_now_goes_through_ingest_and_leaves_the_dead_letters(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a fix of ours: a limit was too narrow, and good messages were refused."""
    log = LogWriter()
    log.add(a_registration(), a_person())
    with monkeypatch.context() as narrow:
        narrow.setattr(message, "MAX_MESSAGE", 100)
        assert not centre.take("lobby-1", log.payload())
    assert not centre.take("lobby-1", b"rubbish")
    before = centre.db.execute("select * from dead_letters where payload = ?", (b"rubbish",)).fetchall()
    done = redrive(centre.db, centre.ingest)
    assert (done.messages, done.left, done.changes.visits != set()) == (1, 1, True)
    assert done.acknowledgements["lobby-1"].seq == 2
    assert centre.states() == ["ok", "ok"]
    assert centre.db.execute("select * from dead_letters").fetchall() == before, (
        "as it was, not even counted up"
    )
    log.add(a_registration())
    assert centre.take("lobby-1", log.payload(3)), "and the log goes on"


def test_a_letter_about_altered_ciphertexts_stays(centre: Centre) -> None:
    log = LogWriter()
    item = log.add(a_registration(), a_person())
    log.items[1] = message.Item(item.body, {**item.ciphertexts, "phone": b"altered"})
    centre.take("lobby-1", log.payload())
    assert redrive(centre.db, centre.ingest).messages == 0
    assert [record.kind for record in aside.records(centre.db)] == ["dead_letter"]


def test_the_command_redrives_an_ended_centre_only(centre: Centre) -> None:
    from broker.store.database import hold

    centre.take("lobby-1", b"rubbish")
    command = ["redrive", "--config", str(centre.config)]
    with hold(centre.folder):
        refused = CliRunner().invoke(main, command)
    assert (refused.exit_code, "Try again" in refused.output) == (1, True)
    done = CliRunner().invoke(main, command)
    assert (done.exit_code, done.output) == (
        0,
        "0 events count now, 0 messages are in the log now, 1 are left\n",
    )


def test_records_to_look_at_say_why_whence_when_and_how_large_and_nothing_of_what_is_inside(
    centre: Centre,
) -> None:
    log = LogWriter()
    log.add(None, type="visit.dreamed", data=b'{"visit": "wang-wu-13812341234"}')
    centre.take("lobby-1", log.payload())
    centre.take("lobby-1", b"wang-wu 13812341234")
    other = LogWriter(log=log.log, items=log.items[:1], key=log.key)
    other.head = event_hash(other)
    other.add(a_registration(), a_person())
    centre.take("lobby-1", other.payload())
    reading = open_reader(centre.folder)
    found = aside.records(reading)
    assert {record.kind for record in found} == {"quarantined", "dead_letter", "fork"}
    assert aside.count(reading) == 3
    assert all(record.station == "lobby-1" and record.size > 10 and record.at for record in found)
    assert "13812341234" not in repr(found)
    reading.close()


def event_hash(log: LogWriter) -> str:
    from broker.contract import event

    return event.body_hash(log.items[-1].body)


def test_rebuilding_what_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    prepared = prepare_centre(tmp_path)
    for command in ("rebuild", "redrive", "verify"):
        result = CliRunner().invoke(main, [command, "--config", str(prepared.config)])
        assert (result.exit_code, "broker serve" in result.output) == (1, True)
    assert not (prepared.data / FILE).exists()
