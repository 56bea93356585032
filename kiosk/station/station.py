"""A terminal without its window: store, clock, log, uplink, site data and worker put together.

The lobby's desk and the gate's lane work on the worker's thread: `station.worker.submit(job, done)`. What comes down from
the centre arrives there too, and is passed to whoever listens (`Hearer`). A window asks `status()` for its corner signs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from broker.contract.asking import Answer, TimeAnswer
from broker.contract.event import ClockReading
from broker.contract.names import new_id
from broker.contract.state import Availability, DeviceState, StationState
from broker.contract.version import __version__
from firmware_bridge.capabilities import DeviceHealth, LinkState
from kiosk.station.clock import WARN_OFF, Clock
from kiosk.station.outbox import Outbox
from kiosk.station.passes import PassOffice
from kiosk.station.reach import Reach
from kiosk.station.settings import StationSettings
from kiosk.station.sitedata import SiteData
from kiosk.station.store import Store
from kiosk.station.uplink import Address, Uplink
from kiosk.station.worker import Worker

_log = logging.getLogger(__name__)
PRUNE_EVERY = 3600.0


class Hearer(Protocol):
    """Whoever works at this station: the lobby's desk, the gate's lane. Called on the worker's thread."""

    def on_answer(self, answer: Answer) -> None:
        """The centre answered one of our questions, or wants something."""
        ...

    def on_link(self, connected: bool) -> None:
        """The line to the broker came or went."""
        ...

    def on_site(self, kind: str) -> None:
        """A site document was renewed."""
        ...

    def tick(self) -> None:
        """About five times a second."""
        ...


@dataclass(frozen=True, slots=True)
class Status:
    """What a window shows in its corner. `since` is when `online` last changed; `heard` when the centre last answered."""

    online: bool
    since: datetime
    heard: datetime | None
    backlog: int
    alarms: tuple[str, ...]
    clock: ClockReading


class Station:
    """One terminal. `kind` is `lobby` or `gate`.

    Raises:
        StoreError: the data folder can't be used (in use by another process, another station's, not writable).
        SettingsError: the starter copy of the site can't be used.
    """

    def __init__(self, settings: StationSettings, kind: str, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.kind = kind
        self.store = Store(settings.folder, site=settings.site, station=settings.station)
        try:
            self.clock = clock or Clock()
            self.clock.confirmed = float(self.store.get("clock.confirmed", "0"))
            self.clock.wrote(self.store.last_written())
            self.outbox = Outbox(self.store, site=settings.site, station=settings.station, clock=self.clock)
            self.site = SiteData(self.store, starter=settings.starter)
        except Exception:
            self.store.close()
            raise
        self.passes = PassOffice(self.store, self.outbox, self.clock, self.site)
        self.reach = Reach(self.clock.seconds())
        self.worker = Worker(self._tick)
        self._hearers: list[Hearer] = []
        self._devices: dict[str, Availability] = {}
        self._since = self.clock.now()
        self._run = new_id()
        self._told_off = False
        self._told_clock = True
        self._prune_at = 0.0
        address = Address(settings.site, settings.station, settings.broker.host, settings.broker.port)
        self.uplink = Uplink(address, self.outbox, self, tell_state=self._state)
        self._status = self._look()

    def add(self, hearer: Hearer) -> None:
        """Let somebody hear what comes down. Before `start`."""
        self._hearers.append(hearer)

    def start(self) -> None:
        """Begin to work; returns at once, whether or not the centre is there."""
        self.worker.start()
        self.uplink.start()

    def stop(self) -> None:
        """Finish what was handed over, say goodbye to the broker, close the store. Takes a few seconds at most."""
        self.worker.stop()
        self.uplink.stop()
        self.store.close()

    def status(self) -> Status:
        """How the station stands, as of the last tick: no waiting, from any thread."""
        return self._status

    def alarms(self) -> list[str]:
        """What staff must see to, from the closed list of `StationState`."""
        found = {
            "clock_wrong": not self.clock.trusted,
            "name_taken": self.uplink.name_taken,
            "disk_full": self.store.failing,
            "no_policy": not self.site.complete,
        }
        return [name for name, there in found.items() if there]

    def device(self, health: DeviceHealth) -> None:
        """How a device is doing, from the device hub, on any thread."""
        availability = availability_of(health)
        self._devices = {**self._devices, health.name: availability}
        self.uplink.device(
            DeviceState(
                device=health.name,
                kind=health.kind,
                availability=availability,
                reason=health.reason,
                since=datetime.fromtimestamp(health.since, UTC),
                counters=health.counters,
            )
        )
        self.uplink.state_changed()

    # ---- the uplink's listener: hand over to the worker

    def on_answer(self, answer: Answer) -> None:
        # The round trip is measured where it ends; a busy worker must not look like a distant clock.
        if isinstance(answer, TimeAnswer):
            taken = self.clock.answered(answer)
            self.worker.submit(lambda: self._time_told(taken))
        else:
            self.worker.submit(lambda: self._each(lambda hearer: hearer.on_answer(answer)))

    def on_document(self, payload: bytes) -> None:
        self.worker.submit(lambda: self._document(payload))

    def on_link(self, connected: bool) -> None:
        self.worker.submit(lambda: self._link(connected))

    # ---- the worker's thread

    def _time_told(self, taken: bool) -> None:
        self.reach.answered(self.clock.monotonic(), self.clock.seconds())
        if not taken:
            return
        self.store.put("clock.confirmed", f"{self.clock.confirmed:.3f}")
        offset = self.clock.offset or 0.0
        if (abs(offset) > WARN_OFF) is not self._told_off:
            self._told_off = not self._told_off
            _log.warning("this station's clock is %.0f s from the centre's", offset)

    def _document(self, payload: bytes) -> None:
        kind = self.site.receive(payload, self.store, self.clock.now())
        if kind is None:
            return
        if kind == "keys":
            self.passes.keys_changed()
        self.uplink.state_changed()
        self._each(lambda hearer: hearer.on_site(kind))

    def _link(self, connected: bool) -> None:
        self.reach.link(connected, self.clock.seconds())
        self._feel_pulse()
        self._each(lambda hearer: hearer.on_link(connected))

    def _feel_pulse(self) -> None:
        now = self.clock.monotonic()
        if self.reach.due(now):
            self.uplink.ask(self.clock.ask())
        self.reach.check(now, self.clock.seconds())

    def _tick(self) -> None:
        now = self.clock.monotonic()
        self._feel_pulse()
        if self.clock.trusted is not self._told_clock:
            self._told_clock = self.clock.trusted
            _log.log(
                logging.INFO if self._told_clock else logging.ERROR,
                "this station's clock is %s",
                "right again" if self._told_clock else "wrong: no passes are issued, exits only",
            )
            self.uplink.state_changed()
        # A clock that is wrong by years would throw away what a restored centre still needs.
        if now >= self._prune_at and self.clock.trusted and self.clock.offset is not None:
            self._prune_at = now + PRUNE_EVERY
            self.outbox.prune(self.settings.keep_days)
            self.passes.prune()
        self._each(lambda hearer: hearer.tick())
        self._status = self._look()

    def _look(self) -> Status:
        return Status(
            online=self.reach.online,
            since=datetime.fromtimestamp(self.reach.since, UTC),
            heard=None if self.reach.heard is None else datetime.fromtimestamp(self.reach.heard, UTC),
            backlog=self.outbox.backlog(),
            alarms=tuple(self.alarms()),
            clock=self.clock.reading(),
        )

    def _each(self, tell: Callable[[Hearer], None]) -> None:
        for hearer in self._hearers:
            tell(hearer)

    def _state(self) -> StationState:
        return StationState(
            station=self.settings.station,
            run=self._run,
            kind=self.kind,
            online=True,
            since=self._since,
            version=__version__,
            backlog=self.outbox.backlog(),
            clock=_roughly(self.clock.reading()),
            devices=self._devices,
            alarms=self.alarms(),
        )


def _roughly(reading: ClockReading) -> ClockReading:
    """To a tenth of a second: a state is published when it changes, and the last digits always do."""
    if reading.offset_ms is None or reading.sure_ms is None:
        return reading
    return ClockReading(offset_ms=round(reading.offset_ms, -2), sure_ms=-(-reading.sure_ms // 100) * 100)


def availability_of(health: DeviceHealth) -> Availability:
    """What staff need to know of a device: it works, it is there and can't work, it isn't there."""
    if health.state is LinkState.READY:
        return Availability.FAULT if health.reason else Availability.ONLINE
    return Availability.FAULT if health.state is LinkState.FAULT else Availability.OFFLINE
