"""The slip: where to go, the pass, and nothing personal but a surname, in words the service centre may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.contract.sitedata import Areas
from firmware_bridge.capabilities import Line, Pair, QrCode
from kiosk.lobby.flows.draft import PassShown
from kiosk.lobby.slip import SlipData, surname_of, ticket
from kiosk.station.sitedata import SiteData
from tests.support.centre import DEMO_SITE

FORBIDDEN = ["不行", "不对", "不会", "不知道", "不是我管的", "不可能", "真的吗", "你"]
TEXT = "VP1" + "A" * 186


class Nothing:
    def rows(self, *_: object) -> list:
        return []


@pytest.fixture(scope="module")
def areas() -> Areas:
    found = SiteData(Nothing(), starter=Path(DEMO_SITE)).areas
    assert found is not None
    return found


def slip(areas: Areas, language: str, *, title: str | None = None, floor: int | None = 12):
    data = SlipData(
        visit="v",
        number="123456",
        language=language,
        surname="张",
        title=title,
        building="b1",
        until="2026-11-23 18:30",
    )
    shown = PassShown(text=TEXT, code="ABCD1234", expires=0, way=areas.buildings[0].way, floor=floor)
    return ticket(data, shown, areas)


def words(made) -> str:
    parts = []
    for element in made.elements:
        if isinstance(element, Line):
            parts.append(element.text)
        elif isinstance(element, Pair):
            parts += [element.left, element.right]
    return "\n".join(parts)


def test_the_slip_says_where_to_go_until_when_and_holds_the_pass(areas: Areas):
    made = slip(areas, "zh_CN")
    said = words(made)
    for part in ("123456", "1 号楼", "松径", "请从这里坐电梯上12楼", "2026-11-23 18:30", "ABCD 1234"):
        assert part in said
    assert [element.text for element in made.elements if isinstance(element, QrCode)] == [TEXT]
    assert TEXT not in repr(made)


@pytest.mark.parametrize(
    ("language", "title", "said"),
    [
        ("zh_CN", "mr", "张先生"),
        ("zh_CN", "ms", "张女士"),
        ("zh_CN", None, "张访客"),
        ("en", "mr", "Mr 张"),
        ("en", None, "Visitor 张"),
    ],
)
def test_the_salutation_follows_the_document_and_nothing_else(areas: Areas, language: str, title, said: str):
    assert said in words(slip(areas, language, title=title)).split("\n")


def test_without_a_floor_no_lift_is_promised(areas: Areas):
    assert "电梯上" not in words(slip(areas, "zh_CN", floor=None))


def test_the_words_are_the_trades(areas: Areas):
    said = words(slip(areas, "zh_CN"))
    assert [word for word in FORBIDDEN if word in said] == []
    assert "您" not in words(slip(areas, "en"))


@pytest.mark.parametrize(
    ("name", "language", "surname"),
    [
        ("张伟", "zh_CN", "张"),
        ("欧阳修", "zh_CN", "欧阳"),
        ("欧阳", "zh_CN", "欧"),
        ("诸葛亮", "en", "诸葛"),
        ("司马", "zh_CN", "司"),
        ("买买提·艾力", "zh_CN", "买买提"),
        ("Zhang Wei", "zh_CN", "Zhang"),
        ("Anna Smith", "en", "Smith"),
        ("Anna", "en", "Anna"),
        ("  ", "en", ""),
    ],
)
def test_the_surname_in_a_name(name: str, language: str, surname: str):
    assert surname_of(name, language) == surname
