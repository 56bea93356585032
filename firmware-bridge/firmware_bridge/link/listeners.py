"""Telling whoever listens: their failure is logged and stays theirs; the device goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


def tell(listener: Callable[[T], None], news: T, about: str) -> None:
    """Call `listener` with `news`; `about` names the device or job in the log."""
    try:
        listener(news)
    except Exception:
        log.exception("%s: a listener failed", about)
