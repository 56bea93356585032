"""The other end of a window's pilot socket (kiosk/ui/pilot.py): a finger and an eye for the demo, tests and benches."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any


class PilotError(RuntimeError):
    """The window couldn't do it; the message is its own."""


class Pilot:
    """One window. Waits up to `within` seconds for its socket. Raises PilotError when there is none by then."""

    def __init__(self, path: Path, within: float = 30.0) -> None:
        deadline = time.monotonic() + within
        while True:
            self._socket = socket.socket(socket.AF_UNIX)
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                self._socket.close()
                if time.monotonic() > deadline:
                    raise PilotError(f"no window answers at {path} after {within:.0f} s") from None
                time.sleep(0.01)
        self._stream = self._socket.makefile("rwb")

    def __enter__(self) -> Pilot:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()

    def do(self, what: str, **values: Any) -> dict[str, Any]:
        """One command and its answer. Raises PilotError."""
        self._stream.write(json.dumps({"do": what, **values}).encode() + b"\n")
        self._stream.flush()
        line = self._stream.readline()
        if not line:
            raise PilotError("the window is gone")
        answer: dict[str, Any] = json.loads(line)
        if not answer["ok"]:
            raise PilotError(answer["error"])
        return answer

    def tap(self, name: str, within: float = 5.0) -> None:
        """Press what is called `name`, as soon as it is there."""
        self.do("tap", name=name, within=within)

    def keys(self, text: str) -> None:
        """Type on the on-screen keys."""
        self.do("keys", text=text)

    def wait_screen(self, name: str, within: float = 5.0) -> None:
        self.do("wait", screen=name, within=within)

    def wait_text(self, text: str, within: float = 5.0) -> None:
        self.do("wait", text=text, within=within)

    def shot(self, path: Path) -> None:
        """The window as a PNG."""
        self.do("shot", path=str(path))
