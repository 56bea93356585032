"""The tokens: every pairing of words and ground is readable, every icon is in the font, every font is shipped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from kiosk.ui import icons, theme

UI = Path(theme.__file__).resolve().parent
KIOSK = UI.parent


@pytest.mark.parametrize(
    ("name", "words", "ground"), theme.CONTRASTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_words_stand_out_from_their_ground(name: str, words: theme.Colour, ground: theme.Colour) -> None:
    assert theme.contrast(words, ground) >= 4.5, name


def test_black_on_white_has_the_highest_contrast_there_is() -> None:
    assert theme.contrast((0, 0, 0, 1), (1, 1, 1, 1)) == pytest.approx(21.0)


@pytest.mark.parametrize("file", ["icons-regular.ttf", "icons-fill.ttf"])
def test_the_icon_fonts_hold_exactly_the_icons_of_the_table(file: str) -> None:
    there = set(TTFont(UI / "fonts" / file).getBestCmap())
    assert there == {ord(character) for character in icons.ICONS.values()}


def test_every_icon_that_a_screen_names_is_in_the_table() -> None:
    named: set[str] = set()
    for path in KIOSK.rglob("*.py"):
        named |= set(re.findall(r'(?:icon=|trailing=|Icon\(|Tile\(|Sign\()"([a-z-]+)"', path.read_text()))
    assert named <= icons.ICONS.keys()


@pytest.mark.parametrize(
    ("file", "codec", "characters"), [("text-regular.ttf", "gbk", 21_000), ("text-bold.ttf", "gb2312", 6_700)]
)
def test_the_text_fonts_hold_their_code_page(file: str, codec: str, characters: int) -> None:
    there = set(TTFont(UI / "fonts" / file).getBestCmap())
    assert len(there) > characters
    for text in ("云栖里物业服务中心", "门直骨", "Zhāng Wěi", "·—“”，。？！（）●〓…"):
        for character in text:
            assert ord(character) in there, character
    missing = [c for c in map(chr, range(0x4E00, 0x9FA6)) if _encodable(c, codec) and ord(c) not in there]
    assert missing == []


def test_the_face_is_the_simplified_chinese_one() -> None:
    """Face 0 of the source would be Japanese and draw 门 直 骨 wrongly."""
    name = TTFont(UI / "fonts" / "text-regular.ttf")["name"].getDebugName(4)
    assert name is not None
    assert "SC" in name


def test_licences_stand_beside_the_fonts() -> None:
    assert {p.name for p in (UI / "fonts").glob("*LICENSE*")} == {"NOTO-LICENSE.txt", "PHOSPHOR-LICENSE.txt"}


def _encodable(character: str, codec: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
