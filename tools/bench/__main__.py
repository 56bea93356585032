"""Runs the cases: `make bench [CASE=name] [JSON=path]`. A new case is a module here and its line in CASES."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

from tools.bench.figure import Figure, table

CASES = {
    "card": "a card laid on the reader → its fields on the lobby's screen",
    "print": "finish pressed → the receipt's bytes handed to the port",
    "verdict": "a scan's last byte → the verdict drawn at the gate",
    "console": "a scan → its row in the console's page",
    "verify": "the whole log read and proven, in the cache",
    "start": "start of `kiosk lobby` → first frame",
    "pass": "issue of a pass with its image, and the strict check, against bare Ed25519",
    "station": "one visit's commit beside a bare fdatasync; an outbox of a million events",
    "ingest": "events a second through one centre, beside raw inserts and a plain loop",
    "fleet": "a thousand stations: commit → acknowledged, and all back at once after an hour offline",
}


def measure(case: str) -> list[Figure]:
    """Run one case; modules are loaded one by one, so that a case starts with a fresh memory of its own only."""
    return importlib.import_module(f"tools.bench.case_{case}").measure()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "case", nargs="*", choices=[[], *CASES], help="; ".join(f"{k}: {v}" for k, v in CASES.items())
    )
    parser.add_argument(
        "--json", type=Path, metavar="PATH", help="write {name, value, unit, limit_or_peer, ratio}"
    )
    options = parser.parse_args()
    figures: list[Figure] = []
    for case in options.case or CASES:
        print(f"{case}: {CASES[case]} …", file=sys.stderr, flush=True)
        found = measure(case)
        print(table(found), end="\n\n", flush=True)
        figures += found
    if options.json:
        options.json.write_text(
            json.dumps([f.as_json() for f in figures], indent=1, ensure_ascii=False) + "\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
