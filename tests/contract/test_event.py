"""Events, facts and messages: bytes encoded once, read strictly, refused without ever repeating their content."""

from __future__ import annotations

import contextlib
import hashlib
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.contract import acknowledgement, asking, event, facts, message, state
from broker.contract.acknowledgement import Acknowledgement, AcknowledgementError
from broker.contract.event import ClockReading, Event, EventError, SealedRef
from broker.contract.facts import (
    Consent,
    CorrectedField,
    CorrectionReason,
    DecidedBy,
    Decider,
    Decision,
    FactError,
    HostAnswered,
    HostRequest,
    LogOpened,
    PassAdmitted,
    PassIssued,
    PassKeyMade,
    PassLeft,
    PassRefused,
    PredecessorLog,
    SlipOutcome,
    SlipPrinted,
    StaffCalled,
    StaffComing,
    VisitCorrected,
    VisitDecided,
    VisitRecalled,
    VisitRegistered,
)
from broker.contract.message import MAX_ITEMS, MAX_MESSAGE, Item, Message, MessageError
from broker.contract.names import new_id, new_log_id

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HASH = "ab" * 32
CTI = "0123456789abcdef"


def made(**changes: object) -> Event:
    values: dict = {
        "id": new_id(),
        "site": "yunqi",
        "station": "lobby-1",
        "log": new_log_id(),
        "seq": 1,
        "prev": event.NO_PREDECESSOR,
        "type": "staff.called",
        "v": 1,
        "time": NOON,
        "clock": ClockReading(offset_ms=-3, sure_ms=1),
        "data": msgspec.Raw(b'{"call":"12345678"}'),
        "sealed": {"name": SealedRef(hash=HASH, kid="clear")},
    }
    return Event(**{**values, **changes})


FACTS = [
    LogOpened(reason="restored", predecessor=PredecessorLog(log=new_log_id(), seq=9)),
    PassKeyMade(kid=1, public_key=HASH, valid_from=1, valid_until=2),
    VisitRegistered(
        visit=new_id(),
        number="123456",
        visit_type="visit",
        purpose="family",
        arranged=None,
        identity="typed",
        people=1,
        building="b1",
        consent=Consent(version="1", hash=HASH, language="zh_CN", document=False),
        request=HostRequest(id=new_id(), decider=Decider.STAFF, deadline=NOON),
    ),
    VisitDecided(visit=new_id(), request=new_id(), decision=Decision.WAIT, by=DecidedBy.PIN, place="hall"),
    HostAnswered(visit=new_id(), request=new_id(), decision=Decision.AWAY, account="admin"),
    PassIssued(visit=new_id(), cti=CTI, kid=1, index=2, not_before=3, expires=4, areas=5, entries=1, mode=0),
    SlipPrinted(visit=new_id(), outcome=SlipOutcome.UNKNOWN, reason="no_status"),
    VisitRecalled(visit=new_id(), by="number"),
    VisitCorrected(
        visit=new_id(),
        field=CorrectedField.PEOPLE,
        before="2",
        after="3",
        reason=CorrectionReason.TYPO,
        account="admin",
    ),
    StaffCalled(call=new_id()),
    StaffComing(call=new_id(), account="admin"),
    PassAdmitted(cti=CTI, kid=1, nonce=new_id(), gate="gate-1", offline=False),
    PassRefused(cti=None, reason="unreadable", nonce=new_id(), gate="gate-1", offline=True),
    PassLeft(cti=CTI, reason="expired", nonce=new_id(), gate="gate-1", offline=True),
]


def test_an_event_reads_back_as_it_was_written_and_its_bytes_stay():
    original = made()
    body = event.encode(original)
    read = event.decode(body)
    assert event.encode(read) == body
    assert (read.id, read.seq, read.time, read.sealed) == (
        original.id,
        1,
        NOON,
        {"name": SealedRef(hash=HASH, kid="clear")},
    )
    assert event.body_hash(body) == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: ".".join(map(str, facts.type_of(fact))))
def test_each_fact_reads_back_under_its_type(fact: facts.Fact):
    kind, version = facts.type_of(fact)
    assert facts.read(kind, version, msgspec.json.encode(fact)) == fact


def test_every_fact_of_the_list_has_a_case_here():
    assert {type(fact) for fact in FACTS} == set(facts.FACTS.values())


def test_an_event_of_an_unknown_type_still_fits_the_envelope():
    read = event.decode(event.encode(made(type="parcel.received", v=7, data=msgspec.Raw(b'{"x":[1]}'))))
    with pytest.raises(FactError, match=r"unknown event type parcel\.received version 7"):
        facts.read(read.type, read.v, read.data)


def test_an_extra_field_from_a_newer_station_is_tolerated():
    body = event.encode(made())[:-1] + b',"newer":{"a":1}}'
    assert event.decode(body).seq == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"seq": 0}, "seq"),
        ({"site": "Yunqi"}, "site"),
        ({"prev": "ab"}, "prev"),
        ({"type": "registered"}, "type"),
        ({"v": 0}, r"\$.v"),
        ({"id": "A B"}, "id"),
    ],
)
def test_an_envelope_that_does_not_fit_names_the_field_only(changes: dict, why: str):
    body = msgspec.json.encode(made(**changes))
    with pytest.raises(EventError, match=why) as caught:
        event.decode(body)
    for value in changes.values():
        assert not isinstance(value, str) or value not in str(caught.value)


def test_the_size_limit_is_enforced_at_append_and_at_arrival():
    big = made(data=msgspec.Raw(b'"' + b"x" * event.MAX_BODY + b'"'))
    with pytest.raises(EventError, match="exceeds the limit"):
        event.encode(big)
    with pytest.raises(EventError, match="exceeds the limit"):
        event.decode(msgspec.json.encode(big))


def test_a_time_without_its_zone_is_no_time():
    naive = datetime(2026, 11, 23, 12, 0)  # noqa: DTZ001
    with pytest.raises(EventError, match="time zone"):
        event.encode(made(time=naive))
    with pytest.raises(EventError, match="time zone"):
        event.decode(msgspec.json.encode(made(time=naive)))


def test_a_fact_that_does_not_fit_says_so_without_its_content():
    data = msgspec.json.encode({"call": "张伟 13812341234"})
    with pytest.raises(FactError) as caught:
        facts.read("staff.called", 1, data)
    assert "138" not in str(caught.value)
    assert "张" not in str(caught.value)


# ---- messages


def batch(count: int = 2, **changes: object) -> Message:
    values: dict = {
        "site": "yunqi",
        "station": "lobby-1",
        "log": new_log_id(),
        "first": 1,
        "last": count,
        "items": [Item(event.encode(made(seq=n + 1)), {"name": b"{}"}) for n in range(count)],
    }
    return Message(**{**values, **changes})


def test_a_message_carries_bodies_and_ciphertexts_unaltered():
    sent = batch(3)
    assert message.decode(message.encode(sent)) == sent


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (batch(2, last=3), "holds 2 items"),
        (batch(2, first=0), "malformed|first"),
        (batch(1, v=2), "version 2"),
        (batch(1, items=[], last=0), "items|last"),
        (batch(1, items=[Item(b"{}")] * (MAX_ITEMS + 1), last=MAX_ITEMS + 1), "items"),
        (batch(1, items=[Item(b"x" * (event.MAX_BODY + 1))]), "items"),
        (batch(1, items=[Item(b"{}", {"name": b"x" * 5000})]), "items"),
        (batch(1, items=[Item(b"{}", {f"c{chr(97 + n)}": b"x" for n in range(17)})]), "items"),
        (batch(1, station="Lobby 1"), "station"),
    ],
    ids=range(9),
)
def test_a_message_that_contradicts_itself_is_refused(wrong: Message, why: str):
    with pytest.raises(MessageError, match=why):
        message.decode(message.encode(wrong))


def test_an_overlong_message_is_refused_unread():
    with pytest.raises(MessageError, match="exceeds the limit"):
        message.decode(b"\x00" * (MAX_MESSAGE + 1))


def test_a_full_message_of_the_largest_items_is_the_senders_to_avoid():
    """500 items of 8 KiB would be 4 MB: the byte limit counts, not the number of items alone."""
    full = batch(1, items=[Item(b"x" * event.MAX_BODY)] * 200, last=200)
    with pytest.raises(MessageError, match="exceeds the limit"):
        message.decode(message.encode(full))


# ---- whatever else arrives


def test_an_acknowledgement_reads_back():
    word = Acknowledgement(epoch=new_id(), log=new_log_id(), seq=0, head_hash="0" * 64, centre_time=NOON)
    assert acknowledgement.decode(acknowledgement.encode(word)) == word


@pytest.mark.parametrize(
    "said",
    [
        asking.HostAsk(id=new_id(), visit=new_id(), deadline=NOON),
        asking.TimeAsk(id=new_id()),
    ],
    ids=lambda said: type(said).__name__,
)
def test_each_ask_reads_back(said: asking.Ask):
    assert asking.decode_ask(asking.encode(said)) == said


@pytest.mark.parametrize(
    "said",
    [
        asking.AskReceived(id=new_id()),
        asking.HostDecision(
            id=new_id(), visit=new_id(), decision=Decision.WAIT, decided_at=NOON, place="hall"
        ),
        asking.TimeAnswer(id=new_id(), centre_time=NOON),
        asking.CallTaken(id=new_id()),
        asking.VisitRecall(id=new_id(), visit=new_id()),
    ],
    ids=lambda said: type(said).__name__,
)
def test_each_answer_reads_back(said: asking.Answer):
    assert asking.decode_answer(asking.encode(said)) == said


READERS = [
    (event.decode, EventError),
    (message.decode, MessageError),
    (acknowledgement.decode, AcknowledgementError),
    (asking.decode_ask, asking.AskError),
    (asking.decode_answer, asking.AskError),
    (state.decode_station, state.StateError),
    (state.decode_device, state.StateError),
]
NESTED = [b"[" * 100_000, b'{"a":' * 50_000, b"\x91" * 100_000, b"\x81\xa1a" * 50_000]


@pytest.mark.parametrize(("read", "error"), READERS, ids=lambda value: getattr(value, "__qualname__", ""))
@pytest.mark.parametrize("payload", NESTED, ids=range(len(NESTED)))
def test_deep_nesting_is_refused_like_any_rubbish(read, error, payload: bytes):
    with pytest.raises(error):
        read(payload)


@pytest.mark.parametrize(("read", "error"), READERS, ids=lambda value: getattr(value, "__qualname__", ""))
def test_hostile_bytes_raise_the_one_error_of_their_reader(read, error):
    seed = event.encode(made())

    @given(st.binary(max_size=200) | st.binary(max_size=6).map(lambda b: seed[:40] + b + seed[46:]))
    @settings(max_examples=150, deadline=None, database=None)
    def attack(payload: bytes) -> None:
        with contextlib.suppress(error):
            read(payload)

    attack()
