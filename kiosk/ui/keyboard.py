"""On-screen keys: Latin letters for names, digits for rooms, phones and numbers.

A keyboard knows no field: every key calls `on_key` with the character, `BACKSPACE` or `CLEAR`. Letters come as a name
is written: the first of each word large by itself, the shift key to choose otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

from kivy.clock import Clock

from kiosk.ui import theme
from kiosk.ui.controls import Button
from kiosk.ui.layout import Box, Column, Row, Space, Surface
from kiosk.ui.theme import px

BACKSPACE = "\b"
CLEAR = "\x7f"
OnKey = Callable[[str], object]


class Key(Button):
    """One key. It repeats while held where `repeats`."""

    def __init__(
        self,
        face: str,
        key: str,
        on_key: OnKey,
        *,
        quiet: bool = False,
        icon: str = "",
        size: float = theme.HEADING,
        repeats: bool = False,
        grow: float = 1.0,
    ) -> None:
        super().__init__(
            face,
            f"key:{key}",
            lambda: on_key(key),
            kind="key-quiet" if quiet else "key",
            icon=icon,
            size=size,
            bold=False,
            radius=20,
            side=4,
            grow=grow,
        )
        self.key = key
        self._on_key = on_key
        self._repeats = repeats
        self._held = None

    def pressed(self) -> None:
        if self._repeats:
            self._held = Clock.schedule_once(self._again, 0.5)

    def _again(self, _dt: float) -> None:
        if self.get_root_window() is None:
            self._held = None
            return
        self._on_key(self.key)
        self._held = Clock.schedule_once(self._again, 0.09)

    def released(self) -> None:
        if self._held is not None:
            self._held.cancel()
            self._held = None


class Keyboard(Surface):
    """A tray of keys; `high` is one key's height in design units."""

    def __init__(self, rows: list[list[Box]], *, gap: float, high: float, widest: float) -> None:
        self._rows = rows
        self.high = high
        self._widest = widest
        lines: list[Box] = [Row(row, gap=gap, align="stretch") for row in rows]
        super().__init__(
            Column(lines, gap=gap),
            colour=theme.SAND,
            radius=theme.R_CARD,
            pad=(20, 20, 20, 20),
        )
        self._gap = gap

    @property
    def keys(self) -> list[Key]:
        return [box for row in self._rows for box in row if isinstance(box, Key)]

    def need(self, width: float) -> float:
        count = len(self._rows)
        return px(self.high) * count + px(self._gap) * (count - 1) + px(40)

    @property
    def least(self) -> float:
        """The least height at which every key is still large enough, in pixels."""
        count = len(self._rows)
        return px(80) * count + px(self._gap) * (count - 1) + px(40) + 1

    def arrange(self) -> None:
        self._put()
        assert isinstance(self.inside, Column)
        count = len(self._rows)
        high = (self.height - px(40) - px(self._gap) * (count - 1)) / count
        wide = min(self.width - px(40), px(self._widest))
        left = self.center_x - wide / 2
        top = self.top - px(20)
        self.inside.pos = (left, self.y)
        self.inside.size = (wide, self.height)  # pyright: ignore[reportAttributeAccessIssue]  (Kivy takes floats)
        for row in self.inside.boxes:
            row.lay(left, top - high, wide, high)
            top -= high + px(self._gap)


class Letters(Keyboard):
    """Latin letters, as names need them."""

    ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

    def __init__(self, on_key: OnKey, *, space: str, high: float = 96) -> None:
        self._on_key = on_key
        self._upper = False
        self._chosen: bool | None = None
        letters = [[Key(c, c, self._letter, grow=1) for c in row] for row in self.ROWS]
        self._letters = [key for row in letters for key in row]
        self._shift = Key("", "shift", self._turn, quiet=True, icon="arrow-fat-up", size=36, grow=1.44)
        back = Key("", BACKSPACE, self._pass, quiet=True, icon="backspace", size=40, repeats=True, grow=1.44)
        middle: list[Box] = [Space(0, grow=0.5), *letters[1], Space(0, grow=0.5)]
        last: list[Box] = [
            Key("-", "-", self._pass, quiet=True, grow=1.44),
            Key("'", "'", self._pass, quiet=True, grow=1.0),
            Key(space, " ", self._pass, size=theme.BODY, grow=5.0),
            Key("·", "·", self._pass, quiet=True, grow=1.0),
            Key(".", ".", self._pass, quiet=True, grow=1.44),
        ]
        rows: list[list[Box]] = [[*letters[0]], middle, [self._shift, *letters[2], back], last]
        super().__init__(rows, gap=12, high=high, widest=1200)

    def follow(self, value: str) -> None:
        """What the field holds now: a new word starts with a large letter."""
        upper = (not value or value[-1] in " -·") if self._chosen is None else self._chosen
        if upper is not self._upper:
            self._upper = upper
            for key in self._letters:
                key.label.say(key.key.upper() if upper else key.key)

    @property
    def upper(self) -> bool:
        """Whether the next letter is large."""
        return self._upper

    def _letter(self, key: str) -> None:
        large = self._upper
        self._chosen = None
        self._on_key(key.upper() if large else key)

    def _turn(self, _key: str) -> None:
        self._chosen = not self._upper
        self.follow("")

    def _pass(self, key: str) -> None:
        self._on_key(key)


class Digits(Keyboard):
    """Digits as on a telephone; `extra` is the key beside 0 (such as + for other countries)."""

    def __init__(self, on_key: OnKey, *, clear: str, extra: str = "", high: float = 96) -> None:
        def digit(key: str) -> Key:
            return Key(key, key, on_key, size=theme.HEADING + 4)

        rows: list[list[Box]] = [
            [digit("1"), digit("2"), digit("3")],
            [digit("4"), digit("5"), digit("6")],
            [digit("7"), digit("8"), digit("9")],
            [
                Key(extra, extra, on_key, quiet=True)
                if extra
                else Key(clear, CLEAR, on_key, quiet=True, size=theme.BODY),
                digit("0"),
                Key("", BACKSPACE, on_key, quiet=True, icon="backspace", size=40, repeats=True),
            ],
        ]
        super().__init__(rows, gap=16, high=high, widest=760)


def edited(value: str, key: str, longest: int) -> str:
    """`value` after a key."""
    if key == BACKSPACE:
        return value[:-1]
    if key == CLEAR:
        return ""
    return value + key if len(value) < longest else value
