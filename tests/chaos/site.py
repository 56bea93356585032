"""A site in moments: a centre in the test's process, and stations that are started, stopped, copied and put back."""

from __future__ import annotations

import shutil
from pathlib import Path

from broker.contract.facts import PassAdmitted
from broker.contract.names import new_id
from kiosk.station.clock import Clock
from kiosk.station.station import Station
from tests.support.inner_centre import InnerCentre
from tests.support.mosquitto import Mosquitto
from tests.support.terminal import lobby_settings, wait_for

CTI = "00112233445566aa"


class Site:
    """A centre, and stations that are started, stopped, copied and put back."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.folder = folder
        self.broker = broker
        self.centre = InnerCentre(folder / "centre", broker.port)
        self._running: list[Station] = []
        self.said: set[str] = set()
        """Event ids that some station was told are on record."""

    def station(self, folder: str = "lobby", *, name: str = "lobby-1", clock: Clock | None = None) -> Station:
        made = Station(
            lobby_settings(self.folder / folder, self.broker.port, station=name), "lobby", clock=clock
        )
        made.start()
        self._running.append(made)
        return made

    def stop(self, station: Station) -> None:
        self._running.remove(station)
        station.stop()

    def admit(self, station: Station, count: int = 1) -> list[str]:
        """So many admissions, one after the other."""
        made = [
            station.outbox.append(PassAdmitted(cti=CTI, kid=7, nonce=new_id(), gate="lobby-1", offline=False))
            for _ in range(count)
        ]
        self.said.update(made)
        return made

    def settled(self, *stations: Station, seconds: float = 15.0) -> None:
        """Everything that any station was told is on record counts at the centre, once; logs are whole."""
        for station in stations or self._running:
            wait_for(
                lambda station=station: station.outbox.backlog() == 0,
                seconds,
                f"backlog 0 of log {station.outbox.log}",
            )
        found = self.centre.ledger()
        lost = self.said - found.ids
        assert not lost, f"{len(lost)} of {len(self.said)} facts are lost"
        admitted = found.types.get("pass.admitted", 0)
        assert admitted == len(self.said), "not every fact counts"
        [(entries,)] = self.centre.query("select sum(entries) from passes")
        assert entries == len(self.said), "the views do not count each fact once"

    def copy(self, of: str = "lobby", to: str = "copy") -> None:
        """The whole folder of a stopped station."""
        shutil.rmtree(self.folder / to, ignore_errors=True)
        shutil.copytree(self.folder / of, self.folder / to)

    def close(self) -> None:
        for station in self._running:
            station.stop()
        self.centre.crash()
