"""Where the windows go: the display that is there, or a virtual one of our own where there is none that works."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess

VIRTUAL_SIZE = (3000, 1920)
"""Pixels: room for the lobby's upright window and the gate's beside it."""


class NoDisplayError(RuntimeError):
    """No window can be shown. The message is a sentence for a person."""


def usable(name: str | None) -> bool:
    """True when an X server answers under this name and lets us in; asked with Xlib, as SDL will."""
    if not name:
        return False
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        return False
    x11.XOpenDisplay.restype = ctypes.c_void_p
    display = x11.XOpenDisplay(name.encode())
    if not display:
        return False
    x11.XCloseDisplay(ctypes.c_void_p(display))
    return True


class VirtualDisplay:
    """An X server without a screen, on a number that it finds free itself; `name` is what DISPLAY must say."""

    def __init__(self) -> None:
        if shutil.which("Xvfb") is None:
            raise NoDisplayError("There is no display, and no Xvfb for a virtual one: run tools/setup.sh.")
        width, height = VIRTUAL_SIZE
        read, write = os.pipe()
        # -terminate stays away: the server must outlive the moment between two windows.
        arguments = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24"]
        # A session of its own, so that Ctrl-C at the terminal reaches the windows before it ends their display.
        self._server = subprocess.Popen(
            [*arguments, "-nolisten", "tcp", "-dpi", "96"],
            pass_fds=(write,),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        if not number:
            raise NoDisplayError(f"Xvfb ended with {self._server.wait()} before it had a display.")
        self.name = f":{number}"

    def close(self) -> None:
        self._server.terminate()
        try:
            self._server.wait(5)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
