"""V10: what was registered wrongly gets a new entry beside it; the old one is never altered, and both are shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from broker.contract.facts import Decider, VisitCorrected, VisitRegistered
from broker.contract.personal import HostNamed, Personal, PersonName, Phone
from broker.ingest.batch import Ingest
from broker.ledger.rebuild import rebuild
from broker.ledger.verify import verify
from broker.store import corrections, own_log, people
from broker.store.database import open_reader, open_writer, transaction
from broker.store.log import EventLog
from broker.store.views import TABLES, read_visit
from broker.visits.correcting import Choices, correct
from broker.visits.deciding import Refusal
from broker.visits.visit import Visit, after
from tests.support.centre import RunningCentre
from tests.support.log_writer import LogWriter, a_person, a_registration
from tests.support.mqtt_station import MqttStation

CHOICES = Choices(frozenset({"family", "repair"}), frozenset({"b1", "b2"}))
VISIT = Visit(
    "a-visit-0001", registered_at="2026-11-23T08:00:00.000Z", purpose="family", building="b1", people=2
)
KNOWN: dict[str, Personal] = {
    "name": PersonName("张伟", "mr"),
    "phone": Phone("13812341234"),
    "host": HostNamed("b1", "2", "1502", "李静"),
}


def corrected(
    field: str, given: dict[str, str], reason: str = "typo", visit: Visit | None = VISIT
) -> Refusal | tuple[VisitCorrected, list[Personal]]:
    return correct(visit, KNOWN, field, given, reason=reason, account="admin", choices=CHOICES)


@pytest.mark.parametrize(
    ("field", "given", "before", "new", "person"),
    [
        ("purpose", {"value": "repair"}, "family", "repair", None),
        ("building", {"value": "b2"}, "b1", "b2", None),
        ("people", {"value": " 03 "}, "2", "3", None),
        ("name", {"value": " 张  炜 "}, "", "", PersonName("张 炜", "mr")),
        ("phone", {"value": "138 1234-5678"}, "", "", Phone("13812345678")),
        ("host", {"value": "李晶", "unit": "3", "room": "801"}, "", "", HostNamed("b1", "3", "801", "李晶")),
    ],
)
def test_a_correction_states_the_field_and_nothing_personal(
    field: str, given: dict[str, str], before: str, new: str, person: Personal | None
) -> None:
    made = corrected(field, given)
    assert not isinstance(made, Refusal)
    fact, beside = made
    assert (fact.field, fact.before, fact.after, beside) == (field, before, new, [person] if person else [])


@pytest.mark.parametrize(
    ("field", "given", "reason", "refusal"),
    [
        ("people", {"value": "2"}, "typo", Refusal.NOTHING_CHANGED),
        ("phone", {"value": "13812341234"}, "typo", Refusal.NOTHING_CHANGED),
        ("name", {"value": "张伟"}, "typo", Refusal.NOTHING_CHANGED),
        ("people", {"value": "0"}, "typo", Refusal.NO_SUCH_VALUE),
        ("people", {"value": "100"}, "typo", Refusal.NO_SUCH_VALUE),
        ("people", {"value": "³"}, "typo", Refusal.NO_SUCH_VALUE),
        ("purpose", {"value": "burglary"}, "typo", Refusal.NO_SUCH_VALUE),
        ("building", {}, "typo", Refusal.NO_SUCH_VALUE),
        ("phone", {"value": "not a number"}, "typo", Refusal.NO_SUCH_VALUE),
        ("name", {"value": "  "}, "typo", Refusal.NO_SUCH_VALUE),
        ("name", {"value": "长" * 121}, "typo", Refusal.NO_SUCH_VALUE),
        ("number", {"value": "1"}, "typo", Refusal.NO_SUCH_VALUE),
        ("people", {"value": "3"}, "", Refusal.NO_REASON),
        ("people", {"value": "3"}, "he said 13812341234", Refusal.NO_REASON),
    ],
)
def test_what_is_no_correction_is_not_recorded(
    field: str, given: dict[str, str], reason: str, refusal: Refusal
) -> None:
    assert corrected(field, given, reason) == refusal


def test_a_visit_that_is_not_known_is_not_corrected() -> None:
    for visit in (None, Visit("a-visit-0002")):
        assert corrected("people", {"value": "3"}, visit=visit) == Refusal.UNKNOWN_VISIT


def test_a_registration_that_arrives_after_its_correction_does_not_undo_it() -> None:
    """As after a restore, when stations send again what a correction in the log was about."""
    registration = a_registration(people=2)
    made = correct(VISIT, {}, "people", {"value": "5"}, reason="host", account="admin", choices=CHOICES)
    assert not isinstance(made, Refusal)
    late = after(Visit("a-visit-0001"), made[0], station="centre", at="2026-11-23T09:00:00.000Z")
    late = after(late, registration, station="lobby-1", at="2026-11-23T08:00:00.000Z")
    assert (late.people, late.purpose) == (5, registration.purpose)


@pytest.mark.parametrize("after_value", ["", "many", "-3", "9" * 64, "²"])
def test_a_strange_number_in_a_correction_breaks_nothing(after_value: str) -> None:
    strange = VisitCorrected(
        visit=VISIT.id,
        field="people",
        after=after_value,
        reason="typo",
        account="x",  # type: ignore[arg-type]
    )
    assert after(VISIT, strange, station="lobby-1", at="2026-11-23T09:00:00.000Z").people == 2


def test_the_original_stays_as_it_was_and_both_can_be_told(tmp_path: Path) -> None:
    db = open_writer(tmp_path)
    log, writer = EventLog(db), LogWriter()
    registration = a_registration(people=2)
    item = writer.add(registration, a_person("张伟", phone="13812341234"))
    with transaction(db):
        Ingest("yunqi", log, db).take([("topic", "lobby-1", writer.payload())])
    for field, given in (
        ("people", {"value": "3"}),
        ("phone", {"value": "13800005678"}),
        ("phone", {"value": "13800009999"}),
    ):
        with transaction(db):
            visit = read_visit(db, registration.visit)
            known = people.of_visit(db, registration.visit)
            made = correct(visit, known, field, given, reason="typo", account="admin", choices=CHOICES)
            assert not isinstance(made, Refusal)
            own_log.write(db, log, "yunqi", *made)
    assert (
        db.execute("select body from events where station = 'lobby-1' and seq = 2").fetchone()[0] == item.body
    )
    assert people.of_visit(db, registration.visit)["phone"] == Phone("13800009999")
    told = corrections.of_visit(db, registration.visit)
    assert [(one.field, one.account, one.reason) for one in told] == [
        ("people", "admin", "typo"),
        ("phone", "admin", "typo"),
        ("phone", "admin", "typo"),
    ]
    assert (told[0].before, told[0].after) == ("2", "3")
    phones = [(getattr(one.before, "phone", ""), getattr(one.after, "phone", "")) for one in told[1:]]
    assert phones == [("138****1234", "138****5678"), ("138****5678", "138****9999")], "masked"
    bodies = b"".join(row[0] for row in db.execute("select body from events"))
    assert b"1380000" not in bodies, "no personal data in the log"
    assert verify(db).whole
    live = {table: sorted(db.execute(f"select * from {table}").fetchall()) for table in TABLES}
    rebuild(tmp_path)
    assert {table: sorted(db.execute(f"select * from {table}").fetchall()) for table in TABLES} == live
    db.execute("delete from ciphertexts where class = 'phone'")
    assert [one.before for one in corrections.of_visit(db, registration.visit)] == ["2", None, None]
    db.close()


def test_staff_correct_a_visit_and_see_the_old_value_struck_beside_the_new_one(
    page: Page, centre: RunningCentre, station: Callable[..., MqttStation], tmp_path: Path
) -> None:
    lobby = station("correct-1")
    registration: VisitRegistered = a_registration(people=2, decider=Decider.POLICY)
    lobby.log.add(registration, a_person("张伟", phone="13812341234"))
    lobby.send(lobby.log.payload())
    lobby.acknowledged(2)
    page.goto(f"{centre.console_url}/visits/{registration.visit}")
    expect(page.locator(".corrections")).to_have_count(0)

    def fill(field: str, value: str, reason: str = "visitor") -> None:
        part = page.locator(f"[data-field={field}]")
        part.locator("summary").click()
        part.locator("[name=value]").fill(value)
        part.locator("[name=reason]").select_option(reason)
        part.locator("button").click()

    fill("people", "4")
    line = page.locator(".corrections li").first
    expect(line.locator("s")).to_have_text("2")
    expect(line.locator("b")).to_have_text("4")
    expect(line).to_contain_text("admin")
    expect(line).to_contain_text("访客说明")
    expect(page.locator("#notice")).to_contain_text("更正已记下")
    expect(page.locator("[data-field=people][open]")).to_have_count(0)
    fill("phone", "13900005678")
    expect(page.locator(".corrections li").nth(1).locator("s")).to_have_text("138****1234")
    expect(page.locator(".corrections li").nth(1).locator("b")).to_have_text("139****5678")
    expect(page.locator("#person")).to_contain_text("139****5678")
    expect(page.locator(".step").last).to_contain_text("更正：访客电话")
    fill("phone", "13900005678")
    expect(page.locator(".notice.bad")).to_contain_text("无需更正")
    reading = open_reader(centre.data)
    body = reading.execute(
        "select body from events where type = 'visit.corrected' order by position desc"
    ).fetchone()[0]
    assert json.loads(body)["data"] == {
        "visit": registration.visit,
        "field": "phone",
        "before": "",
        "after": "",
        "reason": "visitor",
        "account": "admin",
    }
    reading.close()
    page.screenshot(path=tmp_path / "corrected.png", full_page=True)


def test_records_to_look_at_are_reached_from_the_alarm_and_tried_again(
    page: Page, centre: RunningCentre, station: Callable[..., MqttStation], tmp_path: Path
) -> None:
    lobby = station("records-1")
    lobby.log.add(None, type="visit.dreamed", data=b'{"visit": "secret-content"}')
    lobby.send(lobby.log.payload())
    lobby.send(b"secret rubbish 13812341234")
    lobby.acknowledged(2)
    alarm = page.locator("[data-alarm=quarantined]").filter(has_text="records-1")
    expect(alarm).to_be_visible()
    alarm.get_by_text("查看记录").click()
    expect(page.locator("h1")).to_have_text("需要查看的记录")
    mine = page.locator(".record").filter(has_text="records-1")
    expect(mine).to_have_count(2)
    expect(mine.filter(has_text="visit.dreamed")).to_have_count(1)
    assert "secret" not in page.content()
    assert "13812341234" not in page.content()
    page.get_by_text("重新处理").click()
    expect(page.locator("#notice")).to_contain_text("已重新处理")
    expect(mine).to_have_count(2)
    page.screenshot(path=tmp_path / "records.png", full_page=True)
