"""The log and outbox: one transaction with the visit, kept until acknowledged, never rewritten."""

from __future__ import annotations

import itertools
import os
import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from broker.contract import event, facts, message
from broker.contract.acknowledgement import Acknowledgement
from broker.contract.event import EventError
from broker.contract.facts import LogOpened, StaffCalled
from broker.contract.message import MAX_MESSAGE
from broker.contract.names import new_id
from broker.contract.personal import HostNamed, PersonName, Phone, unseal
from kiosk.station.outbox import Acked, Outbox
from kiosk.station.store import ReadOnlyStore, Store, StoreError
from tests.support.terminal import HandClock

EPOCH = new_id()


class Log:
    """A store with its outbox, and a way to open it again as after a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hand = HandClock()
        self.open()

    def open(self) -> None:
        self.store = Store(self.folder, site="yunqi", station="lobby-1")
        self.outbox = Outbox(self.store, site="yunqi", station="lobby-1", clock=self.hand.clock())

    def reopen(self) -> None:
        self.store.close()
        self.open()

    def call(self, count: int = 1) -> None:
        for _ in range(count):
            self.outbox.append(StaffCalled(call=new_id()))

    def bodies(self, log: str = "") -> list[bytes]:
        rows = self.store.rows("SELECT body FROM event WHERE log = ? ORDER BY seq", (log or self.outbox.log,))
        return [row["body"] for row in rows]

    def ack(self, seq: int, *, epoch: str = EPOCH, head: str = "", log: str = "") -> Acked:
        if not head:
            row = self.store.row("SELECT hash FROM event WHERE log = ? AND seq = ?", (self.outbox.log, seq))
            head = row["hash"] if row else event.NO_PREDECESSOR
        return self.outbox.acknowledge(
            Acknowledgement(
                epoch=epoch,
                log=log or self.outbox.log,
                seq=seq,
                head_hash=head,
                centre_time=datetime.fromtimestamp(self.hand.wall, UTC),
            )
        )


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "data")
    yield made
    made.store.close()


def test_a_new_log_begins_with_its_opening(log: Log):
    first = event.decode(log.bodies()[0])
    assert (first.seq, first.prev, first.type) == (1, event.NO_PREDECESSOR, "log.opened")
    opened = facts.read(first.type, first.v, first.data)
    assert isinstance(opened, LogOpened)
    assert (opened.reason, opened.predecessor) == ("new", None)


def test_each_message_is_signed_by_the_key_its_log_was_opened_with(log: Log):
    keys: list[str] = []
    for reopened in (False, True):
        log.call(2)
        log.reopen()
        if reopened:
            log.ack(99, head="cd" * 32)
        opened = event.decode(log.bodies()[0])
        fact = facts.read(opened.type, opened.v, opened.data)
        assert isinstance(fact, LogOpened)
        assert fact.public_key is not None
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(fact.public_key))
        for after in (0, 1):
            sent = log.outbox.batch(after, 2)
            assert sent is not None or after
            assert sent is None or message.signature_holds(message.decode(message.encode(sent)), key)
        keys.append(fact.public_key)
    assert keys[0] != keys[1], "another log signs with another key"


def test_events_form_a_chain_without_gaps_across_restarts(log: Log):
    name = log.outbox.log
    log.call(3)
    log.reopen()
    log.call(2)
    assert log.outbox.log == name
    bodies = log.bodies()
    assert [event.decode(body).seq for body in bodies] == [1, 2, 3, 4, 5, 6]
    for before, after in itertools.pairwise(bodies):
        assert event.decode(after).prev == event.body_hash(before)


def test_personal_data_stands_beside_the_body_never_in_it(log: Log):
    people = (PersonName("张伟"), Phone("13812341234"), HostNamed(building="b1"))
    log.outbox.append(StaffCalled(call=new_id()), *people)
    batch = log.outbox.batch(1, 10)
    assert batch is not None
    item = batch.items[0]
    assert b"138" not in item.body
    assert "张".encode() not in item.body
    sealed = event.decode(item.body).sealed
    assert {kind: unseal(item.ciphertexts[kind], ref) for kind, ref in sealed.items()} == {
        "name": people[0],
        "phone": people[1],
        "host": people[2],
    }


def test_a_transaction_that_fails_leaves_no_event_and_no_gap(log: Log):
    def half_way() -> None:
        with log.store.transaction():
            log.call(2)
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError):
        half_way()
    assert log.outbox.head()[0] == 1
    log.call()
    assert log.outbox.head()[0] == 2


def test_an_event_that_is_too_big_is_refused_before_it_is_a_fact(log: Log):
    with pytest.raises(EventError):
        log.outbox.append(StaffCalled(call=new_id(), screen="x" * event.MAX_BODY))
    with pytest.raises(EventError, match="class name"):
        log.outbox.append(StaffCalled(call=new_id()), PersonName("张" * 5000))
    assert log.outbox.head()[0] == 1


def test_every_commit_is_flushed_and_the_files_are_private(log: Log):
    assert log.store.row("PRAGMA synchronous")[0] == 2
    assert log.store.row("PRAGMA journal_mode")[0] == "wal"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in log.folder.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    assert stat.S_IMODE(log.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(("most", "after"), [(2, 0), (10, 0), (10, 3), (1, 4)])
def test_a_batch_holds_the_next_events_in_order(log: Log, most: int, after: int):
    log.call(4)
    batch = log.outbox.batch(after, most)
    assert batch is not None
    assert (batch.first, batch.last) == (after + 1, min(5, after + most))
    assert [item.body for item in batch.items] == log.bodies()[after : after + most]
    assert message.decode(message.encode(batch)) == batch


def test_a_batch_stays_within_the_largest_message(log: Log):
    people = (HostNamed(building="座" * 100, unit="x" * 100, room="y" * 100, name="名" * 100),)
    with log.store.transaction():
        for _ in range(900):
            log.outbox.append(StaffCalled(call=new_id(), screen="s" * 2000), *people)
    seen = 0
    while batch := log.outbox.batch(seen, 500):
        assert len(message.encode(batch)) <= MAX_MESSAGE
        seen = batch.last
    assert seen == 901


def test_nothing_is_left_to_send_once_all_is_sent(log: Log):
    assert log.outbox.batch(1, 10) is None


def test_an_acknowledged_event_stays_for_its_time(log: Log):
    log.call(3)
    assert log.ack(3) is Acked.PROGRESS
    assert log.outbox.backlog() == 1
    log.hand.pass_by(29 * 86_400)
    assert log.outbox.prune(30) == 0
    log.hand.pass_by(2 * 86_400)
    assert log.outbox.prune(30) == 3
    assert len(log.bodies()) == 1


def test_what_was_not_acknowledged_is_never_pruned_however_old(log: Log):
    log.call(3)
    log.hand.pass_by(400 * 86_400)
    assert log.outbox.prune(30) == 0


def test_the_chain_goes_on_after_everything_was_pruned(log: Log):
    log.call(3)
    log.ack(4)
    head = log.outbox.head()
    log.hand.pass_by(31 * 86_400)
    log.outbox.prune(30)
    log.reopen()
    assert log.outbox.head() == head
    log.call()
    assert event.decode(log.bodies()[-1]).prev == head[1]


def test_a_new_epoch_restarts_the_replay_from_where_it_says(log: Log):
    log.call(4)
    log.ack(5)
    assert log.ack(2, epoch=new_id()) is Acked.REPLAY
    assert (log.outbox.acked, log.outbox.backlog()) == (2, 3)
    log.hand.pass_by(31 * 86_400)
    assert log.outbox.prune(30) == 2


def test_a_new_epoch_that_holds_everything_needs_no_events_again(log: Log):
    log.ack(1)
    assert log.ack(1, epoch=new_id()) is Acked.REPLAY
    assert log.outbox.batch(log.outbox.acked, 10) is None
    assert log.ack(1) is Acked.REPLAY


def test_a_lower_seq_of_the_same_epoch_is_a_replay_too(log: Log):
    log.call(4)
    log.ack(5)
    assert log.ack(3) is Acked.REPLAY
    assert log.outbox.acked == 3


def test_an_acknowledgement_of_another_log_means_nothing(log: Log):
    assert log.ack(1, log=new_id()) is Acked.IGNORED
    assert log.outbox.acked == 0


@pytest.mark.parametrize("ahead", [True, False], ids=["the centre is ahead", "the centre holds another body"])
def test_a_station_whose_disk_was_restored_opens_a_new_log(log: Log, ahead: bool):
    log.call(2)
    log.ack(3)
    log.call(2)
    old, ids = log.outbox.log, [event.decode(body).id for body in log.bodies()]
    assert log.ack(9 if ahead else 4, head="cd" * 32) is Acked.REOPENED
    assert log.outbox.log != old
    bodies = [event.decode(body) for body in log.bodies()]
    opened = facts.read(bodies[0].type, bodies[0].v, bodies[0].data)
    assert isinstance(opened, LogOpened)
    assert (opened.reason, opened.predecessor) == ("restored", facts.PredecessorLog(log=old, seq=5))
    # What was never acknowledged is appended again, as the same facts.
    assert [one.id for one in bodies[1:]] == ids[3:]
    assert [one.seq for one in bodies] == [1, 2, 3]
    assert bodies[1].prev == event.body_hash(log.bodies()[0])
    log.reopen()
    assert log.outbox.log == bodies[0].log


def test_a_centre_that_lost_more_than_is_kept_here_gets_a_new_log(log: Log):
    log.call(3)
    log.ack(4)
    log.hand.pass_by(31 * 86_400)
    log.outbox.prune(30)
    log.call(2)
    assert log.ack(1, epoch=new_id()) is Acked.REOPENED
    kinds = [event.decode(body).type for body in log.bodies()]
    assert kinds == ["log.opened", "staff.called", "staff.called", "staff.called"]


def test_reopening_keeps_personal_data_beside_its_event(log: Log):
    log.outbox.append(StaffCalled(call=new_id()), PersonName("李四"))
    log.ack(7, head="cd" * 32)
    batch = log.outbox.batch(1, 1)
    assert batch is not None
    assert unseal(batch.items[0].ciphertexts["name"], event.decode(batch.items[0].body).sealed["name"]) == (
        PersonName("李四")
    )


def test_anchors_remember_what_the_centre_said(log: Log):
    log.call(2)
    log.ack(2)
    log.ack(3)
    seqs = [row["seq"] for row in log.store.rows("SELECT seq FROM anchor ORDER BY seq")]
    assert seqs == [2, 3]


# ---- the data folder


def test_a_second_process_with_the_same_folder_is_refused_with_a_next_step(log: Log):
    with pytest.raises(StoreError, match=rf"in use by another process \({os.getpid()}\).*name of its own"):
        Store(log.folder, site="yunqi", station="lobby-1")


def test_another_stations_folder_is_refused(log: Log):
    log.store.close()
    with pytest.raises(StoreError, match="holds the log of yunqi/lobby-1, not of yunqi/lobby-2"):
        Store(log.folder, site="yunqi", station="lobby-2")
    log.open()


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="`data`"):
        Store(tmp_path / "file", site="yunqi", station="lobby-1")


def test_a_damaged_database_says_so(tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "station.db").write_bytes(b"not a database at all" * 500)
    with pytest.raises(StoreError, match="can't be opened"):
        Store(folder, site="yunqi", station="lobby-1")


def test_another_process_may_look_while_the_station_writes(log: Log):
    log.call()
    look = ReadOnlyStore(log.folder)
    log.call()
    assert look.row("SELECT count(*) AS n FROM event")["n"] == 3
    with pytest.raises(sqlite3.OperationalError):
        look.rows("DELETE FROM event")
    look.close()


def test_a_look_works_while_the_station_is_stopped_and_changes_nothing(log: Log):
    log.call()
    log.store.close()
    before = {path.name: path.read_bytes() for path in log.folder.iterdir() if path.name == "station.db"}
    look = ReadOnlyStore(log.folder)
    assert look.row("SELECT count(*) AS n FROM event")["n"] == 2
    look.close()
    after = {path.name: path.read_bytes() for path in log.folder.iterdir() if path.name == "station.db"}
    assert after == before
    log.open()


def test_a_look_at_nothing_says_so(tmp_path: Path):
    with pytest.raises(StoreError, match="no such file"):
        ReadOnlyStore(tmp_path)
