"""What may arrive: valid messages, valid ones with something changed, and bytes from nowhere, as Hypothesis strategies.

Changes are made where they hurt: bytes flipped in what is well formed, numbers past every integer, keys twice, nesting
deep enough for a recursive reader, maps with thousands of keys, text that is no text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import strategies as st

HUGE = st.sampled_from([0, -1, 2**31, 2**53, 2**63 - 1, 2**64 - 1])
NO_TEXT = st.sampled_from(["", "\x00", "é" * 70, "..", "x" * 5000, "lobby-1\n", "+", "#", "\ud7ff"])
SCALARS = st.one_of(
    st.none(), st.booleans(), HUGE, NO_TEXT, st.floats(allow_nan=False), st.binary(max_size=40)
)
DEPTHS = st.sampled_from([1, 50, 500, 5_000, 60_000])
JSON_NUMBERS = st.sampled_from(
    [b"1" * 400, b"1e999", b"-0", b"1e-400", b"9" * 40, b"0.1" + b"0" * 300, b"NaN"]
)


@st.composite
def deep_json(draw: st.DrawFn) -> bytes:
    """Lists or objects in each other, closed or not."""
    depth = draw(DEPTHS)
    opening, closing = draw(st.sampled_from([(b"[", b"]"), (b'{"a":', b"}")]))
    return opening * depth + b"1" + closing * draw(st.sampled_from([depth, 0, depth - 1]))


@st.composite
def deep_msgpack(draw: st.DrawFn) -> bytes:
    """One-element arrays or maps in each other."""
    return draw(st.sampled_from([b"\x91", b"\x81\xa1a"])) * draw(DEPTHS) + b"\x01"


@st.composite
def big_msgpack(draw: st.DrawFn) -> bytes:
    """Headers that promise more than comes: arrays, maps, strings and binaries of up to 4 Gi."""
    header = draw(st.sampled_from([b"\xdd", b"\xdf", b"\xdb", b"\xc6"]))
    return (
        header
        + draw(st.sampled_from([b"\xff\xff\xff\xff", b"\x00\x10\x00\x00"]))
        + draw(st.binary(max_size=64))
    )


BIG_MAPS = st.integers(1, 5000).map(lambda n: msgspec.msgpack.encode({f"k{i}": i for i in range(n)}))
BYTES_FROM_NOWHERE = st.one_of(st.binary(max_size=400), deep_msgpack(), big_msgpack(), BIG_MAPS, deep_json())


@st.composite
def flipped(draw: st.DrawFn, whole: bytes) -> bytes:
    """Well-formed bytes with a few of them changed, cut off, doubled or filled up."""
    spoiled = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(spoiled) - 1)))
        match draw(st.sampled_from(["flip", "cut", "insert", "double"])):
            case "flip" if spoiled:
                spoiled[at] = draw(st.integers(0, 255))
            case "cut":
                del spoiled[at : at + draw(st.integers(1, 40))]
            case "insert":
                spoiled[at:at] = draw(st.binary(min_size=1, max_size=20))
            case _:
                spoiled[at:at] = spoiled[at : at + 60]
    return bytes(spoiled)


@st.composite
def altered(draw: st.DrawFn, value: dict[str, Any]) -> dict[str, Any]:
    """A map with one of its fields gone, replaced or joined by a strange one."""
    changed = dict(value)
    key = draw(st.sampled_from(sorted(changed)))
    match draw(st.sampled_from(["gone", "replaced", "joined"])):
        case "gone":
            del changed[key]
        case "replaced":
            changed[key] = draw(st.one_of(SCALARS, st.lists(SCALARS, max_size=3)))
        case _:
            changed[draw(NO_TEXT)] = draw(SCALARS)
    return changed


@st.composite
def odd_json(draw: st.DrawFn, whole: bytes) -> bytes:
    """A JSON object written in ways a careful writer never would: keys twice, numbers past all bounds, deep values."""
    value: dict[str, Any] = msgspec.json.decode(whole)
    key = draw(st.sampled_from(sorted(value)))
    name = msgspec.json.encode(key)
    make: list[Callable[[], bytes]] = [
        lambda: b"{" + name + b":" + draw(JSON_NUMBERS) + b"," + whole[1:],
        lambda: whole[:-1] + b"," + name + b":" + draw(JSON_NUMBERS) + b"}",
        lambda: whole[:-1] + b"," + name + b":" + draw(deep_json()) + b"}",
        lambda: whole[:-1] + b',"more":' + msgspec.json.encode({f"k{i}": i for i in range(2000)}) + b"}",
        lambda: msgspec.json.encode(draw(altered(value)) | {"more": None}),
        lambda: whole.replace(b'"lobby-1"', b'"\xff\xfe"'),
        lambda: whole.replace(b'"lobby-1"', b'"\\ud800"'),
        lambda: b"\xef\xbb\xbf" + whole,
        lambda: whole + b" {}",
    ]
    return draw(st.sampled_from(make))()
