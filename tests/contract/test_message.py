"""Messages: counts that agree, hostile bytes, and the signature of the log's key."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from broker.contract import message
from broker.contract.message import (
    MAX_ITEMS,
    MAX_MESSAGE,
    Item,
    Message,
    MessageError,
    signature_holds,
    signed,
)

KEY = Ed25519PrivateKey.generate()
PLAIN = Message(
    site="yunqi",
    station="lobby-1",
    log="0123456789abcdef",
    first=4,
    last=5,
    items=[Item(b"one", {"name": b"x"}), Item(b"two")],
)


def test_a_message_comes_back_as_it_went() -> None:
    there = signed(PLAIN, KEY)
    back = message.decode(message.encode(there))
    assert back == there
    assert signature_holds(back, KEY.public_key())


@pytest.mark.parametrize(
    "changed",
    [
        {"site": "yunqi2"},
        {"station": "lobby-2"},
        {"log": "0123456789abcdee"},
        {"first": 3},
        {"last": 6},
        {"items": [Item(b"one"), Item(b"twO")]},
        {"signature": None},
        {"signature": b""},
        {"signature": b"\0" * 64},
    ],
    ids=str,
)
def test_a_signature_holds_for_exactly_what_was_signed(changed: dict[str, object]) -> None:
    altered = msgspec.structs.replace(signed(PLAIN, KEY), **changed)
    assert not signature_holds(altered, KEY.public_key())


def test_another_logs_key_signs_nothing_here() -> None:
    assert not signature_holds(signed(PLAIN, Ed25519PrivateKey.generate()), KEY.public_key())


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"last": 6}, "holds 2 items"),
        ({"first": 5}, "holds 2 items"),
        ({"v": 2}, "version 2"),
        ({"items": []}, "length"),
        ({"items": [Item(b"x")] * (MAX_ITEMS + 1)}, "length"),
        ({"station": "Lobby 1"}, "matching regex"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_message_that_contradicts_itself_is_refused(changed: dict[str, object], says: str) -> None:
    with pytest.raises(MessageError, match=says):
        message.decode(message.encode(msgspec.structs.replace(PLAIN, **changed)))


def test_a_message_too_large_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(MessageError, match="exceeds"):
        message.decode(b"\xc1" * (MAX_MESSAGE + 1))


@given(st.binary(max_size=400))
def test_rubbish_is_refused_by_its_own_error(payload: bytes) -> None:
    with pytest.raises(MessageError):
        message.decode(payload)


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=255))
def test_one_altered_byte_never_passes_as_signed_by_the_log(at: int, value: int) -> None:
    payload = bytearray(message.encode(signed(PLAIN, KEY)))
    at %= len(payload)
    if payload[at] == value:
        value ^= 1
    payload[at] = value
    try:
        found = message.decode(bytes(payload))
    except MessageError:
        return
    # What the signature doesn't cover is the chain's: earlier bodies (prev) and ciphertexts (their hash in the body).
    covered = (found.site, found.station, found.log, found.first, found.last, found.items[-1].body, found.v)
    original = (PLAIN.site, PLAIN.station, PLAIN.log, PLAIN.first, PLAIN.last, PLAIN.items[-1].body, PLAIN.v)
    assert covered == original or not signature_holds(found, KEY.public_key())
