"""Where lines of Chinese and English end.

Kivy breaks Chinese anywhere, also before a full stop. Here a line never begins with closing punctuation nor ends with
opening punctuation, Latin words and numbers stay whole (a number keeps its counting word), lines are balanced so that no
last line holds a lonely character, and where there is a choice a line ends after punctuation. Pure: the measure is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable

CLOSING = "，。！？、；：）》〉」』】…—·,.!?;:)%”’"
OPENING = "（《〈「『【(“‘"
_PAUSE = "，。！？、；：…,.!?;: "
_TOKEN = re.compile(
    r"\s+|[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]|[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+"
)

Measure = Callable[[str], float]


def break_lines(text: str, width: float, measure: Measure) -> list[str]:
    """The lines of `text` (its own newlines kept) for a box of `width`; a word wider than the box is split."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines.extend(_break(paragraph, width, measure))
    return lines


def _break(text: str, width: float, measure: Measure) -> list[str]:
    if measure(text) <= width:
        return [text]
    parts = _split_wide(_pieces(text), width, measure)
    widths = [measure(part) for part in parts]
    count = _fewest(parts, widths, width)
    return _balanced(parts, widths, width, count)


def _pieces(text: str) -> list[str]:
    """What may not be torn apart, in order; a piece may end with a space."""
    pieces: list[str] = []
    glue_next = False
    for token in _TOKEN.findall(text):
        if not pieces:
            pieces.append(token)
        elif glue_next or token.isspace() or token[0] in CLOSING or _counts(pieces[-1], token):
            pieces[-1] += token
        else:
            pieces.append(token)
        glue_next = token[-1] in OPENING
    return pieces


def _counts(before: str, token: str) -> bool:
    """`30 天`, `12楼`: a number and the character after it belong together."""
    return before.rstrip()[-1:].isdigit() and len(token) == 1 and not token.isascii()


def _split_wide(pieces: list[str], width: float, measure: Measure) -> list[str]:
    parts: list[str] = []
    for piece in pieces:
        while len(piece) > 1 and measure(piece.rstrip()) > width:
            cut = next(n for n in range(len(piece) - 1, 0, -1) if n == 1 or measure(piece[:n]) <= width)
            parts.append(piece[:cut])
            piece = piece[cut:]
        parts.append(piece)
    return parts


def _fewest(parts: list[str], widths: list[float], width: float) -> int:
    count, used = 1, 0.0
    for part, wide in zip(parts, widths, strict=True):
        if used and used + _bare(part, wide) > width:
            count, used = count + 1, 0.0
        used += wide
    return count


def _bare(part: str, wide: float) -> float:
    """A trailing space may hang over the edge; it is a quarter of the type size or so, so only whole spaces count."""
    return 0.0 if part.isspace() else wide * (len(part.rstrip()) / len(part))


def _balanced(parts: list[str], widths: list[float], width: float, count: int) -> list[str]:
    """The cheapest way into exactly `count` lines: even lines, ends at punctuation preferred."""
    total = sum(widths)
    ideal = total / count
    size = len(parts)
    best: list[dict[int, tuple[float, int]]] = [{} for _ in range(count + 1)]
    best[0][0] = (0.0, -1)
    for line in range(1, count + 1):
        for start, (cost, _) in best[line - 1].items():
            used = 0.0
            for end in range(start + 1, size + 1):
                wide = widths[end - 1]
                if used and used + _bare(parts[end - 1], wide) > width:
                    break
                used += wide
                price = cost + ((used - ideal) / width) ** 2
                if end < size and parts[end - 1][-1] not in _PAUSE:
                    price += 0.035
                if end not in best[line] or price < best[line][end][0]:
                    best[line][end] = (price, start)
    lines: list[str] = []
    end = size
    for line in range(count, 0, -1):
        start = best[line][end][1]
        lines.append("".join(parts[start:end]).strip())
        end = start
    return lines[::-1]
