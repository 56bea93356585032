"""A visitor registers: whom do you come to see, who are you, what for; then the host's answer, the pass, the farewell.

The order is rule V3's; V4: registered first, then the host is asked; V5–V7: what the answer means for the visitor. Up to
`REGISTERING` the visitor may go back anywhere and nothing has happened; from then on the visit is on record and lives on
whether or not anybody stands at the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from broker.contract.facts import Decision, SlipOutcome
from broker.contract.sitedata import Areas, Building, VisitType
from firmware_bridge.capabilities import CardWarning, IdCard, ReaderTrouble
from kiosk.lobby.flows.draft import (
    Draft,
    Identity,
    PassShown,
    Problem,
    RegisteredVisit,
    host_problem,
    person_problem,
)


class Step(StrEnum):
    """Where the visitor stands. The first seven can be walked back; the others follow from the world."""

    HOST = "host"
    CONSENT = "consent"
    CARD = "card"
    PERSON = "person"
    PURPOSE = "purpose"
    SUMMARY = "summary"
    REGISTERING = "registering"
    WAITING = "waiting"
    PASS = "pass"
    DECLINED = "declined"
    FAREWELL = "farewell"


class Waiting(StrEnum):
    """What the waiting visitor is told. V4 asking, V7 in a place; the rest: the centre or the host doesn't answer."""

    ASKING = "asking"
    WITH_STAFF = "with_staff"
    IN_PLACE = "in_place"
    NO_ANSWER = "no_answer"
    PIN = "pin"
    """The centre is out of reach; a colleague may decide here with their PIN."""
    HOLD = "hold"
    """The centre is out of reach; the visitor is asked to speak to staff."""
    CLOCK = "clock"
    """Agreed, but no pass can be made while the terminal's clock is wrong; staff let the visitor in."""


class WrongStepError(RuntimeError):
    """An answer to a question that isn't asked now: a touch that came late. Callers may ignore it."""


ASKED = (Step.HOST, Step.CONSENT, Step.CARD, Step.PERSON, Step.PURPOSE, Step.SUMMARY)
"""The steps at which the visitor answers; PROGRESS counts them with CARD and PERSON as one."""


class Registration:
    """One visitor's registration.

    Args:
        areas: the site, for its buildings.
        visit_type: the rules of this kind of visit.
        changed: called after every change, so that a screen can draw it.
    """

    def __init__(
        self,
        areas: Areas,
        visit_type: VisitType,
        *,
        language: str = "zh_CN",
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.areas = areas
        self.visit_type = visit_type
        self.step = Step.HOST
        self.draft = Draft(language=language)
        self.problem: Problem | None = None
        self.trouble: ReaderTrouble | None = None
        self.visit: RegisteredVisit | None = None
        self.waiting = Waiting.ASKING
        self.place = ""
        self.decision: Decision | None = None
        self.vpass: PassShown | None = None
        self.slip: SlipOutcome | None = None
        self.slip_reason = ""
        self._changed = changed
        self._editing = False
        self._before_edit: tuple[Step, Draft] | None = None

    # ---- what the visitor does

    @property
    def building(self) -> Building | None:
        """The chosen building."""
        return next((b for b in self.areas.buildings if b.id == self.draft.building), None)

    @property
    def progress(self) -> tuple[int, int]:
        """(step, of how many) for the line at the top: 1 of 5 … 5 of 5."""
        order = {
            Step.HOST: 1,
            Step.CONSENT: 2,
            Step.CARD: 3,
            Step.PERSON: 3,
            Step.PURPOSE: 4,
            Step.SUMMARY: 5,
        }
        return order.get(self.step, 5), 5

    @property
    def wants_card(self) -> bool:
        """True while the reader may be polled: consent to the document was given and this step asks for the card."""
        return (
            self.step is Step.CARD
            and self.draft.consent
            and self.draft.document_consent
            and self.draft.card is None
        )

    def fill(self, **values: object) -> None:
        """Keep what was typed so far, fit or not; a screen calls it at every key.

        Raises:
            TypeError: no such field.
            WrongStepError: the visit is already being registered.
        """
        if self.step not in ASKED:
            raise WrongStepError(f"nothing can be filled in at {self.step}")
        self.draft = replace(self.draft, **values)  # pyright: ignore[reportArgumentType]
        self.problem = None
        self._changed()

    def answer(self, step: Step, **values: object) -> None:
        """Answer the question of `step` with what is filled in (and `values`), and go on where it fits.

        Where it doesn't, `problem` says why and the step stays.

        Raises:
            WrongStepError: `step` isn't the current one.
        """
        if step is not self.step or step not in ASKED:
            raise WrongStepError(f"{step} was answered at {self.step}")
        if values:
            self.draft = replace(self.draft, **values)  # pyright: ignore[reportArgumentType]
        self.problem = self._problem()
        if self.problem is None:
            self._go_on()
        self._changed()

    def back(self) -> bool:
        """One question back; False where there is none (the first, or the visit is on record already)."""
        if self._before_edit is not None and self.step is self._before_edit[0]:
            # Back out of a change: everything as it was, so that no half answer reaches the summary.
            self.draft = replace(self._before_edit[1], language=self.draft.language)
            self._editing, self._before_edit = False, None
            self._move(Step.SUMMARY)
            return True
        if self.step not in ASKED or self.step is Step.HOST:
            return False
        person = Step.CARD if self.draft.identity is Identity.CARD else Step.PERSON
        before = {
            Step.CONSENT: Step.HOST,
            Step.CARD: Step.CONSENT,
            Step.PERSON: Step.CONSENT,
            Step.PURPOSE: person,
            Step.SUMMARY: Step.PURPOSE,
        }
        self._move(before[self.step])
        return True

    def edit(self, step: Step) -> None:
        """From the summary back to one question; its answer returns to the summary.

        Raises:
            WrongStepError: not at the summary.
        """
        if self.step is not Step.SUMMARY or step not in ASKED:
            raise WrongStepError(f"{step} can't be changed at {self.step}")
        self._editing = True
        self._before_edit = (step, self.draft)
        self._move(step)

    def abandon(self) -> None:
        """The visitor is gone: nothing personal stays. A visit that is on record lives on without the screen."""
        self.draft = Draft(language=self.draft.language)
        self._before_edit = None
        self.vpass = None
        self.problem = None
        self._move(Step.FAREWELL)

    def say(self, language: str) -> None:
        """Another language; nothing else changes."""
        self.draft = replace(self.draft, language=language)
        self._changed()

    def finish(self) -> None:
        """The visitor has what they came for (V2: the farewell)."""
        if self.step in (Step.PASS, Step.DECLINED, Step.WAITING):
            self.abandon()

    # ---- what the world answers

    def card_read(self, card: IdCard) -> None:
        """The reader read a card. It counts only while asked for."""
        if not self.wants_card:
            return
        self.draft = replace(self.draft, card=card)
        self.trouble = None
        self.problem = Problem.CARD_EXPIRED if CardWarning.EXPIRED in card.warnings else None
        self._changed()

    def card_trouble(self, trouble: ReaderTrouble | None) -> None:
        """The reader has trouble, or None when it is well again."""
        if self.step is Step.CARD and self.draft.card is None and trouble is not self.trouble:
            self.trouble = trouble
            self._changed()

    def registered(self, visit: RegisteredVisit) -> None:
        """The visit is on record (V4). What was typed is no longer needed here, and wiped."""
        self.visit = visit
        self.draft = Draft(language=self.draft.language)
        self._before_edit = None
        self.problem = None
        self._move(Step.WAITING)

    def not_registered(self) -> None:
        """Nothing could be stored: the visitor keeps every answer and can try again or speak to staff."""
        if self.step is Step.REGISTERING:
            self.problem = Problem.NOT_SAVED
            self.step = Step.SUMMARY
            self._changed()

    def host(self, waiting: Waiting) -> None:
        """How asking goes on; a place already given (V7) or a final answer is not taken back by it."""
        if self.step is Step.WAITING and self.waiting is not Waiting.IN_PLACE:
            self.problem = None
            self.waiting = waiting
            self._changed()

    def refuse_pin(self, problem: Problem) -> None:
        """A PIN at the terminal was wrong, or tried too often."""
        if self.step is Step.WAITING:
            self.problem = problem
            self._changed()

    def decided(self, decision: Decision, place: str = "") -> None:
        """The host's or staff's answer: V5 agreed (the pass follows), V6 away, V7 wait in a place, or declined."""
        if self.step is not Step.WAITING:
            return
        self.decision = decision
        self.problem = None
        if decision is Decision.WAIT:
            self.waiting = Waiting.IN_PLACE
            self.place = place
        elif decision is not Decision.AGREED:
            self.step = Step.DECLINED
        self._changed()

    def pass_ready(self, vpass: PassShown) -> None:
        """The pass was issued: show it (V5)."""
        if self.step is Step.WAITING:
            self.vpass = vpass
            self._move(Step.PASS)

    def no_pass(self) -> None:
        """Agreed, but the clock can't be trusted: no pass; staff let the visitor in."""
        if self.step is Step.WAITING:
            self.waiting = Waiting.CLOCK
            self._changed()

    def slip_done(self, outcome: SlipOutcome, reason: str = "") -> None:
        """What is known of the paper slip, perhaps before the pass is drawn; the pass on screen is good either way."""
        if self.step in (Step.WAITING, Step.PASS):
            self.slip = outcome
            self.slip_reason = reason
            self._changed()

    # ---- inside

    def _problem(self) -> Problem | None:
        draft = self.draft
        match self.step:
            case Step.HOST:
                return host_problem(draft, self.building)
            case Step.CONSENT:
                if not draft.consent or draft.identity is None:
                    return Problem.CONSENT_MISSING
                if draft.identity is Identity.CARD and not draft.document_consent:
                    return Problem.CONSENT_MISSING
            case Step.CARD:
                if draft.card is None:
                    return Problem.CARD_MISSING
                if CardWarning.EXPIRED in draft.card.warnings:
                    return Problem.CARD_EXPIRED
            case Step.PERSON:
                return person_problem(draft)
            case Step.PURPOSE:
                if draft.purpose not in {purpose.id for purpose in self.visit_type.purposes}:
                    return Problem.PURPOSE_MISSING
                if draft.arranged is None:
                    return Problem.ARRANGED_MISSING
            case _:
                pass
        return None

    def _go_on(self) -> None:
        by_card = self.draft.identity is Identity.CARD
        after = {
            Step.HOST: Step.CONSENT,
            Step.CONSENT: Step.CARD if by_card else Step.PERSON,
            Step.CARD: Step.PURPOSE,
            Step.PERSON: Step.PURPOSE,
            Step.PURPOSE: Step.SUMMARY,
            Step.SUMMARY: Step.REGISTERING,
        }
        to = after[self.step]
        if self.step is Step.CONSENT:
            # One way of saying who they are: the other's data is not kept "just in case".
            if by_card:
                self.draft = replace(self.draft, name="", phone="")
            else:
                self.draft = replace(self.draft, card=None, document_consent=False)
            has_person = self.draft.card is not None or person_problem(self.draft) is None
            if self._editing and has_person:
                to = Step.SUMMARY
        elif self._editing:
            to = Step.SUMMARY
        if to is Step.SUMMARY:
            self._editing, self._before_edit = False, None
        self.step = to
        self.trouble = None

    def _move(self, step: Step) -> None:
        self.step = step
        self.problem = None
        self.trouble = None
        self._changed()
