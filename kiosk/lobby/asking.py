"""Asking about one waiting visit: when to ask again, and what the visitor is told meanwhile. Pure; time comes from outside.

An ask is repeated every 2 s until the centre says it holds it, after every reconnect, and now and then afterwards, so that
a centre that goes silent is noticed. Unanswered for the policy's `unreachable_seconds`, the offline rule holds: agree,
staff PIN, or hold and call staff. The centre answering again takes the rule back.
"""

from __future__ import annotations

from datetime import datetime

from broker.contract.sitedata import Unreachable
from kiosk.lobby.flows.registration import Waiting

REPEAT = 2.0
"""Seconds between two asks while none was received."""


class Asking:
    """How asking about one visit goes. `now` is monotonic seconds.

    Args:
        in_place: the visitor was asked to wait (V7); no offline rule decides over that.
    """

    def __init__(
        self,
        *,
        now: float,
        rule: Unreachable,
        deadline: datetime,
        unreachable_seconds: float,
        in_place: bool = False,
    ) -> None:
        self._rule = rule
        self._deadline = deadline
        self._patience = unreachable_seconds
        self.in_place = in_place
        self._unanswered_since: float | None = now
        self._next = now
        self._received = False
        self.unreachable = False

    def due(self, now: float) -> bool:
        """Whether to ask now; the caller does."""
        if now < self._next:
            return False
        if self._unanswered_since is None:
            self._unanswered_since = now
        self._next = now + REPEAT
        return True

    def link_up(self, now: float) -> None:
        """The line came back: ask at once."""
        self._next = now

    def received(self, now: float) -> None:
        """The centre holds the ask."""
        self._received = True
        self._unanswered_since = None
        self.unreachable = False
        self._next = now + max(self._patience, REPEAT)

    def check(self, now: float) -> bool:
        """Look at the clock; True once when the centre has just become unreachable."""
        silent = self._unanswered_since is not None and now - self._unanswered_since >= self._patience
        turned = silent and not self.unreachable
        self.unreachable = self.unreachable or silent
        return turned

    @property
    def agree_alone(self) -> bool:
        """Whether the offline rule lets the visitor in unasked now."""
        return self.unreachable and self._rule is Unreachable.AGREE and not self.in_place

    @property
    def pin_counts(self) -> bool:
        """Whether a staff PIN at the terminal decides now."""
        return self.unreachable and self._rule is Unreachable.PIN

    def waiting(self, wall: datetime) -> Waiting:
        """What the visitor is told."""
        if self.in_place:
            return Waiting.IN_PLACE
        if self.unreachable:
            return Waiting.PIN if self._rule is Unreachable.PIN else Waiting.HOLD
        if wall >= self._deadline:
            return Waiting.NO_ANSWER
        return Waiting.WITH_STAFF if self._received else Waiting.ASKING
