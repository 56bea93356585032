"""Mosquitto as a child of `broker serve`: configuration by version, start, watch, start again, stop.

It has a configuration, a port and a life of its own, so a Mosquitto that the system runs is left alone. It keeps
nothing on disk: no acknowledgement of the broker counts (event-log.md), stations replay and the centre publishes what
is retained again at every connection; so no visitor's data lies in a broker's file either.
"""

from __future__ import annotations

import ctypes
import logging
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from broker.contract.message import MAX_MESSAGE
from broker.contract.personal import require_loopback

log = logging.getLogger(__name__)

QUEUED_MESSAGES = 20_000
"""Per client. Overflow is silent in Mosquitto; stations have at most 500 under way, so this is out of reach."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class MosquittoError(Exception):
    """The MQTT broker can't run; the message is a sentence for a person."""


def find(program: str) -> tuple[str, tuple[int, int]]:
    """The program's path and version.

    Raises:
        MosquittoError: not installed, or too old.
    """
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise MosquittoError(
            f"The MQTT broker {program!r} is not installed. Install it (Debian: sudo apt install mosquitto), "
            "or name its path under [mqtt] mosquitto."
        )
    try:
        told = subprocess.run([path, "-h"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise MosquittoError(f"{path} can't be run: {error}.") from None
    found = re.search(r"version (\d+)\.(\d+)", told)
    if found is None:
        raise MosquittoError(f"{path} doesn't say that it is Mosquitto; check [mqtt] mosquitto.")
    version = (int(found[1]), int(found[2]))
    if version < (2, 0):
        raise MosquittoError(f"{path} is Mosquitto {version[0]}.{version[1]}; 2.0 or later is needed.")
    return path, version


def configuration(host: str, port: int, version: tuple[int, int]) -> str:
    """The text of mosquitto.conf.

    Raises:
        NotLoopbackError: personal data isn't sealed yet, so the listener must be on this machine.
    """
    require_loopback(host)
    lines = [
        "# Written by `broker serve` at every start; changes here are lost.",
        f"listener {port} {host}",
        # Accounts and certificates come with sealing; until then only this machine can connect.
        "allow_anonymous true" if version < (2, 1) else "listener_allow_anonymous true",
        "set_tcp_nodelay true",
        f"max_queued_messages {QUEUED_MESSAGES}",
        "max_inflight_messages 500",
        f"message_size_limit {MAX_MESSAGE}",
        "persistence false",
        "log_dest stderr",
        "log_timestamp false",
        "log_type error",
        "log_type warning",
        "log_type notice",
    ]
    if version >= (2, 1):
        # Since 2.1 packets are limited to 2 MB by default; ours are smaller, headers included.
        lines.append(f"max_packet_size {MAX_MESSAGE + 64 * 1024}")
    return "\n".join(lines) + "\n"


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def require_free(host: str, port: int) -> None:
    """Raises MosquittoError where another program listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise MosquittoError(
                f"MQTT port {port} on {host} can't be used ({error.strerror}). Is another `broker serve` running? "
                "End it, or choose another [mqtt] port here and in the stations' configurations."
            ) from None


class Mosquitto:
    """The child process, kept running from `start` to `stop`. `on_start` is called whenever a fresh one is up."""

    def __init__(
        self, *, program: str, host: str, port: int, folder: Path, on_start: Callable[[], None]
    ) -> None:
        self._path, version = find(program)
        self._host, self._port = host, port
        self._file = folder / "mosquitto.conf"
        self._text = configuration(host, port, version)
        self._on_start = on_start
        self._child: subprocess.Popen[str] | None = None
        self._stopping = threading.Event()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mosquitto", daemon=True)

    def start(self, patience: float = 10.0) -> None:
        """Start, and return when it takes connections.

        Raises:
            MosquittoError: port taken, or it doesn't come up.
        """
        require_free(self._host, self._port)
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file.write_text(self._text, "utf-8")
        self._file.chmod(0o644)
        self._thread.start()
        if not self._up.wait(patience):
            self.stop()
            raise MosquittoError(
                f"The MQTT broker does not come up on {self._host}:{self._port}; its own words stand above."
            )

    def stop(self) -> None:
        """End the child; returns when it has ended."""
        self._stopping.set()
        child = self._child
        if child is not None and child.poll() is None:
            child.terminate()
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
        self._thread.join(6)

    def _run(self) -> None:
        """This thread starts the child and outlives it: Linux ends the child when its starting *thread* ends."""
        pause = 0.5
        while not self._stopping.is_set():
            began = time.monotonic()
            child = self._child = self._spawn()
            if self._stopping.is_set():
                child.terminate()
            self._wait_until_up(child)
            assert child.stderr is not None
            for line in child.stderr:
                log.log(logging.WARNING if "rror" in line else logging.DEBUG, "mosquitto: %s", line.rstrip())
            code = child.wait()
            if self._stopping.is_set():
                return
            pause = 0.5 if time.monotonic() - began > 30 else min(pause * 2, 10.0)
            log.error("the MQTT broker ended (%d); starting it again in %.1f s", code, pause)
            self._stopping.wait(pause)

    def _spawn(self) -> subprocess.Popen[str]:
        parent = os.getpid()

        def end_with_parent() -> None:
            # Also after `kill -9` of the centre: no orphan may hold the port.
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

        # Started by root, Mosquitto would change its user by itself, which makes Linux forget the wish above: so we
        # change it before. The configuration goes in as an open file, because that user may not enter our folder.
        user = "mosquitto" if os.geteuid() == 0 and _has_user("mosquitto") else None
        with self._file.open("rb") as configuration_file:
            return subprocess.Popen(
                [self._path, "-c", "/dev/stdin"],
                stdin=configuration_file,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                preexec_fn=end_with_parent,
            )

    def _wait_until_up(self, child: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and child.poll() is None and not self._stopping.is_set():
            try:
                socket.create_connection((self._host, self._port), 0.5).close()
            except OSError:
                time.sleep(0.02)
                continue
            self._on_start()
            self._up.set()
            return
