"""The gate post: scanner, lane and the guards' screen, joined. Works the same with and without the line.

A scan goes from the scanner's thread to the worker, its verdict from there to the window; nothing else is shared. Kivy is
imported only inside `run`, after its environment is set.
"""

from __future__ import annotations

import logging
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.ui.window import WindowPlan, prepare

if TYPE_CHECKING:
    from kiosk.gate.lane.lane import LaneResult
    from kiosk.station.settings import GateSettings

_log = logging.getLogger(__name__)


def run(settings: GateSettings, *, pilot: Path | None = None) -> int:
    """Run the post until it is ended; the exit code (0 ended, 1 too many faults, 2 could not be opened).

    Args:
        pilot: a path for the control socket of `kiosk.ui.pilot`; None = there is none.
    """
    plan = settings.window
    prepare(
        WindowPlan(
            plan.width, plan.height, plan.left, plan.top, kiosk=plan.fullscreen, rotation=plan.rotation
        )
    )

    from firmware_bridge.capabilities import DeviceHealth, LinkState, Scan
    from kiosk.gate.screens.board import Board, Signs
    from kiosk.gate.screens.view import GateView
    from kiosk.ui.shell import Shell, post

    class Gate(Shell):
        def __init__(self) -> None:
            super().__init__(kiosk=plan.fullscreen, pilot=pilot)
            self.board = Board(
                language=settings.language, gate=settings.station, now=time.monotonic, changed=self._changed
            )
            self.view = GateView(self.stage, self.board)
            self._world: World | None = None
            self.scanner_there = True

        def draw(self) -> None:
            self.view.draw()

        def _changed(self) -> None:
            self.view.draw()

        def tick(self) -> None:
            world = self._world
            if world is not None:
                status = world.station.status()
                since = None if status.online else status.since
                self.board.sign(
                    Signs(status.online, since, status.backlog, status.alarms, self.scanner_there)
                )
                self.board.site(world.station.site.areas)
            self.board.tick()
            self.view.tick()

        def on_fault(self, fault: str) -> None:
            self.board.failed(fault)

        def open_world(self) -> None:
            world = World(self)
            post(lambda: self._opened(world))

        def _opened(self, world: World) -> None:
            self._world = world
            self.board.open(world.station.site.areas)

        def close_world(self) -> None:
            if self._world is not None:
                self._world.close()

    class World:
        """What stands behind the window. Made on the opening thread."""

        def __init__(self, gate: Gate) -> None:
            from firmware_bridge.hub import Hub
            from kiosk.gate.post import GatePost
            from kiosk.station.station import Station

            self._gate = gate
            self.station = Station(settings, "gate")
            self.post = GatePost(self.station, settings)
            self.hub = Hub(settings.devices, self._health)
            if self.hub.scanner is not None:
                self.hub.scanner.listen(self._scanned)
            else:
                gate.scanner_there = False
            self.hub.start()
            self.station.start()

        def close(self) -> None:
            self.hub.stop()
            self.station.stop()

        def _health(self, health: DeviceHealth) -> None:
            self.station.device(health)
            if health.kind == "code_scanner":
                there = health.state is LinkState.READY
                post(lambda: setattr(self._gate, "scanner_there", there))

        def _scanned(self, scan: Scan) -> None:
            """On the scanner's thread: hand over and return."""
            board = self._gate.board

            def show(result: LaneResult) -> None:
                post(lambda: board.show(result))

            def failed(error: Exception) -> None:
                fault = secrets.token_hex(3).upper()
                _log.error("fault %s: a scan could not be judged: %s", fault, type(error).__name__)
                post(lambda: board.failed(fault))

            self.station.worker.submit(lambda: self.post.lane.scan(scan.text), show, failed)

    app = Gate()
    app.run()
    return app.exit_code
