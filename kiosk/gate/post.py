"""A gate post: a station and its one lane, joined; and the same verdict for the command line, read-only.

The window submits scans to the station's worker: `station.worker.submit(lambda: post.lane.scan(text), show)`.
"""

from __future__ import annotations

from broker.contract.asking import Answer
from broker.contract.verdict import Direction, Verdict
from kiosk.gate.lane.judge import Judge, Plan
from kiosk.gate.lane.lane import Lane
from kiosk.gate.lane.ledger import Ledger
from kiosk.station.clock import Clock
from kiosk.station.settings import GateSettings
from kiosk.station.sitedata import SiteData
from kiosk.station.station import Station
from kiosk.station.store import ReadOnlyStore


class GatePost:
    """Makes the lane of a gate's station. Before `station.start()`."""

    def __init__(self, station: Station, settings: GateSettings) -> None:
        self.station = station
        self.lane = Lane(
            plan_of(settings),
            gate=settings.station,
            store=station.store,
            outbox=station.outbox,
            clock=station.clock,
            site=station.site,
            offline=lambda: not station.reach.online,
        )
        station.add(self)

    def on_answer(self, answer: Answer) -> None:
        # Nothing is asked for at a gate yet but the time, which the station hears itself.
        pass

    def on_link(self, connected: bool) -> None:
        # The lane works without the line; each verdict asks whether it is there.
        pass

    def on_site(self, kind: str) -> None:
        # The judge reads the site data anew at each scan.
        pass

    def tick(self) -> None:
        self.lane.tick()


def plan_of(settings: GateSettings) -> Plan:
    """Where the lane stands, by its settings."""
    direction = None if settings.direction == "auto" else Direction(settings.direction)
    return Plan(direction=direction, buildings=tuple(settings.buildings), areas=tuple(settings.areas))


def look(text: str, settings: GateSettings, direction: Direction | None = None) -> tuple[Verdict, Direction]:
    """The verdict the gate would give now, from its data, writing nothing and using nothing up.

    Raises:
        StoreError: the gate was never started, or its data can't be read.
        SettingsError: the starter copy of the site can't be used.
    """
    store = ReadOnlyStore(settings.folder)
    try:
        clock = Clock(confirmed=float(store.get("clock.confirmed", "0")), written=store.last_written())
        site = SiteData(store, starter=settings.starter)
        judge = Judge(plan_of(settings), site, Ledger(store))
        return judge.judge(text, now=int(clock.seconds()), clock_trusted=clock.trusted, direction=direction)
    finally:
        store.close()
