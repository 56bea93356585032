"""The one thread that does a terminal's work: disk, signing, decisions. Windows hand over and never wait.

`submit` runs a function here and gives its result to a callback, also here: a window passes it on to its own thread.
Between jobs the worker ticks, so that whatever keeps time (asks, heartbeats) runs on the same thread and needs no lock.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Worker:
    """Runs jobs in order. `tick` is called about every `every` seconds."""

    def __init__(self, tick: Callable[[], None] = lambda: None, *, every: float = 0.2) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._tick = tick
        self._every = every
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what was handed over, then end."""
        self._jobs.put(None)
        if self._thread.ident is not None:
            self._thread.join(5.0)

    def submit(
        self,
        job: Callable[[], T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run `job`; then `done(result)` or `failed(error)`, on the worker's thread. Returns at once."""

        def run() -> None:
            try:
                result = job()
            except Exception as error:
                _log.exception("a job failed: %s", type(error).__name__)
                if failed is not None:
                    failed(error)
                return
            if done is not None:
                done(result)

        self._jobs.put(run)

    def _run(self) -> None:
        due = time.monotonic()
        while True:
            try:
                job = self._jobs.get(timeout=max(due - time.monotonic(), 0.0))
            except queue.Empty:
                due = time.monotonic() + self._every
                _safely(self._tick)
                continue
            if job is None:
                return
            _safely(job)
            if time.monotonic() >= due:
                due = time.monotonic() + self._every
                _safely(self._tick)


def _safely(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        # The next visitor's job must still run; the cause stands in the log.
        _log.exception("the worker stumbled and goes on")
