"""Start of `kiosk lobby` → its first frame, warm and, where we may empty the kernel's cache, cold; beside a bare Kivy window."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tools.bench.figure import Figure, p50_p99, quantile
from tools.bench.scene import scene
from tools.stage import BIN

ROUNDS = 15
COLD = 3
GOAL_MS = 600.0
FIRST_FRAME = "first frame"
CACHES = Path("/proc/sys/vm/drop_caches")

BARE = """
from kivy.config import Config
for key, value in {"width": 1080, "height": 1920, "multisamples": 0}.items():
    Config.set("graphics", key, str(value))
from kivy.app import App
from kivy.core.window import Window
from kivy.uix.label import Label
class Bare(App):
    def build(self):
        Window.bind(on_flip=lambda *_: print("first frame", flush=True))
        return Label(text="Frontdesk")
Bare().run()
"""
ENVIRONMENT = {
    "SDL_VIDEODRIVER": "offscreen",
    "KIVY_NO_ARGS": "1",
    "KIVY_NO_CONFIG": "1",
    "KIVY_NO_FILELOG": "1",
    "KIVY_LOG_MODE": "PYTHON",
    "KIVY_METRICS_DENSITY": "1",
    "KIVY_DPI": "96",
}


def measure() -> list[Figure]:
    with scene() as it:
        lobby = [BIN / "kiosk", "lobby", "--config", it.house.stage.config / "lobby.toml"]
        # Kivy wants to see an app's source, so it must be a file.
        peer = it.house.stage.var / "bare.py"
        peer.write_text(BARE)
        first_frame(lobby)
        ours, bare = [], []
        for _ in range(ROUNDS):
            ours.append(first_frame(lobby))
            bare.append(first_frame([sys.executable, peer]))
        figures = [
            *p50_p99("lobby's first frame, warm", ours, GOAL_MS, "goal"),
            *p50_p99("lobby's first frame, warm,", ours, quantile(bare, 0.5) * 1000, "bare Kivy window, p50"),
        ]
        if os.access(CACHES, os.W_OK):
            cold = [first_frame(lobby, cold=True) for _ in range(COLD)]
            figures.append(
                Figure(
                    "lobby's first frame, cold",
                    quantile(cold, 0.5) * 1000,
                    "ms",
                    GOAL_MS,
                    f"goal; median of {COLD}",
                )
            )
    return figures


def first_frame(command: list[str | Path], *, cold: bool = False) -> float:
    """Seconds from the start of a process until it says that its first frame is there; then it is ended."""
    if cold:
        os.sync()
        CACHES.write_text("3")
    began = time.monotonic()
    with subprocess.Popen(
        command,
        env={**os.environ, **ENVIRONMENT, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        taken = next((time.monotonic() - began for line in process.stdout if FIRST_FRAME in line), None)
        # On record is what it had to say; how it ends is no part of the figure.
        process.terminate()
        process.stdout.read()
    if taken is None:
        raise RuntimeError(f"no first frame from {command[0]}; it ended with {process.returncode}")
    return taken
