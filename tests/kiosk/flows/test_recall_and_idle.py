"""Coming back for a registered visit, and nobody touching the screen."""

from __future__ import annotations

import pytest

from kiosk.lobby.flows.draft import Problem
from kiosk.lobby.flows.idle import AT_QUESTIONS, AT_THE_PASS, WHILE_WAITING, Idleness, IdleTimer, Patience
from kiosk.lobby.flows.recall import Recall


@pytest.mark.parametrize(
    ("number", "last"), [("", ""), ("40281", "1234"), ("402817", "123"), ("40281a", "1234")]
)
def test_recall_asks_again_while_something_is_missing(number: str, last: str) -> None:
    recall = Recall()
    recall.fill(number=number, last_four=last)
    assert not recall.answer()
    assert (recall.problem, recall.searching) == (Problem.NUMBER_UNFIT, False)


def test_recall_searches_once_both_are_there_and_keeps_them_when_nothing_is_found() -> None:
    recall = Recall()
    recall.fill(number="402817")
    recall.fill(last_four="002X")
    assert recall.answer()
    assert recall.searching
    recall.not_found()
    assert (recall.problem, recall.number, recall.last_four) == (Problem.NOT_FOUND, "402817", "002X")
    recall.abandon()
    assert (recall.number, recall.last_four) == ("", "")


@pytest.mark.parametrize("patience", [AT_QUESTIONS, WHILE_WAITING, AT_THE_PASS])
def test_idle_warns_at_least_twenty_seconds_before_the_wipe(patience: Patience) -> None:
    timer = IdleTimer(100.0, patience)
    assert timer.state(100.0 + patience.quiet - 0.1) is Idleness.ACTIVE
    assert timer.state(100.0 + patience.quiet) is Idleness.WARNING
    assert timer.left(100.0 + patience.quiet) >= 20
    assert timer.state(100.0 + patience.quiet + patience.warning) is Idleness.GONE
    assert timer.left(10_000.0) == 0


def test_a_touch_extends_any_number_of_times() -> None:
    timer = IdleTimer(0.0)
    for n in range(1, 50):
        assert timer.state(n * 60.0) is Idleness.WARNING
        timer.touch(n * 60.0)
        assert timer.state(n * 60.0 + 1) is Idleness.ACTIVE


def test_a_warning_shorter_than_twenty_seconds_is_refused() -> None:
    with pytest.raises(ValueError, match="20 seconds"):
        Patience(quiet=30, warning=10)
