"""Cached site data and the keys a station signs with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from broker.contract import facts, passes, sitedata
from broker.contract.settings import SettingsError
from broker.contract.sitedata import Body, Keys, PassKey, PassTerms
from broker.contract.state import Availability
from firmware_bridge.capabilities import DeviceHealth, LinkState
from kiosk.station.passes import ClockWrongError
from kiosk.station.station import Station, availability_of
from kiosk.station.worker import Worker
from tests.support.terminal import START, HandClock, events, lobby_settings, trust, wait_for

NOON = datetime.fromtimestamp(START, UTC)


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture
def station(tmp_path: Path, hand: HandClock) -> Iterator[Station]:
    made = Station(lobby_settings(tmp_path / "lobby"), "lobby", clock=hand.clock())
    yield made
    made.stop()


def receive(station: Station, body: Body, version: int = 0) -> str | None:
    document = sitedata.issue(body, last_version=version, now=NOON)
    return station.site.receive(sitedata.encode(document), station.store, NOON)


def test_the_starter_copy_serves_until_the_centre_was_heard(station: Station):
    assert station.site.complete
    assert station.site.areas is not None
    assert station.site.areas.organisation == "yunqi.example"
    assert station.site.versions == {}


def test_what_the_centre_said_outlives_a_restart_and_the_starter(tmp_path: Path):
    before = Station(lobby_settings(tmp_path / "lobby"), "lobby")
    assert before.site.policy is not None
    assert receive(before, replace(before.site.policy, unreachable_seconds=42)) == "policy"
    before.stop()
    after = Station(lobby_settings(tmp_path / "lobby", site_file=None), "lobby")
    assert after.site.policy is not None
    assert after.site.policy.unreachable_seconds == 42
    # Areas were never sent: half a site is none.
    assert after.alarms() == ["no_policy"]
    after.stop()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\x00",
        b"[" * 100_000,
        b'{"kind":"policy","version":99999999999999,"issued":"2026-11-23T12:00:00Z","body":"{}"}',
        b'{"kind":"keys","version":99999999999999,"issued":"2026-11-23T12:00:00Z","body":"{\\"keys\\":5}"}',
        b'{"kind":"weather","version":1,"issued":"2026-11-23T12:00:00Z","body":"{}"}',
    ],
    ids=range(6),
)
def test_what_cannot_be_read_never_replaces_the_last_good_copy(station: Station, payload: bytes):
    policy, areas, keys = station.site.policy, station.site.areas, station.site.key_set
    assert station.site.receive(payload, station.store, NOON) is None
    assert (station.site.policy, station.site.areas, station.site.key_set) == (policy, areas, keys)
    assert station.store.rows("SELECT * FROM site_document") == []


def test_an_older_version_never_replaces_a_newer_one(station: Station):
    assert station.site.policy is not None
    receive(station, replace(station.site.policy, unreachable_seconds=42), version=2_000_000_000_000)
    assert receive(station, station.site.policy) is None
    assert station.site.policy.unreachable_seconds == 42


def test_the_area_behind_a_gate_comes_from_buildings_and_bits(station: Station):
    assert station.site.area_mask([], []) == 0b1111
    assert station.site.area_mask(["b2"], []) == 0b10
    assert station.site.area_mask(["b2", "gone"], [5]) == 0b100010
    # Named, but unknown: nobody is let in rather than everybody.
    assert station.site.area_mask(["gone"], []) == 0


def test_hours_go_by_the_sites_zone_and_an_unknown_zone_is_survived(station: Station):
    assert station.site.local(NOON).hour == 12
    assert station.site.areas is not None
    station.site.areas = replace(station.site.areas, time_zone="Mars/Olympus")
    assert station.site.local(NOON) == NOON


def test_a_broken_starter_file_is_named(tmp_path: Path):
    broken = tmp_path / "site.toml"
    broken.write_text('organisation = "x.example"\nsite_number = 0\n')
    with pytest.raises(SettingsError, match=r"site\.toml"):
        Station(lobby_settings(tmp_path / "lobby", site_file=str(broken)), "lobby")
    # The folder is free again for the next start.
    Station(lobby_settings(tmp_path / "lobby"), "lobby").stop()


# ---- keys


def made_keys(station: Station) -> list[facts.PassKeyMade]:
    found = [facts.read(e.type, e.v, e.data) for e in events(station)]
    return [fact for fact in found if isinstance(fact, facts.PassKeyMade)]


def test_a_key_is_made_once_announced_and_signs_for_a_week(station: Station, hand: HandClock):
    for _ in range(3):
        station.passes.issue(PassTerms(), 0)
        hand.pass_by(2 * 86_400)
    assert len(made_keys(station)) == 1
    hand.pass_by(2 * 86_400)
    station.passes.issue(PassTerms(), 0)
    first, second = made_keys(station)
    assert first.kid != second.kid
    assert first.valid_until - first.valid_from == 8 * 86_400


def test_a_clock_that_went_back_gets_a_key_that_is_valid_then(station: Station, hand: HandClock):
    station.passes.ready()
    hand.wall -= 1800
    station.clock._written = 0
    claims = station.passes.issue(PassTerms(), 0)
    key = made_keys(station)[-1]
    assert key.kid == claims.kid
    assert key.valid_from <= claims.not_before


def test_no_key_and_no_pass_under_a_wrong_clock(station: Station, hand: HandClock):
    hand.wall = 1000.0
    for work in (station.passes.ready, lambda: station.passes.issue(PassTerms(), 0)):
        with pytest.raises(ClockWrongError):
            work()
    assert made_keys(station) == []


def test_a_key_id_that_belongs_to_another_station_is_given_up(station: Station):
    claims = station.passes.issue(PassTerms(), 0)
    other = PassKey(
        kid=claims.kid,
        public_key="ab" * 32,
        station="lobby-2",
        areas=1,
        valid_from=0,
        valid_until=2**31,
        longest=3600,
    )
    trust(station, other)
    station.passes.keys_changed()
    assert station.passes.issue(PassTerms(), 0).kid != claims.kid


def test_its_own_certified_key_stays_and_bounds_the_pass(station: Station):
    claims = station.passes.issue(PassTerms(minutes=240), 0)
    made = made_keys(station)[0]
    trust(
        station,
        PassKey(
            kid=made.kid,
            public_key=made.public_key,
            station="lobby-1",
            areas=15,
            valid_from=made.valid_from,
            valid_until=made.valid_until,
            longest=3600,
        ),
    )
    station.passes.keys_changed()
    second = station.passes.issue(PassTerms(minutes=240), 0)
    assert second.kid == claims.kid
    assert second.expires - second.not_before == 3600


def test_places_of_the_status_list_and_pass_ids_are_never_given_twice(station: Station):
    with station.store.transaction():
        issued = [station.passes.issue(PassTerms(), 0) for _ in range(300)]
    assert len({claims.index for claims in issued}) == 300
    assert len({claims.cti for claims in issued}) == 300


def test_a_full_status_list_issues_nothing_rather_than_a_place_twice(station: Station):
    kid = station.passes.issue(PassTerms(), 0).kid
    with station.store.transaction() as connection:
        connection.executemany(
            "INSERT OR IGNORE INTO used_place VALUES (?, ?)", ((kid, n) for n in range(passes.PLACES))
        )
    with pytest.raises(LookupError, match="full"):
        station.passes.issue(PassTerms(), 0)


def test_old_keys_are_dropped_when_nothing_they_signed_can_be_shown(station: Station, hand: HandClock):
    claims = station.passes.issue(PassTerms(), 0)
    hand.pass_by(15 * 86_400)
    station.passes.prune()
    assert station.passes.text(claims, "yunqi.example") is not None
    hand.pass_by(2 * 86_400)
    station.passes.prune()
    assert station.passes.text(claims, "yunqi.example") is None
    assert station.store.rows("SELECT * FROM used_place") == []


def test_the_centres_keys_make_the_key_set(station: Station):
    made = PassKey(
        kid=5, public_key="00" * 32, station="lobby-1", areas=3, valid_from=1, valid_until=2, longest=3
    )
    assert receive(station, Keys(keys=[made])) == "keys"
    found = station.site.key_set.keys[5]
    assert (found.areas, found.longest, station.site.key_set.organisation) == (3, 3, "yunqi.example")


# ---- the worker


def test_jobs_run_in_order_and_give_back_result_or_error():
    worker = Worker()
    out: list[object] = []
    worker.start()
    worker.submit(lambda: 1, out.append)
    worker.submit(lambda: 1 / 0, out.append, lambda error: out.append(type(error)))
    worker.submit(lambda: 3, out.append)
    worker.stop()
    assert out == [1, ZeroDivisionError, 3]


def test_nothing_that_goes_wrong_stops_the_worker():
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(1)
        raise RuntimeError("tick")

    worker = Worker(tick, every=0.01)
    worker.start()
    out: list[int] = []
    worker.submit(lambda: 1, lambda _: 1 / 0)
    worker.submit(lambda: 2, out.append)
    wait_for(lambda: len(ticks) > 3 and out == [2])
    worker.stop()


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (LinkState.READY, "", Availability.ONLINE),
        (LinkState.READY, "paper_out", Availability.FAULT),
        (LinkState.FAULT, "error", Availability.FAULT),
        (LinkState.BACKOFF, "unplugged", Availability.OFFLINE),
        (LinkState.HANDSHAKE, "", Availability.OFFLINE),
    ],
)
def test_what_staff_are_told_of_a_device(state: LinkState, reason: str, said: Availability):
    assert availability_of(DeviceHealth("printer", "ticket_printer", state, reason, START)) is said
