"""Which screen draws what the session shows, by the session's own name for it."""

from __future__ import annotations

from kiosk.lobby.screens.answer import Declined, PassScreen
from kiosk.lobby.screens.card import Card
from kiosk.lobby.screens.consent import Consent
from kiosk.lobby.screens.host import Host
from kiosk.lobby.screens.person import Person
from kiosk.lobby.screens.purpose import Purpose
from kiosk.lobby.screens.recall import RecallScreen
from kiosk.lobby.screens.screen import Screen
from kiosk.lobby.screens.summary import Registering, Summary
from kiosk.lobby.screens.waiting import WaitingScreen
from kiosk.lobby.screens.welcome import Crash, Farewell, NotSetUp, Welcome

SCREENS: dict[str, type[Screen]] = {
    screen.name: screen
    for screen in (
        Welcome,
        NotSetUp,
        Crash,
        Host,
        Consent,
        Card,
        Person,
        Purpose,
        Summary,
        Registering,
        WaitingScreen,
        PassScreen,
        Declined,
        Farewell,
        RecallScreen,
    )
}
