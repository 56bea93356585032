"""What the lobby does for a visitor: register, ask, decide once, issue the pass, print the slip, call staff. No Kivy.

All of it runs on the station's worker thread: `station.worker.submit(lambda: desk.register(draft), done)`; the listener is
called there too, and hands over to its window. A visit and its events are one transaction, on the disk before the visitor
is told (V4); from then on it lives here, through power cuts, whether or not anybody stands at the screen.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from broker.contract.asking import Answer, AskReceived, CallTaken, HostAsk, HostDecision, VisitRecall
from broker.contract.facts import (
    DecidedBy,
    Decision,
    PassIssued,
    SlipOutcome,
    SlipPrinted,
    StaffCalled,
    VisitDecided,
    VisitRecalled,
)
from broker.contract.names import new_id
from broker.contract.sitedata import Areas, PassTerms, Policy, VisitType
from firmware_bridge.capabilities import PrintOutcome, PrintState, TicketPrinter
from kiosk.lobby.asking import Asking
from kiosk.lobby.entry import enter
from kiosk.lobby.flows.draft import Draft, PassShown, Problem, RegisteredVisit
from kiosk.lobby.flows.registration import Waiting
from kiosk.lobby.slip import SlipData, ticket
from kiosk.lobby.visits import LIVES, Visit, Visits
from kiosk.station.passes import ClockWrongError
from kiosk.station.pin import PinAnswer, check_pin, is_set
from kiosk.station.station import Station
from kiosk.station.tries import Tries

_log = logging.getLogger(__name__)

HOUSEKEEPING = 60.0


class NoPolicyError(RuntimeError):
    """The site isn't known yet, so nobody can be registered here."""


class NotAgreedError(RuntimeError):
    """No pass without a decision."""


@dataclass(frozen=True, slots=True)
class VisitView:
    """A registered visit as a screen takes it up again."""

    visit: RegisteredVisit
    language: str
    waiting: Waiting
    decision: Decision | None
    place: str
    slip: SlipOutcome | None


class DeskListener:
    """Hears what becomes of visits, on the worker's thread; override what is needed. Visits are named by id."""

    def on_waiting(self, visit: str, waiting: Waiting) -> None:
        """What the waiting visitor is told has changed."""

    def on_decision(self, visit: str, decision: Decision, place: str) -> None:
        """A decision was applied. V7: `place` is the id of the waiting place."""

    def on_slip(self, visit: str, outcome: SlipOutcome, reason: str) -> None:
        """What is known of the slip; `reason` as in `PrintOutcome`, or `no_printer`."""

    def on_call_taken(self, call: str) -> None:
        """Somebody is on the way to a visitor who called."""

    def on_recall(self, view: VisitView) -> None:
        """Staff bring a visit back to the screen."""


class Desk:
    """The lobby's desk.

    Args:
        printer: where slips go; None where the terminal has none.
        defer: runs something after the current job; the worker's own queue unless a test says otherwise.
    """

    def __init__(
        self,
        station: Station,
        *,
        printer: TicketPrinter | None = None,
        listener: DeskListener | None = None,
        visit_type: str = "",
        defer: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._station = station
        self.printer = printer
        self.listener = listener or DeskListener()
        self._visit_type = visit_type
        self._defer = defer or (lambda job: station.worker.submit(job))
        self._visits = Visits(station.store)
        self._pin_tries = Tries(station.store, station.clock, "pin")
        self._recall_tries = Tries(station.store, station.clock, "recall", free=5)
        self._told: dict[str, Waiting] = {}
        self._served: str | None = None
        self._called: set[str] = set()
        self._recalls: deque[str] = deque(maxlen=64)
        self._housekeeping_at = 0.0
        self._asking: dict[str, tuple[Visit, Asking]] = {}
        for visit in self._visits.undecided(since=self._seconds() - LIVES):
            self._ask(visit)
        station.add(self)

    @property
    def visit_type(self) -> VisitType:
        """The rules of the visits registered here. Raises NoPolicyError."""
        policy, _ = self._site()
        return self._type(policy)

    # ---- what the screens ask for

    def register(self, draft: Draft) -> RegisteredVisit:
        """Put a complete draft on record (V1, V4); asking the host begins at once.

        Raises:
            NoPolicyError: the site isn't known.
            EventError, sqlite3.Error: nothing was recorded; the visitor is told so.
        """
        policy, areas = self._site()
        rules = self._type(policy)
        now = self._station.clock.now()
        entry = enter(
            draft,
            number=self._visits.draw_number(),
            policy=policy,
            areas=areas,
            rules=rules,
            hours=rules.hours_at(self._station.site.local(now).time()),
            now=now,
        )
        visit = entry.visit
        with self._station.store.transaction():
            self._visits.add(visit)
            self._station.outbox.append(entry.fact, *entry.people)
            if visit.decision is not None:
                self._append_decision(visit, visit.decision, DecidedBy.POLICY)
        _log.info("visit %s registered", visit.id)
        self._served = visit.id
        if visit.decision is not None:
            decision = visit.decision
            self._defer(lambda: self._decided(visit.id, decision, ""))
        else:
            self._ask(visit)
            self._ask_now()
        return _registered(visit)

    def serve(self, visit_id: str | None) -> None:
        """Whose visit is on the screen now: only for them a slip is printed by itself, so that none lies about.

        A visit that was just registered is; None once its visitor is gone.
        """
        self._served = visit_id

    def pass_for(self, visit_id: str) -> PassShown | None:
        """The pass of an agreed visit, issued at the first call and the same ever after.

        None while the clock can't be believed (staff let the visitor in), or when the pass's key is long gone.

        Raises:
            NotAgreedError: nobody has agreed to this visit.
        """
        visit = self._visits.get(visit_id)
        if visit is None or visit.decision is not Decision.AGREED:
            raise NotAgreedError("no pass without a decision")
        _, areas = self._site()
        building = next((b for b in areas.buildings if b.id == visit.building), None)
        claims, organisation = visit.claims, visit.organisation
        if claims is None:
            if building is None:
                _log.error("visit %s goes to a building the site no longer has", visit.id)
                return None
            organisation = areas.organisation
            try:
                with self._station.store.transaction():
                    claims = self._station.passes.issue(self._terms(visit), building.area)
                    self._visits.keep_pass(visit.id, claims, organisation)
                    self._station.outbox.append(
                        PassIssued(
                            visit=visit.id,
                            cti=claims.cti.hex(),
                            kid=claims.kid,
                            index=claims.index,
                            not_before=claims.not_before,
                            expires=claims.expires,
                            areas=claims.areas,
                            entries=claims.entries,
                            mode=claims.mode,
                        )
                    )
            except ClockWrongError as error:
                _log.error("visit %s: %s", visit.id, error)
                return None
        text = self._station.passes.text(claims, organisation)
        if text is None:
            return None
        way = building.way if building else {}
        return PassShown(text=text, code=claims.code, expires=claims.expires, way=way, floor=visit.floor)

    def print_slip(self, visit_id: str) -> bool:
        """Print the slip of an agreed visit with its pass; False where it was printed, may have been, or is being printed.

        Only a print that is known to have failed may be tried again. The outcome comes by `on_slip`.
        """
        visit = self._visits.get(visit_id)
        if visit is None or visit.decision is not Decision.AGREED:
            return False
        vpass = self.pass_for(visit_id)
        if vpass is None or not self._visits.take_slip(visit_id):
            return False
        if self.printer is None:
            self._slip_done(visit_id, PrintOutcome(PrintState.FAILED, "no_printer"))
            return True
        _, areas = self._site()
        until = self._station.site.local(datetime.fromtimestamp(vpass.expires, UTC))
        slip = SlipData(
            visit=visit.id,
            number=visit.number,
            language=visit.language,
            surname=visit.surname,
            title=visit.title,
            building=visit.building,
            until=f"{until:%Y-%m-%d %H:%M}",
        )
        # The printer answers on its own thread, seconds later; nothing is held open meanwhile.
        self.printer.print_ticket(
            ticket(slip, vpass, areas),
            lambda outcome: self._defer(lambda: self._slip_done(visit_id, outcome)),
        )
        return True

    def decide_by_pin(self, visit_id: str, pin: str, decision: Decision = Decision.AGREED) -> Problem | None:
        """A colleague decides at the terminal with the staff PIN, while the policy says so; None = it was taken."""
        found = self._asking.get(visit_id)
        if found is None or not found[1].pin_counts:
            return Problem.PIN_WRONG
        answer = check_pin(self._station.settings.folder, pin, self._pin_tries)
        if answer is PinAnswer.TOO_MANY_TRIES:
            return Problem.TOO_MANY_TRIES
        if answer is not PinAnswer.RIGHT:
            return Problem.PIN_WRONG
        self._decide_here(found[0], decision, DecidedBy.PIN)
        return None

    def call_staff(self, visit_id: str | None = None, screen: str = "") -> str:
        """Somebody asks for a person; the call's id, by which `on_call_taken` comes."""
        call = new_id()
        self._station.outbox.append(StaffCalled(call=call, visit=visit_id, screen=screen))
        return call

    def recall(self, number: str, last_four: str) -> VisitView | Problem:
        """Bring a visit back for whoever knows its number and the last four digits given; guessing is limited."""
        if self._recall_tries.wait():
            return Problem.TOO_MANY_TRIES
        visit = self._visits.by_number(number, last_four, since=self._seconds() - LIVES)
        if visit is None:
            self._recall_tries.wrong()
            return Problem.TOO_MANY_TRIES if self._recall_tries.wait() else Problem.NOT_FOUND
        self._recall_tries.right()
        self._station.outbox.append(VisitRecalled(visit=visit.id, by="number"))
        return self._view(visit)

    def view(self, visit_id: str) -> VisitView | None:
        """How a visit stands; None where this terminal doesn't have it."""
        visit = self._visits.get(visit_id)
        return None if visit is None else self._view(visit)

    # ---- what the station brings

    def on_answer(self, answer: Answer) -> None:
        match answer:
            case AskReceived():
                self._received(answer.id)
            case HostDecision():
                self._received(answer.id)
                self._decided_by_staff(answer)
            case CallTaken():
                self.listener.on_call_taken(answer.id)
            case VisitRecall():
                self._recalled_by_staff(answer)
            case _:
                pass
        self._tell()

    def on_link(self, connected: bool) -> None:
        if connected:
            for _, asking in self._asking.values():
                asking.link_up(self._monotonic())
            self._ask_now()

    def on_site(self, kind: str) -> None:
        # The rules of a registered visit stay those it was registered under; the next visitor gets the new ones.
        pass

    def tick(self) -> None:
        self._ask_now()
        now = self._monotonic()
        for visit, asking in list(self._asking.values()):
            asking.check(now)
            if asking.agree_alone:
                self._decide_here(visit, Decision.AGREED, DecidedBy.OFFLINE)
        self._tell()
        if now >= self._housekeeping_at:
            self._housekeeping_at = now + HOUSEKEEPING
            self._keep_house()

    # ---- inside

    def _ask(self, visit: Visit) -> None:
        policy = self._station.site.policy
        asking = Asking(
            now=self._monotonic(),
            rule=visit.unreachable,
            deadline=visit.deadline,
            unreachable_seconds=policy.unreachable_seconds if policy else 5,
            in_place=visit.decision is Decision.WAIT,
        )
        self._asking[visit.id] = (visit, asking)

    def _ask_now(self) -> None:
        for visit, asking in self._asking.values():
            if asking.due(self._monotonic()):
                self._station.uplink.ask(HostAsk(id=visit.request, visit=visit.id, deadline=visit.deadline))

    def _received(self, request: str) -> None:
        for visit, asking in self._asking.values():
            if visit.request == request:
                asking.received(self._monotonic())

    def _decided_by_staff(self, answer: HostDecision) -> None:
        visit = self._visits.get(answer.visit)
        if visit is None or visit.request != answer.id:
            _log.warning("a decision for visit %s, which this terminal doesn't have", answer.visit)
            return
        with self._station.store.transaction():
            if not self._visits.hear(answer, visit.open):
                return
            self._append_decision(visit, answer.decision, DecidedBy.STAFF, answer.place, applied=visit.open)
            if visit.open:
                self._visits.decide(visit.id, answer.decision, answer.place)
        if visit.open:
            self._apply(visit, answer.decision, answer.place)
        else:
            _log.info("visit %s: a decision came after another and is only recorded", visit.id)

    def _decide_here(self, visit: Visit, decision: Decision, by: DecidedBy) -> None:
        with self._station.store.transaction():
            self._append_decision(visit, decision, by)
            self._visits.decide(visit.id, decision, "")
        self._apply(visit, decision, "")

    def _append_decision(
        self, visit: Visit, decision: Decision, by: DecidedBy, place: str = "", *, applied: bool = True
    ) -> None:
        self._station.outbox.append(
            VisitDecided(
                visit=visit.id, request=visit.request, decision=decision, by=by, place=place, applied=applied
            )
        )

    def _apply(self, visit: Visit, decision: Decision, place: str) -> None:
        _log.info("visit %s: %s", visit.id, decision.value)
        found = self._asking.get(visit.id)
        if decision is Decision.WAIT and found is not None:
            found[1].in_place = True
        else:
            self._asking.pop(visit.id, None)
            self._told.pop(visit.id, None)
        self._defer(lambda: self._decided(visit.id, decision, place))

    def _decided(self, visit_id: str, decision: Decision, place: str) -> None:
        """Print at once for the visitor who stands here, and tell the window, which takes longer to draw it."""
        if decision is Decision.AGREED and visit_id == self._served:
            try:
                self.print_slip(visit_id)
            except (sqlite3.Error, LookupError) as error:
                # The window asks for the pass next, meets the same and sends its visitor to a person.
                _log.error("visit %s: no pass or slip: %s", visit_id, type(error).__name__)
        self.listener.on_decision(visit_id, decision, place)

    def _recalled_by_staff(self, answer: VisitRecall) -> None:
        if answer.id in self._recalls:
            return
        self._recalls.append(answer.id)
        visit = self._visits.get(answer.visit)
        if visit is None:
            _log.warning("staff recalled visit %s, which this terminal doesn't have", answer.visit)
            return
        self._station.outbox.append(VisitRecalled(visit=visit.id, by="staff"))
        self.listener.on_recall(self._view(visit))

    def _slip_done(self, visit_id: str, outcome: PrintOutcome) -> None:
        known = SlipOutcome(outcome.state.value)
        with self._station.store.transaction():
            self._visits.slip_done(visit_id, known)
            self._station.outbox.append(SlipPrinted(visit=visit_id, outcome=known, reason=outcome.reason))
        self.listener.on_slip(visit_id, known, outcome.reason)

    def _tell(self) -> None:
        """Tell what has changed for waiting visitors; one who is held needs a person, so staff are called, once."""
        for visit, asking in list(self._asking.values()):
            waiting = self._waiting(asking)
            if self._told.get(visit.id) is waiting:
                continue
            self._told[visit.id] = waiting
            if waiting is Waiting.HOLD and visit.id not in self._called:
                self._called.add(visit.id)
                self.call_staff(visit.id, "waiting")
            self.listener.on_waiting(visit.id, waiting)

    def _waiting(self, asking: Asking) -> Waiting:
        waiting = asking.waiting(self._station.clock.now())
        if waiting is Waiting.PIN and not is_set(self._station.settings.folder):
            return Waiting.HOLD
        return waiting

    def _view(self, visit: Visit) -> VisitView:
        found = self._asking.get(visit.id)
        if found is not None:
            waiting = self._waiting(found[1])
        else:
            waiting = Waiting.IN_PLACE if visit.decision is Decision.WAIT else Waiting.NO_ANSWER
        return VisitView(_registered(visit), visit.language, waiting, visit.decision, visit.place, visit.slip)

    def _keep_house(self) -> None:
        since = self._seconds() - LIVES
        for visit, _ in list(self._asking.values()):
            if visit.registered <= since:
                _log.info("visit %s was never decided; no longer asked about", visit.id)
                self._asking.pop(visit.id)
                self._told.pop(visit.id, None)
        policy = self._station.site.policy
        days = policy.retention_days.get("name", 30) if policy else 30
        self._visits.prune(self._seconds() - max(days, 1) * 86_400)
        try:
            self._station.passes.ready()
        except ClockWrongError:
            _log.warning("no key to sign passes is made while the clock is wrong")

    def _site(self) -> tuple[Policy, Areas]:
        policy, areas = self._station.site.policy, self._station.site.areas
        if policy is None or areas is None:
            raise NoPolicyError("the centre has not told this terminal its policy yet")
        return policy, areas

    def _type(self, policy: Policy) -> VisitType:
        return next((t for t in policy.visit_types if t.id == self._visit_type), policy.visit_types[0])

    def _terms(self, visit: Visit) -> PassTerms:
        policy, _ = self._site()
        return next(
            (t.terms for t in policy.visit_types if t.id == visit.visit_type), policy.visit_types[0].terms
        )

    def _seconds(self) -> int:
        return int(self._station.clock.seconds())

    def _monotonic(self) -> float:
        return self._station.clock.monotonic()


def _registered(visit: Visit) -> RegisteredVisit:
    return RegisteredVisit(id=visit.id, number=visit.number, building=visit.building, floor=visit.floor)
