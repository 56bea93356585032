"""Centres that come back different: what they lost is on the stations, and comes back by itself."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from broker.store.database import transaction
from tests.chaos.site import Site
from tests.support.terminal import wait_for


def holds_everything(site: Site, *, seconds: float = 10.0) -> None:
    """Without anybody doing anything at a station: a restore at night must not wait for the next visitor."""
    wait_for(lambda: site.said <= site.centre.ledger().ids, seconds, "everything is at the centre again")
    site.settled()


def test_a_centre_that_dies_between_commit_and_acknowledgement_costs_nothing(site: Site) -> None:
    station = site.station()
    site.admit(station, 5)
    site.settled()
    site.centre.muted = True
    site.admit(station, 20)
    wait_for(lambda: site.said <= site.centre.ledger().ids, what="stored, and nobody was told")
    assert station.outbox.backlog() == 20
    site.centre.crash()
    site.centre.muted = False
    site.centre.start()

    site.settled()
    assert site.centre.query("select count(*) from heads where station = 'lobby-1'") == [(1,)]


def test_an_empty_database_is_filled_again_by_stations_that_have_nothing_new_to_say(site: Site) -> None:
    one, other = site.station(), site.station("gate", name="gate-1")
    site.admit(one, 30)
    site.admit(other, 30)
    site.settled()
    site.centre.crash()
    site.centre.put_back(None)
    site.broker.stop()
    site.broker.start()
    site.centre.start()

    holds_everything(site)


def test_yesterdays_backup_is_filled_up_again_though_one_station_was_unknown_then(
    site: Site, tmp_path: Path
) -> None:
    one = site.station()
    site.admit(one, 10)
    site.settled()
    site.centre.back_up(tmp_path / "yesterday.db")
    other = site.station("gate", name="gate-1")
    site.admit(one, 10)
    site.admit(other, 10)
    site.settled()
    site.centre.crash()
    site.centre.put_back(tmp_path / "yesterday.db")
    site.broker.stop()
    site.broker.start()
    site.centre.start()

    holds_everything(site)


def test_yesterdays_backup_gets_back_what_stood_in_a_log_that_its_station_has_closed_since(
    site: Site, tmp_path: Path
) -> None:
    """Two mishaps in one day: the station's disk was restored, and then the centre's. 30 days kept means kept."""
    station = site.station()
    site.admit(station, 5)
    site.settled()
    site.centre.back_up(tmp_path / "yesterday.db")
    site.admit(station, 10)
    site.settled()
    site.stop(station)
    site.copy()
    station = site.station()
    beyond = site.admit(station, 2)
    site.settled()
    site.stop(station)
    station = site.station("copy")
    site.admit(station, 5)
    wait_for(lambda: len(site.centre.ledger().bodies) == 2, 10, "a second log at the centre")
    site.settled()
    site.centre.crash()
    site.centre.put_back(tmp_path / "yesterday.db")
    site.centre.start()

    # Two events of the first log were on no disk any more but the centre's of today.
    site.said -= set(beyond)
    holds_everything(site)


def test_what_could_not_be_committed_is_not_acknowledged(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes everything but the commit: nobody may hear of it, and it goes on by itself afterwards."""
    station = site.station()
    site.admit(station, 5)
    site.settled()
    failing = [True]

    @contextmanager
    def reluctant(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        with transaction(connection):
            yield connection
            if failing[0]:
                raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("broker.centre.transaction", reluctant)
    site.admit(station, 20)
    time.sleep(1.0)
    stored = site.centre.query("select max(seq) from heads where station = 'lobby-1'")[0][0]
    assert station.outbox.acked == stored
    assert station.outbox.backlog() == 20
    failing[0] = False

    site.settled()
