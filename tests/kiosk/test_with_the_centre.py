"""A lobby, a gate and the real centre on one machine: one visit from registration to leaving, line up and line down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.contract.verdict import Outcome, Reason
from kiosk.gate.lane.lane import LaneResult
from kiosk.gate.post import GatePost
from kiosk.lobby.desk import Desk
from kiosk.lobby.flows.draft import Draft, Identity, PassShown, RegisteredVisit
from kiosk.station.station import Station
from tests.support.centre import DEMO_SITE, RunningCentre, running_centre
from tests.support.terminal import gate_settings, kinds, lobby_settings, wait_for

DRAFT = Draft(
    building="b1",
    unit="1",
    room="801",
    consent=True,
    identity=Identity.TYPED,
    name="Zhang Wei",
    phone="13812341234",
    purpose="family",
    arranged=True,
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The demo's site, where visits are agreed by themselves."""
    path = tmp_path / "site.toml"
    path.write_text(re.sub(r'decider = "staff"', 'decider = "policy"', DEMO_SITE.read_text("utf-8")), "utf-8")
    return path


@pytest.fixture
def centre(tmp_path: Path, site: Path) -> Iterator[RunningCentre]:
    with running_centre(tmp_path / "centre", site_file=site) as running:
        yield running


def test_one_visit_through_every_real_part_but_the_windows(tmp_path: Path, centre: RunningCentre):
    lobby = Station(lobby_settings(tmp_path / "lobby", centre.mqtt_port, site_file=None), "lobby")
    desk = Desk(lobby)
    settings = gate_settings(tmp_path / "gate", centre.mqtt_port, site_file=None)
    gate = Station(settings, "gate")
    post = GatePost(gate, settings)
    lobby.start()
    gate.start()
    # Nothing was known to either but the line: policy, areas and the lobby's key come down it.
    wait_for(lambda: lobby.site.complete and gate.site.complete, 10)
    visits: list[RegisteredVisit] = []
    shown: list[PassShown | None] = []
    lobby.worker.submit(lambda: desk.register(DRAFT), visits.append)
    wait_for(lambda: visits)
    lobby.worker.submit(lambda: desk.pass_for(visits[0].id), shown.append)
    wait_for(lambda: shown)
    assert shown[0] is not None
    text = shown[0].text
    wait_for(lambda: gate.site.key_set.keys and gate.status().online)
    results: list[LaneResult] = []

    def scan() -> LaneResult:
        before = len(results)
        gate.worker.submit(lambda: post.lane.scan(text), results.append)
        wait_for(lambda: len(results) > before)
        return results[-1]

    first = scan()
    assert (first.verdict.outcome, first.verdict.reason, first.offline) == (
        Outcome.ADMITTED,
        Reason.OK,
        False,
    )
    assert first.seconds < 0.05
    wait_for(lambda: lobby.outbox.backlog() == 0 and gate.outbox.backlog() == 0)
    # The line goes; the gate goes on and says so; what happened arrives when the centre is back.
    centre.kill()
    wait_for(lambda: not gate.status().online)
    post.lane._recent.clear()
    with gate.store.transaction() as connection:
        connection.execute("UPDATE ledger SET last_at = 0")
    left = scan()
    assert (left.verdict.outcome, left.offline) == (Outcome.LEFT, True)
    assert gate.outbox.backlog() == 1
    centre.start()
    wait_for(lambda: gate.outbox.backlog() == 0, 15)
    assert kinds(gate) == ["log.opened", "pass.admitted", "pass.left"]
    assert [kind for kind in kinds(lobby) if kind != "pass_key.made"] == [
        "log.opened",
        "visit.registered",
        "visit.decided",
        "pass.issued",
        "slip.printed",
    ]
    lobby.stop()
    gate.stop()
