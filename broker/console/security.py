"""Who may come in and what a browser may do with our pages: attempts, session cookie, headers.

The content policy allows our own scripts and styles and nothing inline, so a name that holds markup is text twice
over: escaped by the templates, and without force if it weren't.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

SESSION_COOKIE = "frontdesk_session"
CSRF_COOKIE = "frontdesk_csrf"
LANGUAGE_COOKIE = "frontdesk_language"

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
NO_STORE = {"cache-control": "no-store"}

FREE_ATTEMPTS = 4
LONGEST_WAIT = 300.0
REMEMBERED = 1000


@dataclass(slots=True)
class Attempts:
    """Wrong passwords by account: after four, the wait doubles from 2 s to 5 min. A right one forgets them."""

    monotonic: Callable[[], float] = time.monotonic
    _wrong: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)

    def wait(self, account: str) -> int:
        """Whole seconds until the next attempt counts; 0 = now."""
        _, until = self._wrong.get(account, (0, 0.0))
        return max(0, int(-(-(until - self.monotonic()) // 1)))

    def failed(self, account: str) -> None:
        times = self._wrong.pop(account, (0, 0.0))[0] + 1
        pause = min(2.0 ** (times - FREE_ATTEMPTS), LONGEST_WAIT) if times > FREE_ATTEMPTS else 0.0
        self._wrong[account] = (times, self.monotonic() + pause)
        while len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)

    def succeeded(self, account: str) -> None:
        self._wrong.pop(account, None)
