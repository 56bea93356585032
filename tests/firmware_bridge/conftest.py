"""Simulated devices over real pseudo-terminals, a hub on them, and waiting with a deadline instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from firmware_bridge.capabilities import DeviceHealth
from firmware_bridge.config import (
    CodeScannerSettings,
    DeviceSettings,
    IdReaderSettings,
    TicketPrinterSettings,
)
from firmware_bridge.hub import Hub
from firmware_bridge.simulators import Simulators

Eventually = Callable[[Callable[[], object]], None]
READER = IdReaderSettings(name="id-reader", resource="serial:id-reader", poll_seconds=0.05)
PRINTER = TicketPrinterSettings(name="printer", resource="serial:printer", print_speed=2000)
SCANNER = CodeScannerSettings(name="scanner", resource="serial:scanner")


@pytest.fixture
def eventually() -> Eventually:
    """Wait until a condition holds; fail after twenty seconds."""

    def wait(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, "it never came to be"
            time.sleep(0.005)

    return wait


@pytest.fixture
def devices(tmp_path: Path) -> Iterator[Simulators]:
    with Simulators(tmp_path / "devices") as simulators:
        yield simulators


HubMaker = Callable[..., AbstractContextManager[Hub]]


@pytest.fixture
def ready_hub(devices: Simulators, eventually: Eventually) -> HubMaker:
    """`with ready_hub(settings, …) as hub`: a hub on the simulated devices, once all of them are ready."""

    @contextmanager
    def make(
        *settings: DeviceSettings, on_health: Callable[[DeviceHealth], None] | None = None
    ) -> Iterator[Hub]:
        with Hub(settings, on_health, folder=devices.folder) as hub:
            eventually(lambda: all(health.state == "ready" for health in hub.health()))
            yield hub

    return make
