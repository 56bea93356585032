"""What both terminals' windows share: one stage, one clock, the first frame, faults, the way out, the pilot.

Kivy's thread draws and takes touches; what takes time runs elsewhere and comes back by `post`. Nothing is opened before
the first frame is on the screen: a visitor sees the welcome at once, whatever a disk or a port takes.
"""

from __future__ import annotations

import logging
import secrets
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from kivy.app import App
from kivy.base import ExceptionHandler, ExceptionManager
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.floatlayout import FloatLayout

from kiosk.ui import window
from kiosk.ui.stage import Stage

_log = logging.getLogger(__name__)

TICK = 0.2
FAULTS = 4
FAULTS_WITHIN = 180.0
"""So many faults in so many seconds: something is broken for good, and a fresh start is the better try."""


class Closable(Protocol):
    """The pilot, without its import where there is none."""

    def close(self) -> None: ...


def post(job: Callable[[], object]) -> None:
    """Run `job` on the window's thread, from any thread, in order."""
    Clock.schedule_once(lambda _dt: job(), 0)


class Shell(App):
    """A terminal's window.

    Subclasses draw in `draw`, open the world in `open_world` (on a thread of its own), close it in `close_world`.
    """

    use_kivy_settings = False

    def __init__(self, *, kiosk: bool, pilot: Path | None) -> None:
        super().__init__()
        self.stage = Stage(on_activity=self.on_activity)
        self.exit_code = 0
        self._kiosk = kiosk
        self._pilot_path = pilot
        self._pilot: Closable | None = None
        self._stopped = False
        self._faults: deque[float] = deque(maxlen=FAULTS)
        self._opening: threading.Thread | None = None
        self.first_frame_at = 0.0

    # ---- for subclasses

    def draw(self) -> None:
        """Bring the stage up to date with the state."""
        raise NotImplementedError

    def tick(self) -> None:
        """A few times a second, on the window's thread."""

    def on_activity(self) -> None:
        """Somebody touched the screen."""

    def open_world(self) -> None:
        """Open stores and devices; on its own thread. Raise to end the app with exit code 2."""

    def close_world(self) -> None:
        """Close them again."""

    def on_fault(self, fault: str) -> None:
        """Something failed that nobody foresaw; `fault` is the id under which the log has its cause."""

    # ---- Kivy's

    def build(self) -> FloatLayout:
        root = FloatLayout()
        root.add_widget(self.stage)
        window.guard(kiosk=self._kiosk)
        Window.bind(on_resize=lambda _window, w, h: self._resized(w, h))
        self._resized(*Window.size)
        return root

    def on_start(self) -> None:
        window.end_on_signals()
        ExceptionManager.add_handler(_Faults(self))
        threading.excepthook = self._thread_fault
        Window.bind(on_flip=self._flipped)
        Clock.schedule_interval(lambda _dt: self.tick(), TICK)

    def open_settings(self, *_: object) -> bool:
        # F1 opens Kivy's own settings; a visitor's terminal has none.
        return False

    def on_stop(self) -> None:
        # Kivy says it twice: when asked to stop, and when its loop has ended.
        if self._stopped:
            return
        self._stopped = True
        if self._pilot is not None:
            self._pilot.close()
        if self._opening is not None:
            self._opening.join(10.0)
        self.close_world()

    # ---- inside

    def _resized(self, width: float, height: float) -> None:
        if (width, height) != tuple(self.stage.size):
            self.stage.resize(width, height)
            self.draw()

    def _flipped(self, *_: object) -> None:
        Window.unbind(on_flip=self._flipped)
        self.first_frame_at = time.time()
        _log.info("first frame %.0f ms after the process began", 1000 * _age())
        self._opening = threading.Thread(target=self._open, name="opening", daemon=True)
        self._opening.start()
        if self._pilot_path is not None:
            from kiosk.ui.pilot import Pilot

            self._pilot = Pilot(self._pilot_path, self.stage)

    def _open(self) -> None:
        try:
            self.open_world()
        except Exception as error:
            # No configuration or folder to work with is a matter for the person who started it.
            _log.debug("opening failed", exc_info=True)
            print(f"{type(error).__name__}: {error}" if not str(error) else str(error), file=sys.stderr)
            self.exit_code = 2
            post(self.stop)

    def fault(self, error: BaseException, trace: bool = True) -> None:
        """Log what failed under an id, forget the visitor; too many faults end the process for a fresh start."""
        fault = secrets.token_hex(3).upper()
        _log.error("fault %s: %s", fault, type(error).__name__, exc_info=error if trace else None)
        now = time.monotonic()
        self._faults.append(now)
        if len(self._faults) == FAULTS and now - self._faults[0] < FAULTS_WITHIN:
            _log.critical("%d faults in %.0f s: ending, to be started anew", FAULTS, now - self._faults[0])
            self.exit_code = 1
            self.stop()
            return
        self.on_fault(fault)

    def _thread_fault(self, hook: threading.ExceptHookArgs) -> None:
        error = hook.exc_value
        if error is not None:
            post(lambda: self.fault(error))


class _Faults(ExceptionHandler):
    """Touches, timers and drawing: what they raise ends in `Shell.fault`, not in a dead screen."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def handle_exception(self, exception: BaseException) -> Any:
        if isinstance(exception, (KeyboardInterrupt, SystemExit)):
            return ExceptionManager.RAISE
        try:
            self._shell.fault(exception)
        except Exception:
            # The apology itself failed: better a fresh start than a loop.
            _log.exception("the fault screen failed")
            self._shell.exit_code = 1
            self._shell.stop()
        return ExceptionManager.PASS


def _age() -> float:
    """Seconds since this process began, by the kernel's clock (Linux: /proc/self/stat field 22, in ticks)."""
    import os

    try:
        fields = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
        began = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - began
    except (OSError, IndexError, ValueError):
        return 0.0
