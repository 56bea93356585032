"""Frames of the resident-card reader, byte for byte as published (device-protocols.md §1.3–1.7)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.protocols import sdt
from firmware_bridge.protocols.sdt import CardContent, Command, Damage, Framer, Reply, Request

REQUESTS = {
    Command.RESET: "AAAAAA9669 0003 10FF EC",
    Command.SAM_STATUS: "AAAAAA9669 0003 11FF ED",
    Command.SAM_ID: "AAAAAA9669 0003 12FF EE",
    Command.FIND: "AAAAAA9669 0003 2001 22",
    Command.SELECT: "AAAAAA9669 0003 2002 21",
    Command.READ: "AAAAAA9669 0003 3001 32",
    Command.READ_ADDED_ADDRESS: "AAAAAA9669 0003 3003 30",
    0x6000: "AAAAAA9669 0003 6000 63",
}
REPLIES = {
    "AAAAAA9669 0004 000090 94": Reply(0x90),
    "AAAAAA9669 0008 00009F 00000000 97": Reply(0x9F, bytes(4)),
    "AAAAAA9669 000C 000090 0000000000000000 9C": Reply(0x90, bytes(8)),
    "AAAAAA9669 0004 000010 14": Reply(0x10),
    "AAAAAA9669 0004 000041 45": Reply(0x41),
    "AAAAAA9669 0004 000080 84": Reply(0x80),
    "AAAAAA9669 0004 000091 95": Reply(0x91),
    "AAAAAA9669 0014 000090 05000100352933013930000032090100 9D": Reply(
        0x90, sdt.encode_sam_id(5, 1, 20130101, 12345, 67890)
    ),
}

bodies = st.binary(min_size=3, max_size=300)


def frames(data: bytes) -> list[bytes]:
    return [body for body in Framer.for_replies().feed(data) if isinstance(body, bytes)]


def fed_in_pieces(framer: Framer, data: bytes, cuts: list[int]) -> list[bytes | Damage]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    found: list[bytes | Damage] = []
    for start, end in pairwise(places):
        found += framer.feed(data[start:end])
    return found


@pytest.mark.parametrize(("command", "published"), REQUESTS.items())
def test_a_request_is_the_published_frame(command: int, published: str) -> None:
    assert Request(command).encode() == bytes.fromhex(published)


def test_a_request_s_data_stands_behind_the_command() -> None:
    frame = bytes.fromhex("AAAAAA9669 0004 61FF50 CA")
    assert Request(0x61FF, b"\x50").encode() == frame
    [body] = Framer.for_requests().feed(frame)
    assert isinstance(body, bytes)
    assert Request.of(body) == Request(0x61FF, b"\x50")


@pytest.mark.parametrize(("published", "reply"), REPLIES.items())
def test_a_published_reply_is_read_and_written(published: str, reply: Reply) -> None:
    assert [Reply.of(body) for body in frames(bytes.fromhex(published))] == [reply]
    assert reply.encode() == bytes.fromhex(published)


def test_a_card_s_reply_is_1295_bytes_with_the_published_head() -> None:
    frame = Reply(0x90, CardContent(b" \0" * 128, bytes(1024)).encode()).encode()
    assert len(frame) == 1295
    assert frame[:14] == bytes.fromhex("AAAAAA9669 0508 000090 0100 0400")


def test_a_card_s_content_goes_by_its_length_words() -> None:
    content = CardContent(b"text" * 4, b"photo")
    assert CardContent.of(content.encode() + b"fingerprint") == content
    assert CardContent.of(content.encode()[:-1]) is None
    assert CardContent.of(b"") is None


def test_the_reader_s_number_is_written_as_vendors_print_it() -> None:
    data = bytes.fromhex("05000100352933013930000032090100")
    assert sdt.sam_id(data) == "05.01-20130101-0000012345-0000067890"


@given(bodies, st.lists(st.integers(0, 400)))
def test_a_frame_is_found_however_the_line_cuts_it(body: bytes, cuts: list[int]) -> None:
    framer = Framer.for_replies()
    assert fed_in_pieces(framer, sdt.encode_frame(body), cuts) == [body]
    assert (framer.waiting, framer.dropped) == (0, 0)


@given(st.lists(bodies, min_size=2, max_size=5), st.lists(st.integers(0, 2000)))
def test_glued_frames_come_out_one_by_one(several: list[bytes], cuts: list[int]) -> None:
    data = b"".join(sdt.encode_frame(body) for body in several)
    assert fed_in_pieces(Framer.for_replies(), data, cuts) == several


@given(st.binary(max_size=200).filter(lambda noise: b"\xaa" not in noise), bodies)
def test_noise_before_a_frame_is_dropped_and_counted(noise: bytes, body: bytes) -> None:
    framer = Framer.for_replies()
    assert framer.feed(noise + sdt.encode_frame(body)) == [body]
    assert framer.dropped == len(noise)


@pytest.mark.parametrize("extra", range(1, 9))
def test_more_aa_than_needed_before_a_frame_don_t_hide_it(extra: int) -> None:
    framer = Framer.for_replies()
    found: list[bytes | Damage] = []
    for byte in b"\xaa" * extra + Reply(0x90).encode():
        found += framer.feed(bytes((byte,)))
    assert found == [b"\0\0\x90"]
    assert framer.dropped == extra


@given(st.data())
def test_the_second_of_two_frames_is_found_after_one_corrupted_byte_in_the_first(data: st.DataObject) -> None:
    first, second = data.draw(bodies), data.draw(bodies)
    frame = bytearray(sdt.encode_frame(first))
    # Not in the length: a longer one takes the second frame with it until its time runs out.
    at = data.draw(st.sampled_from([*range(5), *range(7, len(frame))]))
    frame[at] ^= data.draw(st.integers(1, 255))
    found = frames(bytes(frame) + sdt.encode_frame(second))
    assert found[-1:] == [second]
    assert first not in found[:-1]


@given(bodies, st.data())
def test_a_flipped_byte_is_never_taken_for_a_good_frame(body: bytes, data: st.DataObject) -> None:
    frame = bytearray(sdt.encode_frame(body))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert body not in frames(bytes(frame))


def test_a_real_frame_inside_a_false_one_is_found() -> None:
    inner = Reply(0x9F, bytes(4)).encode()
    false = sdt.PREAMBLE + (len(inner) + 1).to_bytes(2, "big") + inner + b"\x00"
    assert Framer.for_replies().feed(false) == [Damage.CHECKSUM, b"\0\0\x9f" + bytes(4)]


@pytest.mark.parametrize("length", [0, 3, 4097, 0xFFFF])
def test_an_impossible_length_is_damage_and_the_next_frame_is_found(length: int) -> None:
    bad = sdt.PREAMBLE + length.to_bytes(2, "big")
    assert Framer.for_replies().feed(bad + Reply(0x80).encode()) == [Damage.LENGTH, b"\0\0\x80"]


@given(st.binary(max_size=64), bodies)
def test_after_a_reset_a_truncated_frame_takes_nothing_with_it(rest: bytes, body: bytes) -> None:
    framer = Framer.for_replies()
    truncated = sdt.encode_frame(rest.ljust(40, b"\0"))[:-1]
    assert framer.feed(truncated) == []
    framer.reset()
    assert framer.feed(sdt.encode_frame(body)) == [body]
    assert framer.dropped == len(truncated)


@given(st.lists(st.binary(max_size=9000), max_size=4))
def test_what_it_holds_is_bounded_whatever_comes(chunks: list[bytes]) -> None:
    framer = Framer.for_replies()
    for chunk in chunks:
        framer.feed(sdt.PREAMBLE + b"\x0f\xff" + chunk)
        assert framer.waiting <= 4096 + 7


ANSWERS = {
    "a find's success": (Command.FIND, Reply(0x9F, bytes(4)), True),
    "a find's success with a real chip number": (Command.FIND, Reply(0x9F, b"\x12\x34\x56\x78"), True),
    "no card": (Command.FIND, Reply(0x80), True),
    "a failed self-test, to anything": (Command.READ, Reply(0x60), True),
    "a code nobody knows, to anything": (Command.SELECT, Reply(0x77), True),
    "a find's success, late, is no answer to select": (Command.SELECT, Reply(0x9F, bytes(4)), False),
    "no card, late, is no answer to select": (Command.SELECT, Reply(0x80), False),
    "a card, late, is no answer to select": (Command.SELECT, Reply(0x90, bytes(1284)), False),
    "a select's success, late, is no answer to read": (Command.READ, Reply(0x90, bytes(8)), False),
    "a card, late, is no answer to find": (Command.FIND, Reply(0x90, bytes(1284)), False),
    "a card, late, is no answer to a status": (Command.SAM_STATUS, Reply(0x90, bytes(1284)), False),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_which_reply_can_answer_which_command(case: str) -> None:
    command, reply, fits = ANSWERS[case]
    assert sdt.answers(command, reply) is fits


def test_neither_a_reply_nor_a_card_s_content_shows_in_a_log() -> None:
    assert "secret" not in repr(Reply(0x90, b"secret"))
    assert "secret" not in repr(CardContent(b"secret", b"secret"))
