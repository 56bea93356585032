"""What must be settled before Kivy is imported: its environment, then its configuration, then what a window may do.

Kivy reads its environment at import and its window's size at creation, so `prepare` is the first thing an app calls.
Tests and the picture maker call it too, with `offscreen`. Kivy's own files, arguments and logs stay out of the way.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class WindowPlan:
    """How the window stands. `kiosk` = full screen, no pointer, can't be closed by a visitor; sizes in pixels."""

    width: int = 1080
    height: int = 1920
    left: int = 0
    top: int = 0
    kiosk: bool = False
    rotation: int = 0
    """Degrees, for a panel that hangs the other way round."""
    touch: str = ""
    """A Kivy input provider such as `mtdev,/dev/input/event3`; "" = the mouse of X (never both: taps count twice)."""


ENVIRONMENT = {
    "KIVY_NO_ARGS": "1",
    "KIVY_NO_CONFIG": "1",
    "KIVY_NO_FILELOG": "1",
    "KIVY_LOG_MODE": "PYTHON",
    "KIVY_METRICS_DENSITY": "1",
    "KIVY_DPI": "96",
    # One provider each: trying the others costs a tenth of a second before the first frame.
    "KIVY_IMAGE": "sdl2",
    "KIVY_TEXT": "sdl2",
}


def prepare(plan: WindowPlan, *, offscreen: bool = False) -> None:
    """Set Kivy up for `plan`.

    Raises:
        RuntimeError: Kivy was imported before, so its environment can't be set any more.
    """
    if "kivy" in sys.modules and not os.environ.get("KIVY_NO_ARGS"):
        raise RuntimeError("kivy was imported before kiosk.ui.window.prepare")
    os.environ.update(ENVIRONMENT)
    if offscreen:
        os.environ["SDL_VIDEODRIVER"] = "offscreen"

    import logging

    # Kivy tells its whole start, from its import on; a terminal's log is for what went wrong. It sets its own level, too,
    # so one of ours wouldn't last.
    logging.getLogger("kivy").addFilter(lambda record: record.levelno >= logging.WARNING)

    from kivy.config import Config

    graphics = {
        "width": plan.width,
        "height": plan.height,
        "position": "custom",
        "left": plan.left,
        "top": plan.top,
        "rotation": plan.rotation,
        "resizable": 0 if plan.kiosk else 1,
        "fullscreen": "auto" if plan.kiosk else 0,
        "borderless": 1 if plan.kiosk else 0,
        "show_cursor": 0 if plan.kiosk else 1,
        # Anti-aliasing is in the textures; multisampling would cost 70 MB of memory with software GL.
        "multisamples": 0,
        "allow_screensaver": 0,
        "maxfps": 60,
        "vsync": 0,
    }
    for key, value in graphics.items():
        Config.set("graphics", key, str(value))
    Config.set("kivy", "exit_on_escape", "0")
    Config.set("kivy", "desktop", "0")
    # Exactly one provider: two would count every tap twice.
    Config.remove_section("input")
    Config.add_section("input")
    if not offscreen:
        provider = plan.touch or "mouse,disable_multitouch"
        Config.set("input", "touch" if plan.touch else "mouse", provider)


def guard(*, kiosk: bool) -> None:
    """Refuse what a visitor must not do: closing the window, opening Kivy's settings by F1."""
    from kivy.core.window import Window

    Window.bind(on_request_close=lambda *_args, **_kwargs: kiosk)


def end_on_signals() -> None:
    """Ctrl-C and SIGTERM end the app as its own end would: stores closed, exit code 0."""
    import signal

    from kivy.app import App
    from kivy.clock import Clock

    def end(*_: object) -> None:
        app = App.get_running_app()
        if app is not None:
            app.stop()

    def asked(_number: int, _frame: object) -> None:
        # A handler may interrupt any instruction: only leave a note for the next turn of the loop.
        Clock.schedule_once(end, 0)

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, asked)
