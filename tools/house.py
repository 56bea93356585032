"""The whole product as processes, for tests and benches that start, cut, kill and end it; each on a stage of its own.

Every process started here carries a mark in its environment, which children inherit: so what is left running is found
whoever started it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.stage import BIN, ROOT, Stage

MARK = "FRONTDESK_HOUSE"


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Return as soon as the condition holds; fail when it doesn't in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"still not so after {seconds} s: {what}")
        time.sleep(0.02)


@dataclass
class Process:
    """One process and what it has said so far."""

    name: str
    popen: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def said(self, text: str) -> bool:
        return any(text in line for line in list(self.lines))

    def wait_said(self, text: str, within: float = 30.0) -> None:
        wait_for(
            lambda: self.said(text) or self.popen.poll() is not None, within, f"{self.name} says {text!r}"
        )
        assert self.said(text), f"{self.name} ended without {text!r}:\n" + "\n".join(self.lines)

    def end(self, number: signal.Signals = signal.SIGTERM, within: float = 20.0) -> int:
        """Send a signal and return the exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(within)


class House:
    """Processes on one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.mark = uuid.uuid4().hex
        self.processes: list[Process] = []
        stage.var.mkdir(mode=0o700, parents=True, exist_ok=True)

    def start(self, name: str, *command: object, **environment: str) -> Process:
        """Start a process that hears no terminal and shares our mark."""
        popen = subprocess.Popen(
            [str(word) for word in command],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONUNBUFFERED": "1",
                **self.stage.environment(),
                **environment,
                MARK: self.mark,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        process = Process(name, popen)

        def read() -> None:
            assert popen.stdout is not None
            for line in popen.stdout:
                process.lines.append(line.rstrip("\n"))

        threading.Thread(target=read, daemon=True).start()
        self.processes.append(process)
        return process

    def run(self, *options: str) -> Process:
        """What `make run` runs; without a display, as on a server."""
        command = [sys.executable, "-m", "tools.run", "--config", self.stage.config, "--var", self.stage.var]
        return self.start("run", *command, *options, DISPLAY="")

    def centre(self) -> Process:
        centre = self.start("centre", BIN / "broker", "serve", "--config", self.stage.config / "centre.toml")
        centre.wait_said("Ready.")
        return centre

    def devices(self) -> Process:
        devices = self.start(
            "devices", BIN / "firmware-bridge", "simulate", "run", "--dir", self.stage.devices
        )
        wait_for((self.stage.devices / "control.sock").exists, 20, "simulated devices answer")
        return devices

    def window(self, station: str) -> Process:
        """`kiosk lobby` or `kiosk gate` in a GL window that needs no display."""
        config, pilot = self.stage.config / f"{station}.toml", self.stage.pilot(station)
        return self.start(
            station,
            *(BIN / "kiosk", station, "--config", config, "--pilot", pilot),
            SDL_VIDEODRIVER="offscreen",
        )

    def events(self) -> list[dict[str, Any]]:
        """The centre's log by `broker events export --json`."""
        command = [
            BIN / "broker",
            "events",
            "export",
            "--json",
            "--config",
            self.stage.config / "centre.toml",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
        return [json.loads(line)["event"] for line in done.stdout.splitlines()]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]

    def running(self) -> dict[int, str]:
        """Processes that carry our mark, by id, with their command lines."""
        found: dict[int, str] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (
                        (folder / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
                    )
        return found

    def output(self) -> str:
        """All that all processes said."""
        return "\n".join(line for process in self.processes for line in process.lines)

    def report(self) -> None:
        """Print what each process has said; a test's own report shows it where the test failed."""
        for process in self.processes:
            print(f"---- {process.name} (ended with {process.popen.poll()})", *process.lines, sep="\n")

    def close(self) -> None:
        """End what runs still; by force what doesn't end."""
        for process in reversed(self.processes):
            if process.popen.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.end()
        for pid in self.running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def house(stage: Stage) -> Iterator[House]:
    """A house that is empty again after the `with`; after an error it prints what its processes had said."""
    it = House(stage)
    try:
        yield it
    except BaseException:
        it.close()
        it.report()
        raise
    finally:
        it.close()
