"""A scan's last byte → the verdict drawn at the gate. In between it is judged and on record, on the disk."""

from __future__ import annotations

import time

from tools.bench.case_print import synced
from tools.bench.figure import Figure, p50_p99, quantile
from tools.bench.scene import AGREED_BY_ITSELF, codes, scene, words

ANY_NUMBER = {"entries = 1 ": "entries = 0 "}
"""Passes that open the gate any number of times, so that a few serve for many scans."""

PASSES = 7
"""An odd number: with every second one inside to begin with, in and out take turns, and so do the two verdicts."""

ROUNDS = 70
PACE = 0.75
"""Seconds a scan: the same pass comes back after PASSES of them, past the time in which it would be a re-read."""
GOAL_MS = 50.0


def measure() -> list[Figure]:
    taken: list[float] = []
    with scene(AGREED_BY_ITSELF | ANY_NUMBER) as it:
        it.house.centre()
        gate = it.window("gate")
        with it.window("lobby") as lobby:
            texts = codes(lobby, it.devices, PASSES)
        scanner = it.devices.scanner_named("gate-scanner")
        inside = [False] * PASSES

        def scan(number: int) -> float:
            """Scan one pass and return how long its verdict took."""
            inside[number] = not inside[number]
            expected = words("gate.admitted" if inside[number] else "gate.left")
            sent = time.monotonic()
            scanner.scan(texts[number])
            return gate.do("wait", text=expected, within=10)["at"] - sent

        with gate:
            gate.wait_screen("idle", 30)
            for number in range(0, PASSES, 2):
                scan(number)
                time.sleep(PACE)
            time.sleep(5)
            for turn in range(ROUNDS):
                began = time.monotonic()
                taken.append(scan(turn % PASSES))
                time.sleep(max(0.0, began + PACE - time.monotonic()))
    sync = quantile(synced(200), 0.5) * 1000
    return [
        *p50_p99("scan → verdict drawn", taken, GOAL_MS, "goal"),
        *p50_p99("scan → verdict drawn,", taken, sync, "one fdatasync, p50"),
    ]
