"""The one thread that writes to the database: messages in batches, everything else job by job.

Messages that have arrived are drained together into one transaction; a job (a staff member's answer, a login) runs in
a transaction of its own and hands its result back as a future. Nothing else ever writes.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")
A = TypeVar("A")

MAX_BATCH = 500
"""Messages drained into one transaction: past this the gain is small and the wait of a click grows."""


class _Stop:
    pass


@dataclass(slots=True)
class _Job(Generic[T]):
    work: Callable[[sqlite3.Connection], T]
    done: Future[T]


class Batches(Protocol[A]):
    """What is done with arrivals, on the writer's thread; opens transactions itself."""

    def __call__(self, arrivals: list[A], /) -> None: ...


class Writer(Generic[A]):
    """Owns the writing connection from `start` to `stop`."""

    def __init__(self, connection: sqlite3.Connection, batches: Batches[A]) -> None:
        self._db = connection
        self._batches = batches
        self._queue: queue.SimpleQueue[A | _Job[Any] | _Stop] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="centre-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what was handed in, then end; safe to call once."""
        self._queue.put(_Stop())
        self._thread.join(timeout=10)

    def arrived(self, arrival: A) -> None:
        """Hand in a message; never blocks."""
        self._queue.put(arrival)

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Run `work` on the writer's thread; it opens its own transaction. Never blocks."""
        job = _Job(work, Future[T]())
        self._queue.put(job)
        return job.done

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            arrivals: list[A] = []
            following: _Job[Any] | _Stop | None = None
            while True:
                if isinstance(first, (_Job, _Stop)):
                    following = first
                    break
                arrivals.append(first)
                if len(arrivals) >= MAX_BATCH:
                    break
                try:
                    first = self._queue.get_nowait()
                except queue.Empty:
                    break
            if arrivals:
                try:
                    self._batches(arrivals)
                except Exception:
                    log.exception("a batch of %d messages could not be handled", len(arrivals))
            if isinstance(following, _Stop):
                return
            if following is not None:
                self._do(following)

    def _do(self, job: _Job[Any]) -> None:
        if not job.done.set_running_or_notify_cancel():
            return
        try:
            result = job.work(self._db)
        except BaseException as error:
            job.done.set_exception(error)
        else:
            job.done.set_result(result)
