"""Stations that come back different: every fact reaches the centre and counts once, and staff see what happened."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

import msgspec
import pytest

from broker.contract import facts
from broker.contract.facts import StaffCalled
from broker.contract.names import new_id
from kiosk.station import uplink
from kiosk.station.clock import Clock
from tests.chaos.site import Site
from tests.support import ledger
from tests.support.terminal import wait_for

CTI = "00112233445566aa"
YEARS = 9 * 365 * 86400.0


def logs(site: Site) -> int:
    return site.centre.query("select count(*) from heads where station = 'lobby-1'")[0][0]


def test_a_restored_disk_costs_a_new_log_and_no_fact(site: Site) -> None:
    station = site.station()
    site.admit(station, 20)
    site.settled()
    site.stop(station)
    site.copy()
    station = site.station()
    site.admit(station, 30)
    site.settled()
    site.stop(station)

    station = site.station("copy")
    site.admit(station, 5)
    wait_for(lambda: logs(site) == 2, 10, "a second log at the centre")
    site.settled()

    assert "log_reopened" in site.centre.alarms()


def test_a_restored_disk_whose_facts_were_not_acknowledged_then_brings_each_once(site: Site) -> None:
    """The copy holds facts that had not gone out; the original sent them later: same ids, two logs, one count."""
    station = site.station()
    site.admit(station, 5)
    site.settled()
    site.centre.crash()
    site.admit(station, 10)
    site.stop(station)
    site.copy()
    site.centre.start()
    station = site.station()
    site.admit(station, 3)
    site.settled()
    site.stop(station)

    station = site.station("copy")
    site.admit(station, 4)
    wait_for(lambda: logs(site) == 2, 10, "a second log at the centre")
    site.settled()

    assert site.centre.query("select count(*) from events where state = 'repeated'")[0][0] == 10


def test_a_disk_restored_from_before_its_log_was_renewed_still_gets_through(site: Site) -> None:
    """The centre's retained word is about a later log then, and says nothing of the old one."""
    station = site.station()
    site.admit(station, 10)
    site.settled()
    site.stop(station)
    site.copy(to="older")
    site.copy(to="renewed")
    station = site.station()
    site.admit(station, 10)
    site.settled()
    site.stop(station)
    renewed = site.station("renewed")
    site.admit(renewed, 5)
    wait_for(lambda: logs(site) == 2, 10, "a second log at the centre")
    site.settled()
    site.stop(renewed)

    again = site.station("older")
    site.admit(again, 5)
    wait_for(lambda: logs(site) == 3, 10, "a third log at the centre")
    site.settled()


def test_a_station_installed_anew_under_its_old_name_begins_a_log_beside_the_old_one(site: Site) -> None:
    station = site.station()
    site.admit(station, 10)
    site.settled()
    site.stop(station)

    anew = site.station("anew")
    site.admit(anew, 10)
    site.settled()

    assert logs(site) == 2


def test_two_stations_of_one_name_both_get_everything_through_and_both_say_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uplink, "TAKEN_FIRST", 0.7)
    monkeypatch.setattr(uplink, "TAKEN_MOST", 1.5)
    one, other = site.station("one"), site.station("other")
    for _ in range(5):
        site.admit(one, 3)
        site.admit(other, 3)
        time.sleep(0.2)
    site.settled(one, other, seconds=30)

    assert logs(site) == 2
    wait_for(lambda: one.uplink.name_taken and other.uplink.name_taken, 15, "each sees the other")


def test_a_cloned_disk_makes_a_fork_that_is_kept_and_then_a_log_of_its_own(site: Site) -> None:
    station = site.station()
    site.admit(station, 10)
    site.settled()
    site.stop(station)
    site.copy(to="clone")
    station = site.station()
    site.admit(station, 4)
    site.settled()
    site.stop(station)

    clone = site.station("clone")
    site.centre.muted = True
    mine = site.admit(clone, 3)
    time.sleep(0.5)
    site.centre.muted = False
    site.settled()

    assert logs(site) == 2
    assert set(mine) <= site.centre.ledger().ids


@pytest.mark.parametrize("off", [-YEARS, YEARS], ids=["behind", "ahead"])
def test_a_clock_wrong_by_years_poisons_nothing(site: Site, off: float) -> None:
    """Every event carries how far off it was; nothing is pruned by such a clock, and staff see it."""
    station = site.station(clock=Clock(wall=lambda: time.time() + off))
    wait_for(lambda: station.clock.offset is not None, what="the centre's time")
    site.admit(station, 20)
    site.settled()

    for (body,) in site.centre.query("select body from events where type = 'pass.admitted'"):
        event = msgspec.json.decode(body)
        told = datetime.fromisoformat(event["time"]).timestamp() + event["clock"]["offset_ms"] / 1000
        assert abs(told - datetime.now(UTC).timestamp()) < 60
    assert "clock_wrong" in station.alarms()


@pytest.mark.parametrize("wrong_first", [True, False], ids=["wrong, then put right", "right, then wrong"])
def test_a_clock_wrong_by_years_throws_nothing_away_that_a_restored_centre_needs(
    site: Site, wrong_first: bool
) -> None:
    """Events stay 30 days after they were acknowledged: days as they pass, not as a wrong clock counts them."""
    off = [-YEARS if wrong_first else 0.0]
    clock = Clock(wall=lambda: time.time() + off[0])
    station = site.station(clock=clock)
    site.admit(station, 20)
    site.settled()
    site.stop(station)
    off[0] = 0.0 if wrong_first else YEARS

    station = site.station(clock=Clock(wall=lambda: time.time() + off[0]))
    wait_for(lambda: station.clock.offset is not None, what="the centre's time")
    time.sleep(1.0)  # the worker prunes with its first ticks
    site.stop(station)

    with closing(ledger.open_read_only(site.folder / "lobby" / "station.db")) as db:
        kept = {row[0] for row in db.execute("select id from event")}
    assert site.said <= kept


class VisitDreamed(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of some later release."""

    visit: str


def test_a_newer_stations_facts_are_stored_acknowledged_and_shown_as_not_understood(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def later(fact: facts.Fact) -> tuple[str, int]:
        if isinstance(fact, VisitDreamed):
            return "visit.dreamed", 1
        return ("staff.called", 9) if isinstance(fact, StaffCalled) else known(fact)

    known = facts.type_of
    monkeypatch.setattr(facts, "type_of", later)
    station = site.station()
    site.admit(station, 2)
    make: list[Callable[[], object]] = [
        lambda: VisitDreamed(visit=new_id()),
        lambda: StaffCalled(call=new_id()),
    ]
    strange = [station.outbox.append(one()) for one in make]  # type: ignore[arg-type]
    site.admit(station, 2)
    site.settled()

    found = site.centre.query("select id from events where state = 'quarantined'")
    assert [id for (id,) in found] == strange
    assert "quarantined" in site.centre.alarms()
