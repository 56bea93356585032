"""A visitor comes back for a visit that is already registered: its number and the last four digits they gave.

Two facts are needed because the answer may be a pass; neither says whether the other was right (S2), and tries are
limited by the desk. Found, the visit goes on in a `Registration` at the step where it stands.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.lobby.flows.draft import Problem


class Recall:
    """What has been typed so far: `number` (6 digits) and `last_four` (of the phone, or of the document)."""

    def __init__(self, *, changed: Callable[[], None] = lambda: None) -> None:
        self.number = ""
        self.last_four = ""
        self.problem: Problem | None = None
        self.searching = False
        self._changed = changed

    def fill(self, *, number: str | None = None, last_four: str | None = None) -> None:
        """Keep what was typed so far."""
        self.number = self.number if number is None else number
        self.last_four = self.last_four if last_four is None else last_four
        self.problem = None
        self._changed()

    def answer(self) -> bool:
        """True when both are complete and the desk may be asked; else `problem` says what is missing."""
        complete = len(self.number) == 6 and self.number.isdigit() and len(self.last_four) == 4
        self.problem = None if complete else Problem.NUMBER_UNFIT
        self.searching = complete
        self._changed()
        return complete

    def not_found(self, problem: Problem = Problem.NOT_FOUND) -> None:
        """The desk found no such visit, or there were too many tries."""
        self.searching = False
        self.problem = problem
        self._changed()

    def abandon(self) -> None:
        """Nothing typed stays."""
        self.number = self.last_four = ""
        self.problem = None
        self.searching = False
        self._changed()
