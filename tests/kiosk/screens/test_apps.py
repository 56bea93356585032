"""The two apps as processes: first frame, the pilot's socket, a clean end, and what a wrong folder leads to."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]

CONFIG = """
site = "yunqi"
station = "{station}"
data = "{data}"
site_file = "{site}"

[broker]
port = 9

[window]
width = 540
height = 960
"""


def write_config(folder: Path, station: str) -> Path:
    path = folder / f"{station}.toml"
    site = ROOT / "config" / "demo" / "site.toml"
    path.write_text(CONFIG.format(station=station, data=folder / station, site=site))
    return path


@contextmanager
def running(kind: str, folder: Path, *, pilot: bool = True) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """`kiosk KIND` on its own, offscreen, no centre in reach."""
    path = folder / "pilot.sock"
    config = write_config(folder, f"{kind}-1")
    begin = "from kiosk.cli import main; main()"
    command = [sys.executable, "-c", begin, kind, "--config", str(config)]
    process = subprocess.Popen(
        command + (["--pilot", str(path)] if pilot else []),
        cwd=ROOT,
        env={**os.environ, "SDL_VIDEODRIVER": "offscreen"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, path
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


class Line:
    """A connection to a pilot."""

    def __init__(self, path: Path, within: float = 20.0) -> None:
        end = time.monotonic() + within
        self._socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self._socket.connect(str(path))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                assert time.monotonic() < end, "the pilot's socket never came"
                time.sleep(0.05)
        self._stream = self._socket.makefile("rwb")

    def __call__(self, **command: object) -> dict[str, Any]:
        self._stream.write(json.dumps(command).encode() + b"\n")
        self._stream.flush()
        return json.loads(self._stream.readline())


def test_the_lobby_is_driven_through_its_pilot_and_ends_cleanly(tmp_path: Path) -> None:
    with running("lobby", tmp_path) as (process, path):
        say = Line(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert say(do="screen")["screen"] == "welcome"
        assert say(do="tap", text="访客登记")["ok"]
        assert say(do="wait", screen="host")["ok"]
        assert say(do="tap", name="building:b1")["ok"]
        assert say(do="wait", text="单元")["ok"]
        assert say(do="keys", text="1")["ok"]
        picture = tmp_path / "shot.png"
        assert say(do="shot", path=str(picture))["ok"]
        assert picture.read_bytes().startswith(b"\x89PNG")
        refused = say(do="tap", name="no-such-thing", within=0.1)
        assert refused == {"ok": False, "error": "nothing to press: 'no-such-thing'"}
        assert not say(do="jump")["ok"]
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
        assert process.returncode == 0, log
        assert not path.exists()
        assert "Traceback" not in log


def test_the_gate_stands_and_ends_cleanly(tmp_path: Path) -> None:
    with running("gate", tmp_path) as (process, path):
        say = Line(path)
        assert say(do="wait", screen="scanner", within=15)["ok"]
        assert say(do="tap", name="language:en")["ok"]
        assert say(do="wait", text="Scanner not connected")["ok"]
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=20)
        assert process.returncode == 0, log
        assert "Traceback" not in log


def test_without_being_asked_for_there_is_no_pilot(tmp_path: Path) -> None:
    with running("lobby", tmp_path, pilot=False) as (process, path):
        assert process.stderr is not None
        for line in process.stderr:
            if "first frame" in line:
                break
        assert not path.exists()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 0


@pytest.mark.parametrize("kind", ["lobby", "gate"])
def test_a_folder_that_cannot_be_used_ends_with_a_sentence_and_code_2(tmp_path: Path, kind: str) -> None:
    (tmp_path / f"{kind}-1").write_text("a file, no folder")
    with running(kind, tmp_path) as (process, _):
        _, log = process.communicate(timeout=30)
        assert process.returncode == 2
        assert f"{kind}-1" in log
        assert "Traceback" not in log
