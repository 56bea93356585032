"""An invented site with invented people, a desk that does nothing but answer, and the lobby's session in any state.

For the picture maker and the screens' tests: every screen can be stood up without a store, a broker or a port. The
texts that look like passes are none: their signature is noise, and no key set knows them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import TypeVar

from broker.contract.facts import Decider, Decision, SlipOutcome
from broker.contract.sitedata import (
    Areas,
    Building,
    Hours,
    Place,
    Policy,
    Purpose,
    Unreachable,
    VisitType,
)
from firmware_bridge.capabilities import CardType, CardWarning, IdCard, ReaderTrouble
from kiosk.lobby.flows.draft import Draft, Identity, PassShown, Problem, RegisteredVisit
from kiosk.lobby.flows.registration import Registration, Step, Waiting
from kiosk.lobby.outside import Call, Desk, Signs, Viewed
from kiosk.lobby.session import Session

T = TypeVar("T")
NOW = datetime(2026, 11, 23, 1, 41, tzinfo=UTC)
"""When all pictures are taken: 09:41 at the site."""


def _words(chinese: str, english: str) -> dict[str, str]:
    return {"zh_CN": chinese, "en": english}


def _tower(number: int, units: int, floors: int, chinese: str, english: str) -> Building:
    return Building(
        id=f"t{number}",
        names=_words(f"{number} 号楼 · {chinese}", f"Building {number} · {english}"),
        area=number,
        units=units,
        floors=floors,
        way=_words(
            f"出服务中心左转，过石桥后第一栋即是 {number} 号楼，请从南门进大堂乘客梯上楼",
            f"Turn left outside the service centre; Building {number} is the first after the stone bridge, "
            "enter by the south door and take the passenger lift",
        ),
    )


AREAS = Areas(
    organisation="yunqi.example",
    site_number=1,
    names=_words("云栖里 · 物业服务中心", "Yunqi Gardens Service Centre"),
    buildings=[
        _tower(1, 2, 18, "听松", "Pines"),
        _tower(2, 2, 18, "望湖", "Lakeview"),
        _tower(3, 3, 24, "问竹", "Bamboo"),
        Building(
            id="office",
            names=_words("云栖商务", "Yunqi Offices"),
            area=10,
            units=0,
            floors=12,
            way=_words("请从前厅右侧乘电梯", "Please take the lift at the right of the hall"),
        ),
        Building(
            id="club",
            names=_words("业主会所", "Residents’ Club"),
            area=11,
            way=_words("请沿连廊直行，会所在尽头", "Please follow the gallery: the club is at its end"),
        ),
    ],
    places=[Place(id="lounge", names=_words("前台接待厅", "reception lounge"))],
)

POLICY = Policy(
    consent_version="sample",
    retention_days={"name": 30, "phone": 30, "document": 30, "host": 30},
    visit_types=[
        VisitType(
            id="visit",
            names=_words("访客", "Visitor"),
            purposes=[
                Purpose(id="friends", names=_words("探亲访友", "Family and friends")),
                Purpose(id="business", names=_words("商务洽谈", "Business")),
                Purpose(id="viewing", names=_words("看房", "Viewing a home")),
                Purpose(id="service", names=_words("上门服务", "Home service")),
                Purpose(id="interview", names=_words("面试", "Interview")),
                Purpose(id="other", names=_words("其他", "Other")),
            ],
            hours=[Hours(start=time(0), end=time(0), decider=Decider.STAFF, unreachable=Unreachable.PIN)],
        )
    ],
)

CARD = IdCard(
    type=CardType.RESIDENT,
    name="林晓月",
    sex="female",
    nation="汉",
    birth=date(1990, 1, 1),
    address="某省某市某路 1 号",
    number="110105199001010027",
    issuer="某市公安局",
    valid_from=date(2016, 5, 1),
    valid_to=date(2036, 5, 1),
)

EXPIRED_CARD = IdCard(
    type=CardType.RESIDENT,
    name="林晓月",
    sex="female",
    nation="汉",
    birth=date(1990, 1, 1),
    address="某省某市某路 1 号",
    number="110105199001010027",
    issuer="某市公安局",
    valid_from=date(2004, 5, 1),
    valid_to=date(2024, 5, 1),
    warnings=(CardWarning.EXPIRED,),
)

VISIT = RegisteredVisit(id="0192f0a0-0000-7000-8000-000000000001", number="482913", building="t3", floor=12)
EXPIRES = 1_795_435_200
"""2026-11-23 20:00 at the site."""


def not_a_pass() -> str:
    """189 characters that look like a pass and are refused by every verifier."""
    chance = random.Random(7)
    return "VP1" + "".join(chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(186))


def shown_pass() -> PassShown:
    """What the visitor gets, with a text that is no pass."""
    return PassShown(
        text=not_a_pass(), code="7K2M9QXD", expires=EXPIRES, way=AREAS.buildings[2].way, floor=12
    )


@dataclass
class SampleDesk:
    """Answers at once; remembers what was asked of it."""

    asked: list[str] = field(default_factory=list[str])
    drafts: list[Draft] = field(default_factory=list[Draft])
    fails: bool = False
    prints: bool = True
    served: str | None = None
    recalled: Viewed | Problem = Problem.NOT_FOUND

    def register(self, draft: Draft) -> RegisteredVisit:
        self.asked.append("register")
        if self.fails:
            raise OSError("the disk is full")
        self.drafts.append(draft)
        return VISIT

    def serve(self, visit_id: str | None) -> None:
        self.served = visit_id

    def pass_for(self, visit_id: str) -> PassShown | None:
        self.asked.append("pass_for")
        return shown_pass()

    def print_slip(self, visit_id: str) -> bool:
        self.asked.append("print_slip")
        return self.prints

    def decide_by_pin(self, visit_id: str, pin: str) -> Problem | None:
        self.asked.append("decide_by_pin")
        return None if pin == "246810" else Problem.PIN_WRONG

    def call_staff(self, visit_id: str | None = None, screen: str = "") -> str:
        self.asked.append(f"call_staff {screen}")
        return "call-0001"

    def recall(self, number: str, last_four: str) -> Viewed | Problem:
        self.asked.append("recall")
        return self.recalled


class SampleReader:
    """A card reader that reads what it is told to, and only while it is polled."""

    def __init__(self) -> None:
        self.polled = False
        self._on_card: Callable[[IdCard], None] = lambda _: None
        self._on_trouble: Callable[[ReaderTrouble], None] = lambda _: None

    def start(self, on_card: Callable[[IdCard], None], on_trouble: Callable[[ReaderTrouble], None]) -> None:
        self.polled = True
        self._on_card, self._on_trouble = on_card, on_trouble

    def stop(self) -> None:
        self.polled = False

    def place(self, card: IdCard) -> None:
        """Somebody lays a card down."""
        if self.polled:
            self.polled = False
            self._on_card(card)

    def trouble(self, trouble: ReaderTrouble) -> None:
        """Something is wrong with it."""
        if self.polled:
            self._on_trouble(trouble)


class Held:
    """Work that waits until it is let go: what a worker has not finished yet."""

    def __init__(self) -> None:
        self.at_once = True
        self._jobs: list[Callable[[], None]] = []

    def do(
        self, job: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]
    ) -> None:
        def run() -> None:
            try:
                result = job()
            except Exception as error:
                failed(error)
                return
            done(result)

        if self.at_once:
            run()
        else:
            self._jobs.append(run)

    def let_go(self) -> None:
        """Finish what waits."""
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            job()


@dataclass
class Lobby:
    """A session with everything around it invented."""

    session: Session
    desk: SampleDesk
    reader: SampleReader
    held: Held
    time: list[float]

    def pass_by(self, seconds: float) -> None:
        """Let time go by, a tick at its end."""
        self.time[0] += seconds
        self.session.tick()


def lobby(
    language: str = "zh_CN", *, changed: Callable[[], None] = lambda: None, known: bool = True
) -> Lobby:
    """A terminal that has just been started; `known` False = the centre hasn't told it its site yet."""
    now = [1000.0]
    held = Held()
    session = Session(language=language, now=lambda: now[0], do=held.do, changed=changed)
    desk, reader = SampleDesk(), SampleReader()
    if known:
        session.site(AREAS, POLICY)
    session.open(_as_desk(desk), reader)
    return Lobby(session, desk, reader, held, now)


def _as_desk(desk: SampleDesk) -> Desk:
    return desk


# ---- the lobby in each of its states


def _flow(sample: Lobby) -> Registration:
    assert sample.session.flow is not None
    return sample.session.flow


def to_host(sample: Lobby) -> None:
    sample.session.begin()


def to_room(sample: Lobby) -> None:
    to_host(sample)
    _flow(sample).fill(building="t3", unit="2", room="12")


def to_consent(sample: Lobby) -> None:
    to_host(sample)
    _flow(sample).answer(Step.HOST, building="t3", unit="2", room="1203", host_name="Chen")


def to_card(sample: Lobby) -> None:
    to_consent(sample)
    _flow(sample).answer(
        Step.CONSENT, consent=True, document_consent=True, identity=Identity.CARD, notice="shown"
    )


def to_person(sample: Lobby) -> None:
    to_consent(sample)
    _flow(sample).answer(Step.CONSENT, consent=True, identity=Identity.TYPED, notice="shown")


def to_purpose(sample: Lobby) -> None:
    to_person(sample)
    _flow(sample).answer(Step.PERSON, name="Anna Lin", phone="13800001234")


def to_summary(sample: Lobby) -> None:
    to_purpose(sample)
    _flow(sample).answer(Step.PURPOSE, purpose="friends", arranged=True)


def to_registering(sample: Lobby) -> None:
    to_summary(sample)
    sample.held.at_once = False
    _flow(sample).answer(Step.SUMMARY)


def to_waiting(sample: Lobby) -> None:
    to_registering(sample)
    sample.held.at_once = True
    sample.held.let_go()


def to_pass(sample: Lobby) -> None:
    to_waiting(sample)
    sample.session.decided(VISIT.id, Decision.AGREED)


def _then(before: Callable[[Lobby], None], *after: Callable[[Lobby], object]) -> Callable[[Lobby], None]:
    def go(sample: Lobby) -> None:
        before(sample)
        for step in after:
            step(sample)

    return go


def _fill(**values: object) -> Callable[[Lobby], object]:
    return lambda sample: _flow(sample).fill(**values)


def _waiting(state: Waiting) -> Callable[[Lobby], object]:
    return lambda sample: sample.session.waiting(VISIT.id, state)


def _slip(outcome: SlipOutcome, reason: str = "") -> Callable[[Lobby], object]:
    return lambda sample: sample.session.slip(VISIT.id, outcome, reason)


def _offline(sample: Lobby) -> None:
    sample.session.sign(Signs(online=False, backlog=3))


def _coming(sample: Lobby) -> None:
    sample.session.call_staff()
    sample.session.call_taken("call-0001")


def _find(sample: Lobby) -> None:
    sample.session.find()
    assert sample.session.recalling is not None
    sample.session.recalling.fill(number="482913", last_four="12")


def _not_found(sample: Lobby) -> None:
    _find(sample)
    assert sample.session.recalling is not None
    sample.session.recalling.fill(last_four="1234")
    sample.session.search()


def _idle(sample: Lobby) -> None:
    to_purpose(sample)
    sample.pass_by(50)


STATES: dict[str, Callable[[Lobby], None]] = {
    "welcome": lambda sample: None,
    "welcome-offline": _offline,
    "welcome-called": _coming,
    "host-building": to_host,
    "host-room": to_room,
    "host-room-problem": _then(to_room, lambda s: _flow(s).answer(Step.HOST, room="9912")),
    "host-club": _then(to_host, _fill(building="club", host_name="Chen")),
    "consent": to_consent,
    "consent-card": _then(to_consent, _fill(identity=Identity.CARD)),
    "consent-problem": _then(
        to_consent, _fill(identity=Identity.CARD), lambda s: _flow(s).answer(Step.CONSENT)
    ),
    "card": to_card,
    "card-still": _then(to_card, lambda s: s.reader.trouble(ReaderTrouble.KEEP_STILL)),
    "card-unplugged": _then(to_card, lambda s: s.reader.trouble(ReaderTrouble.UNPLUGGED)),
    "card-other": _then(to_card, lambda s: s.reader.trouble(ReaderTrouble.OTHER_CARD)),
    "card-read": _then(to_card, lambda s: s.reader.place(CARD)),
    "card-expired": _then(to_card, lambda s: s.reader.place(EXPIRED_CARD)),
    "person": to_person,
    "person-typed": _then(to_person, _fill(name="Anna Lin", phone="1380000")),
    "person-problem": _then(to_person, lambda s: _flow(s).answer(Step.PERSON, name="Anna Lin", phone="138")),
    "purpose": to_purpose,
    "purpose-chosen": _then(to_purpose, _fill(purpose="friends", arranged=True)),
    "purpose-problem": _then(to_purpose, lambda s: _flow(s).answer(Step.PURPOSE)),
    "summary": to_summary,
    "summary-card": _then(
        to_card,
        lambda s: s.reader.place(CARD),
        lambda s: _flow(s).answer(Step.CARD),
        lambda s: _flow(s).answer(Step.PURPOSE, purpose="viewing", arranged=False),
    ),
    "summary-not-saved": _then(
        to_summary, lambda s: setattr(s.desk, "fails", True), lambda s: _flow(s).answer(Step.SUMMARY)
    ),
    "registering": to_registering,
    "waiting-asking": to_waiting,
    "waiting-with-staff": _then(to_waiting, _waiting(Waiting.WITH_STAFF)),
    "waiting-in-place": _then(to_waiting, lambda s: s.session.decided(VISIT.id, Decision.WAIT, "lounge")),
    "waiting-no-answer": _then(to_waiting, _waiting(Waiting.NO_ANSWER)),
    "waiting-pin": _then(to_waiting, _offline, _waiting(Waiting.PIN)),
    "waiting-hold": _then(to_waiting, _offline, _waiting(Waiting.HOLD)),
    "waiting-clock": _then(to_waiting, lambda s: _flow(s).no_pass()),
    "pass-printing": to_pass,
    "pass-printed": _then(to_pass, _slip(SlipOutcome.PRINTED)),
    "pass-paper-out": _then(to_pass, _slip(SlipOutcome.FAILED, "paper_out")),
    "pass-unknown": _then(to_pass, _slip(SlipOutcome.UNKNOWN, "no_status")),
    "declined": _then(to_waiting, lambda s: s.session.decided(VISIT.id, Decision.DECLINED)),
    "away": _then(to_waiting, lambda s: s.session.decided(VISIT.id, Decision.AWAY)),
    "farewell": _then(to_pass, lambda s: s.session.finish()),
    "recall": _find,
    "recall-not-found": _not_found,
    "still-there": _idle,
    "not-set-up": lambda sample: None,
    "crash": lambda sample: sample.session.crashed("4F2A9C"),
}
"""Every state worth a picture and an audit."""

CALLS = tuple(Call)
