"""What must hold of the database and of what is derived from it, beyond single messages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker.console.security import Attempts
from broker.contract import sitedata
from broker.contract.facts import HostAnswered, StaffComing
from broker.settings import load_site
from broker.store import own_log, site
from broker.store.database import StoreError, meta, open_reader, open_writer, transaction
from broker.store.log import EventLog, LogKey
from tests.support.centre import DEMO_SITE

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def test_the_epoch_names_the_database_for_ever_and_another_one_has_another(tmp_path: Path) -> None:
    epochs = []
    for folder in ("a", "a", "b"):
        db = open_writer(tmp_path / folder)
        epochs.append(meta(db, "epoch"))
        db.close()
    assert epochs[0] == epochs[1] != epochs[2]


def test_what_is_acknowledged_has_reached_the_disk(tmp_path: Path) -> None:
    db = open_writer(tmp_path)
    assert db.execute("pragma journal_mode").fetchone()[0] == "wal"
    assert db.execute("pragma synchronous").fetchone()[0] == 2, "FULL"
    db.close()


def test_nobody_else_on_the_machine_reads_the_database(tmp_path: Path) -> None:
    open_writer(tmp_path / "data").close()
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
    assert (tmp_path / "data" / "centre.db").stat().st_mode & 0o077 == 0


def test_a_file_that_is_no_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "centre.db").write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(StoreError, match=r"centre\.db can't be opened"):
        open_writer(tmp_path)
    with pytest.raises(StoreError, match="broker serve"):
        open_reader(tmp_path / "nowhere")


def test_site_documents_are_issued_on_change_only_and_never_with_an_older_version(tmp_path: Path) -> None:
    db = open_writer(tmp_path)
    areas, policy = load_site(DEMO_SITE)
    with transaction(db):
        first = site.issue_if_changed(db, areas, NOW)
        assert first is not None
        assert site.issue_if_changed(db, areas, NOW) is None
        assert site.issue_if_changed(db, policy, NOW) is not None
    assert sitedata.decode(first).version == int(NOW.timestamp() * 1000)
    ahead = sitedata.decode(first).version + 10**9
    with transaction(db):
        db.execute("update site_documents set version = ?, body = 'older'", (ahead,))
        again = site.issue_if_changed(db, areas, NOW)
    assert again is not None
    assert sitedata.decode(again).version == ahead + 1, "max(last + 1, ms)"
    db.close()


def test_the_centres_own_log_is_chained_like_any_other(tmp_path: Path) -> None:
    from broker.contract import event as events
    from broker.contract.facts import Decision

    db = open_writer(tmp_path)
    log = EventLog(db)
    with transaction(db):
        own_log.write(db, log, "yunqi", StaffComing(call="call-0001", account="admin"))
        own_log.write(
            db,
            log,
            "yunqi",
            HostAnswered(visit="visit-01", request="req-0001", decision=Decision.AGREED, account="admin"),
        )
    bodies = [row[0] for row in db.execute("select body from events order by position")]
    first, second = (events.decode(body) for body in bodies)
    assert (first.station, first.seq, second.seq) == ("centre", 1, 2)
    assert second.prev == events.body_hash(bodies[0])
    assert EventLog(db).head(LogKey("yunqi", "centre", first.log)).hash == events.body_hash(bodies[1])
    db.close()


def test_wrong_passwords_wait_longer_each_time_up_to_five_minutes_and_a_right_one_ends_it() -> None:
    now = [0.0]
    attempts = Attempts(monotonic=lambda: now[0])
    waits = []
    for _ in range(14):
        now[0] += attempts.wait("admin")
        attempts.failed("admin")
        waits.append(attempts.wait("admin"))
    assert waits == [0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert attempts.wait("other") == 0
    attempts.succeeded("admin")
    assert attempts.wait("admin") == 0
