"""Whether the centre is there: "connected" means that a question was answered (field-notes.md, "Gates and scanners").

A broker that is up while the centre is gone looks connected; only an answer to one of our own questions counts. The
station asks for the time every few seconds, and that answer is the pulse.
"""

from __future__ import annotations

ASK_EVERY = 5.0
SILENCE = 12.0
"""Seconds without an answer after which the centre counts as out of reach: two questions in a row."""


class Reach:
    """Falls back by itself, comes back by itself. Times: `now` monotonic seconds, `wall` seconds since 1970."""

    def __init__(self, wall: float) -> None:
        self.online = False
        self.since = wall
        self.heard: float | None = None
        """When the centre last answered, seconds since 1970."""
        self._answered = 0.0
        self._asked = -ASK_EVERY
        self._linked = False

    def link(self, connected: bool, wall: float) -> None:
        """The line to the broker came or went. Gone, the centre is out of reach at once."""
        self._linked = connected
        self._asked = -ASK_EVERY
        if not connected:
            self._set(False, wall)

    def due(self, now: float) -> bool:
        """Whether to ask now."""
        if not self._linked or now - self._asked < ASK_EVERY:
            return False
        self._asked = now
        return True

    def answered(self, now: float, wall: float) -> None:
        """The centre answered."""
        self._answered = now
        self.heard = wall
        self._set(True, wall)

    def check(self, now: float, wall: float) -> bool:
        """Look whether the silence has become too long; True while the centre is in reach."""
        if self.online and now - self._answered > SILENCE:
            self._set(False, wall)
        return self.online

    def _set(self, online: bool, wall: float) -> None:
        if online is not self.online:
            self.online = online
            self.since = wall
