"""Which screen draws what the session shows, by the session's own name for it.

A screen's module is imported when it is first shown: the welcome stands sooner than all of them could be read.
"""

from __future__ import annotations

from importlib import import_module

from kiosk.lobby.screens.screen import Screen

WHERE: dict[str, tuple[str, str]] = {
    "welcome": ("welcome", "Welcome"),
    "not_set_up": ("welcome", "NotSetUp"),
    "crash": ("welcome", "Crash"),
    "farewell": ("welcome", "Farewell"),
    "host": ("host", "Host"),
    "consent": ("consent", "Consent"),
    "card": ("card", "Card"),
    "person": ("person", "Person"),
    "purpose": ("purpose", "Purpose"),
    "summary": ("summary", "Summary"),
    "registering": ("summary", "Registering"),
    "waiting": ("waiting", "WaitingScreen"),
    "pass": ("answer", "PassScreen"),
    "declined": ("answer", "Declined"),
    "recall": ("recall", "RecallScreen"),
}
"""(module, class) of each screen."""


def screen_for(name: str) -> type[Screen]:
    """The screen of a name.

    Raises:
        KeyError: no such screen.
    """
    module, kind = WHERE[name]
    found = getattr(import_module(f"kiosk.lobby.screens.{module}"), kind)
    assert issubclass(found, Screen)
    return found


def import_all() -> None:
    """Read the others too, once the first frame stands, so that no visitor waits for it."""
    for name in WHERE:
        screen_for(name)
