"""The desk: a visit on record before anybody is told, one decision, one pass, one slip; whatever is down.

A real store and a clock moved by hand; the centre's word comes as answers. What the line does is tested in
tests/kiosk/station, and both together in the last part of this file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from broker.contract import facts, passes
from broker.contract.asking import Ask, AskReceived, CallTaken, HostAsk, HostDecision, VisitRecall
from broker.contract.facts import Decider, Decision, SlipOutcome
from broker.contract.names import new_id
from broker.contract.passes import KeySet, TrustedKey
from broker.contract.personal import unseal
from broker.contract.sitedata import PassTerms, Unreachable
from firmware_bridge.capabilities import (
    CardType,
    IdCard,
    PrinterStatus,
    PrintOutcome,
    PrintState,
    Ticket,
)
from kiosk.lobby.desk import Desk, DeskListener, NoPolicyError, NotAgreedError, VisitView
from kiosk.lobby.flows.draft import Draft, Identity, PassShown, Problem
from kiosk.lobby.flows.registration import Waiting
from kiosk.station.pin import set_pin
from kiosk.station.station import Station
from tests.support.terminal import HandClock, events, kinds, lobby_settings, set_policy

TYPED = Draft(
    building="b1",
    unit="2",
    room="1203",
    host_name="王",
    consent=True,
    identity=Identity.TYPED,
    name="Zhang Wei",
    phone="13812341234",
    purpose="family",
    arranged=True,
    notice="请阅读",
)
CARD = IdCard(
    type=CardType.RESIDENT,
    name="欧阳修",
    sex="male",
    nation="汉",
    birth=date(1949, 12, 31),
    address="",
    number="11010519491231002X",
    issuer="",
    valid_from=None,
    valid_to=None,
)
BY_CARD = replace(
    TYPED, identity=Identity.CARD, card=CARD, document_consent=True, name="", phone="", language="zh_CN"
)


class Ear(DeskListener):
    """Keeps what it was told, in order."""

    def __init__(self) -> None:
        self.waitings: list[Waiting] = []
        self.decisions: list[tuple[Decision, str]] = []
        self.slips: list[tuple[SlipOutcome, str]] = []
        self.calls: list[str] = []
        self.recalls: list[VisitView] = []

    def on_waiting(self, visit: str, waiting: Waiting) -> None:
        self.waitings.append(waiting)

    def on_decision(self, visit: str, decision: Decision, place: str) -> None:
        self.decisions.append((decision, place))

    def on_slip(self, visit: str, outcome: SlipOutcome, reason: str) -> None:
        self.slips.append((outcome, reason))

    def on_call_taken(self, call: str) -> None:
        self.calls.append(call)

    def on_recall(self, view: VisitView) -> None:
        self.recalls.append(view)


class PaperTray:
    """A printer that says what it is told to say, when told to."""

    def __init__(self) -> None:
        self.jobs: list[Ticket] = []
        self.answers: list = []
        self.status = PrinterStatus()

    def print_ticket(self, ticket: Ticket, on_outcome, *, within: float = 15.0) -> None:
        self.jobs.append(ticket)
        self.answers.append(on_outcome)

    def finish(self, state: PrintState, reason: str = "") -> None:
        self.answers.pop(0)(PrintOutcome(state, reason))


class Lobby:
    """A lobby's station and desk, on the test's own thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hand = HandClock()
        self.printer = PaperTray()
        self.open()

    def open(self) -> None:
        self.station = Station(lobby_settings(self.folder), "lobby", clock=self.hand.clock())
        self.asks: list[HostAsk] = []
        self.station.uplink.ask = self._asked
        self.ear = Ear()
        self.desk = Desk(self.station, printer=self.printer, listener=self.ear, defer=lambda job: job())

    def _asked(self, ask: Ask) -> None:
        assert isinstance(ask, HostAsk)
        self.asks.append(ask)

    def restart(self) -> None:
        self.station.stop()
        self.open()

    def pass_by(self, seconds: float, step: float = 0.5) -> None:
        for _ in range(round(seconds / step)):
            self.hand.pass_by(step)
            self.desk.tick()

    def received(self) -> None:
        self.desk.on_answer(AskReceived(id=self.asks[-1].id))

    def decided(self, decision: Decision, place: str = "", at: datetime | None = None) -> HostDecision:
        """Staff's answer to the latest ask."""
        answer = HostDecision(
            id=self.asks[-1].id,
            visit=self.asks[-1].visit,
            decision=decision,
            decided_at=at or self.station.clock.now(),
            place=place,
        )
        self.desk.on_answer(answer)
        return answer

    def facts(self, kind: str) -> list[facts.Fact]:
        return [facts.read(e.type, e.v, e.data) for e in events(self.station) if e.type == kind]

    def agreed(self, draft: Draft = TYPED) -> str:
        """A visit agreed after its visitor left the screen, so that nothing is printed by itself."""
        visit = self.desk.register(draft)
        self.desk.serve(None)
        self.decided(Decision.AGREED)
        return visit.id


@pytest.fixture
def lobby(tmp_path: Path) -> Iterator[Lobby]:
    made = Lobby(tmp_path / "lobby")
    yield made
    made.station.stop()


# ---- V1, V4: registered first


def test_a_visit_is_on_record_with_its_event_before_the_visitor_is_told(lobby: Lobby):
    visit = lobby.desk.register(TYPED)
    assert len(visit.number) == 6
    assert visit.number.isdigit()
    assert (visit.building, visit.floor) == ("b1", 12)
    (fact,) = lobby.facts("visit.registered")
    assert isinstance(fact, facts.VisitRegistered)
    assert (fact.visit, fact.number, fact.visit_type, fact.purpose) == (
        visit.id,
        visit.number,
        "visit",
        "family",
    )
    assert (fact.identity, fact.arranged, fact.people, fact.building) == ("typed", True, 1, "b1")
    assert fact.consent.version == "2026-11"
    assert fact.request.decider is Decider.STAFF
    lobby.restart()
    assert lobby.desk.view(visit.id) is not None


def test_the_host_is_asked_at_once_and_by_the_request_that_stands_in_the_event(lobby: Lobby):
    visit = lobby.desk.register(TYPED)
    (fact,) = lobby.facts("visit.registered")
    assert isinstance(fact, facts.VisitRegistered)
    assert [(ask.id, ask.visit) for ask in lobby.asks] == [(fact.request.id, visit.id)]
    assert (fact.request.deadline - lobby.station.clock.now()).total_seconds() == 120


@pytest.mark.parametrize(
    ("draft", "classes"),
    [
        (TYPED, {"name", "phone", "host"}),
        (BY_CARD, {"name", "document", "host"}),
        (replace(BY_CARD, document_consent=False), {"name", "host"}),
    ],
    ids=["typed", "card", "card without consent to the number"],
)
def test_personal_data_travels_by_class_and_only_what_was_given(
    lobby: Lobby, draft: Draft, classes: set[str]
):
    lobby.desk.register(draft)
    event = next(e for e in events(lobby.station) if e.type == "visit.registered")
    assert set(event.sealed) == classes
    batch = lobby.station.outbox.batch(event.seq - 1, 1)
    assert batch is not None
    opened = {k: unseal(batch.items[0].ciphertexts[k], ref) for k, ref in event.sealed.items()}
    assert opened["host"].name == "王"
    assert opened["name"].text == (draft.card.name if draft.card else draft.name)


def test_the_terminals_own_row_keeps_no_full_name_phone_or_document(lobby: Lobby):
    lobby.desk.register(TYPED)
    lobby.desk.register(BY_CARD)
    kept = str([tuple(row) for row in lobby.station.store.rows("SELECT * FROM visit")])
    for secret in ("13812341234", "11010519491231002X", "欧阳修", "Zhang Wei", "王"):
        assert secret not in kept
    assert "1234" in kept
    assert "欧阳" in kept


def test_nothing_personal_and_no_pass_text_reaches_the_log(lobby: Lobby, caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    visit = lobby.agreed(BY_CARD)
    vpass = lobby.desk.pass_for(visit)
    assert vpass is not None
    lobby.desk.print_slip(visit)
    lobby.printer.finish(PrintState.PRINTED)
    said = caplog.text + repr(vpass) + repr(lobby.desk._visits.get(visit))
    for secret in ("欧阳", "002X", vpass.text, vpass.code):
        assert secret not in said


def test_a_full_disk_registers_nobody_and_says_so(lobby: Lobby, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> str:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(lobby.station.outbox, "append", full)
        with pytest.raises(sqlite3.OperationalError):
            lobby.desk.register(TYPED)
        assert "disk_full" in lobby.station.alarms()
    assert lobby.station.store.rows("SELECT * FROM visit") == []
    assert lobby.asks == []
    lobby.desk.register(TYPED)
    assert "disk_full" not in lobby.station.alarms()


def test_without_a_policy_nobody_is_registered(tmp_path: Path):
    station = Station(lobby_settings(tmp_path / "x", site_file=None), "lobby")
    desk = Desk(station)
    with pytest.raises(NoPolicyError):
        desk.register(TYPED)
    assert station.alarms() == ["no_policy"]
    station.stop()


# ---- who decides: policy × reach × decision


@dataclass(frozen=True)
class Asked:
    name: str
    decider: Decider
    unreachable: Unreachable
    reached: bool
    told: Waiting | None
    decided: Decision | None = None
    by: str = ""
    called: bool = False


ASKED = [
    Asked("policy agrees by itself", Decider.POLICY, Unreachable.HOLD, True, None, Decision.AGREED, "policy"),
    Asked(
        "policy agrees, line down", Decider.POLICY, Unreachable.PIN, False, None, Decision.AGREED, "policy"
    ),
    Asked("staff asked", Decider.STAFF, Unreachable.HOLD, True, Waiting.WITH_STAFF),
    Asked("staff asked, rule agree unused", Decider.STAFF, Unreachable.AGREE, True, Waiting.WITH_STAFF),
    Asked("line down, agree", Decider.STAFF, Unreachable.AGREE, False, None, Decision.AGREED, "offline"),
    Asked("line down, pin", Decider.STAFF, Unreachable.PIN, False, Waiting.PIN),
    Asked("line down, hold", Decider.STAFF, Unreachable.HOLD, False, Waiting.HOLD, called=True),
]


@pytest.mark.parametrize("case", ASKED, ids=lambda case: case.name)
def test_who_decides_and_what_holds_when_the_centre_is_out_of_reach(lobby: Lobby, case: Asked):
    set_policy(lobby.station, decider=case.decider, unreachable=case.unreachable)
    set_pin(lobby.folder, "482913")
    visit = lobby.desk.register(TYPED)
    for _ in range(14):
        if case.reached and lobby.asks:
            lobby.received()
        lobby.pass_by(0.5)
    decided = lobby.facts("visit.decided")
    if case.decided:
        (fact,) = decided
        assert isinstance(fact, facts.VisitDecided)
        assert (fact.decision, fact.by.value, fact.applied) == (case.decided, case.by, True)
        assert lobby.ear.decisions == [(case.decided, "")]
        assert lobby.desk.pass_for(visit.id) is not None
    else:
        assert decided == []
        assert lobby.ear.waitings[-1] is case.told
        with pytest.raises(NotAgreedError):
            lobby.desk.pass_for(visit.id)
    assert bool(lobby.facts("staff.called")) is case.called


def test_the_offline_rule_waits_for_the_policys_seconds_and_not_longer(lobby: Lobby):
    set_policy(lobby.station, unreachable=Unreachable.AGREE)
    lobby.desk.register(TYPED)
    lobby.pass_by(4.5)
    assert lobby.ear.decisions == []
    lobby.pass_by(0.5)
    assert lobby.ear.decisions == [(Decision.AGREED, "")]


def test_an_ask_is_repeated_every_two_seconds_until_received(lobby: Lobby):
    lobby.desk.register(TYPED)
    lobby.pass_by(4.0)
    assert len(lobby.asks) == 3
    lobby.received()
    lobby.pass_by(4.5)
    assert len(lobby.asks) == 3


def test_a_centre_that_falls_silent_later_is_noticed_and_noticed_back(lobby: Lobby):
    lobby.desk.register(TYPED)
    lobby.received()
    assert lobby.ear.waitings[-1] is Waiting.WITH_STAFF
    lobby.pass_by(12)
    assert lobby.ear.waitings[-1] is Waiting.HOLD
    assert len(lobby.facts("staff.called")) == 1
    lobby.received()
    assert lobby.ear.waitings[-1] is Waiting.WITH_STAFF
    lobby.pass_by(12)
    assert lobby.ear.waitings[-1] is Waiting.HOLD
    # Staff were called for this visit once.
    assert len(lobby.facts("staff.called")) == 1


def test_a_reconnect_asks_again_at_once(lobby: Lobby):
    lobby.desk.register(TYPED)
    lobby.received()
    lobby.desk.on_link(False)
    lobby.pass_by(0.5)
    before = len(lobby.asks)
    lobby.desk.on_link(True)
    assert len(lobby.asks) == before + 1


def test_nobody_answering_in_time_is_told_and_the_visit_stays_open(lobby: Lobby):
    lobby.desk.register(TYPED)
    for _ in range(60):
        lobby.received()
        lobby.pass_by(2.0)
    assert lobby.ear.waitings[-1] is Waiting.NO_ANSWER
    lobby.decided(Decision.AGREED)
    assert lobby.ear.decisions == [(Decision.AGREED, "")]


# ---- a decision is applied once


@pytest.mark.parametrize(
    ("first", "second", "applied"),
    [
        (Decision.AGREED, Decision.DECLINED, [True, False]),
        (Decision.DECLINED, Decision.AGREED, [True, False]),
        (Decision.AWAY, Decision.AGREED, [True, False]),
        (Decision.WAIT, Decision.AGREED, [True, True]),
        (Decision.WAIT, Decision.AWAY, [True, True]),
        (Decision.WAIT, Decision.WAIT, [True, True]),
    ],
)
def test_a_final_decision_stays_and_a_wait_may_be_followed(
    lobby: Lobby, first: Decision, second: Decision, applied: list[bool]
):
    lobby.desk.register(TYPED)
    lobby.decided(first, "hall" if first is Decision.WAIT else "")
    lobby.hand.pass_by(5)
    lobby.decided(second, "tea" if second is Decision.WAIT else "")
    found = [fact for fact in lobby.facts("visit.decided") if isinstance(fact, facts.VisitDecided)]
    assert [fact.applied for fact in found] == applied
    assert len(lobby.ear.decisions) == sum(applied)


def test_a_decision_that_arrives_twice_is_one(lobby: Lobby):
    lobby.desk.register(TYPED)
    answer = lobby.decided(Decision.WAIT, "hall")
    lobby.desk.on_answer(answer)
    lobby.restart()
    lobby.desk.on_answer(answer)
    assert len(lobby.facts("visit.decided")) == 1


def test_staffs_late_answer_after_an_offline_agreement_is_recorded_only(lobby: Lobby):
    set_policy(lobby.station, unreachable=Unreachable.AGREE)
    visit = lobby.desk.register(TYPED)
    ask = lobby.asks[-1]
    lobby.pass_by(6)
    lobby.asks.append(ask)
    lobby.decided(Decision.DECLINED)
    last = lobby.facts("visit.decided")[-1]
    assert isinstance(last, facts.VisitDecided)
    assert (last.decision, last.applied) == (Decision.DECLINED, False)
    assert lobby.desk.pass_for(visit.id) is not None


def test_a_visitor_in_a_waiting_place_is_told_nothing_else_meanwhile(lobby: Lobby):
    set_policy(lobby.station, unreachable=Unreachable.AGREE)
    lobby.desk.register(TYPED)
    lobby.decided(Decision.WAIT, "hall")
    lobby.pass_by(30)
    # Silence doesn't let somebody in whom the host asked to wait.
    assert lobby.ear.decisions == [(Decision.WAIT, "hall")]
    assert lobby.ear.waitings[-1] is Waiting.IN_PLACE


def test_a_decision_about_another_request_or_an_unknown_visit_changes_nothing(lobby: Lobby):
    visit = lobby.desk.register(TYPED)
    for request, named in ((new_id(), visit.id), (lobby.asks[-1].id, new_id())):
        lobby.desk.on_answer(
            HostDecision(id=request, visit=named, decision=Decision.AGREED, decided_at=datetime.now(UTC))
        )
    assert lobby.facts("visit.decided") == []


# ---- the staff PIN


def waiting_for_pin(lobby: Lobby) -> str:
    set_policy(lobby.station, unreachable=Unreachable.PIN)
    visit = lobby.desk.register(TYPED)
    lobby.pass_by(6)
    return visit.id


def test_the_right_pin_decides_while_the_line_is_down(lobby: Lobby):
    set_pin(lobby.folder, "482913")
    visit = waiting_for_pin(lobby)
    assert lobby.ear.waitings[-1] is Waiting.PIN
    assert lobby.desk.decide_by_pin(visit, "111111") is Problem.PIN_WRONG
    assert lobby.desk.decide_by_pin(visit, "482913") is None
    (fact,) = lobby.facts("visit.decided")
    assert isinstance(fact, facts.VisitDecided)
    assert (fact.decision, fact.by.value) == (Decision.AGREED, "pin")
    assert lobby.desk.decide_by_pin(visit, "482913") is Problem.PIN_WRONG


def test_guessing_the_pin_is_stopped_and_a_restart_does_not_help(lobby: Lobby):
    set_pin(lobby.folder, "482913")
    visit = waiting_for_pin(lobby)
    tries = [lobby.desk.decide_by_pin(visit, f"00000{n}") for n in range(4)]
    assert tries == [Problem.PIN_WRONG, Problem.PIN_WRONG, Problem.TOO_MANY_TRIES, Problem.TOO_MANY_TRIES]
    lobby.restart()
    lobby.pass_by(6)
    assert lobby.desk.decide_by_pin(visit, "482913") is Problem.TOO_MANY_TRIES
    lobby.pass_by(30)
    assert lobby.desk.decide_by_pin(visit, "482913") is None


def test_the_pin_is_worth_nothing_while_the_centre_is_in_reach(lobby: Lobby):
    set_pin(lobby.folder, "482913")
    set_policy(lobby.station, unreachable=Unreachable.PIN)
    visit = lobby.desk.register(TYPED)
    lobby.received()
    assert lobby.desk.decide_by_pin(visit.id, "482913") is Problem.PIN_WRONG
    assert lobby.facts("visit.decided") == []


def test_where_no_pin_was_set_staff_are_called_instead(lobby: Lobby):
    waiting_for_pin(lobby)
    assert lobby.ear.waitings[-1] is Waiting.HOLD
    assert len(lobby.facts("staff.called")) == 1


# ---- no pass without a decision


def keys_of(lobby: Lobby) -> KeySet:
    """What the centre would publish from the station's own events."""
    keys = {}
    for fact in lobby.facts("pass_key.made"):
        assert isinstance(fact, facts.PassKeyMade)
        public = passes.Ed25519PublicKey.from_public_bytes(bytes.fromhex(fact.public_key))
        keys[fact.kid] = TrustedKey(
            fact.kid, public, "lobby-1", 0xFF, fact.valid_from, fact.valid_until, 14_400
        )
    return KeySet("yunqi.example", keys)


def test_the_pass_says_what_the_policy_allows_and_any_gate_can_check_it(lobby: Lobby):
    set_policy(lobby.station, terms=PassTerms(minutes=30, entries=2, mode=1))
    visit = lobby.agreed()
    shown = lobby.desk.pass_for(visit)
    assert shown is not None
    claims = passes.check(shown.text, keys_of(lobby))
    now = int(lobby.hand.wall)
    assert (claims.not_before, claims.expires, claims.areas) == (now, now + 1800, 0b1)
    assert (claims.entries, claims.mode, claims.site) == (2, 1, 1)
    assert (shown.code, shown.expires, shown.floor) == (claims.code, claims.expires, 12)
    assert "1 号楼" in shown.way["zh_CN"]
    (fact,) = lobby.facts("pass.issued")
    assert isinstance(fact, facts.PassIssued)
    assert (fact.cti, fact.index) == (claims.cti.hex(), claims.index)


def test_the_same_pass_is_shown_again_also_after_a_restart(lobby: Lobby):
    visit = lobby.agreed()
    first = lobby.desk.pass_for(visit)
    lobby.restart()
    lobby.hand.pass_by(60)
    assert lobby.desk.pass_for(visit) == first
    assert len(lobby.facts("pass.issued")) == 1
    assert len(lobby.facts("pass_key.made")) == 1


def test_the_pass_text_stands_nowhere_on_the_disk(lobby: Lobby):
    visit = lobby.agreed()
    shown = lobby.desk.pass_for(visit)
    assert shown is not None
    for path in lobby.folder.iterdir():
        assert shown.text.encode() not in path.read_bytes()


@pytest.mark.parametrize("decision", [Decision.AWAY, Decision.DECLINED, Decision.WAIT])
def test_any_other_decision_gives_no_pass(lobby: Lobby, decision: Decision):
    visit = lobby.desk.register(TYPED)
    lobby.decided(decision, "hall")
    with pytest.raises(NotAgreedError):
        lobby.desk.pass_for(visit.id)
    assert lobby.desk.print_slip(visit.id) is False


def test_a_wrong_clock_issues_no_pass_and_the_visit_is_not_lost(lobby: Lobby):
    visit = lobby.agreed()
    right = lobby.hand.wall
    lobby.hand.wall = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    assert lobby.desk.pass_for(visit) is None
    assert lobby.facts("pass.issued") == []
    assert "clock_wrong" in lobby.station.alarms()
    lobby.hand.wall = right + 60
    assert lobby.desk.pass_for(visit) is not None


# ---- the slip, at most once a press


def test_the_slip_is_printed_once_and_its_outcome_is_on_record(lobby: Lobby):
    visit = lobby.agreed()
    shown = lobby.desk.pass_for(visit)
    assert isinstance(shown, PassShown)
    assert lobby.desk.print_slip(visit) is True
    assert lobby.desk.print_slip(visit) is False
    lobby.printer.finish(PrintState.PRINTED)
    assert lobby.desk.print_slip(visit) is False
    assert len(lobby.printer.jobs) == 1
    assert lobby.ear.slips == [(SlipOutcome.PRINTED, "")]
    assert lobby.facts("slip.printed") == [facts.SlipPrinted(visit=visit, outcome=SlipOutcome.PRINTED)]


def test_a_failed_print_may_be_tried_again_an_unknown_one_not(lobby: Lobby):
    visit = lobby.agreed()
    lobby.desk.pass_for(visit)
    lobby.desk.print_slip(visit)
    lobby.printer.finish(PrintState.FAILED, "paper_out")
    assert lobby.ear.slips == [(SlipOutcome.FAILED, "paper_out")]
    assert lobby.desk.print_slip(visit) is True
    lobby.printer.finish(PrintState.UNKNOWN, "no_status")
    assert lobby.desk.print_slip(visit) is False


def test_power_lost_while_printing_leaves_unknown_and_prints_nothing_again(lobby: Lobby):
    visit = lobby.agreed()
    lobby.desk.pass_for(visit)
    lobby.desk.print_slip(visit)
    lobby.printer.answers.clear()
    lobby.restart()
    view = lobby.desk.view(visit)
    assert view is not None
    assert view.slip is SlipOutcome.UNKNOWN
    assert lobby.desk.print_slip(visit) is False


def test_a_terminal_without_a_printer_says_so_and_the_pass_stays_on_screen(lobby: Lobby):
    lobby.desk.printer = None
    visit = lobby.agreed()
    assert lobby.desk.pass_for(visit) is not None
    lobby.desk.print_slip(visit)
    assert lobby.ear.slips == [(SlipOutcome.FAILED, "no_printer")]


def test_no_slip_before_a_yes(lobby: Lobby):
    visit = lobby.desk.register(TYPED)
    assert lobby.desk.print_slip(visit.id) is False
    assert lobby.printer.jobs == []
    assert lobby.facts("pass.issued") == []


def test_for_the_visitor_who_stands_here_the_slip_is_printed_with_the_answer_and_once(lobby: Lobby):
    visit = lobby.desk.register(TYPED)
    lobby.decided(Decision.AGREED)
    assert len(lobby.printer.jobs) == 1
    assert len(lobby.facts("pass.issued")) == 1
    assert lobby.ear.decisions == [(Decision.AGREED, "")]
    assert lobby.desk.print_slip(visit.id) is False
    lobby.printer.finish(PrintState.PRINTED)
    assert lobby.ear.slips == [(SlipOutcome.PRINTED, "")]


@pytest.mark.parametrize("served", [None, "0192f0a0-0000-7000-8000-000000000009"], ids=["nobody", "another"])
def test_no_slip_is_left_lying_for_a_visitor_who_has_gone(lobby: Lobby, served: str | None):
    visit = lobby.desk.register(TYPED)
    lobby.desk.serve(served)
    lobby.decided(Decision.AGREED)
    assert lobby.printer.jobs == []
    assert lobby.ear.decisions == [(Decision.AGREED, "")]
    lobby.desk.serve(visit.id)
    assert lobby.desk.print_slip(visit.id) is True


# ---- bringing a visit back, calling staff


def test_a_visit_comes_back_with_its_number_and_last_four(lobby: Lobby):
    typed, card = lobby.desk.register(TYPED), lobby.desk.register(BY_CARD)
    for visit, four in ((typed, "1234"), (card, "002x")):
        view = lobby.desk.recall(visit.number, four)
        assert isinstance(view, VisitView)
        assert view.visit == visit
    assert len(lobby.facts("visit.recalled")) == 2


def test_neither_fact_alone_helps_and_guessing_is_stopped(lobby: Lobby):
    visit = lobby.desk.register(TYPED)
    other = "111111" if visit.number != "111111" else "222222"
    tries = [
        lobby.desk.recall(visit.number, "9999"),
        lobby.desk.recall(other, "1234"),
        *(lobby.desk.recall(other, "0000") for _ in range(3)),
    ]
    assert tries[:4] == [Problem.NOT_FOUND] * 4
    assert tries[4] is Problem.TOO_MANY_TRIES
    assert lobby.desk.recall(visit.number, "1234") is Problem.TOO_MANY_TRIES
    lobby.hand.pass_by(31)
    assert isinstance(lobby.desk.recall(visit.number, "1234"), VisitView)


def test_yesterdays_visit_does_not_come_back(lobby: Lobby):
    visit = lobby.desk.register(TYPED)
    lobby.hand.pass_by(24 * 3600 + 1)
    assert lobby.desk.recall(visit.number, "1234") is Problem.NOT_FOUND


def test_staff_bring_a_visit_back_once_though_the_word_comes_twice(lobby: Lobby):
    visit = lobby.agreed(BY_CARD)
    word = VisitRecall(id=new_id(), visit=visit)
    lobby.desk.on_answer(word)
    lobby.desk.on_answer(word)
    lobby.desk.on_answer(VisitRecall(id=new_id(), visit=new_id()))
    (view,) = lobby.ear.recalls
    assert (view.visit.id, view.decision, view.language) == (visit, Decision.AGREED, "zh_CN")
    assert lobby.facts("visit.recalled") == [facts.VisitRecalled(visit=visit, by="staff")]


def test_a_call_for_staff_is_on_record_and_its_answer_is_passed_on(lobby: Lobby):
    call = lobby.desk.call_staff(screen="summary")
    assert lobby.facts("staff.called") == [facts.StaffCalled(call=call, screen="summary")]
    lobby.desk.on_answer(CallTaken(id=call))
    assert lobby.ear.calls == [call]


# ---- after a restart


@pytest.mark.parametrize("waited", [False, True], ids=["undecided", "in a waiting place"])
def test_an_undecided_visit_goes_on_after_a_restart(lobby: Lobby, waited: bool):
    visit = lobby.desk.register(TYPED)
    if waited:
        lobby.decided(Decision.WAIT, "hall")
    request = lobby.asks[-1].id
    lobby.restart()
    lobby.desk.tick()
    assert [ask.id for ask in lobby.asks] == [request]
    lobby.decided(Decision.AGREED)
    assert lobby.desk.pass_for(visit.id) is not None


def test_a_decided_visit_is_not_asked_about_again(lobby: Lobby):
    lobby.agreed()
    lobby.restart()
    lobby.pass_by(10)
    assert lobby.asks == []


def test_a_visit_nobody_decided_about_is_let_go_after_a_day(lobby: Lobby):
    lobby.desk.register(TYPED)
    lobby.received()
    lobby.hand.pass_by(24 * 3600 + 61)
    lobby.desk.tick()
    lobby.asks.clear()
    lobby.pass_by(10)
    assert lobby.asks == []


def test_rows_are_forgotten_after_the_retention_time(lobby: Lobby):
    visit = lobby.agreed()
    lobby.desk.pass_for(visit)
    lobby.hand.pass_by(31 * 86_400)
    lobby.desk.tick()
    assert lobby.desk.view(visit) is None


def test_the_next_passes_key_is_made_ahead_and_announced(lobby: Lobby):
    lobby.desk.tick()
    assert kinds(lobby.station) == ["log.opened", "pass_key.made"]
    lobby.hand.pass_by(6 * 86_400)
    lobby.desk.tick()
    assert kinds(lobby.station) == ["log.opened", "pass_key.made"]
    lobby.hand.pass_by(86_400 + 1)
    lobby.desk.tick()
    assert kinds(lobby.station)[1:] == ["pass_key.made"] * 2
