"""What every lobby screen is: something that builds a frame from the session, and says when it must be built anew."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from kiosk.lobby.flows.registration import Registration
from kiosk.lobby.screens.frame import View
from kiosk.lobby.session import Session
from kiosk.ui.layout import Box


class Screen:
    """Base of all screens. `shape` holds what can't be updated in place; the stage rebuilds when it changes."""

    name: ClassVar[str] = ""

    def __init__(self, view: View) -> None:
        self.view = view

    @property
    def session(self) -> Session:
        return self.view.session

    @property
    def flow(self) -> Registration:
        """The registration that is shown; screens of a flow stand only while there is one."""
        flow = self.view.session.flow
        assert flow is not None
        return flow

    def shape(self) -> Hashable:
        return None

    def build(self) -> Box:
        raise NotImplementedError

    def update(self) -> None:
        """Something changed that needs no new shape."""
