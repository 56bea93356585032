"""The gate's screen in each of its states, invented: for the picture maker and the screens' tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sample import AREAS

from broker.contract.verdict import Direction, Outcome, Reason, Verdict
from kiosk.gate.lane.lane import LaneResult
from kiosk.gate.screens.board import Board, Signs

AT = datetime(2026, 11, 23, 1, 41, tzinfo=UTC)
OFFLINE = Signs(online=False, since=datetime(2026, 11, 23, 1, 12, tzinfo=UTC), backlog=12)


def result(
    outcome: Outcome,
    reason: Reason = Reason.OK,
    direction: Direction = Direction.IN,
    *,
    repeat: bool = False,
    offline: bool = False,
) -> LaneResult:
    """A verdict without a pass: the screen never needs one."""
    return LaneResult(Verdict(outcome, reason), direction, AT, 0.003, repeat=repeat, offline=offline)


def post(show: Callable[[Board], object], language: str = "zh_CN") -> Board:
    """A board that has been opened and brought into a state."""
    board = Board(language=language, gate="gate-1", now=lambda: 1000.0, changed=lambda: None)
    board.open(AREAS)
    show(board)
    return board


def _refused(reason: Reason) -> Callable[[Board], object]:
    return lambda board: board.show(result(Outcome.REFUSED, reason))


def _offline_verdict(board: Board) -> None:
    board.sign(OFFLINE)
    board.show(result(Outcome.ADMITTED, offline=True, repeat=True))


STATES: dict[str, Callable[[Board], object]] = {
    "idle": lambda board: None,
    "idle-offline": lambda board: board.sign(OFFLINE),
    "scanner": lambda board: board.sign(Signs(scanner=False)),
    "clock": lambda board: board.sign(Signs(alarms=("clock_wrong",))),
    "name-taken": lambda board: board.sign(Signs(alarms=("name_taken",))),
    "starting": lambda board: setattr(board, "ready", False),
    "fault": lambda board: board.failed("4F2A9C"),
    "admitted": lambda board: board.show(result(Outcome.ADMITTED)),
    "admitted-offline": _offline_verdict,
    "left": lambda board: board.show(result(Outcome.LEFT, direction=Direction.OUT)),
    "left-expired": lambda board: board.show(result(Outcome.LEFT, Reason.EXPIRED, Direction.OUT)),
    **{f"refused-{reason.value}": _refused(reason) for reason in Reason if reason is not Reason.OK},
}
"""Every state worth a picture and an audit."""
