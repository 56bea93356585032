"""Where lines end, in Chinese, English and both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.ui.linebreak import CLOSING, OPENING, break_lines


def measure(text: str) -> float:
    """A Chinese character is one wide, a Latin one about half."""
    return sum(1.0 if ord(c) > 0x2E7F else 0.55 for c in text)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("请稍候", 8, ["请稍候"]),
        ("您好，欢迎光临", 5, ["您好，", "欢迎光临"]),
        ("请您在接待处稍等片刻", 8, ["请您在接待处", "稍等片刻"]),
        ("打印机缺纸，已通知前台。请拍照保存", 12, ["打印机缺纸，", "已通知前台。请拍照保存"]),
        ("Building 2 · Lakeview", 8, ["Building 2", "Lakeview"]),
        ("最长 30 天，到期自动删除", 7, ["最长 30 天，", "到期自动删除"]),
        ("one\ntwo", 20, ["one", "two"]),
    ],
)
def test_lines_end_where_a_typesetter_would_end_them(text: str, width: float, lines: list[str]) -> None:
    assert break_lines(text, width, measure) == lines


def test_a_word_wider_than_the_box_is_split_rather_than_lost() -> None:
    assert "".join(break_lines("Donaudampfschifffahrt", 4, measure)) == "Donaudampfschifffahrt"


@given(
    st.text(alphabet="前台通知您好请稍候，。！？（）《》abc 12", min_size=1, max_size=60), st.integers(4, 20)
)
def test_nothing_is_lost_and_no_line_is_too_wide(text: str, width: int) -> None:
    lines = break_lines(text, width, measure)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    longest_kept_whole = 8
    for line in lines:
        assert measure(line.strip()) <= width or len(line.strip()) <= longest_kept_whole


@given(st.text(alphabet="前台通知您好请稍候，。！？（）《》", min_size=1, max_size=40), st.integers(6, 20))
def test_no_line_begins_with_closing_or_ends_with_opening_punctuation(text: str, width: int) -> None:
    lines = break_lines(text, width, measure)
    marks_only = all(c in CLOSING + OPENING for c in text)
    runs = max((len(r) for r in __import__("re").findall(f"[{CLOSING}{OPENING}]+", text)), default=0)
    if marks_only or runs > 3:
        return
    assert all(line[0] not in CLOSING for line in lines[1:] if line)
    assert all(line[-1] not in OPENING for line in lines[:-1] if line)
