"""A card laid on the reader → its fields on the lobby's screen. Held against the goal, and the bare time on the line."""

from __future__ import annotations

import time

from tools.bench.figure import Figure, p50_p99
from tools.bench.scene import SERIAL, Bytes, scene, to_card

ROUNDS = 60
FRAME = 1295
"""Bytes of the reader's answer that holds text and photo (device-protocols.md §1)."""
GOAL_MS = 100.0


def measure() -> list[Figure]:
    """A round reads the card once more by the screen's own button."""
    placed: list[float] = []
    arrived: list[float] = []
    with scene() as it, it.window("lobby") as lobby:
        sent = Bytes()
        reader = it.devices.reader
        reader.wire.send = sent.watch(reader.wire.send)
        to_card(lobby)
        for _ in range(ROUNDS):
            laid = time.monotonic()
            reader.place()
            drawn = lobby.do("wait", text="2040-01-01", within=10)["at"]
            arrived.append(drawn - sent.last(FRAME))
            placed.append(drawn - laid)
            reader.remove()
            lobby.tap("again")
            lobby.wait_screen("card")
    line_ms = FRAME / SERIAL * 1000
    return [
        *p50_p99("card's frame arrived → fields drawn", arrived, GOAL_MS, "goal"),
        *p50_p99("card laid → fields drawn", placed, line_ms, f"{FRAME} bytes at 115200 baud"),
    ]
