"""What goes down to the stations, names and topics, personal data and its masks."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, time, timedelta

import pytest

from broker.contract import names, personal, sitedata
from broker.contract.event import SealedRef
from broker.contract.facts import Decider
from broker.contract.personal import (
    Document,
    HostNamed,
    NotLoopbackError,
    PersonalError,
    PersonName,
    Phone,
    mask_document,
    mask_name,
    mask_phone,
    require_loopback,
    seal,
    unseal,
)
from broker.contract.sitedata import Hours, Keys, PassKey, Policy, SiteDataError, Unreachable, VisitType
from broker.contract.topics import TOPICS, Topics

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def hours(start: str, end: str, decider: Decider = Decider.STAFF) -> Hours:
    return Hours(start=time.fromisoformat(start), end=time.fromisoformat(end), decider=decider)


@pytest.mark.parametrize(
    ("start", "end", "at", "holds"),
    [
        ("08:00", "20:00", "08:00", True),
        ("08:00", "20:00", "19:59:59", True),
        ("08:00", "20:00", "20:00", False),
        ("08:00", "20:00", "07:59", False),
        ("20:00", "08:00", "23:00", True),
        ("20:00", "08:00", "00:00", True),
        ("20:00", "08:00", "07:59", True),
        ("20:00", "08:00", "08:00", False),
        ("20:00", "08:00", "12:00", False),
        ("00:00", "00:00", "12:00", True),
    ],
)
def test_hours_hold_from_start_to_before_end_also_past_midnight(start: str, end: str, at: str, holds: bool):
    assert hours(start, end).hold_at(time.fromisoformat(at)) is holds


def visit_type(*all_hours: Hours) -> VisitType:
    purpose = sitedata.Purpose(id="family", names={"zh_CN": "探亲"})
    return VisitType(id="visit", names={"zh_CN": "来访"}, purposes=[purpose], hours=list(all_hours))


def test_the_first_hours_that_cover_the_time_decide():
    kind = visit_type(hours("08:00", "12:00", Decider.POLICY), hours("08:00", "20:00"))
    assert kind.hours_at(time(9)).decider is Decider.POLICY
    assert kind.hours_at(time(13)).decider is Decider.STAFF


def test_outside_all_hours_staff_decide_and_nobody_passes_unasked():
    found = visit_type(hours("08:00", "12:00", Decider.POLICY)).hours_at(time(13))
    assert (found.decider, found.unreachable) == (Decider.STAFF, Unreachable.HOLD)


POLICY = Policy(visit_types=[visit_type(hours("00:00", "00:00"))], consent_version="1")


def test_a_document_reads_back_and_its_version_only_grows():
    first = sitedata.issue(POLICY, last_version=0, now=NOON)
    assert sitedata.read(sitedata.decode(sitedata.encode(first)), Policy) == POLICY
    assert first.version == int(NOON.timestamp() * 1000)
    # A centre that was restored, or whose clock went back, still issues what stations must take.
    again = sitedata.issue(POLICY, last_version=first.version, now=NOON - timedelta(days=30))
    assert again.version == first.version + 1


def test_a_document_of_another_kind_or_shape_is_refused():
    keys = sitedata.issue(Keys(keys=[]), last_version=0, now=NOON)
    with pytest.raises(SiteDataError, match="where 'policy' was expected"):
        sitedata.read(keys, Policy)
    broken = sitedata.SiteDocument(kind="policy", version=1, issued=NOON, body='{"visit_types": []}')
    with pytest.raises(SiteDataError, match="policy version 1"):
        sitedata.read(broken, Policy)
    with pytest.raises(SiteDataError):
        sitedata.decode(b"[" * 100_000)


def test_a_public_key_that_is_none_is_refused_with_the_document():
    key = PassKey(kid=1, public_key="xyz", station="lobby-1", areas=1, valid_from=0, valid_until=1, longest=1)
    document = sitedata.issue(Keys(keys=[key]), last_version=0, now=NOON)
    with pytest.raises(SiteDataError, match="public_key"):
        sitedata.read(document, Keys)


@pytest.mark.parametrize(("language", "said"), [("en", "Visit"), ("zh_CN", "来访"), ("de", "来访")])
def test_a_text_is_said_in_the_language_or_in_chinese(language: str, said: str):
    assert sitedata.say({"zh_CN": "来访", "en": "Visit"}, language) == said


# ---- names and topics


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("lobby-1", True),
        ("a" * 32, True),
        ("a" * 33, False),
        ("", False),
        ("Lobby", False),
        ("lobby_1", False),
        ("lobby\n", False),
        ("a/b", False),
        ("+", False),
        ("门", False),
    ],
)
def test_names_are_short_and_plain(text: str, good: bool):
    assert names.is_name(text) is good


def test_ids_are_uuids_of_version_7_that_sort_by_time():
    drawn = [names.new_id() for _ in range(50)]
    assert len(set(drawn)) == 50
    assert {uuid.UUID(one).version for one in drawn} == {7}
    assert {uuid.UUID(one).variant for one in drawn} == {uuid.RFC_4122}
    assert [one[:8] for one in drawn] == sorted(one[:8] for one in drawn)


@pytest.mark.parametrize(
    ("topic", "parsed"),
    [
        ("frontdesk/v1/yunqi/event/lobby-1", ("event", ("lobby-1",))),
        ("frontdesk/v1/yunqi/device/lobby-1/printer", ("device", ("lobby-1", "printer"))),
        ("frontdesk/v1/yunqi/site/policy", ("site", ("policy",))),
        ("frontdesk/v1/other/event/lobby-1", None),
        ("frontdesk/v2/yunqi/event/lobby-1", None),
        ("frontdesk/v1/yunqi/event", None),
        ("frontdesk/v1/yunqi/event/", None),
        ("frontdesk/v1/yunqi/event/Lobby 1", None),
        ("$SYS/broker/uptime", None),
        ("", None),
    ],
)
def test_only_topics_of_this_site_are_read(topic: str, parsed: tuple | None):
    assert Topics("yunqi").parse(topic) == parsed


def test_every_topic_of_the_table_can_be_made_and_read():
    topics = Topics("yunqi")
    made = {
        topics.event("s"),
        topics.ack("s"),
        topics.state("s"),
        topics.device("s", "d"),
        topics.ask("s"),
        topics.answer("s"),
        *(topics.site_document(kind) for kind in sitedata.KINDS),
    }
    wanted = {
        f"frontdesk/v1/yunqi/{row.pattern}".replace("{station}", "s").replace("{device}", "d")
        for row in TOPICS
    }
    assert made == wanted
    assert all(topics.parse(topic) for topic in made)


def test_a_site_name_that_would_break_topics_is_refused():
    with pytest.raises(ValueError, match="no site name"):
        Topics("a/b")


# ---- personal data


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张伟", "张*"),
        ("欧阳修", "欧**"),
        ("张", "张"),
        ("Anna Maria", "A*** M***"),
        ("Bo", "B*"),
        ("", ""),
        ("买买提·艾力", "买*****"),
    ],
)
def test_a_name_shows_its_first_character(name: str, masked: str):
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13812341234", "138****1234"),
        ("+8613812341234", "+86*******1234"),
        ("87654321", "****4321"),
        ("1234", "****"),
    ],
)
def test_a_phone_shows_its_last_four_at_most(number: str, masked: str):
    assert mask_phone(number) == masked


def test_a_document_never_shows_the_birth_date():
    assert mask_document("11010519491231002X") == "1101**********002X"
    assert mask_document("1234567") == "*******"


@pytest.mark.parametrize(
    "value",
    [
        PersonName("张伟", "mr"),
        Phone("13812341234"),
        Document("resident", "11010519491231002X"),
        HostNamed(building="b1", unit="1", room="1203"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_class_opens_to_what_was_sealed(value: personal.Personal):
    ciphertext, ref = seal(value)
    assert ref.hash == hashlib.sha256(ciphertext).hexdigest()
    assert unseal(ciphertext, ref) == value
    assert personal.CLASSES[personal.class_of(value)] is type(value)


def test_a_ciphertext_that_is_not_the_chains_is_refused():
    ciphertext, ref = seal(PersonName("张伟"))
    with pytest.raises(PersonalError, match="hash") as caught:
        unseal(ciphertext + b" ", ref)
    assert "张" not in str(caught.value)
    with pytest.raises(PersonalError, match="no key"):
        unseal(ciphertext, SealedRef(hash=ref.hash, kid="2027-01"))
    rubbish = b'{"class": "face"}'
    with pytest.raises(PersonalError, match="no known class"):
        unseal(rubbish, SealedRef(hash=hashlib.sha256(rubbish).hexdigest(), kid=personal.CLEAR))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine_may_be_spoken_to_in_clear(host: str):
    require_loopback(host)


@pytest.mark.parametrize("host", ["192.168.1.5", "0.0.0.0", "centre.example", "localhost.example", "", "::"])
def test_no_other_machine_gets_personal_data_in_clear(host: str):
    with pytest.raises(NotLoopbackError):
        require_loopback(host)
