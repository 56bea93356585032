"""A Mosquitto of one's own on a free port, to be stopped, started, frozen and refused at will."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.centre import free_port


@dataclass
class Mosquitto:
    """A broker without persistence: whatever it held is gone when it is."""

    folder: Path
    port: int
    anonymous: bool = True
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous {str(self.anonymous).lower()}\n"
            "persistence false\nset_tcp_nodelay true\nmax_inflight_messages 0\nmax_queued_messages 0\n"
        )
        self._process = subprocess.Popen(
            ["mosquitto", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("Mosquitto did not start")

    def stop(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def running_mosquitto(folder: Path) -> Iterator[Mosquitto]:
    """A broker that runs inside the `with`."""
    folder.mkdir(parents=True, exist_ok=True)
    broker = Mosquitto(folder, free_port())
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
