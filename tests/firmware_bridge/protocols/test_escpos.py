"""ESC/POS: the bytes of device-protocols.md §2.2, text by GBK columns, status bits, and tickets read back."""

from __future__ import annotations

from itertools import pairwise

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.capabilities import (
    Align,
    Feed,
    Line,
    Pair,
    PrinterStatus,
    QrCode,
    Rule,
    Ticket,
)
from firmware_bridge.protocols import escpos, gbk_columns, qr
from firmware_bridge.protocols import escpos_reader as sent
from firmware_bridge.simulators.paper import Paper, codes_on

PASS = "VP1" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 5 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
any_text = st.text(max_size=120)


def events(data: bytes, size: int = 1 << 20) -> list[sent.Event]:
    reader = sent.Reader()
    return [event for at in range(0, len(data), size) for event in reader.feed(data[at : at + size])]


def lines_of(ticket: Ticket, paper: int = 80) -> list[str]:
    lines = [""]
    for event in events(escpos.encode(ticket, paper=paper).data):
        match event:
            case sent.Text():
                lines[-1] += event.text
            case sent.NewLine():
                lines.append("")
            case _:
                pass
    return lines[:-1]


# Bytes -------------------------------------------------------------------------------------------------------------


def test_a_ticket_starts_in_chinese_mode_and_ends_with_a_cut() -> None:
    data = escpos.encode(Ticket("t", (Line("您好"),))).data
    assert data.startswith(bytes.fromhex("1B40 1C26"))
    assert "您好".encode("gbk") + b"\n" in data
    assert data.endswith(bytes.fromhex("1D564200"))


def test_a_native_qr_code_is_the_published_commands() -> None:
    data = escpos.native_qr("VP1.abc", 6)
    assert data == (
        bytes.fromhex("1D286B0400 31413200 1D286B0300 314306 1D286B0300 314531 1D286B0A00 315030")
        + b"VP1.abc"
        + bytes.fromhex("1D286B0300 315130")
    )
    assert escpos.native_qr("x" * 300, 6).count(bytes.fromhex("1D286B2F01 315030")) == 1


def test_a_raster_is_the_published_bytes() -> None:
    rows = [b"\x80\x00", b"\x00\x00"]
    assert escpos.raster(rows, 2) == bytes.fromhex("1D7630 00 0200 0200 80000000")


@pytest.mark.parametrize("paper", [58, 80])
@pytest.mark.parametrize("qr_by", ["native", "raster"])
def test_a_pass_fits_the_paper_at_six_dots_a_module_and_is_read_back(paper: int, qr_by: str) -> None:
    encoded = escpos.encode(
        Ticket("t", (QrCode(PASS),)), paper=paper, qr_by="raster" if qr_by == "raster" else "native"
    )
    found = events(encoded.data)
    if qr_by == "native":
        assert [event for event in found if isinstance(event, sent.QrSymbol)] == [sent.QrSymbol(PASS, 6, "M")]
    else:
        [picture] = [event for event in found if isinstance(event, sent.Picture)]
        assert (picture.width_bytes * 8, picture.height) == (escpos.DOTS[paper], 49 * 6)
    paper_sim = Paper(escpos.DOTS[paper])
    for event in found:
        paper_sim.take(event)
    assert codes_on(paper_sim.cut()[0]) == (PASS,)


def test_a_qr_code_too_wide_for_its_modules_gets_smaller_ones() -> None:
    found = events(escpos.encode(Ticket("t", (QrCode("x" * 500, module=8),)), paper=58).data)
    [symbol] = [event for event in found if isinstance(event, sent.QrSymbol)]
    assert symbol.module * len(qr.modules("x" * 500)) <= 384
    assert symbol.module >= 3


def test_a_text_no_qr_code_can_hold_is_an_error() -> None:
    with pytest.raises(ValueError, match="don't fit"):
        escpos.encode(Ticket("t", (QrCode("x" * 5000),)))


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
def test_a_symbol_s_modules_are_square_and_of_the_level_asked_for(level: str) -> None:
    rows = qr.modules(PASS, level)
    assert {len(row) for row in rows} == {len(rows)}
    paper = Paper(576)
    paper.take(sent.QrSymbol(PASS, 4, level))
    paper.take(sent.FeedLines(1))
    [found] = zxingcpp.read_barcodes(paper.cut()[0])
    assert (found.text, found.ec_level) == (PASS, level)


# Text --------------------------------------------------------------------------------------------------------------

WIDTHS = {"abc": 3, "您好": 4, "·“”—": 8, "￥5": 3, "": 0}


@pytest.mark.parametrize(("text", "width"), WIDTHS.items())
def test_a_text_is_as_wide_as_its_gbk_bytes(text: str, width: int) -> None:
    assert gbk_columns.width(text) == width


PRINTABLE = {
    "the half-width yen becomes the full-width one": ("¥5", "￥5"),
    "what GBK lacks becomes 〓": ("㐀𠮷 😀", "〓〓 〓"),
    "the euro, a single byte on some machines only": ("€", "〓"),
    "escapes vanish": ("A\x1b@\x1d(k\x10\x04\x01B", "A@(kB"),
    "a line end is a space": ("A\nB", "A B"),
    "rare Han within GBK stay": ("喆堃", "喆堃"),
}


@pytest.mark.parametrize("case", PRINTABLE)
def test_only_what_the_printer_has_is_sent(case: str) -> None:
    given_text, printed = PRINTABLE[case]
    assert gbk_columns.printable(given_text) == printed


@given(any_text)
def test_no_text_is_a_command(text: str) -> None:
    data = gbk_columns.printable(text).encode("gbk")
    # A second byte of a character can't be a control byte either.
    assert not any(byte < 0x20 or byte == 0x7F for byte in data)


@given(any_text, st.integers(2, 48))
def test_wrapping_never_cuts_and_never_overflows(text: str, columns: int) -> None:
    lines = gbk_columns.wrap(text, columns)
    assert all(gbk_columns.width(line) <= columns for line in lines)
    assert "".join(lines).replace(" ", "") == gbk_columns.printable(text).replace(" ", "")


def test_words_stay_whole_where_they_can() -> None:
    assert gbk_columns.wrap("the green door on the left", 10) == ["the green", "door on", "the left"]
    assert gbk_columns.wrap("从这里坐电梯上12楼", 8) == ["从这里坐", "电梯上12", "楼"]
    assert gbk_columns.wrap("Donaudampfschiff", 10) == ["Donaudampf", "schiff"]


@given(any_text, any_text, st.sampled_from([32, 48]))
def test_a_pair_never_overflows_and_loses_nothing(left: str, right: str, columns: int) -> None:
    lines = gbk_columns.pair(left, right, columns)
    assert all(gbk_columns.width(line) <= columns for line in lines)
    kept = gbk_columns.printable(left + right).replace(" ", "")
    assert "".join(lines).replace(" ", "") == kept


def test_a_pair_stands_at_both_edges_or_the_right_one_moves_down() -> None:
    assert lines_of(Ticket("t", (Pair("访客", "张先生"),)), 58) == ["访客" + " " * 22 + "张先生"]
    long = "云栖花园物业服务中心前台接待厅"
    assert lines_of(Ticket("t", (Pair("地点", long),)), 58) == ["地点", "  " + long]


@given(
    st.lists(
        st.builds(Line, any_text, st.sampled_from(Align), st.sampled_from([1, 2]), st.booleans())
        | st.builds(Pair, any_text, any_text)
        | st.just(Rule())
        | st.builds(Feed, st.integers(0, 5)),
        max_size=6,
    ),
    st.sampled_from([58, 80]),
    st.integers(1, 40),
)
def test_a_ticket_is_read_back_the_same_however_the_line_cuts_it(
    elements: list[Line | Pair | Rule | Feed], paper: int, size: int
) -> None:
    data = escpos.encode(Ticket("t", tuple(elements)), paper=paper).data
    whole, cut = events(data), events(data, size)
    assert whole[-1] == sent.Cut()
    assert not any(isinstance(event, sent.Unknown) for event in whole)
    assert _joined(whole) == _joined(cut)


def _joined(found: list[sent.Event]) -> list[sent.Event]:
    """Texts that follow each other are one text."""
    result: list[sent.Event] = []
    for event in found:
        if isinstance(event, sent.Text) and result and isinstance(last := result[-1], sent.Text):
            result[-1] = sent.Text(last.text + event.text)
        else:
            result.append(event)
    return result


@given(st.binary(max_size=500), st.integers(1, 50))
def test_a_printer_reads_any_bytes_without_failing(data: bytes, size: int) -> None:
    reader = sent.Reader()
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])


def test_an_unknown_command_is_reported() -> None:
    assert events(b"\x1bZ") == [sent.Unknown(b"\x1bZ")]


# Status ------------------------------------------------------------------------------------------------------------

STATUSES = {
    "idle": ([0x12, 0x12, 0x12, 0x12], PrinterStatus(True, False, False, False, False), ""),
    "near the end": ([0x12, 0x12, 0x12, 0x1E], PrinterStatus(True, False, False, True, False), ""),
    "cover open": ([0x1A, 0x16, 0x12, 0x12], PrinterStatus(False, True, False, False, False), "cover_open"),
    "paper out": ([0x1A, 0x32, 0x12, 0x7E], PrinterStatus(False, False, True, True, False), "paper_out"),
    "cutter": ([0x1A, 0x52, 0x1A, 0x12], PrinterStatus(False, False, False, False, True), "error"),
    "waits": ([0x1A, 0x12, 0x12, 0x12], PrinterStatus(False, False, False, False, False), "offline"),
    "silent": ([], PrinterStatus(), ""),
}


@pytest.mark.parametrize("case", STATUSES)
def test_status_bytes_say_what_the_manuals_say(case: str) -> None:
    replies, status, trouble = STATUSES[case]
    assert all(escpos.is_status(reply) for reply in replies)
    assert escpos.status_of(dict(enumerate(replies, 1))) == status
    assert status.trouble == trouble


def test_a_simulated_printer_computes_the_same_bytes() -> None:
    def answers(**now: bool) -> list[int]:
        calm = {"offline": False, "cover_open": False, "paper_out": False, "near_end": False, "error": False}
        return [escpos.status_byte(kind, **(calm | now)) for kind in escpos.STATUS_KINDS]

    assert answers() == STATUSES["idle"][0]
    assert answers(near_end=True) == STATUSES["near the end"][0]
    assert answers(offline=True, cover_open=True) == STATUSES["cover open"][0]
    assert answers(offline=True, paper_out=True) == STATUSES["paper out"][0]


def test_a_status_question_is_the_published_bytes() -> None:
    assert [escpos.ask_status(kind) for kind in (1, 4)] == [b"\x10\x04\x01", b"\x10\x04\x04"]


def test_the_paper_a_ticket_takes_grows_with_what_is_on_it() -> None:
    line, code = Line("您好"), QrCode(PASS)
    tickets = [(), (line,), (line, line), (line, line, code), (line, line, code, Feed(3))]
    dots = [escpos.encode(Ticket("t", elements)).dots for elements in tickets]
    assert all(less < more for less, more in pairwise(dots))
