"""Driving a window from outside, for the demo, the system tests and the benches: a socket that exists only when asked for.

Started with `--pilot PATH`, a Unix socket (0600) takes one JSON object a line and answers one a line; without it there is
no socket, no thread, nothing. Touches go through Kivy's own input, at a widget's middle, as a finger's would.

    {"do": "screen"}                                 → {"ok": true, "screen": …, "texts": […], "buttons": [{name, texts, rect, enabled}]}
    {"do": "tap", "text": "访客登记"} | {"do": "tap", "name": "check-in"}   (waits for it up to "within", 5 s)
    {"do": "keys", "text": "Zhang Wei"}              taps on the on-screen keys
    {"do": "wait", "text": …} | {"screen": …} | {"gone": …}, "within": seconds      → {…, "at": when it was drawn}
    {"do": "shot", "path": "/tmp/a.png"}             the window as PNG, on the disk when answered
"""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from kivy.base import EventLoop
from kivy.clock import Clock
from kivy.input.motionevent import MotionEvent

from kiosk.ui.controls import Tap
from kiosk.ui.keyboard import Key, Letters
from kiosk.ui.layout import Box
from kiosk.ui.stage import Stage
from kiosk.ui.text import Text

T = TypeVar("T")
WITHIN = 5.0
"""Seconds a command waits for what it needs, unless it says otherwise."""

_ids = itertools.count(1)


class PilotError(RuntimeError):
    """A command that can't be done; the message goes back to whoever asked."""


class _Finger(MotionEvent):
    """A touch made by the pilot."""

    def __init__(self, x: float, y: float) -> None:
        window = EventLoop.window
        assert window is not None
        width, height = window.system_size
        super().__init__(
            "pilot", f"pilot{next(_ids)}", {"x": x / width, "y": y / height}, is_touch=True, type_id="touch"
        )

    def depack(self, args: dict[str, float]) -> None:
        self.profile = ("pos",)
        self.sx, self.sy = args["x"], args["y"]
        super().depack(args)


def touch_down(x: float, y: float) -> MotionEvent:
    """Put a finger down at window pixels (from the lower left)."""
    finger = _Finger(x, y)
    EventLoop.post_dispatch_input("begin", finger)
    return finger


def touch_up(finger: MotionEvent) -> None:
    """Lift it again."""
    finger.update_time_end()
    EventLoop.post_dispatch_input("end", finger)


def tap_at(x: float, y: float) -> None:
    """A short touch at window pixels (from the lower left)."""
    touch_up(touch_down(x, y))


def texts(stage: Stage) -> list[str]:
    """Every text that stands on the stage, in the order of the tree."""
    return [box.words for box in _shown(stage) if isinstance(box, Text) and box.words]


def taps(stage: Stage) -> list[Tap]:
    """Everything that can be pressed, keys included; under an overlay only the overlay's."""
    return [box for box in _shown(stage) if isinstance(box, Tap) and box.on_tap is not None]


def _shown(stage: Stage) -> Iterator[Box]:
    root = stage.overlay or stage.screen
    if root is not None:
        yield from _in_order(root)


def _in_order(box: Box) -> Iterator[Box]:
    yield box
    for child in reversed(box.children):
        if isinstance(child, Box):
            yield from _in_order(child)


def find(stage: Stage, *, text: str = "", name: str = "") -> Tap:
    """The thing to press with this name or text (whole text first, then part of it).

    Raises:
        PilotError: nothing, or nothing that can be pressed now.
    """
    shown = taps(stage)
    if name:
        found = [tap for tap in shown if tap.name == name]
    else:
        found = [tap for tap in shown if text in tap.spoken()] or [
            tap for tap in shown if any(text in words for words in tap.spoken())
        ]
    if not found:
        raise PilotError(f"nothing to press: {name or text!r}")
    if not found[0].enabled:
        raise PilotError(f"can't be pressed now: {name or text!r}")
    return found[0]


def press(stage: Stage, tap: Tap) -> None:
    """A finger on the middle of it; what lies above it gets the touch, as for a finger."""
    tap_at(*tap.center)


def type_keys(stage: Stage, text: str) -> None:
    """Press the keys for `text`; the shift key where a letter stands the other way.

    Raises:
        PilotError: no key for a character.
    """
    for character in text:
        board = next((box for box in _shown(stage) if isinstance(box, Letters)), None)
        if board is not None and character.isalpha() and character.isupper() is not board.upper:
            press(stage, find(stage, name="key:shift"))
        press(stage, find_key(stage, character))


def find_key(stage: Stage, character: str) -> Key:
    """The key for a character, in whichever case it stands.

    Raises:
        PilotError: no such key now.
    """
    for tap in taps(stage):
        if isinstance(tap, Key) and tap.key in (character, character.lower()):
            return tap
    raise PilotError(f"no key for {character!r}")


def describe(stage: Stage) -> dict[str, Any]:
    """What stands on the stage."""
    return {
        "screen": screen_name(stage),
        "texts": texts(stage),
        "buttons": [
            {
                "name": tap.name,
                "texts": tap.spoken(),
                "rect": [tap.x, tap.y, tap.width, tap.height],
                "enabled": tap.enabled,
            }
            for tap in taps(stage)
        ],
    }


def screen_name(stage: Stage) -> str:
    """The name of the screen, or `still_there` under the idle warning."""
    if stage.overlay is not None:
        return "still_there"
    key = stage.key
    return str(key[0] if isinstance(key, tuple) else key)


def shoot(stage: Stage, path: Path) -> None:
    """The stage as a PNG, complete on the disk when this returns."""
    from kivy.core.window import Window
    from kivy.graphics.opengl import GL_RGB, GL_UNSIGNED_BYTE, glFinish, glReadPixels
    from PIL import Image

    Window.dispatch("on_draw")
    glFinish()
    width, height = (int(side) for side in stage.size)
    data = glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE)
    picture = Image.frombytes("RGB", (width, height), bytes(data)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        picture.save(file, format="PNG", compress_level=2)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


class Pilot:
    """The socket and its thread. Commands run on the window's thread, one at a time."""

    def __init__(self, path: Path, stage: Stage) -> None:
        self._path = path
        self._stage = stage
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            self._socket.bind(str(path))
        finally:
            os.umask(before)
        self._socket.listen(4)
        self._keep_pace()
        threading.Thread(target=self._accept, name="pilot", daemon=True).start()

    @staticmethod
    def _keep_pace() -> None:
        """Finish each frame before the next is begun.

        A window without a screen has nothing that waits for its frames: with software GL on a busy machine they pile up
        to many seconds, and what was drawn is then seen by nobody until all are done.
        """
        from kivy.core.window import Window

        # By ctypes, because Kivy's own would keep Python's lock and with it all other threads from going on meanwhile.
        finish = ctypes.CDLL("libGL.so.1").glFinish
        Window.bind(on_flip=lambda *_: finish())

    def close(self) -> None:
        """Stop listening; the socket's file goes."""
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="pilot", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream:
            for line in stream:
                try:
                    answer = {"ok": True, **self._do(json.loads(line))}
                except PilotError as error:
                    answer = {"ok": False, "error": str(error)}
                except (ValueError, KeyError, TypeError, OSError) as error:
                    answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
                stream.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                stream.flush()

    def _do(self, command: dict[str, Any]) -> dict[str, Any]:
        within = float(command.get("within", WITHIN))
        stage = self._stage
        match command["do"]:
            case "screen":
                return self._there(lambda: describe(stage))
            case "tap":
                name, text = command.get("name", ""), command.get("text", "")

                def tap() -> dict[str, Any]:
                    self._settled()
                    press(stage, find(stage, text=text, name=name))
                    return {}

                return self._until(tap, within)
            case "keys":
                text = str(command["text"])

                def ready() -> dict[str, Any]:
                    self._settled()
                    find_key(stage, text[:1])
                    return {}

                self._until(ready, within)
                self._there(lambda: type_keys(stage, text))
                return {}
            case "wait":
                return self._drawn(command, within)
            case "shot":
                path = Path(command["path"])

                def shot() -> dict[str, Any]:
                    self._settled()
                    shoot(stage, path)
                    return {"path": str(path)}

                return self._until(shot, within)
            case other:
                raise PilotError(f"unknown command {other!r}: screen, tap, keys, wait, shot")

    def _settled(self) -> None:
        if not self._stage.settled:
            raise PilotError("the screen has just changed")

    def _look(self, command: dict[str, Any]) -> dict[str, Any]:
        shown = texts(self._stage)
        screen = screen_name(self._stage)
        if "screen" in command and command["screen"] != screen:
            raise PilotError(f"the screen is {screen!r}")
        if "text" in command and not any(command["text"] in words for words in shown):
            raise PilotError(f"not on the screen {screen!r}: {command['text']!r}")
        if "gone" in command and any(command["gone"] in words for words in shown):
            raise PilotError(f"still on the screen {screen!r}: {command['gone']!r}")
        return {"screen": screen}

    def _drawn(self, command: dict[str, Any], within: float) -> dict[str, Any]:
        """Wait for a frame that shows it; `at` is time.monotonic() when that frame had been drawn.

        Looked at frame by frame, not now and then, so that a bench can measure with it.
        """
        from kivy.core.window import Window
        from kivy.graphics.opengl import glFinish

        done = threading.Event()
        found: list[dict[str, Any]] = []
        reason: list[PilotError] = []

        def flipped(*_: object) -> None:
            if done.is_set():
                return
            try:
                found.append(self._look(command))
            except PilotError as error:
                reason[:] = [error]
                return
            glFinish()
            found[0]["at"] = time.monotonic()
            done.set()

        def begin() -> None:
            Window.bind(on_flip=flipped)
            Window.canvas.ask_update()

        self._there(begin)
        try:
            if not done.wait(within):
                raise reason[0] if reason else PilotError("the window draws nothing")
        finally:
            self._there(lambda: Window.unbind(on_flip=flipped))
        return found[0]

    def _until(self, work: Callable[[], T], within: float) -> T:
        """Try until it can be done; the last reason goes back when time is up."""
        end = time.monotonic() + within
        while True:
            try:
                return self._there(work)
            except PilotError:
                if time.monotonic() >= end:
                    raise
                time.sleep(0.02)

    def _there(self, work: Callable[[], T]) -> T:
        """Run on the window's thread and bring the result back."""
        done = threading.Event()
        result: list[T] = []
        failed: list[BaseException] = []

        def run(_dt: float) -> None:
            try:
                result.append(work())
            except BaseException as error:
                failed.append(error)
            done.set()

        Clock.schedule_once(run, 0)
        if not done.wait(30):
            raise PilotError("the window does not answer")
        if failed:
            raise failed[0]
        return result[0]
