"""Whole visits by touch, in a real window: what a finger does is what the flow gets, and nothing stays behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sample
from kivy.base import EventLoop

from broker.contract.facts import Decision, SlipOutcome
from firmware_bridge.capabilities import ReaderTrouble
from kiosk.lobby.flows.draft import Identity, Problem, RegisteredVisit
from kiosk.lobby.flows.registration import Step, Waiting
from kiosk.lobby.outside import Signs
from kiosk.ui import pilot, theme
from kiosk.ui.field import Field
from kiosk.ui.layout import Box
from kiosk.ui.qr import QrView
from kiosk.ui.text import Text

Make = Callable[..., "object"]
UPRIGHT, LYING = (1080, 1920), (1920, 1080)


def to_the_person(t) -> None:
    t.tap("check-in")
    t.tap("building:t3")
    t.type("2")
    t.tap("next")
    t.type("1203")
    t.tap("field:host_name")
    t.type("Chen")
    t.tap("next")
    t.tap("way:typed")
    t.tap("next")


def to_the_summary(t) -> None:
    to_the_person(t)
    t.type("Anna Lin")
    t.tap("next")
    t.type("13800001234")
    t.tap("next")
    t.tap("purpose:friends")
    t.tap("arranged:yes")
    t.tap("next")


@pytest.mark.parametrize("size", [UPRIGHT, LYING], ids=["upright", "lying"])
@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_a_visitor_registers_by_typing_and_gets_a_pass(terminal: Make, language: str, size) -> None:
    t = terminal(language, size)
    to_the_summary(t)
    assert t.screen == "summary"
    assert t.shows("138****1234")
    assert not t.shows("13800001234")
    t.tap("next")
    draft = t.sample.desk.drafts[0]
    assert (draft.building, draft.unit, draft.room, draft.host_name) == ("t3", "2", "1203", "Chen")
    assert (draft.name, draft.phone, draft.purpose, draft.arranged) == (
        "Anna Lin",
        "13800001234",
        "friends",
        True,
    )
    assert draft.identity is Identity.TYPED
    assert draft.card is None
    assert t.screen == "waiting"
    assert t.shows("482 913")
    t.sample.session.decided(sample.VISIT.id, Decision.AGREED)
    assert t.screen == "pass"
    assert t.shows("12")
    t.sample.session.slip(sample.VISIT.id, SlipOutcome.PRINTED, "")
    t.tap("finish")
    assert t.screen == "farewell"
    t.tap("home")
    assert t.screen == "welcome"
    # The desk prints by itself for the visitor it serves; nobody is served any more.
    assert t.sample.desk.asked == ["register", "pass_for"]
    assert t.sample.desk.served is None


def test_a_visitor_registers_with_an_id_card_that_is_polled_only_after_its_own_consent(
    terminal: Make,
) -> None:
    t = terminal()
    t.tap("check-in")
    t.tap("building:club")
    t.tap("next")
    t.tap("way:card")
    t.tap("next")
    assert t.sample.session.flow.problem is Problem.CONSENT_MISSING
    assert not t.sample.reader.polled
    t.tap("consent-document")
    t.tap("next")
    assert t.screen == "card"
    assert t.sample.reader.polled
    t.sample.reader.trouble(ReaderTrouble.KEEP_STILL)
    assert t.shows("请保持身份证不动")
    t.sample.reader.place(sample.CARD)
    assert t.shows("林**")
    assert t.shows("1101**********0027")
    assert not any(sample.CARD.number in text or sample.CARD.name in text for text in t.texts)
    t.tap("next")
    t.tap("purpose:viewing")
    t.tap("arranged:no")
    t.tap("next")
    t.tap("next")
    assert t.sample.desk.drafts[0].card is sample.CARD
    assert not t.sample.reader.polled


def test_a_reader_that_is_unplugged_leads_to_typing(terminal: Make) -> None:
    t = terminal()
    sample.to_card(t.sample)
    t.sample.reader.trouble(ReaderTrouble.UNPLUGGED)
    t.tap("type-instead")
    assert t.screen == "person"
    assert t.sample.session.flow.draft.document_consent is False
    assert not t.sample.reader.polled


def test_the_text_agreed_to_is_the_text_that_was_shown_with_the_policys_days(terminal: Make) -> None:
    t = terminal()
    sample.to_host(t.sample)
    t.sample.session.flow.answer(Step.HOST, building="club")
    shown = " ".join(t.texts)
    t.tap("way:typed")
    t.tap("next")
    notice = t.sample.session.flow.draft.notice
    assert "30 天" in notice
    for line in notice.splitlines():
        heading, _, text = line.partition(": ")
        assert heading in shown
        assert text in shown


@pytest.mark.parametrize(
    "state",
    [
        "host-room",
        "consent-card",
        "card-read",
        "person-typed",
        "purpose-chosen",
        "summary",
        "waiting-with-staff",
        "pass-paper-out",
        "recall",
    ],
)
def test_another_language_changes_the_words_and_nothing_else(terminal: Make, state: str) -> None:
    t = terminal()
    sample.STATES[state](t.sample)
    before = _known(t)
    chinese = t.texts
    t.tap("language:en")
    assert t.screen == state.split("-")[0]
    assert _known(t) == before
    assert t.texts != chinese
    t.tap("language:zh_CN")
    assert t.texts == chinese
    assert _known(t) == before


def _known(t) -> object:
    flow, recall = t.sample.session.flow, t.sample.session.recalling
    if recall is not None:
        return recall.number, recall.last_four
    draft = flow.draft
    return (
        flow.step,
        draft.building,
        draft.unit,
        draft.room,
        draft.name,
        draft.phone,
        draft.purpose,
        draft.arranged,
        draft.card,
        draft.consent,
        draft.document_consent,
        flow.visit,
        flow.vpass,
        flow.slip,
        flow.waiting,
    )


def test_going_back_keeps_what_was_typed(terminal: Make) -> None:
    t = terminal()
    to_the_summary(t)
    for screen in ("purpose", "person", "consent"):
        t.tap("back")
        assert t.screen == screen
    t.tap("next")
    assert [field.value for field in _fields(t)] == ["Anna Lin", "13800001234"]


def test_leaving_a_change_by_back_restores_the_answer(terminal: Make) -> None:
    t = terminal()
    to_the_summary(t)
    t.tap("edit:person")
    t.tap("field:phone")
    for _ in range(3):
        t.tap("key:\b")
    t.tap("back")
    assert t.screen == "summary"
    assert t.shows("138****1234")


def test_nothing_personal_stays_when_the_visitor_has_walked_away(terminal: Make) -> None:
    t = terminal()
    to_the_summary(t)
    left = t.stage.screen
    assert left is not None
    t.tap("edit:person")
    typed = t.stage.screen
    t.sample.pass_by(46)
    assert t.screen == "still_there"
    t.sample.pass_by(26)
    assert t.screen == "welcome"
    assert t.sample.session.flow is None
    for box in (left, typed):
        assert list(_personal(box)) == []
    t.tap("check-in")
    assert not any(name in text for text in t.texts for name in ("Anna", "1234", "Chen", "1203"))


def test_the_pass_is_gone_from_every_widget_after_the_farewell(terminal: Make) -> None:
    t = terminal()
    sample.to_pass(t.sample)
    shown = t.stage.screen
    t.tap("finish")
    codes = [box for box in _boxes(shown) if isinstance(box, QrView)]
    assert codes
    assert all(code._modules == [] and code._texture is None for code in codes)
    assert list(_personal(shown)) == []


def test_a_touch_on_the_warning_keeps_everything(terminal: Make) -> None:
    t = terminal()
    to_the_person(t)
    t.type("Ann")
    t.sample.pass_by(50)
    assert t.screen == "still_there"
    t.tap("still-here")
    assert t.screen == "person"
    assert t.sample.session.flow.draft.name == "Ann"
    t.sample.pass_by(44)
    assert t.screen == "person"


def test_keys_on_the_screen_count_as_somebody_being_there(terminal: Make) -> None:
    t = terminal()
    to_the_person(t)
    for _ in range(4):
        t.sample.pass_by(40)
        t.type("a")
    assert t.screen == "person"


def test_a_printer_out_of_paper_leaves_a_good_pass_and_another_try(terminal: Make) -> None:
    t = terminal()
    sample.to_pass(t.sample)
    t.sample.session.slip(sample.VISIT.id, SlipOutcome.FAILED, "paper_out")
    assert t.shows("打印机缺纸")
    assert t.shows("同样有效")
    t.tap("print-again")
    assert t.sample.desk.asked.count("print_slip") == 1
    assert t.shows("正在打印")


def test_a_slip_that_may_have_been_printed_is_not_printed_again(terminal: Make) -> None:
    t = terminal()
    sample.to_pass(t.sample)
    t.sample.session.slip(sample.VISIT.id, SlipOutcome.UNKNOWN, "no_status")
    assert "print-again" not in {tap.name for tap in pilot.taps(t.stage)}


def test_the_second_tap_of_a_double_tap_is_not_an_answer_to_the_next_question(terminal: Make) -> None:
    theme.set_still(False)
    t = terminal()
    t.stage._changed_at = 0.0
    t.tap("check-in")
    assert t.screen == "host"
    t.tap("building:t1")
    assert t.sample.session.flow.building is None
    t.stage._changed_at = 0.0
    t.tap("building:t1")
    assert t.sample.session.flow.building is not None


def test_a_finger_that_lifts_after_its_screen_has_gone_does_nothing(terminal: Make) -> None:
    t = terminal()
    to_the_summary(t)
    button = pilot.find(t.stage, name="next")
    finger = pilot.touch_down(*button.center)
    t.sample.session.home()
    pilot.touch_up(finger)
    assert t.screen == "welcome"
    assert t.sample.desk.asked == []


def test_a_finger_that_slides_off_a_button_does_not_press_it(terminal: Make) -> None:
    t = terminal()
    button = pilot.find(t.stage, name="check-in")
    finger = pilot.touch_down(*button.center)
    finger.sx, finger.sy = 0.5, 0.001
    finger.scale_for_screen(*EventLoop.window.system_size)
    pilot.touch_up(finger)
    assert t.screen == "welcome"


def test_a_visit_that_could_not_be_recorded_keeps_every_answer(terminal: Make) -> None:
    t = terminal()
    to_the_summary(t)
    t.sample.desk.fails = True
    t.tap("next")
    assert t.screen == "summary"
    assert t.shows("您填写的内容都还在")
    t.sample.desk.fails = False
    t.tap("next")
    assert t.screen == "waiting"


def test_with_the_centre_away_a_colleague_decides_with_the_pin(terminal: Make) -> None:
    t = terminal()
    sample.to_waiting(t.sample)
    t.sample.session.sign(Signs(online=False))
    t.sample.session.waiting(sample.VISIT.id, Waiting.PIN)
    t.tap("pin-open")
    t.type("135790")
    assert not any("135790" in text for text in t.texts)
    t.tap("pin-enter")
    assert t.shows("密码有误")
    t.type("246810")
    t.tap("pin-enter")
    assert t.sample.desk.asked.count("decide_by_pin") == 2
    assert t.sample.session.pin == ""


def test_a_call_for_staff_is_taken_and_said_so(terminal: Make) -> None:
    t = terminal()
    to_the_person(t)
    t.tap("help")
    assert t.shows("已通知前台")
    assert t.sample.desk.asked == ["call_staff person"]
    t.tap("help")
    assert t.sample.desk.asked == ["call_staff person"]
    t.sample.session.call_taken("call-0001")
    assert t.shows("前台正在赶来")


def test_a_visit_is_brought_back_with_its_number_and_last_four(terminal: Make) -> None:
    t = terminal()
    t.sample.desk.recalled = _View()
    t.tap("find")
    t.type("482913")
    t.type("1234")
    t.tap("next")
    assert t.screen == "waiting"
    assert t.shows("482 913")


def test_a_visit_agreed_while_its_visitor_was_away_gets_its_slip_when_it_is_brought_back(
    terminal: Make,
) -> None:
    t = terminal()
    t.sample.session.take_up(_View(Decision.AGREED))
    assert t.screen == "pass"
    assert t.sample.desk.asked == ["pass_for", "print_slip"]
    assert t.sample.desk.served == sample.VISIT.id


def test_a_slip_that_was_printed_is_not_printed_again_when_its_visit_is_brought_back(terminal: Make) -> None:
    t = terminal()
    t.sample.session.take_up(_View(Decision.AGREED, SlipOutcome.PRINTED))
    assert t.sample.desk.asked == ["pass_for"]
    assert t.shows("访客条已打印")


def test_a_slip_of_which_nothing_is_known_leaves_nobody_waiting_for_it(terminal: Make) -> None:
    t = terminal()
    t.sample.desk.prints = False
    t.sample.session.take_up(_View(Decision.AGREED))
    assert t.shows("如未取到访客条")


def test_a_slip_that_fails_before_the_pass_is_drawn_is_told_all_the_same(terminal: Make) -> None:
    t = terminal()
    sample.to_waiting(t.sample)
    t.sample.session.slip(sample.VISIT.id, SlipOutcome.FAILED, "paper_out")
    t.sample.session.decided(sample.VISIT.id, Decision.AGREED)
    assert t.screen == "pass"
    assert t.shows("打印机缺纸")


def test_a_number_that_does_not_fit_gets_one_answer_and_can_be_left(terminal: Make) -> None:
    t = terminal()
    t.tap("find")
    t.type("111111")
    t.type("123X")
    t.tap("next")
    assert t.shows("没有找到相符的登记")
    t.tap("back")
    assert t.screen == "welcome"


def test_staff_bring_a_visit_back_only_where_nobody_else_is_served(terminal: Make) -> None:
    t = terminal()
    to_the_person(t)
    t.sample.session.take_up(_View(), by_staff=True)
    assert t.screen == "person"
    t.sample.session.home()
    t.sample.session.take_up(_View(), by_staff=True)
    assert t.screen == "waiting"


def test_without_the_sites_data_nobody_can_begin_and_staff_can_be_called(terminal: Make) -> None:
    t = terminal(known=False)
    assert t.screen == "not_set_up"
    t.tap("help")
    assert t.sample.desk.asked == ["call_staff not_set_up"]
    t.sample.session.site(sample.AREAS, sample.POLICY)
    assert t.screen == "welcome"


def test_after_a_fault_the_visitor_is_wiped_and_sent_to_staff(terminal: Make) -> None:
    t = terminal()
    to_the_summary(t)
    left = t.stage.screen
    t.sample.session.crashed("4F2A9C")
    assert t.screen == "crash"
    assert t.shows("4F2A9C")
    assert list(_personal(left)) == []
    t.sample.pass_by(13)
    assert t.screen == "welcome"


def test_the_farewell_ends_by_itself(terminal: Make) -> None:
    t = terminal()
    sample.to_pass(t.sample)
    t.tap("finish")
    assert t.shows("请慢走，再见！")
    t.sample.pass_by(7)
    assert t.screen == "welcome"


def test_the_next_visitor_finds_the_terminals_own_language(terminal: Make) -> None:
    t = terminal()
    t.tap("language:en")
    t.tap("check-in")
    t.tap("back")
    assert t.screen == "welcome"
    assert t.shows("您好，欢迎光临")


@dataclass
class _View:
    decision: Decision | None = None
    slip: SlipOutcome | None = None
    visit: RegisteredVisit = sample.VISIT
    language: str = "zh_CN"
    waiting: Waiting = Waiting.WITH_STAFF
    place: str = ""


def _fields(t) -> list[Field]:
    return [tap for tap in pilot.taps(t.stage) if isinstance(tap, Field)]


def _boxes(box: Box) -> list[Box]:
    return [found for found in box.walk(restrict=True) if isinstance(found, Box)]


def _personal(box: Box) -> list[str]:
    """Any word that is still held by a screen that has gone."""
    found = [text.words for text in _boxes(box) if isinstance(text, Text) and text.words]
    return found + [field.value for field in _boxes(box) if isinstance(field, Field) and field.value]
