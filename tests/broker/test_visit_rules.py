"""The domain of visits, called directly: what facts mean, who may answer, where a visit stands on the board."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from broker.clock import stamp
from broker.contract.facts import (
    DecidedBy,
    Decider,
    Decision,
    HostAnswered,
    PassAdmitted,
    PassIssued,
    PassLeft,
    PassRefused,
    SlipOutcome,
    SlipPrinted,
    VisitDecided,
)
from broker.contract.names import new_id
from broker.visits import board
from broker.visits.board import Standing
from broker.visits.calls import Call, may_take
from broker.visits.deciding import Refusal, may_answer
from broker.visits.visit import PassUse, Visit, after, issued, used
from tests.support.log_writer import a_registration

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
PLACES = frozenset({"hall", "tea"})
VISIT = "0192-visit"
CTI = "00112233445566ff"


def ago(minutes: float) -> str:
    return stamp(NOW - timedelta(minutes=minutes))


def registered(**changes: Any) -> Visit:
    decider = changes.pop("decider", Decider.STAFF)
    fact = a_registration(VISIT, decider=decider)
    return replace(after(Visit(VISIT), fact, station="lobby-1", at=ago(10)), **changes)


def decided(decision: Decision, *, applied: bool = True) -> VisitDecided:
    return VisitDecided(
        visit=VISIT, request="req-1234", decision=decision, by=DecidedBy.STAFF, applied=applied, place="tea"
    )


def answered(decision: Decision) -> HostAnswered:
    return HostAnswered(visit=VISIT, request="req-1234", decision=decision, account="admin", place="hall")


def pass_issued(expires: datetime) -> PassIssued:
    return PassIssued(
        visit=VISIT,
        cti=CTI,
        kid=1,
        index=2,
        not_before=0,
        expires=int(expires.timestamp()),
        areas=1,
        entries=1,
        mode=0,
    )


def admitted() -> PassAdmitted:
    return PassAdmitted(cti=CTI, kid=1, nonce=new_id(), gate="gate-1", offline=False)


def left() -> PassLeft:
    return PassLeft(cti=CTI, reason="ok", nonce=new_id(), gate="gate-1", offline=False)


LATER = NOW + timedelta(hours=2)
EARLIER = NOW - timedelta(minutes=5)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param([], Standing.NEEDS_ANSWER, id="a registered visit needs an answer"),
        pytest.param([answered(Decision.AGREED)], Standing.EXPECTED, id="agreed at the console"),
        pytest.param([decided(Decision.AGREED)], Standing.EXPECTED, id="agreed at the terminal"),
        pytest.param([answered(Decision.WAIT)], Standing.WAITING, id="asked to wait (V7)"),
        pytest.param([answered(Decision.AWAY)], Standing.NOT_RECEIVED, id="host away (V6)"),
        pytest.param([decided(Decision.DECLINED)], Standing.NOT_RECEIVED, id="declined"),
        pytest.param(
            [decided(Decision.WAIT), answered(Decision.AGREED)], Standing.EXPECTED, id="wait, then agreed"
        ),
        pytest.param(
            [decided(Decision.AGREED), answered(Decision.DECLINED)],
            Standing.EXPECTED,
            id="an answer after the terminal's own decision changes nothing",
        ),
        pytest.param(
            [decided(Decision.AGREED), decided(Decision.DECLINED, applied=False)],
            Standing.EXPECTED,
            id="a late decision is recorded, never applied twice",
        ),
    ],
)
def test_where_a_visit_stands_follows_from_its_facts(facts: list[Any], expected: Standing) -> None:
    visit = registered()
    for n, fact in enumerate(facts):
        visit = after(visit, fact, station="lobby-1", at=ago(9 - n))
    assert board.place(visit, None, NOW).standing is expected


@pytest.mark.parametrize(
    ("use", "expected", "over"),
    [
        pytest.param({"expires": LATER}, Standing.EXPECTED, False, id="pass issued"),
        pytest.param({"expires": EARLIER}, Standing.NOT_COME, False, id="pass ran out unused"),
        pytest.param({"expires": LATER, "entered_at": ago(5)}, Standing.INSIDE, False, id="inside"),
        pytest.param(
            {"expires": EARLIER, "entered_at": ago(60)},
            Standing.INSIDE,
            True,
            id="inside past the end stays inside",
        ),
        pytest.param(
            {"expires": LATER, "entered_at": ago(60), "left_at": ago(5)}, Standing.LEFT, False, id="left"
        ),
        pytest.param(
            {"expires": LATER, "entered_at": ago(4), "left_at": ago(5)},
            Standing.INSIDE,
            False,
            id="came back",
        ),
    ],
)
def test_a_pass_moves_a_visit_on(use: dict[str, Any], expected: Standing, over: bool) -> None:
    use["expires"] = int(use["expires"].timestamp())
    visit = after(registered(), decided(Decision.AGREED), station="lobby-1", at=ago(9))
    placed = board.place(visit, PassUse(CTI, visit=VISIT, **use), NOW)
    assert (placed.standing, placed.overstaying) == (expected, over)


def test_a_visit_that_a_policy_agrees_to_needs_no_answer() -> None:
    assert board.place(registered(decider=Decider.POLICY), None, NOW).standing is Standing.EXPECTED


def test_a_visit_nobody_answered_leaves_the_board_after_a_day_but_is_not_called_left() -> None:
    placed = board.place(registered(registered_at=ago(25 * 60)), None, NOW)
    assert placed.standing is Standing.UNANSWERED
    assert not board.is_on_board(placed, ago(600))


def test_what_ended_before_midnight_is_not_on_todays_board() -> None:
    visit = after(registered(), decided(Decision.DECLINED), station="lobby-1", at=ago(60))
    assert board.is_on_board(board.place(visit, None, NOW), ago(61))
    assert not board.is_on_board(board.place(visit, None, NOW), ago(59))


def test_gates_may_report_before_the_terminal_and_in_any_order() -> None:
    steps = [
        lambda use: issued(use, pass_issued(LATER), at=ago(9)),
        lambda use: used(use, admitted(), at=ago(8)),
        lambda use: used(use, left(), at=ago(5)),
        lambda use: used(use, admitted(), at=ago(3)),
    ]
    ends = set()
    for order in permutations(steps):
        use = PassUse(CTI)
        for step in order:
            use = step(use)
        ends.add((use.visit, use.entries, use.entered_at, use.left_at, use.inside))
    assert ends == {(VISIT, 2, ago(3), ago(5), True)}


def test_an_older_refusal_does_not_hide_a_newer_one() -> None:
    def refused(reason: str) -> PassRefused:
        return PassRefused(cti=CTI, reason=reason, nonce=new_id(), gate="gate-1", offline=False)

    use = used(used(PassUse(CTI), refused("expired"), at=ago(1)), refused("not_yet"), at=ago(5))
    assert use.refused_reason == "expired"


def test_the_slips_outcome_is_kept_with_its_reason() -> None:
    fact = SlipPrinted(visit=VISIT, outcome=SlipOutcome.FAILED, reason="paper_out")
    visit = after(registered(), fact, station="lobby-1", at=ago(1))
    assert (visit.slip, visit.slip_reason) == ("failed", "paper_out")


@pytest.mark.parametrize(
    ("visit", "decision", "place", "expected"),
    [
        pytest.param(registered(), Decision.AGREED, "", None, id="an open visit can be agreed to"),
        pytest.param(registered(), Decision.WAIT, "tea", None, id="or asked to wait in a place"),
        pytest.param(registered(), Decision.WAIT, "roof", Refusal.NO_PLACE, id="but only in one that exists"),
        pytest.param(registered(answer="wait"), Decision.AGREED, "", None, id="after wait one more follows"),
        pytest.param(
            registered(decision="wait"), Decision.AWAY, "", None, id="also after the terminal's wait"
        ),
        pytest.param(
            registered(answer="wait"), Decision.WAIT, "hall", Refusal.ALREADY_WAITING, id="no second wait"
        ),
        pytest.param(
            registered(answer="agreed"), Decision.DECLINED, "", Refusal.ALREADY_ANSWERED, id="decide once"
        ),
        pytest.param(
            registered(answer="away"), Decision.AGREED, "", Refusal.ALREADY_ANSWERED, id="away is final"
        ),
        pytest.param(
            registered(decision="agreed"),
            Decision.DECLINED,
            "",
            Refusal.DECIDED_AT_TERMINAL,
            id="the PIN was faster",
        ),
        pytest.param(
            registered(decider=Decider.POLICY), Decision.AGREED, "", Refusal.NOT_ASKED, id="nobody asked"
        ),
        pytest.param(None, Decision.AGREED, "", Refusal.UNKNOWN_VISIT, id="no such visit"),
        pytest.param(Visit(VISIT), Decision.AGREED, "", Refusal.UNKNOWN_VISIT, id="heard of, not registered"),
    ],
)
def test_staff_decide_once(
    visit: Visit | None, decision: Decision, place: str, expected: Refusal | None
) -> None:
    assert may_answer(visit, decision, place, PLACES) is expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (None, Refusal.UNKNOWN_CALL),
        (Call("c1"), Refusal.UNKNOWN_CALL),
        (Call("c1", called_at=ago(1)), None),
        (Call("c1", called_at=ago(1), taken_at=ago(0)), Refusal.CALL_TAKEN),
    ],
)
def test_a_call_is_taken_once(call: Call | None, expected: Refusal | None) -> None:
    assert may_take(call) is expected
