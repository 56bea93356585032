"""Scanner text: cut into codes however it comes, hostile text refused, nothing unbounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.protocols.linescan import LONGEST, SUFFIXES, Code, Fault, LineScan, read

codes = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=80).filter(
    lambda text: not text.startswith("]")
)


@pytest.mark.parametrize("suffix", ["cr", "lf", "crlf", "tab"])
@given(st.lists(codes, min_size=1, max_size=5), st.integers(1, 7))
def test_codes_come_out_one_by_one_however_the_line_cuts_them(
    suffix: str, texts: list[str], size: int
) -> None:
    data = b"".join(text.encode() + SUFFIXES[suffix] for text in texts)
    lines = LineScan(suffix)
    found = [code for at in range(0, len(data), size) for code in lines.feed(data[at : at + size])]
    assert found == [Code(text) for text in texts]
    assert not lines.open


def test_a_tab_is_part_of_no_code_with_another_suffix() -> None:
    assert LineScan("cr").feed(b"A\tB\r") == [Code("", Fault.NOT_TEXT)]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_silence_ends_a_code_whose_suffix_doesn_t_come(suffix: str) -> None:
    lines = LineScan(suffix)
    assert lines.feed(b"VP1A") == []
    assert lines.feed(b"BC") == []
    assert lines.open
    assert lines.silence() == [Code("VP1ABC")]
    assert lines.silence() == []


def test_without_a_suffix_a_line_end_is_no_end() -> None:
    lines = LineScan("none")
    assert lines.feed(b"VP1\r\n") == []
    assert lines.silence() == [Code("", Fault.NOT_TEXT)]


def test_empty_lines_are_nothing() -> None:
    assert LineScan("crlf").feed(b"\r\n\r\n]Q1\r\nA\r\n") == [Code("A")]


def test_a_megabyte_without_an_end_is_told_once_and_then_it_works_again() -> None:
    lines = LineScan("cr")
    found = [code for _ in range(1024) for code in lines.feed(b"x" * 1024)]
    assert found == [Code("", Fault.TOO_LONG)]
    assert lines.feed(b"tail\rVP1ABC\r") == [Code("VP1ABC")]


def test_after_a_flood_silence_is_an_end_too() -> None:
    lines = LineScan("cr")
    assert lines.feed(b"x" * (LONGEST + 1)) == [Code("", Fault.TOO_LONG)]
    assert lines.silence() == []
    assert lines.feed(b"VP1ABC\r") == [Code("VP1ABC")]


def test_the_longest_code_is_a_code() -> None:
    assert LineScan("cr").feed(b"x" * LONGEST + b"\r") == [Code("x" * LONGEST)]


READ = {
    "plain": (b"VP1ABC", Code("VP1ABC")),
    "UTF-8": ("访客".encode(), Code("访客")),
    "GBK, a widespread engine's default": ("访客".encode("gbk"), Code("访客")),
    "a QR code's symbology prefix": (b"]Q1VP1ABC", Code("VP1ABC")),
    "another symbology's prefix": (b"]C0VP1ABC", Code("VP1ABC")),
    "a prefix with ECI": (b"]Q2\\000026VP1ABC", Code("VP1ABC")),
    "a bracket that is no prefix": (b"]", Code("]")),
    "a byte order mark": (b"\xef\xbb\xbfVP1ABC", Code("VP1ABC")),
    "an escape": (b"VP1\x1b[2J", Code("", Fault.NOT_TEXT)),
    "a NUL": (b"VP1\x00", Code("", Fault.NOT_TEXT)),
    "a control character behind ASCII": ("VP1\x85".encode(), Code("", Fault.NOT_TEXT)),
    "bytes that are no text": (b"\xff\xfe\x80\x81", Code("", Fault.NOT_TEXT)),
}


@pytest.mark.parametrize("case", READ)
def test_a_line_is_text_or_refused(case: str) -> None:
    line, code = READ[case]
    assert read(line) == code


@given(st.lists(st.binary(max_size=600)))
def test_whatever_comes_out_is_clean_and_bounded(chunks: list[bytes]) -> None:
    lines = LineScan("cr")
    found = [code for chunk in chunks for code in lines.feed(chunk)] + lines.silence()
    assert all(bool(code.text) != bool(code.fault) for code in found)
    assert not any(ord(character) < 32 for code in found for character in code.text)
    assert all(len(code.text) <= LONGEST for code in found)


def test_a_reset_forgets_what_began() -> None:
    lines = LineScan("cr")
    lines.feed(b"half a co")
    lines.reset()
    assert lines.feed(b"VP1ABC\r") == [Code("VP1ABC")]


def test_a_code_s_text_doesn_t_show_in_its_repr() -> None:
    assert "VP1ABC" not in repr(Code("VP1ABC"))
