"""One visitor at the terminal: which page, which flow, whether somebody was called, how long nobody has touched it.

No Kivy: screens read it and call it, it tells them by `changed`. What takes time goes through `Doing` to the worker's
thread; answers come back on the window's thread. A visitor who leaves takes everything along: `wipe` forgets all that
was typed, while a visit that is on record lives on at the desk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from broker.contract.facts import Decision, SlipOutcome
from broker.contract.sitedata import Areas, Policy, VisitType
from firmware_bridge.capabilities import IdCard, IdReader, ReaderTrouble
from kiosk.lobby.flows.draft import Identity, PassShown, Problem, RegisteredVisit
from kiosk.lobby.flows.idle import AT_QUESTIONS, AT_THE_PASS, WHILE_WAITING, Idleness, IdleTimer, Patience
from kiosk.lobby.flows.recall import Recall
from kiosk.lobby.flows.registration import Registration, Step, Waiting, WrongStepError
from kiosk.lobby.outside import Call, Desk, Doing, Page, Signs, Viewed

_log = logging.getLogger(__name__)

FAREWELL_SECONDS = 6.0
CRASH_SECONDS = 12.0


class Session:
    """The terminal as its screens see it. Everything here runs on the window's thread.

    Args:
        now: monotonic seconds.
        do: runs the desk's work.
        changed: draw again; called after every change.
    """

    def __init__(
        self,
        *,
        language: str,
        now: Callable[[], float],
        do: Doing,
        changed: Callable[[], None],
    ) -> None:
        self.home_language = language
        self.language = language
        self.page = Page.WELCOME
        self.areas: Areas | None = None
        self.policy: Policy | None = None
        self.visit_type_id = ""
        self.opened = False
        self.signs = Signs()
        self.flow: Registration | None = None
        self.recalling: Recall | None = None
        self.call = Call.NONE
        self.pin = ""
        self.crash_id = ""
        self.warning = False
        self.idle: IdleTimer | None = None
        self._call_id = ""
        self._desk: Desk | None = None
        self._reader: IdReader | None = None
        self._reading = False
        self._on_card: Callable[[IdCard], None] = self.card
        self._on_trouble: Callable[[ReaderTrouble], None] = self.card_trouble
        self._now = now
        self._do = do
        self._changed = changed
        self._page_since = now()
        self._step: Step | None = None
        self._wanted: Page | None = None

    # ---- the world

    def open(
        self,
        desk: Desk,
        reader: IdReader | None,
        *,
        on_card: Callable[[IdCard], None] | None = None,
        on_trouble: Callable[[ReaderTrouble], None] | None = None,
    ) -> None:
        """Desk and devices are there. `on_card`, `on_trouble`: wrappers that cross from the reader's thread."""
        self._desk = desk
        self._reader = reader
        self._on_card = on_card or self.card
        self._on_trouble = on_trouble or self.card_trouble
        self.opened = True
        self._settle()

    def site(self, areas: Areas | None, policy: Policy | None, visit_type_id: str = "") -> None:
        """What the centre says about the site, as far as it is known. A visit under way keeps its own rules."""
        if areas is self.areas and policy is self.policy:
            return
        self.areas, self.policy, self.visit_type_id = areas, policy, visit_type_id
        self._settle()

    def sign(self, signs: Signs) -> None:
        """How the station stands."""
        if signs != self.signs:
            self.signs = signs
            self._changed()

    @property
    def has_reader(self) -> bool:
        """Whether a card can be offered at all."""
        return self._reader is not None

    @property
    def visit_type(self) -> VisitType | None:
        """The rules of the visits registered here."""
        if self.policy is None:
            return None
        types = self.policy.visit_types
        return next((t for t in types if t.id == self.visit_type_id), types[0])

    # ---- the visitor

    def touched(self) -> None:
        """Somebody touched the screen."""
        if self.idle is not None:
            self.idle.touch(self._now())
        if self.warning:
            self.warning = False
            self._changed()

    def say(self, language: str) -> None:
        """Another language; nothing is lost."""
        self.language = language
        if self.flow is not None:
            self.flow.say(language)
        self._changed()

    def begin(self) -> None:
        """A visitor wants to register."""
        self._want(Page.REGISTRATION)

    def find(self) -> None:
        """A visitor wants back to a visit that is on record."""
        self._want(Page.RECALL)

    def back(self) -> None:
        """One question back; from the first one to the welcome screen."""
        if self.flow is not None and self.page is Page.REGISTRATION:
            if not self.flow.back():
                self.home()
        elif self.page is Page.RECALL:
            self.home()

    def home(self) -> None:
        """The visitor is done or gone: forget them, show the welcome screen in its own language."""
        self.wipe()
        self.language = self.home_language
        self._go(Page.WELCOME)

    def wipe(self) -> None:
        """Forget all that is personal."""
        self._stop_reading()
        flow, self.flow = self.flow, None
        recalling, self.recalling = self.recalling, None
        if flow is not None:
            flow.abandon()
            self._serve(None)
        if recalling is not None:
            recalling.abandon()
        self.idle = None
        self.warning = False
        self.pin = ""
        self.call = Call.NONE
        self._call_id = ""
        self._step = None

    def finish(self) -> None:
        """The visitor has what they came for: the farewell (V2)."""
        if self.flow is not None:
            self.flow.finish()

    def type_instead(self) -> None:
        """No card, or no reader: type name and phone. The consent to the document falls away."""
        if self.flow is not None and self.flow.step is Step.CARD:
            self.flow.back()
            self.flow.answer(Step.CONSENT, identity=Identity.TYPED, document_consent=False)

    def type_pin(self, pin: str) -> None:
        """A colleague types the staff PIN."""
        self.pin = pin
        if self.flow is not None:
            self.flow.problem = None
        self._changed()

    def try_pin(self) -> None:
        """The PIN is complete: let its colleague in, or say that it was wrong."""
        flow, pin = self.flow, self.pin
        if flow is None or flow.visit is None or self._desk is None or not pin:
            return
        self.pin = ""
        desk, visit = self._desk, flow.visit.id

        def done(problem: Problem | None) -> None:
            if self._here(visit) and problem is not None and self.flow is not None:
                self.flow.refuse_pin(problem)

        self._do(lambda: desk.decide_by_pin(visit, pin), done, self._trouble)
        self._changed()

    def call_staff(self) -> None:
        """The visitor asks for a person."""
        if self._desk is None or self.call in (Call.CALLED, Call.COMING):
            return
        desk = self._desk
        visit = self.flow.visit.id if self.flow is not None and self.flow.visit is not None else None
        screen = self.screen
        self.call = Call.CALLED
        self._changed()

        def done(call: str) -> None:
            self._call_id = call

        def failed(error: Exception) -> None:
            _log.error("staff could not be called: %s", type(error).__name__)
            self.call = Call.FAILED
            self._changed()

        self._do(lambda: desk.call_staff(visit, screen), done, failed)

    @property
    def screen(self) -> str:
        """The name of the screen that stands now; stable, for events, tests and the pilot."""
        if self.page is Page.REGISTRATION and self.flow is not None:
            return self.flow.step.value
        return self.page.value

    def search(self) -> None:
        """Look for the visit whose number and last four digits were typed."""
        recalling, desk = self.recalling, self._desk
        if recalling is None or desk is None or not recalling.answer():
            return
        number, last_four = recalling.number, recalling.last_four

        def done(found: Viewed | Problem) -> None:
            if self.recalling is not recalling:
                return
            if isinstance(found, Problem):
                recalling.not_found(found)
            else:
                self.take_up(found)

        def failed(error: Exception) -> None:
            if self.recalling is recalling:
                recalling.not_found(Problem.NOT_FOUND)

        self._do(lambda: desk.recall(number, last_four), done, failed)

    def take_up(self, found: Viewed, *, by_staff: bool = False) -> None:
        """A registered visit comes back to the screen, where nobody else is being served (V15)."""
        if by_staff and self.page not in (Page.WELCOME, Page.RECALL):
            _log.info("a recall by staff waits: another visitor is being served")
            return
        rules = self.visit_type
        if self.areas is None or rules is None:
            return
        recalling, self.recalling = self.recalling, None
        self.language = self.language if not by_staff else found.language
        flow = Registration(self.areas, rules, language=self.language, changed=self._moved)
        self.flow = flow
        self.page = Page.REGISTRATION
        flow.registered(found.visit)
        flow.host(found.waiting)
        self._serve(found.visit.id)
        if found.decision is not None:
            flow.decided(found.decision, found.place)
        if found.decision is Decision.AGREED:
            known = found.slip
            # A slip that was never printed is printed now; one that may have been is not printed again.
            self._show_pass(
                found.visit.id, lambda flow: self.print_slip() if known is None else flow.slip_done(known)
            )
        if recalling is not None:
            recalling.abandon()
        self._go(Page.REGISTRATION)

    # ---- what the desk tells

    def waiting(self, visit: str, waiting: Waiting) -> None:
        """How asking goes on."""
        if self.flow is not None and self._here(visit):
            self.flow.host(waiting)

    def decided(self, visit: str, decision: Decision, place: str = "") -> None:
        """A decision was applied: where it is a yes, the pass is fetched. The desk prints the slip by itself."""
        if self.flow is None or not self._here(visit):
            return
        self.flow.decided(decision, place)
        if decision is Decision.AGREED:
            self._show_pass(visit)

    def _show_pass(self, visit: str, then: Callable[[Registration], None] = lambda _: None) -> None:
        desk = self._desk
        if desk is None:
            return

        def ready(vpass: PassShown | None) -> None:
            if self.flow is None or not self._here(visit):
                return
            if vpass is None:
                self.flow.no_pass()
                return
            self.flow.pass_ready(vpass)
            then(self.flow)

        self._do(lambda: desk.pass_for(visit), ready, self._trouble)

    def print_slip(self) -> None:
        """Print the slip; pressed again only where the first is known to have failed."""
        flow, desk = self.flow, self._desk
        if flow is None or flow.visit is None or desk is None or flow.step is not Step.PASS:
            return
        visit = flow.visit.id
        flow.slip = None
        self._changed()

        def done(printing: bool) -> None:
            if not printing and self._here(visit) and flow.slip is None:
                # Printed before, perhaps, and nobody knows how it ended: the pass on the screen is good either way.
                flow.slip_done(SlipOutcome.UNKNOWN)

        self._do(lambda: desk.print_slip(visit), done, self._trouble)

    def slip(self, visit: str, outcome: SlipOutcome, reason: str) -> None:
        """What is known of the slip."""
        if self.flow is not None and self._here(visit):
            self.flow.slip_done(outcome, reason)

    def call_taken(self, call: str) -> None:
        """Somebody is on the way."""
        if call and call == self._call_id:
            self.call = Call.COMING
            self._changed()

    # ---- time

    def tick(self) -> None:
        """A few times a second: idle time, and screens that end by themselves."""
        now = self._now()
        since = now - self._page_since
        if (self.page is Page.CRASH and since >= CRASH_SECONDS) or (
            self.flow is not None and self.flow.step is Step.FAREWELL and since >= FAREWELL_SECONDS
        ):
            self.home()
        elif self.idle is not None:
            state = self.idle.state(now)
            if state is Idleness.GONE:
                _log.info("nobody is there; the screen is wiped")
                self.home()
            elif (state is Idleness.WARNING) is not self.warning:
                self.warning = state is Idleness.WARNING
                self._changed()

    @property
    def left(self) -> int:
        """Seconds until the wipe."""
        return self.idle.left(self._now()) if self.idle is not None else 0

    def crashed(self, crash_id: str) -> None:
        """Something failed that nobody foresaw: forget the visitor, say so, begin anew."""
        self.wipe()
        self.crash_id = crash_id
        self._go(Page.CRASH)

    # ---- inside

    def _want(self, page: Page) -> None:
        if self.page is not Page.WELCOME:
            return
        rules = self.visit_type
        if not self.opened or self.areas is None or rules is None:
            # Pressed in the first moment after start: it counts as soon as the desk is there.
            self._wanted = page
            return
        if page is Page.REGISTRATION:
            self.flow = Registration(self.areas, rules, language=self.language, changed=self._moved)
        else:
            self.recalling = Recall(changed=self._recall_moved)
        self._go(page)

    def _settle(self) -> None:
        """Welcome or not set up, by what is known."""
        known = self.areas is not None and self.policy is not None
        if self.opened and self.page is Page.WELCOME and not known:
            self._go(Page.NOT_SET_UP)
        elif self.page is Page.NOT_SET_UP and known:
            self._go(Page.WELCOME)
        elif self._wanted is not None and known and self.opened:
            wanted, self._wanted = self._wanted, None
            self._want(wanted)
        else:
            self._changed()

    def _go(self, page: Page) -> None:
        self.page = page
        self._wanted = None
        self._page_since = self._now()
        self._step = self.flow.step if self.flow is not None else None
        self.idle = self._timer()
        if page is Page.WELCOME:
            self._settle_home()
        self._changed()

    def _settle_home(self) -> None:
        if self.opened and (self.areas is None or self.policy is None):
            self.page = Page.NOT_SET_UP

    def _timer(self) -> IdleTimer | None:
        if self.page in (Page.REGISTRATION, Page.RECALL):
            return IdleTimer(self._now(), self._patience())
        return None

    def _patience(self) -> Patience:
        step = self.flow.step if self.flow is not None else None
        if step in (Step.WAITING, Step.REGISTERING):
            return WHILE_WAITING
        return AT_THE_PASS if step in (Step.PASS, Step.DECLINED) else AT_QUESTIONS

    def _moved(self) -> None:
        """The flow changed: the reader, the patience and the farewell follow the step."""
        flow = self.flow
        if flow is None:
            return
        if flow.step is not self._step:
            self._step = flow.step
            self._page_since = self._now()
            self.pin = ""
            self.idle = None if flow.step is Step.FAREWELL else IdleTimer(self._now(), self._patience())
            self.warning = False
            if flow.step is Step.REGISTERING:
                self._register(flow)
        if flow.wants_card and not self._reading and self._reader is not None:
            self._reading = True
            self._reader.start(self._on_card, self._on_trouble)
        elif not flow.wants_card:
            self._stop_reading()
        self._changed()

    def _recall_moved(self) -> None:
        """The recall changed; one that is being wiped is no longer shown."""
        if self.recalling is not None:
            self._changed()

    def _register(self, flow: Registration) -> None:
        desk, draft = self._desk, flow.draft
        assert desk is not None

        def done(visit: RegisteredVisit) -> None:
            if self.flow is flow:
                flow.registered(visit)

        def failed(error: Exception) -> None:
            _log.error("a visit could not be recorded: %s", type(error).__name__)
            if self.flow is flow:
                flow.not_registered()

        self._do(lambda: desk.register(draft), done, failed)

    def _stop_reading(self) -> None:
        if self._reading and self._reader is not None:
            self._reading = False
            self._reader.stop()

    def card(self, card: IdCard) -> None:
        """The reader read a card; on the window's thread."""
        self._reading = False
        if self.flow is not None:
            self.touched()
            self.flow.card_read(card)

    def card_trouble(self, trouble: ReaderTrouble) -> None:
        """The reader has trouble; on the window's thread."""
        if self.flow is not None:
            self.flow.card_trouble(trouble)

    def _serve(self, visit: str | None) -> None:
        """Tell the desk whose visit is on the screen."""
        desk = self._desk
        if desk is not None:
            self._do(lambda: desk.serve(visit), lambda _: None, self._trouble)

    def _here(self, visit: str) -> bool:
        """Whether this visit is the one on the screen (V15)."""
        return self.flow is not None and self.flow.visit is not None and self.flow.visit.id == visit

    def _trouble(self, error: Exception) -> None:
        """The desk failed where it shouldn't: the visitor is sent to a person, the visit lives on."""
        if isinstance(error, WrongStepError):
            return
        _log.error("the desk failed: %s", type(error).__name__)
        if self.flow is not None:
            self.flow.host(Waiting.NO_ANSWER)
