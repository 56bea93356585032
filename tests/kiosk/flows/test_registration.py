"""Journeys through a registration, as lists of steps; no window, no device, no centre."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest

from broker.contract.facts import Decider, Decision, SlipOutcome
from broker.contract.sitedata import Areas, Building, Hours, Purpose, VisitType
from firmware_bridge.capabilities import CardType, CardWarning, IdCard, ReaderTrouble
from kiosk.lobby.flows.draft import Draft, Identity, PassShown, Problem, RegisteredVisit
from kiosk.lobby.flows.registration import ASKED, Registration, Step, Waiting, WrongStepError

AREAS = Areas(
    organisation="yunqi.example",
    site_number=7,
    names={"zh_CN": "云栖里", "en": "Yunqi Gardens"},
    buildings=[
        Building(id="b2", names={"zh_CN": "2 号楼"}, area=2, way={"zh_CN": "左转"}, units=3, floors=18),
        Building(id="centre", names={"zh_CN": "服务中心"}, area=0, way={"zh_CN": "本层"}),
    ],
)
VISIT = VisitType(
    id="visit",
    names={"zh_CN": "来访"},
    purposes=[Purpose(id="family", names={"zh_CN": "探亲访友"})],
    hours=[Hours(start=time(0), end=time(0), decider=Decider.STAFF)],
)
CARD = IdCard(
    type=CardType.RESIDENT,
    name="样例",
    sex="male",
    nation="汉",
    birth=date(1949, 12, 31),
    address="",
    number="11010519491231002X",
    issuer="",
    valid_from=None,
    valid_to=None,
)
EXPIRED = IdCard(
    type=CardType.RESIDENT,
    name="样例",
    sex="male",
    nation="汉",
    birth=None,
    address="",
    number="",
    issuer="",
    valid_from=None,
    valid_to=date(2020, 1, 1),
    warnings=(CardWarning.EXPIRED,),
)
ON_RECORD = RegisteredVisit(id="v-0000001", number="402817", building="b2", floor=12)
SHOWN = PassShown(text="VP1TEST", code="ABCDEFGH", expires=0, way={}, floor=12)

HOST: dict[str, Any] = {"building": "b2", "unit": "1", "room": "1203"}
BY_CARD: dict[str, Any] = {"consent": True, "document_consent": True, "identity": Identity.CARD}
BY_HAND: dict[str, Any] = {"consent": True, "identity": Identity.TYPED}
PERSON: dict[str, Any] = {"name": "Li Wei", "phone": "13800001234"}
PURPOSE: dict[str, Any] = {"purpose": "family", "arranged": True}

TYPED_JOURNEY: list[tuple[Step, dict[str, Any]]] = [
    (Step.HOST, HOST),
    (Step.CONSENT, BY_HAND),
    (Step.PERSON, PERSON),
    (Step.PURPOSE, PURPOSE),
    (Step.SUMMARY, {}),
]


def fresh() -> Registration:
    return Registration(AREAS, VISIT)


def walk(flow: Registration, to: Step) -> Registration:
    """The typed journey up to (not including the answer at) a step."""
    for step, values in TYPED_JOURNEY:
        if step is to:
            return flow
        flow.answer(step, **values)
        assert flow.problem is None
    return flow


def on_record() -> Registration:
    flow = walk(fresh(), Step.REGISTERING)
    flow.registered(ON_RECORD)
    return flow


def test_v3_asks_whom_before_who_before_what_for() -> None:
    flow = fresh()
    seen: list[Step] = []
    for step, values in TYPED_JOURNEY:
        seen.append(flow.step)
        flow.answer(step, **values)
    assert seen == [Step.HOST, Step.CONSENT, Step.PERSON, Step.PURPOSE, Step.SUMMARY]
    assert flow.step is Step.REGISTERING


def test_a_card_journey_asks_for_the_card_and_not_for_name_or_phone() -> None:
    flow = fresh()
    flow.answer(Step.HOST, **HOST)
    flow.answer(Step.CONSENT, **BY_CARD)
    assert flow.step is Step.CARD
    assert flow.wants_card
    flow.card_read(CARD)
    assert not flow.wants_card, "one card is enough: the reader rests"
    flow.answer(Step.CARD)
    flow.answer(Step.PURPOSE, **PURPOSE)
    flow.answer(Step.SUMMARY)
    assert flow.step is Step.REGISTERING
    assert flow.draft.card == CARD


def test_the_reader_is_not_wanted_before_consent_to_the_document() -> None:
    flow = fresh()
    assert not flow.wants_card
    flow.answer(Step.HOST, **HOST)
    assert not flow.wants_card
    flow.answer(Step.CONSENT, consent=True, identity=Identity.CARD)
    assert flow.step is Step.CONSENT
    assert flow.problem is Problem.CONSENT_MISSING
    assert not flow.wants_card
    flow.card_read(CARD)
    assert flow.draft.card is None, "a card that nobody asked for is not taken"


@pytest.mark.parametrize(
    ("at", "values", "problem"),
    [
        (Step.HOST, {}, Problem.CHOOSE_BUILDING),
        (Step.HOST, {"building": "b9"}, Problem.CHOOSE_BUILDING),
        (Step.HOST, {"building": "b2", "room": "1203"}, Problem.UNIT_MISSING),
        (Step.HOST, {"building": "b2", "unit": "4", "room": "1203"}, Problem.UNIT_UNKNOWN),
        (Step.HOST, {"building": "b2", "unit": "²", "room": "1203"}, Problem.UNIT_UNKNOWN),
        (Step.HOST, {"building": "b2", "unit": "1"}, Problem.ROOM_MISSING),
        (Step.HOST, {"building": "b2", "unit": "1", "room": "1901"}, Problem.ROOM_UNKNOWN),
        (Step.HOST, {"building": "b2", "unit": "1", "room": "12"}, Problem.ROOM_UNKNOWN),
        (Step.CONSENT, {}, Problem.CONSENT_MISSING),
        (Step.CONSENT, {"identity": Identity.TYPED}, Problem.CONSENT_MISSING),
        (Step.PERSON, {}, Problem.NAME_MISSING),
        (Step.PERSON, {"name": "  "}, Problem.NAME_MISSING),
        (Step.PERSON, {"name": "R2D2", "phone": "13800001234"}, Problem.NAME_UNFIT),
        (Step.PERSON, {"name": "<b>x</b>", "phone": "13800001234"}, Problem.NAME_UNFIT),
        (Step.PERSON, {"name": "x" * 41, "phone": "13800001234"}, Problem.NAME_UNFIT),
        (Step.PERSON, {"name": "Li Wei"}, Problem.PHONE_MISSING),
        (Step.PERSON, {"name": "Li Wei", "phone": "1380000123"}, Problem.PHONE_UNFIT),
        (Step.PERSON, {"name": "Li Wei", "phone": "12ab"}, Problem.PHONE_UNFIT),
        (Step.PURPOSE, {}, Problem.PURPOSE_MISSING),
        (Step.PURPOSE, {"purpose": "spying", "arranged": True}, Problem.PURPOSE_MISSING),
        (Step.PURPOSE, {"purpose": "family"}, Problem.ARRANGED_MISSING),
    ],
)
def test_an_answer_that_does_not_fit_stays_with_its_reason(
    at: Step, values: dict[str, Any], problem: Problem
) -> None:
    flow = walk(fresh(), at)
    flow.answer(at, **values)
    assert (flow.step, flow.problem) == (at, problem)


@pytest.mark.parametrize("name", ["张伟", "欧阳修", "Anna-Maria O'Neil", "买买提·吐尔逊", "Zoë"])
def test_names_of_people_everywhere_are_taken(name: str) -> None:
    flow = walk(fresh(), Step.PERSON)
    flow.answer(Step.PERSON, name=name, phone="+81312345678")
    assert flow.step is Step.PURPOSE


def test_an_expired_card_is_named_and_another_way_stays_open() -> None:
    flow = walk(fresh(), Step.CONSENT)
    flow.answer(Step.CONSENT, **BY_CARD)
    flow.card_read(EXPIRED)
    assert flow.problem is Problem.CARD_EXPIRED
    flow.answer(Step.CARD)
    assert flow.step is Step.CARD
    assert flow.back()
    flow.answer(Step.CONSENT, **BY_HAND)
    assert flow.step is Step.PERSON
    assert flow.draft.card is None, "the card's data is not kept once the visitor types instead"


@pytest.mark.parametrize("trouble", list(ReaderTrouble))
def test_reader_trouble_shows_and_goes_while_waiting_for_the_card(trouble: ReaderTrouble) -> None:
    flow = walk(fresh(), Step.CONSENT)
    flow.answer(Step.CONSENT, **BY_CARD)
    flow.card_trouble(trouble)
    assert flow.trouble is trouble
    flow.card_trouble(None)
    assert flow.trouble is None
    flow.card_trouble(trouble)
    flow.card_read(CARD)
    assert flow.trouble is None


@pytest.mark.parametrize("at", [step for step, _ in TYPED_JOURNEY])
def test_nothing_typed_is_lost_by_going_back_or_changing_the_language(at: Step) -> None:
    flow = walk(fresh(), at)
    before = flow.draft
    flow.say("en")
    while flow.back():
        pass
    assert flow.step is Step.HOST
    for step, _ in TYPED_JOURNEY:
        if step is at:
            break
        flow.answer(step)
    assert flow.step is at
    flow.say("zh_CN")
    assert flow.draft == before


@pytest.mark.parametrize("at", [step for step, _ in TYPED_JOURNEY])
def test_half_an_answer_is_kept_at_every_step(at: Step) -> None:
    flow = walk(fresh(), at)
    flow.fill(name="Li", host_name="Wang")
    flow.say("en")
    assert (flow.draft.name, flow.draft.host_name) == ("Li", "Wang")


@pytest.mark.parametrize("at", [step for step, _ in TYPED_JOURNEY])
def test_walking_away_at_any_step_leaves_nothing_personal(at: Step) -> None:
    flow = walk(fresh(), at)
    flow.abandon()
    assert flow.step is Step.FAREWELL
    assert flow.draft == Draft()


@pytest.mark.parametrize(
    ("step", "values"), [(Step.HOST, HOST), (Step.PERSON, PERSON), (Step.PURPOSE, PURPOSE)]
)
def test_a_change_from_the_summary_returns_to_the_summary(step: Step, values: dict[str, Any]) -> None:
    flow = walk(fresh(), Step.SUMMARY)
    flow.edit(step)
    flow.answer(step, **values)
    assert flow.step is Step.SUMMARY


def test_changing_from_typing_to_the_card_asks_for_the_card_and_drops_what_was_typed() -> None:
    flow = walk(fresh(), Step.SUMMARY)
    flow.edit(Step.CONSENT)
    flow.answer(Step.CONSENT, **BY_CARD)
    assert flow.step is Step.CARD
    assert (flow.draft.name, flow.draft.phone) == ("", "")
    flow.card_read(CARD)
    flow.answer(Step.CARD)
    assert flow.step is Step.SUMMARY


def test_a_late_touch_on_a_question_that_is_gone_changes_nothing() -> None:
    flow = walk(fresh(), Step.PURPOSE)
    with pytest.raises(WrongStepError):
        flow.answer(Step.PERSON, **PERSON)
    assert flow.step is Step.PURPOSE


def test_pressing_register_twice_registers_once() -> None:
    flow = walk(fresh(), Step.REGISTERING)
    with pytest.raises(WrongStepError):
        flow.answer(Step.SUMMARY)
    with pytest.raises(WrongStepError):
        flow.fill(name="x")
    assert not flow.back()


def test_a_visit_that_could_not_be_stored_keeps_every_answer() -> None:
    flow = walk(fresh(), Step.REGISTERING)
    before = flow.draft
    flow.not_registered()
    assert (flow.step, flow.problem, flow.draft) == (Step.SUMMARY, Problem.NOT_SAVED, before)
    flow.answer(Step.SUMMARY)
    assert flow.step is Step.REGISTERING


def test_v4_a_registered_visit_waits_and_its_draft_is_wiped() -> None:
    flow = on_record()
    assert (flow.step, flow.waiting) == (Step.WAITING, Waiting.ASKING)
    assert flow.draft == Draft()
    assert flow.visit == ON_RECORD


@pytest.mark.parametrize("waiting", list(Waiting))
def test_the_waiting_visitor_sees_how_asking_goes_on(waiting: Waiting) -> None:
    flow = on_record()
    flow.host(waiting)
    assert flow.waiting is waiting


def test_v5_agreed_leads_to_the_pass_and_no_pass_comes_before() -> None:
    flow = on_record()
    assert flow.vpass is None
    flow.decided(Decision.AGREED)
    assert flow.step is Step.WAITING, "the pass is still being made"
    flow.pass_ready(SHOWN)
    assert (flow.step, flow.vpass) == (Step.PASS, SHOWN)
    flow.slip_done(SlipOutcome.FAILED, "paper_out")
    assert (flow.slip, flow.slip_reason, flow.step) == (SlipOutcome.FAILED, "paper_out", Step.PASS)
    flow.finish()
    assert flow.step is Step.FAREWELL
    assert flow.vpass is None


@pytest.mark.parametrize("decision", [Decision.AWAY, Decision.DECLINED])
def test_v6_away_or_declined_ends_without_a_pass(decision: Decision) -> None:
    flow = on_record()
    flow.decided(decision)
    assert (flow.step, flow.decision, flow.vpass) == (Step.DECLINED, decision, None)
    flow.pass_ready(SHOWN)
    assert flow.vpass is None


def test_v7_a_waiting_place_stays_until_the_final_answer() -> None:
    flow = on_record()
    flow.decided(Decision.WAIT, "sofa")
    flow.host(Waiting.HOLD)
    assert (flow.waiting, flow.place) == (Waiting.IN_PLACE, "sofa")
    flow.decided(Decision.AGREED)
    flow.pass_ready(SHOWN)
    assert flow.step is Step.PASS


def test_agreed_with_a_wrong_clock_says_so_and_gives_no_pass() -> None:
    flow = on_record()
    flow.decided(Decision.AGREED)
    flow.no_pass()
    assert (flow.step, flow.waiting, flow.vpass) == (Step.WAITING, Waiting.CLOCK, None)


def test_an_answer_before_registration_changes_nothing() -> None:
    flow = walk(fresh(), Step.SUMMARY)
    flow.decided(Decision.AGREED)
    flow.pass_ready(SHOWN)
    flow.host(Waiting.HOLD)
    assert (flow.step, flow.vpass, flow.decision) == (Step.SUMMARY, None, None)


def test_every_change_is_told_to_the_screen() -> None:
    told: list[Step] = []
    flow = Registration(AREAS, VISIT, changed=lambda: told.append(flow.step))
    for step, values in TYPED_JOURNEY:
        flow.answer(step, **values)
    assert told == [Step.CONSENT, Step.PERSON, Step.PURPOSE, Step.SUMMARY, Step.REGISTERING]


@pytest.mark.parametrize("step", ASKED)
def test_progress_counts_the_questions(step: Step) -> None:
    flow = fresh()
    flow.step = step
    at, of = flow.progress
    assert 1 <= at <= of == 5


def test_a_draft_never_shows_a_person_in_a_log_line() -> None:
    draft = Draft(name="Li Wei", phone="13800001234", room="1203", card=CARD)
    assert not any(
        text in repr(draft) for text in ("Li Wei", "13800001234", "1203", "样例", "11010519491231002X")
    )
