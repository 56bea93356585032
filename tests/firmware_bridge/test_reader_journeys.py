"""The card reader, from a hub to a simulated reader over a real pseudo-terminal, and everything that goes wrong on the way."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import partial

import pytest

from firmware_bridge.capabilities import DeviceHealth, IdCard, IdReader, ReaderTrouble
from firmware_bridge.config import IdReaderSettings
from firmware_bridge.drivers import sdt_reader
from firmware_bridge.hub import Hub
from firmware_bridge.simulators import Fault, Simulators, State, specimen

from .conftest import READER, Eventually, HubMaker


@dataclass
class Desk:
    """Who asks for a card, and what they heard."""

    cards: list[IdCard] = field(default_factory=list)
    troubles: list[ReaderTrouble] = field(default_factory=list)

    def ask(self, reader: IdReader | None) -> Desk:
        assert reader is not None
        reader.start(self.cards.append, self.troubles.append)
        return self

    @property
    def names(self) -> list[str]:
        return [card.name for card in self.cards]


def test_a_card_that_is_placed_is_read(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(READER) as hub:
        desk = Desk().ask(hub.reader)
        devices.reader.place(specimen("王芳", "11010519491231002X"))
        eventually(lambda: desk.cards)
        assert (desk.names, desk.troubles) == (["王芳"], [])
        assert len(desk.cards[0].photo) == 1024


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader nobody asks for a card is looked after more often than every five seconds."""
    monkeypatch.setattr(sdt_reader, "WATCH_SECONDS", 0.2)


@pytest.mark.usefixtures("watchful")
def test_nothing_that_concerns_a_card_is_sent_before_it_is_asked_for(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(READER) as hub:
        devices.reader.place()
        watched = hub.health()[0].counters["frames"] + 3
        eventually(lambda: hub.health()[0].counters["frames"] >= watched)
        assert devices.reader.state is State.PRESENT
        desk = Desk().ask(hub.reader)
        eventually(lambda: desk.cards)


def test_after_stop_nothing_comes(devices: Simulators, ready_hub: HubMaker, eventually: Eventually) -> None:
    with ready_hub(READER) as hub:
        first, second = Desk().ask(hub.reader), Desk()
        assert hub.reader is not None
        hub.reader.stop()
        devices.reader.place(specimen("张伟"))
        second.ask(hub.reader)
        eventually(lambda: second.cards)
        assert (first.cards, first.troubles) == ([], [])


def test_a_card_left_on_the_glass_is_not_the_next_visitor_s(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(READER) as hub:
        first = Desk().ask(hub.reader)
        devices.reader.place(specimen("张伟"))
        eventually(lambda: first.cards)
        second = Desk().ask(hub.reader)
        asked = hub.health()[0].counters["frames"] + 5
        eventually(lambda: hub.health()[0].counters["frames"] >= asked)
        assert (second.cards, devices.reader.reads) == ([], 1)
        devices.reader.remove()
        devices.reader.place(specimen("王芳", "11010519491231002X"))
        eventually(lambda: second.cards)
        assert second.names == ["王芳"]


def test_not_even_where_the_reader_would_offer_it_again(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(READER) as hub:
        devices.reader.fault(Fault.FINDS_AGAIN)
        first = Desk().ask(hub.reader)
        devices.reader.place(specimen("张伟"))
        eventually(lambda: first.cards)
        second = Desk().ask(hub.reader)
        asked = hub.health()[0].counters["frames"] + 5
        eventually(lambda: hub.health()[0].counters["frames"] >= asked)
        assert (second.cards, devices.reader.reads) == ([], 1)


# A fault that strikes once or twice costs no more than time.
PASSING = {
    "the read fails twice": (Fault.READ_FAILS, 2),
    "the card refuses once": (Fault.CARD_REFUSED, 1),
    "half a frame": (Fault.TRUNCATED, 1),
    "a flipped byte": (Fault.FLIPPED, 1),
    "an impossible length": (Fault.LENGTH_FFFF, 1),
    "one answer that never comes": (Fault.SILENT, 1),
    "noise around every frame": (Fault.NOISE, None),
    "every frame byte by byte": (Fault.BYTE_BY_BYTE, None),
    "every answer twice": (Fault.GLUED, None),
}


@pytest.mark.parametrize("case", PASSING)
def test_the_card_is_read_all_the_same_after(
    case: str, devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    fault, times = PASSING[case]
    with ready_hub(READER) as hub:
        devices.reader.fault(fault, times)
        desk = Desk().ask(hub.reader)
        devices.reader.place(specimen("张伟"))
        eventually(lambda: desk.cards)
        assert (desk.names, desk.troubles) == (["张伟"], [])


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one_s(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(READER) as hub:
        devices.reader.fault(Fault.LATE, 1)
        desk = Desk().ask(hub.reader)
        devices.reader.place(specimen("张伟"))
        eventually(lambda: desk.cards)
        assert (desk.names, desk.troubles, devices.reader.reads) == (["张伟"], [], 2)
        assert hub.health()[0].counters["late_frames"] == 1


TROUBLES = {
    "the read fails every time": (Fault.READ_FAILS, [ReaderTrouble.KEEP_STILL, ReaderTrouble.NOT_READABLE]),
    "the card refuses every time": (Fault.CARD_REFUSED, [ReaderTrouble.NOT_READABLE]),
    "a card the reader doesn't know": (Fault.WRONG_CARD, [ReaderTrouble.OTHER_CARD]),
    "a card taken away too early": (Fault.CARD_LEAVES, [ReaderTrouble.KEEP_STILL]),
    "a reader that failed its self-test": (Fault.SELF_TEST, [ReaderTrouble.READER_FAULT]),
    "a reader that isn't authorised": (Fault.NOT_AUTHORISED, [ReaderTrouble.READER_FAULT]),
    "a reader gone silent": (Fault.SILENT, [ReaderTrouble.NO_ANSWER]),
    "a reader at another speed": (Fault.GARBAGE, [ReaderTrouble.NO_ANSWER]),
}


@pytest.mark.parametrize("case", TROUBLES)
def test_a_trouble_is_told_once_and_when_it_is_over_the_card_is_read(
    case: str, devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    fault, told = TROUBLES[case]
    with ready_hub(READER) as hub:
        devices.reader.fault(fault)
        desk = Desk().ask(hub.reader)
        devices.reader.place(specimen("张伟"))
        eventually(lambda: len(desk.troubles) >= len(told))
        assert desk.troubles[: len(told)] == told
        devices.reader.fault(Fault.NONE)
        devices.reader.place(specimen("张伟"))
        eventually(lambda: desk.cards)
        assert set(desk.troubles) == set(told)


@pytest.mark.parametrize("flag", ["J", "I", "Y"])
def test_another_kind_of_card_is_told_apart(
    flag: str, devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(READER) as hub:
        desk = Desk().ask(hub.reader)
        devices.reader.place(flag=flag)
        eventually(lambda: desk.troubles)
        assert (desk.troubles, desk.cards) == ([ReaderTrouble.OTHER_CARD], [])
        devices.reader.remove()
        devices.reader.place(specimen("张伟"))
        eventually(lambda: desk.cards)


def test_unplugged_in_the_middle_of_the_card_and_replugged_it_reads_on(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(READER) as hub:
        devices.reader.fault(Fault.UNPLUG_HALFWAY, 1)
        desk = Desk().ask(hub.reader)
        devices.reader.place(specimen("张伟"))
        eventually(lambda: desk.troubles)
        assert (desk.troubles, desk.cards) == ([ReaderTrouble.UNPLUGGED], [])
        assert (hub.health()[0].state.value, hub.health()[0].reason) == ("backoff", "unplugged")
        devices.replug("id-reader")
        eventually(lambda: desk.cards)
        assert desk.names == ["张伟"]


def test_asked_for_while_unplugged_it_says_so_at_once(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(READER) as hub:
        devices.unplug("id-reader")
        eventually(lambda: hub.health()[0].state != "ready")
        desk = Desk().ask(hub.reader)
        eventually(lambda: desk.troubles)
        assert desk.troubles == [ReaderTrouble.UNPLUGGED]


def test_a_reader_that_never_answers_is_never_ready(devices: Simulators, eventually: Eventually) -> None:
    devices.reader.fault(Fault.SILENT)
    told: list[DeviceHealth] = []
    with Hub([READER], told.append, folder=devices.folder) as hub:
        desk = Desk().ask(hub.reader)
        eventually(lambda: desk.troubles)
        assert desk.troubles == [ReaderTrouble.NO_ANSWER]
        assert [(health.state.value, health.reason) for health in told] == [("fault", "no_answer")]
        devices.reader.fault(Fault.NONE)
        devices.reader.place()
        eventually(lambda: desk.cards)


@pytest.mark.usefixtures("watchful")
def test_a_reader_that_falls_silent_is_noticed_though_nobody_asks_for_a_card(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(READER) as hub:
        devices.reader.fault(Fault.SILENT)
        eventually(lambda: hub.health()[0].reason == "no_answer")


def test_a_callback_may_stop_the_reader_and_one_that_fails_harms_nobody(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(READER) as hub:
        reader = hub.reader
        assert reader is not None
        called = threading.Event()

        def fail(_: object) -> None:
            reader.stop()
            called.set()
            raise RuntimeError("a listener's own mistake")

        reader.start(fail, fail)
        devices.reader.place()
        eventually(called.is_set)
        desk = Desk().ask(hub.reader)
        devices.reader.remove()
        devices.reader.place(specimen("王芳", "11010519491231002X"))
        eventually(lambda: desk.cards)


def test_stop_waits_for_a_callback_under_way(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(READER) as hub:
        reader = hub.reader
        assert reader is not None
        begun, ended = threading.Event(), threading.Event()

        def slow(_: object) -> None:
            begun.set()
            time.sleep(0.2)
            ended.set()

        reader.start(slow, lambda _: None)
        devices.reader.place()
        eventually(begun.is_set)
        reader.stop()
        assert ended.is_set()


def test_a_card_is_delivered_within_milliseconds_of_its_last_byte(
    devices: Simulators, ready_hub: HubMaker, eventually: Eventually
) -> None:
    with ready_hub(READER) as hub:
        took: list[float] = []
        reader = hub.reader
        for count in range(1, 6):
            reader.start(lambda _: took.append(time.monotonic() - reader.last_frame_at), lambda trouble: None)
            devices.reader.remove()
            devices.reader.place()
            eventually(partial(reached, took, count))
        assert min(took) < 0.01


def reached(news: list[float], count: int) -> bool:
    return len(news) >= count


def test_a_reader_at_a_url_is_spoken_to_as_one_at_a_path(devices: Simulators, eventually: Eventually) -> None:
    # `spy://` wraps a port; it stands for the URL handlers of pyserial.
    url = f"spy://{devices.ports['id-reader']}?file=/dev/null"
    settings = IdReaderSettings(name="id-reader", resource=url, poll_seconds=0.05)
    with Hub([settings]) as hub:
        desk = Desk().ask(hub.reader)
        devices.reader.place()
        eventually(lambda: desk.cards)
