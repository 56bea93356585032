"""Text as a Chinese receipt printer takes it: GBK bytes, a column a byte, wrapped and never cut (device-protocols.md §2.2).

The number of GBK bytes *is* the printed width: one column for ASCII, two for everything else, also for `·“”—`, which
Unicode's width tables guess wrong. What GBK lacks becomes 〓, the trade's sign for a character it can't set; `¥` would
come out as "0 6" and is the full-width ￥ instead. Control characters never pass: a name must not be a command.
"""

from __future__ import annotations

from collections.abc import Iterator

_STAND_IN = "〓"
_SAME = {"¥": "￥", "\u00a0": " ", "\t": " ", "\n": " ", "\r": " "}


def printable(text: str) -> str:
    """`text` with only what a GBK printer has."""
    return "".join(_one(character) for character in text)


def _one(character: str) -> str:
    character = _SAME.get(character, character)
    if character < " " or "\x7f" <= character <= "\x9f":
        return ""
    try:
        encoded = character.encode("gbk")
    except UnicodeEncodeError:
        return _STAND_IN
    return character if len(encoded) == (1 if character < "\x7f" else 2) else _STAND_IN


def width(text: str) -> int:
    """Columns of a printable text."""
    return len(text.encode("gbk"))


def wrap(text: str, columns: int) -> list[str]:
    """`text` in lines of at most `columns` columns (at least 2): broken at a space, between Han, or where nothing else helps."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(printable(text)):
        if width(line) + width(piece.rstrip(" ")) <= columns:
            line += piece
            continue
        if line.strip():
            lines.append(line.rstrip(" "))
        line = ""
        for character in piece.lstrip(" "):
            if width(line) + width(character) > columns:
                lines.append(line)
                line = ""
            line += character
    lines.append(line.rstrip(" "))
    return lines


def _pieces(text: str) -> Iterator[str]:
    """What may stand at a line's end: a word with the spaces behind it, or one wide character."""
    piece = ""
    for character in text:
        wide = character >= "\x7f"
        if piece and (wide or (piece.endswith(" ") and character != " ")):
            yield piece
            piece = ""
        piece += character
        if wide:
            yield piece
            piece = ""
    if piece:
        yield piece


def pair(left: str, right: str, columns: int) -> list[str]:
    """`left` and `right` at the two edges of one line; the right one on lines of its own, at the edge, where both don't fit."""
    left, right = printable(left), printable(right)
    gap = columns - width(left) - width(right)
    if gap >= 1:
        return [left + " " * gap + right]
    return [*wrap(left, columns), *(" " * (columns - width(line)) + line for line in wrap(right, columns))]
