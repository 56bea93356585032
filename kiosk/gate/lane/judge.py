"""The verdict at one lane: the contract's judge with this site's keys, this gate's areas and its ledger.

Which way somebody goes may be fixed or `auto`: whoever is inside by the ledger is leaving. How often a pass was used says
nothing about leaving, so it isn't asked then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from broker.contract import verdict
from broker.contract.passes import KeySet
from broker.contract.sitedata import Areas
from broker.contract.verdict import Direction, Verdict
from kiosk.gate.lane.ledger import Ledger


class Site(Protocol):
    """What a lane needs of the cached site data."""

    areas: Areas | None

    @property
    def key_set(self) -> KeySet: ...

    def area_mask(self, buildings: list[str], areas: list[int]) -> int: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the lane stands. `direction` None = auto; `buildings` by id and `areas` by bit are what is behind it."""

    direction: Direction | None
    buildings: tuple[str, ...] = ()
    areas: tuple[int, ...] = ()


class Judge:
    """Decides; writes nothing."""

    def __init__(self, plan: Plan, site: Site, ledger: Ledger) -> None:
        self._plan = plan
        self._site = site
        self._ledger = ledger

    def judge(
        self, text: str, *, now: int, clock_trusted: bool, direction: Direction | None = None
    ) -> tuple[Verdict, Direction]:
        """The verdict, and the way it is for. `now` in seconds since 1970; `direction` overrides the lane's own."""
        wanted = direction or self._plan.direction
        if wanted is not Direction.OUT:
            found = self._ask(text, now, clock_trusted, Direction.IN)
            if wanted is Direction.IN or found.vpass is None or not self._ledger.uses(found.vpass).inside:
                return found, Direction.IN
        return self._ask(text, now, clock_trusted, Direction.OUT), Direction.OUT

    def _ask(self, text: str, now: int, clock_trusted: bool, direction: Direction) -> Verdict:
        site = self._site.areas
        lane = verdict.Lane(
            # Site 0 is nobody's: a gate that was never told its site admits nobody.
            site=site.site_number if site else 0,
            areas=self._site.area_mask(list(self._plan.buildings), list(self._plan.areas)),
            direction=direction,
            clock_trusted=clock_trusted,
        )
        if direction is Direction.OUT:
            return verdict.judge(text, keys=self._site.key_set, lane=lane, now=now)
        return verdict.judge(text, keys=self._site.key_set, lane=lane, now=now, uses=self._ledger.uses)
