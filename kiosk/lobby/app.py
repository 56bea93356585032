"""The lobby terminal: the visitor's session, its screens, the desk and the devices, joined.

Kivy is imported only inside `run`, after its environment is set; the welcome screen stands before the station is opened.
Callbacks from the worker and from devices cross to the window's thread by `post`; nothing else is shared.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.ui.window import WindowPlan, prepare

if TYPE_CHECKING:
    from kiosk.station.settings import LobbySettings


def run(settings: LobbySettings, *, pilot: Path | None = None) -> int:
    """Run the terminal until it is ended; the exit code (0 ended, 1 too many faults, 2 could not be opened).

    Args:
        pilot: a path for the control socket of `kiosk.ui.pilot`; None = there is none.
    """
    plan = settings.window
    prepare(
        WindowPlan(
            plan.width, plan.height, plan.left, plan.top, kiosk=plan.fullscreen, rotation=plan.rotation
        )
    )

    from collections.abc import Callable
    from typing import TypeVar

    from broker.contract.facts import Decision, SlipOutcome
    from kiosk.lobby.flows.registration import Waiting
    from kiosk.lobby.outside import Signs
    from kiosk.lobby.screens.catalogue import import_all
    from kiosk.lobby.screens.view import LobbyView
    from kiosk.lobby.session import Session
    from kiosk.ui.shell import Shell, post

    T = TypeVar("T")

    class Lobby(Shell):
        def __init__(self) -> None:
            super().__init__(kiosk=plan.fullscreen, pilot=pilot)
            self.session = Session(
                language=settings.languages[0], now=time.monotonic, do=self._do, changed=self._changed
            )
            self.view = LobbyView(self.stage, self.session)
            self._world: World | None = None

        def draw(self) -> None:
            self.view.draw()

        def _changed(self) -> None:
            # Changes come in bursts (a step and its problem); the last one of a frame is drawn.
            self.view.draw()

        def tick(self) -> None:
            world = self._world
            if world is not None:
                status = world.station.status()
                self.session.sign(Signs(status.online, status.backlog, status.alarms))
                site = world.station.site
                self.session.site(site.areas, site.policy, settings.visit_type)
            self.session.tick()
            self.view.tick()

        def on_activity(self) -> None:
            self.session.touched()

        def on_fault(self, fault: str) -> None:
            self.session.crashed(fault)

        def open_world(self) -> None:
            world = World(self)
            post(lambda: self._opened(world))
            import_all()

        def _opened(self, world: World) -> None:
            self._world = world
            site = world.station.site
            self.session.site(site.areas, site.policy, settings.visit_type)
            self.session.open(
                world.desk,
                world.hub.reader,
                on_card=lambda card: post(lambda: self.session.card(card)),
                on_trouble=lambda trouble: post(lambda: self.session.card_trouble(trouble)),
            )

        def close_world(self) -> None:
            if self._world is not None:
                self._world.close()

        def _do(
            self, job: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]
        ) -> None:
            assert self._world is not None
            self._world.station.worker.submit(
                job,
                lambda result: post(lambda: done(result)),
                lambda error: post(lambda: failed(error)),
            )

    class World:
        """What stands behind the window. Made on the opening thread."""

        def __init__(self, lobby: Lobby) -> None:
            from firmware_bridge.hub import Hub
            from kiosk.lobby.desk import Desk, DeskListener, VisitView
            from kiosk.station.station import Station

            session = lobby.session

            class Listener(DeskListener):
                def on_waiting(self, visit: str, waiting: Waiting) -> None:
                    post(lambda: session.waiting(visit, waiting))

                def on_decision(self, visit: str, decision: Decision, place: str) -> None:
                    post(lambda: session.decided(visit, decision, place))

                def on_slip(self, visit: str, outcome: SlipOutcome, reason: str) -> None:
                    post(lambda: session.slip(visit, outcome, reason))

                def on_call_taken(self, call: str) -> None:
                    post(lambda: session.call_taken(call))

                def on_recall(self, view: VisitView) -> None:
                    post(lambda: session.take_up(view, by_staff=True))

            self.station = Station(settings, "lobby")
            self.hub = Hub(settings.devices, self.station.device)
            self.desk = Desk(
                self.station,
                printer=self.hub.printer,
                listener=Listener(),
                visit_type=settings.visit_type,
            )
            self.hub.start()
            self.station.start()

        def close(self) -> None:
            self.hub.stop()
            self.station.stop()

    app = Lobby()
    app.run()
    return app.exit_code
