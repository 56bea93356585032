"""What keeps open pages current: after a commit each stream sends the fragments that differ from what it sent before.

A stream begins with everything, so a page that lost its connection is right again as soon as it is back. Cards move
between lists as htmx out-of-band swaps by id; nothing else on the page is touched.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from time import monotonic

from broker import clock
from broker.console.present import NEWEST_FIRST, Card, Presenter
from broker.store.board import Board
from broker.store.views import Changes

log = logging.getLogger(__name__)

PULSE = 10.0
"""Seconds between signs of life; a page that hears none for 25 s says that it may be old."""

GATHER = 0.02
"""Seconds in which further commits join the same fragment: a catching-up station moves the page 50 times a second at most."""


class Live:
    """The streams that are open. `changed` is called on the event loop after each commit that shows."""

    def __init__(self, read: Callable[[datetime, datetime], Board], ending: asyncio.Event) -> None:
        self._read = read
        self._waiting: set[asyncio.Event] = set()
        self._ending = ending
        self._board: tuple[float, str, Board] | None = None

    def changed(self, _: Changes) -> None:
        self._board = None
        for wake in self._waiting:
            wake.set()

    def board(self, presenter: Presenter) -> tuple[Board, datetime]:
        """The board now; read once for all streams that ask within a moment."""
        now = clock.now()
        began = presenter.day_began(now)
        key = began.isoformat()
        if self._board is None or self._board[1] != key or monotonic() - self._board[0] > 1.0:
            self._board = (monotonic(), key, self._read(now, began))
        return self._board[2], now

    async def stream(self, fragments: Callable[[], str], is_open: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Server-sent events: `update` with fragments whenever there are any, `pulse` in between, `gone` at log-out."""
        wake = asyncio.Event()
        self._waiting.add(wake)
        try:
            yield b"retry: 1000\n\n"
            while not self._ending.is_set():
                if not is_open():
                    yield event("gone", "-")
                    return
                html = fragments()
                yield event("update", html) if html else event("pulse", "-")
                await self._until(wake)
                await asyncio.sleep(GATHER)
                wake.clear()
        finally:
            self._waiting.discard(wake)

    async def _until(self, wake: asyncio.Event) -> None:
        waits = [asyncio.create_task(wake.wait()), asyncio.create_task(self._ending.wait())]
        try:
            await asyncio.wait(waits, timeout=PULSE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()


def _newest_first(card: Card) -> bool:
    return card.standing in NEWEST_FIRST


def event(name: str, data: str) -> bytes:
    """One server-sent event."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines())
    return f"event: {name}\n{lines}\n".encode()


class BoardFragments:
    """What one open board holds, and what must be sent to make it current."""

    def __init__(self, live: Live, presenter: Presenter, render: Callable[..., str]) -> None:
        self._live, self._presenter, self._render = live, presenter, render
        self._cards: dict[str, Card] = {}
        self._rest: dict[str, str] = {}
        self._whole = True

    def __call__(self) -> str:
        board, now = self._live.board(self._presenter)
        groups = self._presenter.groups(board, now)
        cards = {card.id: card for group in groups for card in group.cards}
        parts: list[str] = []
        if self._whole:
            parts += [self._render("_list.html", group=group, oob=True) for group in groups]
            self._whole = False
        else:
            parts += self._moved(cards)
        self._cards = cards
        rest = {
            "counts": self._render("_counts.html", groups=groups, oob=True),
            "urgent": self._render("_urgent.html", calls=board.calls, alarms=board.alarms, now=now, oob=True),
            "stations": self._render(
                "_stations.html", stations=self._presenter.stations(board, now), oob=True
            ),
        }
        parts += [html for name, html in rest.items() if self._rest.get(name) != html]
        self._rest = rest
        return "\n".join(parts)

    def _moved(self, cards: dict[str, Card]) -> list[str]:
        parts: list[str] = []
        for id, old in self._cards.items():
            new = cards.get(id)
            if new is None or new.standing != old.standing:
                parts.append(self._render("_gone.html", id=id))
        arrived = [
            new
            for id, new in cards.items()
            if id not in self._cards or self._cards[id].standing != new.standing
        ]
        # Lists that show the newest first take cards in at the top: the newest goes in last.
        parts += [
            self._render("_arrived.html", card=card, top=False) for card in arrived if not _newest_first(card)
        ]
        parts += [
            self._render("_arrived.html", card=card, top=True)
            for card in arrived[::-1]
            if _newest_first(card)
        ]
        for id, new in cards.items():
            old = self._cards.get(id)
            if old is not None and new.standing == old.standing and new != old:
                parts.append(self._render("_card.html", card=new, oob=True))
        return parts
