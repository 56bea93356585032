"""Whether the clock can be believed, and whether the centre is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from broker.contract.asking import TimeAnswer
from broker.contract.event import ClockReading
from broker.contract.names import new_id
from kiosk.station.clock import RELEASED, Clock
from kiosk.station.reach import ASK_EVERY, SILENCE, Reach
from tests.support.terminal import START, HandClock


def told(hand: HandClock, clock: Clock, centre: float, trip: float = 0.02) -> bool:
    """One round trip: the centre's clock reads `centre` when it has the question."""
    ask = clock.ask()
    hand.pass_by(trip / 2)
    answer = TimeAnswer(id=ask.id, centre_time=datetime.fromtimestamp(centre + trip / 2, UTC))
    hand.pass_by(trip / 2)
    return clock.answered(answer)


@dataclass(frozen=True)
class Case:
    name: str
    trusted: bool
    wall: float = START
    written: float = 0.0
    confirmed: float = 0.0
    centre: float | None = None


YEAR = 365 * 86_400
CASES = [
    Case("never heard the centre, nothing written", True),
    Case("before this release", False, wall=RELEASED - 10),
    Case("battery gone: 1970", False, wall=100.0),
    Case("behind what was written", False, written=START + 60),
    Case("behind what the centre confirmed", False, confirmed=START + 60),
    Case("centre agrees", True, centre=START),
    Case("a little off", True, centre=START + 290),
    Case("too far behind", False, centre=START + 310),
    Case("too far ahead", False, centre=START - 310),
    Case("centre agrees, but before this release", False, wall=RELEASED - 100, centre=RELEASED - 100),
    Case("was ahead by a year while alone, now right", True, written=START + YEAR, centre=START),
    Case("centre agrees with going back behind its own word", False, confirmed=START + YEAR, centre=START),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_when_the_clock_is_believed(case: Case):
    hand = HandClock(case.wall)
    clock = hand.clock()
    clock.confirmed, clock._written = case.confirmed, case.written
    if case.centre is not None:
        told(hand, clock, case.centre)
    assert clock.trusted is case.trusted


def test_the_offset_is_the_centres_time_minus_ours_and_how_sure():
    hand = HandClock()
    clock = hand.clock()
    assert clock.reading() == ClockReading()
    assert told(hand, clock, START + 12.5, trip=0.2)
    assert clock.reading() == ClockReading(offset_ms=12_500, sure_ms=100)
    assert clock.true_seconds() == pytest.approx(hand.wall + 12.5)


def test_a_clock_that_is_set_while_running_is_noticed_at_once():
    hand = HandClock()
    clock = hand.clock()
    told(hand, clock, START)
    hand.wall += 3600
    assert clock.offset == pytest.approx(-3600)
    assert not clock.trusted
    hand.wall -= 3600
    assert clock.trusted


def test_only_the_answer_to_the_latest_question_counts():
    hand = HandClock()
    clock = hand.clock()
    old = clock.ask()
    latest = clock.ask()
    wrong = datetime.fromtimestamp(START + 5000, UTC)
    assert not clock.answered(TimeAnswer(id=old.id, centre_time=wrong))
    assert not clock.answered(TimeAnswer(id=new_id(), centre_time=wrong))
    assert clock.answered(TimeAnswer(id=latest.id, centre_time=datetime.fromtimestamp(START, UTC)))
    assert not clock.answered(TimeAnswer(id=latest.id, centre_time=wrong))
    assert clock.offset == pytest.approx(0)


def test_an_answer_that_took_too_long_says_nothing_about_the_time():
    hand = HandClock()
    clock = hand.clock()
    assert not told(hand, clock, START, trip=11)
    assert clock.offset is None


def test_a_time_without_its_zone_is_no_answer():
    clock = HandClock().clock()
    ask = clock.ask()
    assert not clock.answered(TimeAnswer(id=ask.id, centre_time=datetime(2026, 11, 23)))  # noqa: DTZ001


# ---- reach


def test_a_connection_alone_is_not_the_centre():
    reach = Reach(START)
    reach.link(True, START)
    assert not reach.check(1, START)
    reach.answered(1, START + 1)
    assert reach.check(2, START)
    assert reach.since == START + 1


def test_two_unanswered_questions_mean_out_of_reach_since_when():
    reach = Reach(START)
    reach.link(True, START)
    reach.answered(0, START)
    assert reach.check(SILENCE, START + SILENCE)
    assert not reach.check(SILENCE + 0.1, START + 99)
    assert reach.since == START + 99
    assert reach.heard == START
    reach.answered(SILENCE + 1, START + 100)
    assert reach.check(SILENCE + 1, START + 100)


def test_a_line_that_goes_is_out_of_reach_at_once():
    reach = Reach(START)
    reach.link(True, START)
    reach.answered(0, START)
    reach.link(False, START + 5)
    assert not reach.online
    assert not reach.due(100)


def test_it_asks_at_once_after_a_connect_and_then_every_few_seconds():
    reach = Reach(START)
    assert not reach.due(0)
    reach.link(True, START)
    assert [now for now in range(12) if reach.due(now)] == [0, ASK_EVERY, 2 * ASK_EVERY]
