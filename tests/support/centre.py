"""A whole centre in a process of its own, on free ports, for tests that need the real thing.

with running_centre(tmp_path) as centre:
    centre.mqtt_port, centre.console_url, centre.admin_password, centre.data
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

DEMO_SITE = Path(__file__).parents[2] / "config" / "demo" / "site.toml"


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class RunningCentre:
    """A centre: where it is, and how to end it, kindly or not, and start it again on the same ports and data."""

    config: Path
    data: Path
    mqtt_port: int
    console_port: int
    site: str
    admin_password: str = ""
    output: list[str] = field(default_factory=list)
    _process: subprocess.Popen[str] | None = None

    @property
    def console_url(self) -> str:
        return f"http://127.0.0.1:{self.console_port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, patience: float = 20.0, *, first: str = "") -> None:
        """Start `broker serve` and return when it says that it is ready. `first` is Python run before it, for faults."""
        program = f"{first}\nfrom broker.cli import main\nmain(prog_name='broker')"
        process = self._process = subprocess.Popen(
            [sys.executable, "-c", program, "serve", "--config", str(self.config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        ready, spoke = threading.Event(), threading.Event()

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                self.output.append(line.rstrip("\n"))
                if found := re.search(r"log in as admin with password (\S+)", line):
                    self.admin_password = found[1]
                if line.startswith("Ready."):
                    ready.set()
                    spoke.set()
            spoke.set()

        threading.Thread(target=read, daemon=True).start()
        spoke.wait(patience)
        if not ready.is_set():
            process.kill()
            process.wait(10)
            raise AssertionError("the centre did not start:\n" + "\n".join(self.output))

    def stop(self) -> int:
        """End it as Ctrl-C does; returns the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(15)

    def kill(self) -> None:
        """kill -9; returns when the process is gone and its ports are free again."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", self.mqtt_port))
                    return
                except OSError:
                    time.sleep(0.05)
        raise AssertionError("the MQTT broker outlived the centre")

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None


def prepare_centre(folder: Path, *, site: str = "yunqi", site_file: Path = DEMO_SITE) -> RunningCentre:
    """Write a configuration with free ports into `folder`, and start nothing yet."""
    mqtt_port, console_port = free_port(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "centre.toml"
    config.write_text(
        f'site = "{site}"\ndata = "centre"\nsite_file = "{site_file}"\n'
        f"[mqtt]\nport = {mqtt_port}\n[console]\nport = {console_port}\n",
        "utf-8",
    )
    return RunningCentre(config, folder / "centre", mqtt_port, console_port, site)


@contextmanager
def running_centre(
    folder: Path, *, site: str = "yunqi", site_file: Path = DEMO_SITE
) -> Iterator[RunningCentre]:
    """A centre that runs inside the `with`, and is ended after it."""
    centre = prepare_centre(folder, site=site, site_file=site_file)
    centre.start()
    try:
        yield centre
    finally:
        if centre.running:
            centre.stop()
