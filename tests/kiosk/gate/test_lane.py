"""A gate's lane: every reason, what counts as a use, the same code again, and hostile scanners."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.contract import facts, passes
from broker.contract.passes import MODE_ANTI_PASSBACK, MODE_ASK_CENTRE, Pass
from broker.contract.sitedata import PassKey
from broker.contract.verdict import Direction, Outcome, Reason
from kiosk.gate.lane import ledger
from kiosk.gate.lane.lane import LaneResult
from kiosk.gate.post import GatePost
from kiosk.station.station import Station
from tests.support.terminal import START, HandClock, events, gate_settings, trust

NOW = int(START)
KEY = Ed25519PrivateKey.generate()
STRANGER = Ed25519PrivateKey.generate()
CERTIFIED = PassKey(
    kid=7,
    public_key=KEY.public_key().public_bytes_raw().hex(),
    station="lobby-1",
    areas=0b1111,
    valid_from=NOW - 86_400,
    valid_until=NOW + 86_400,
    longest=14_400,
)
GOOD = Pass(
    kid=7,
    cti=b"goodpass",
    not_before=NOW - 60,
    expires=NOW + 3600,
    site=1,
    areas=0b1,
    entries=1,
    mode=0,
    index=1,
)


def text(claims: Pass = GOOD, key: Ed25519PrivateKey = KEY, organisation: str = "yunqi.example") -> str:
    return passes.sign(claims, key, organisation)


class Gate:
    """A gate's station and lane, on the test's own thread."""

    def __init__(self, folder: Path, **plan: object) -> None:
        self.folder = folder
        self.plan = plan
        self.hand = HandClock()
        self.open()

    def open(self) -> None:
        settings = gate_settings(self.folder, **self.plan)
        self.station = Station(settings, "gate", clock=self.hand.clock())
        trust(self.station, CERTIFIED)
        self.lane = GatePost(self.station, settings).lane

    def restart(self) -> None:
        self.station.stop()
        self.open()

    def scan(self, scanned: str, direction: Direction | None = None, *, after: float = 10.0) -> LaneResult:
        """One scan, so long after the one before that it is no re-read."""
        self.hand.pass_by(after)
        return self.lane.scan(scanned, direction)

    def recorded(self) -> list[facts.Fact]:
        return [facts.read(e.type, e.v, e.data) for e in events(self.station) if e.type.startswith("pass.")]


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path / "gate")
    yield made
    made.station.stop()


def said(result: LaneResult) -> tuple[Outcome, Reason]:
    return result.verdict.outcome, result.verdict.reason


# ---- each reason, at a gate to building 1 that lets in


@dataclass(frozen=True)
class Case:
    reason: Reason
    scanned: str
    before: tuple[str, ...] = ()


TWICE = replace(GOOD, entries=2, mode=MODE_ANTI_PASSBACK)
CASES = [
    Case(Reason.OK, text()),
    Case(Reason.UNREADABLE, "6901234567892"),
    Case(Reason.UNKNOWN_KEY, text(replace(GOOD, kid=8))),
    Case(Reason.FORGED, text(key=STRANGER)),
    Case(Reason.KEY_NOT_VALID, text(replace(GOOD, expires=NOW + 86_000))),
    Case(Reason.NOT_YET, text(replace(GOOD, not_before=NOW + 600))),
    Case(Reason.EXPIRED, text(replace(GOOD, expires=NOW - 600))),
    Case(Reason.OTHER_SITE, text(replace(GOOD, site=2))),
    Case(Reason.WRONG_AREA, text(replace(GOOD, areas=0b10))),
    Case(Reason.USED_UP, text(), before=(text(),)),
    Case(Reason.ALREADY_INSIDE, text(TWICE), before=(text(TWICE),)),
    Case(Reason.ASK_CENTRE, text(replace(GOOD, mode=MODE_ASK_CENTRE))),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason.value)
def test_each_reason_at_an_entry_and_what_is_put_on_record(tmp_path: Path, case: Case):
    gate = Gate(tmp_path / "gate", direction="in", buildings=["b1"])
    for earlier in case.before:
        assert gate.scan(earlier).verdict.outcome is Outcome.ADMITTED
    result = gate.scan(case.scanned)
    good = case.reason is Reason.OK
    assert said(result) == (Outcome.ADMITTED if good else Outcome.REFUSED, case.reason)
    fact = gate.recorded()[-1]
    if good:
        assert isinstance(fact, facts.PassAdmitted)
        assert (fact.cti, fact.kid, fact.gate) == (GOOD.cti.hex(), 7, "gate-1")
    else:
        assert isinstance(fact, facts.PassRefused)
        assert fact.reason == case.reason.value
        known = result.verdict.vpass
        assert fact.cti == (known.cti.hex() if known else None)
    gate.station.stop()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason.value)
def test_the_same_scans_at_an_exit_are_never_refused(tmp_path: Path, case: Case):
    gate = Gate(tmp_path / "gate", direction="out", buildings=["b1"])
    result = gate.scan(case.scanned)
    assert result.verdict.outcome is Outcome.LEFT
    fact = gate.recorded()[-1]
    assert isinstance(fact, facts.PassLeft)
    gate.station.stop()


def test_a_wrong_clock_admits_nobody_and_lets_everybody_out(gate: Gate):
    assert gate.scan(text()).verdict.outcome is Outcome.ADMITTED
    gate.hand.wall -= 400 * 86_400
    assert said(gate.scan(text(replace(GOOD, cti=b"12345678")))) == (Outcome.REFUSED, Reason.CLOCK_WRONG)
    assert said(gate.scan(text())) == (Outcome.LEFT, Reason.CLOCK_WRONG)


def test_a_gate_that_was_never_told_its_site_admits_nobody(tmp_path: Path):
    gate = Gate(tmp_path / "gate", site_file=None)
    assert gate.scan(text()).verdict.outcome is Outcome.REFUSED
    assert gate.scan("", Direction.OUT).verdict.outcome is Outcome.LEFT
    gate.station.stop()


# ---- uses


def test_in_auto_whoever_is_inside_is_leaving_and_may_not_come_back_on_a_single_entry(gate: Gate):
    steps = [said(gate.scan(text())) for _ in range(4)]
    assert steps == [
        (Outcome.ADMITTED, Reason.OK),
        (Outcome.LEFT, Reason.OK),
        (Outcome.REFUSED, Reason.USED_UP),
        (Outcome.REFUSED, Reason.USED_UP),
    ]


def test_a_pass_for_any_number_of_entries_goes_in_and_out(gate: Gate):
    free = text(replace(GOOD, entries=0))
    assert [gate.scan(free).direction for _ in range(6)] == [Direction.IN, Direction.OUT] * 3


def test_who_is_inside_may_leave_after_the_end(gate: Gate):
    gate.scan(text())
    assert said(gate.scan(text(), after=7200)) == (Outcome.LEFT, Reason.EXPIRED)


def test_the_guard_may_say_which_way(gate: Gate):
    assert said(gate.scan(text(), Direction.OUT)) == (Outcome.LEFT, Reason.OK)
    assert said(gate.scan(text())) == (Outcome.ADMITTED, Reason.OK)


def test_what_was_used_is_still_used_after_a_restart(gate: Gate):
    gate.scan(text())
    gate.restart()
    assert said(gate.scan(text())) == (Outcome.LEFT, Reason.OK)
    gate.restart()
    assert said(gate.scan(text())) == (Outcome.REFUSED, Reason.USED_UP)


# ---- the same code again


def test_a_code_held_in_front_of_the_reader_repeats_its_answer_and_uses_nothing_up(gate: Gate):
    first = gate.scan(text())
    for _ in range(50):
        again = gate.scan(text(), after=0.3)
        assert (again.verdict, again.repeat) == (first.verdict, True)
    assert len(gate.recorded()) == 1
    assert not first.repeat


def test_a_refusal_is_repeated_too_and_recorded_once(gate: Gate):
    bad = text(replace(GOOD, expires=NOW - 600))
    assert not gate.scan(bad).repeat
    assert gate.scan(bad, after=1).repeat
    assert len(gate.recorded()) == 1


def test_two_people_scanning_in_turn_are_not_mixed_up(gate: Gate):
    other = text(replace(GOOD, cti=b"otherone"))
    results = [gate.scan(one, after=1) for one in (text(), other, text(), other)]
    assert [result.repeat for result in results] == [False, False, True, True]
    assert len(gate.recorded()) == 2


def test_power_lost_before_the_answer_was_seen_costs_no_entry(gate: Gate):
    gate.scan(text())
    gate.restart()
    again = gate.scan(text(), after=2)
    assert (said(again), again.repeat) == ((Outcome.ADMITTED, Reason.OK), True)
    assert len(gate.recorded()) == 1


def test_a_repeat_ends_some_seconds_after_the_code_was_taken_away(gate: Gate):
    gate.scan(text())
    assert gate.scan(text(), after=4.9).repeat
    assert not gate.scan(text(), after=5.1).repeat


# ---- hostile scanners


@pytest.mark.parametrize(
    "rubbish",
    [
        "",
        "A" * 1_000_000,
        "VP1" + "A" * 1_000_000,
        "\x00\x01\x02\x1b[2J" * 40,
        "\ud800\udfff" * 90,
        "VP1" + "\u202e" * 186,
        text() + "\r\n",
        text().lower(),
    ],
    ids=[
        "nothing",
        "1 MB",
        "1 MB of pass",
        "control characters",
        "surrogates",
        "right to left",
        "suffix",
        "lower",
    ],
)
def test_hostile_text_is_refused_at_once_and_the_lane_lives(gate: Gate, rubbish: str):
    began = time.perf_counter()
    assert said(gate.scan(rubbish)) == (Outcome.REFUSED, Reason.UNREADABLE)
    assert time.perf_counter() - began < 0.2
    assert said(gate.scan(text())) == (Outcome.ADMITTED, Reason.OK)


def test_a_flood_of_rubbish_does_not_fill_the_log(gate: Gate):
    for n in range(500):
        assert gate.scan(f"rubbish {n}", after=0.01).verdict.reason is Reason.UNREADABLE
    assert 5 <= len(gate.recorded()) <= 6


@given(scanned=st.text(max_size=300))
@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_text_stops_the_lane(gate: Gate, scanned: str):
    assert gate.scan(scanned).verdict.reason is Reason.UNREADABLE


def test_no_pass_text_is_ever_logged_or_kept(gate: Gate, caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    gate.scan(text())
    gate.scan(text(key=STRANGER))
    assert text() not in caplog.text
    gate.station.store.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    for path in gate.folder.iterdir():
        assert text().encode() not in path.read_bytes()


# ---- the disk and the line


def test_when_nothing_can_be_recorded_nobody_is_admitted_and_everybody_may_leave(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    gate.scan(text(replace(GOOD, cti=b"inside01")))
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "write", full)
        assert said(gate.scan(text())) == (Outcome.REFUSED, Reason.ASK_CENTRE)
        assert gate.scan(text(replace(GOOD, cti=b"inside01"))).verdict.outcome is Outcome.LEFT
        assert "disk_full" in gate.station.alarms()
    assert said(gate.scan(text())) == (Outcome.ADMITTED, Reason.OK)
    assert "disk_full" not in gate.station.alarms()


def test_a_verdict_and_its_event_are_one_transaction(gate: Gate, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> str:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(gate.station.outbox, "append", full)
        gate.scan(text())
    assert gate.station.store.rows("SELECT * FROM ledger") == []


def test_out_of_reach_is_said_and_stands_in_the_event(gate: Gate):
    assert gate.scan(text()).offline
    gate.station.reach.link(True, gate.hand.wall)
    gate.station.reach.answered(gate.hand.mono, gate.hand.wall)
    assert not gate.scan(text()).offline
    assert [fact.offline for fact in gate.recorded()] == [True, False]


def test_a_verdict_is_on_the_disk_within_milliseconds(gate: Gate):
    took = []
    for n in range(50):
        result = gate.scan(text(replace(GOOD, cti=f"speed{n:03}".encode())))
        took.append(result.seconds)
    assert sorted(took)[25] < 0.010


def test_the_ledger_forgets_what_expired_long_ago_but_nobody_inside(gate: Gate):
    gate.scan(text())
    gate.scan(text())
    gate.scan(text(replace(GOOD, cti=b"inside01")))
    gate.hand.pass_by(9 * 86_400)
    gate.lane.tick()
    kept = [row["cti"] for row in gate.station.store.rows("SELECT cti FROM ledger")]
    assert kept == [b"inside01"]
