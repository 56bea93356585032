"""A lobby's station in a process of its own, to be killed at any moment: reads drafts' names, prints what is on record.

    python lobby_process.py CONFIG

Each line on standard input registers one visit and prints its number once the desk says it is on record.
"""

from __future__ import annotations

import sys
from pathlib import Path

from kiosk.lobby.desk import Desk
from kiosk.lobby.flows.draft import Draft, Identity
from kiosk.station.settings import load_lobby
from kiosk.station.station import Station


def main() -> None:
    station = Station(load_lobby(Path(sys.argv[1])), "lobby")
    desk = Desk(station)
    station.start()
    print("ready", flush=True)
    for line in sys.stdin:
        draft = Draft(
            building="b1",
            unit="1",
            room="801",
            consent=True,
            identity=Identity.TYPED,
            name=line.strip(),
            phone="13812341234",
            purpose="family",
            arranged=True,
        )
        station.worker.submit(
            lambda draft=draft: desk.register(draft), lambda visit: print(visit.number, flush=True)
        )


if __name__ == "__main__":
    main()
