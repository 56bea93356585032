"""The press that ends the registration → the receipt's bytes handed to the printer's port, where policy agrees by itself.

In between lie a visit registered, decided and given a pass, each on the disk before the next; so the bare cost of that is
measured beside it: three syncs of a block, and the time the same bytes take on the line.
"""

from __future__ import annotations

import os
import tempfile
import time

from tools.bench.figure import Figure, p50_p99, quantile
from tools.bench.scene import AGREED_BY_ITSELF, SERIAL, Bytes, scene, to_card, to_summary, to_welcome

ROUNDS = 20
GOAL_MS = 50.0
SETTLED = 0.6
"""Seconds until a new screen takes touches and has stopped moving."""
RECEIPT = 100
"""Bytes: status requests are 3, a receipt is several hundred."""


def measure() -> list[Figure]:
    taken: list[float] = []
    sizes: list[int] = []
    with scene(AGREED_BY_ITSELF) as it:
        read = Bytes()
        wire = it.devices.printer.wire
        wire._on_bytes = read.watch(wire._on_bytes)
        it.house.centre()
        with it.window("lobby") as lobby:
            for number in range(1, ROUNDS + 1):
                to_card(lobby)
                to_summary(lobby, it.devices)
                before = len(read.crossed)
                # A touch right after a change of screen is refused and tried again; nobody reads a summary that fast.
                time.sleep(SETTLED)
                pressed = time.monotonic()
                lobby.tap("next")
                it.devices.printer.wait_for_receipt(number, 20)
                pieces = [(at, size) for at, size in read.crossed[before:] if size >= RECEIPT]
                taken.append(pieces[-1][0] - pressed)
                sizes.append(sum(size for _, size in pieces))
                to_welcome(lobby)
    line_ms = sizes[-1] / SERIAL * 1000
    syncs = [sum(three) for three in zip(*[iter(synced(3 * 200))] * 3, strict=True)]
    return [
        *p50_p99("press → receipt at the port", taken, GOAL_MS, "goal"),
        *p50_p99("press → receipt at the port,", taken, quantile(syncs, 0.5) * 1000, "three fdatasyncs, p50"),
        Figure("receipt on the line", line_ms, "ms", GOAL_MS, f"goal; {sizes[-1]} bytes at 115200 baud"),
    ]


def synced(count: int) -> list[float]:
    """How long each of so many overwrites of a 4 KiB block takes to reach the disk, in seconds."""
    taken: list[float] = []
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(4096))
        for _ in range(count):
            file.seek(0)
            file.write(os.urandom(4096))
            began = time.perf_counter()
            file.flush()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return taken
