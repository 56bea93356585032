"""Pulled cables and killed processes in the middle of a visit: it goes on as the policy says, and nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from broker.contract.facts import Decision
from firmware_bridge.simulators.control import ask
from kiosk.ui.words import say
from tools.demo import Demo
from tools.house import House, Process, house, wait_for
from tools.pilot import Pilot
from tools.stage import DEMO

pytestmark = pytest.mark.timeout(300)

CLERKS_EVENTS = [
    "visit.registered",
    "host.answered",
    "visit.decided",
    "pass.issued",
    "slip.printed",
    "pass.admitted",
]
STATION = dict.fromkeys(CLERKS_EVENTS, "lobby-1") | {"host.answered": "centre", "pass.admitted": "gate-1"}
OFFLINE_EVENTS = [kind for kind in CLERKS_EVENTS if kind != "host.answered"]

AGREED_WHEN_CUT_OFF = {f'unreachable = "{rule}"': 'unreachable = "agree"' for rule in ("pin", "hold")}


class Open:
    """A house with everything running and everybody at their post."""

    def __init__(self, it: House, stack: ExitStack) -> None:
        self.house = it
        self.centre: Process = it.centre()
        it.devices()
        self.lobby, self.gate = it.window("lobby"), it.window("gate")
        self.demo = Demo(it.stage)
        self.demo.arrive(stack)
        # A gate can judge a pass only when it has heard of the lobby's key.
        wait_for(lambda: "pass_key.made" in it.types(), 20, "the lobby's key is at the centre")

    def kill_centre(self) -> None:
        self.centre.end(signal.SIGKILL)
        wait_for(lambda: not self._pids("mosquitto"), 10, "the broker is gone with the centre")

    def kill_broker(self) -> None:
        (pid,) = self._pids("mosquitto")
        os.kill(pid, signal.SIGKILL)

    def wait_events(self, wanted: list[str]) -> None:
        """Exactly these of the visit, each once, each station's in order; which station comes first is chance."""
        wait_for(lambda: set(wanted) <= set(self.house.types()), 30, f"{wanted} are at the centre")
        found = [(event["station"], event["type"]) for event in self.house.events()]
        for station in ("lobby-1", "centre", "gate-1"):
            own = [kind for where, kind in found if where == station and kind in CLERKS_EVENTS]
            assert own == [kind for kind in wanted if STATION[kind] == station]

    def _pids(self, name: str) -> list[int]:
        return [
            pid
            for pid, line in self.house.running().items()
            if Path(line.split()[0] if line else "").name == name
        ]


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[Open]:
    with house(DEMO.copy(tmp_path, AGREED_WHEN_CUT_OFF)) as it, ExitStack() as stack:
        yield Open(it, stack)
        it.report()


def test_with_the_centre_killed_the_visit_goes_on_and_its_events_arrive_later(open_house: Open) -> None:
    demo = open_house.demo
    demo.tell_whom()
    open_house.kill_centre()
    demo.tell_who()
    demo.tell_what_for()
    demo.lobby.wait_screen("pass", 30)
    demo.enter(demo.take_pass())
    assert open_house.lobby.popen.poll() is None
    open_house.centre = open_house.house.centre()
    open_house.wait_events(OFFLINE_EVENTS)
    (decided,) = [event for event in open_house.house.events() if event["type"] == "visit.decided"]
    assert decided["data"]["by"] == "offline"
    (admitted,) = [event for event in open_house.house.events() if event["type"] == "pass.admitted"]
    assert admitted["data"]["offline"] is True


def test_with_the_broker_killed_while_the_visitor_waits_the_answer_still_arrives(open_house: Open) -> None:
    demo = open_house.demo
    demo.tell_whom()
    demo.tell_who()
    demo.tell_what_for()
    visit = demo.clerk.waiting()
    open_house.kill_broker()
    demo.clerk.answer(visit, Decision.AGREED)
    demo.lobby.wait_screen("pass", 30)
    demo.enter(demo.take_pass())
    open_house.wait_events(CLERKS_EVENTS)


def test_with_the_printer_s_cable_pulled_the_pass_on_the_screen_opens_the_gate(open_house: Open) -> None:
    demo = open_house.demo
    demo.tell_whom()
    demo.tell_who()
    demo.tell_what_for()
    ask(open_house.house.stage.devices, "unplug", device="printer")
    demo.decide()
    demo.lobby.wait_text(say("zh_CN", "slip.unplugged"), 20)
    wait_for(lambda: "slip.printed" in open_house.house.types(), 10, "what became of the slip is on record")
    (slip,) = [event for event in open_house.house.events() if event["type"] == "slip.printed"]
    assert (slip["data"]["outcome"], slip["data"]["reason"]) == ("failed", "unplugged")


def test_a_lobby_killed_while_the_visitor_waits_gives_the_visit_back_for_its_number(open_house: Open) -> None:
    demo, it = open_house.demo, open_house.house
    demo.tell_whom()
    demo.tell_who()
    demo.tell_what_for()
    number = next(
        text.replace(" ", "")
        for text in demo.lobby.do("screen")["texts"]
        if len(text.replace(" ", "")) == 6 and text.replace(" ", "").isdigit()
    )
    open_house.lobby.end(signal.SIGKILL)
    it.stage.pilot("lobby").unlink()
    open_house.lobby = it.window("lobby")
    with Pilot(it.stage.pilot("lobby")) as demo.lobby:
        demo.lobby.wait_screen("welcome", 30)
        demo.clerk.answer(demo.clerk.waiting(), Decision.AGREED)
        demo.lobby.tap("find")
        demo.lobby.tap("field:number")
        demo.lobby.keys(number)
        demo.lobby.tap("field:last_four")
        demo.lobby.keys("001X")
        demo.lobby.tap("next")
        demo.lobby.wait_screen("pass", 20)
    assert it.types().count("visit.registered") == 1
