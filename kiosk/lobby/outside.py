"""What a session shows at large, and what it asks of the world outside: the desk, and somebody to do its work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from broker.contract.facts import Decision, SlipOutcome
from kiosk.lobby.flows.draft import Draft, PassShown, Problem, RegisteredVisit
from kiosk.lobby.flows.registration import Waiting

T = TypeVar("T")


class Page(StrEnum):
    """What the terminal shows at large."""

    WELCOME = "welcome"
    REGISTRATION = "registration"
    RECALL = "recall"
    NOT_SET_UP = "not_set_up"
    CRASH = "crash"


class Call(StrEnum):
    """Whether this visitor asked for a person."""

    NONE = "none"
    CALLED = "called"
    FAILED = "failed"
    COMING = "coming"


class Viewed(Protocol):
    """A registered visit as the desk hands it back."""

    @property
    def visit(self) -> RegisteredVisit: ...
    @property
    def language(self) -> str: ...
    @property
    def waiting(self) -> Waiting: ...
    @property
    def decision(self) -> Decision | None: ...
    @property
    def place(self) -> str: ...
    @property
    def slip(self) -> SlipOutcome | None: ...


class Desk(Protocol):
    """What the session asks of the desk; every call runs on the worker's thread."""

    def register(self, draft: Draft) -> RegisteredVisit: ...
    def serve(self, visit_id: str | None) -> None: ...
    def pass_for(self, visit_id: str) -> PassShown | None: ...
    def print_slip(self, visit_id: str) -> bool: ...
    def decide_by_pin(self, visit_id: str, pin: str) -> Problem | None: ...
    def call_staff(self, visit_id: str | None = None, screen: str = "") -> str: ...
    def recall(self, number: str, last_four: str) -> Viewed | Problem: ...


class Doing(Protocol):
    """Runs `job` elsewhere, then `done` or `failed` on the window's thread."""

    def __call__(
        self, job: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Signs:
    """How the station stands, for the small signs on every screen."""

    online: bool = True
    backlog: int = 0
    alarms: tuple[str, ...] = ()
