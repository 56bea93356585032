"""Names and identities: sites, stations, logs, events, visits.

Names are typed by people into configurations and stand in topics, so they are short and plain; identities are
drawn by machines. UUIDv7 (RFC 9562 §5.7) is used for facts, because it sorts by the time it was drawn.
"""

from __future__ import annotations

import re
import secrets
import time
import uuid
from typing import Annotated

import msgspec

NAME_PATTERN = "^[a-z0-9-]{1,32}$"

Name = Annotated[str, msgspec.Meta(pattern=NAME_PATTERN, description="a site, a station or a device")]
HexDigest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256, lower-case hex")]
Id = Annotated[str, msgspec.Meta(min_length=8, max_length=64, pattern="^[0-9a-z-]+$")]

CENTRE = "centre"
"""The station name under which the service centre keeps its own log; no terminal may take it."""

_name = re.compile(NAME_PATTERN)


def is_name(text: str) -> bool:
    """True for 1–32 characters of `a-z 0-9 -`."""
    return _name.fullmatch(text) is not None


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562 §5.7), as 36 characters of lower-case hex and hyphens."""
    ms = time.time_ns() // 1_000_000
    value = (
        (ms & ((1 << 48) - 1)) << 80
        | 0x7 << 76
        | secrets.randbits(12) << 64
        | 0b10 << 62
        | secrets.randbits(62)
    )
    return str(uuid.UUID(int=value))


def new_log_id() -> str:
    """A random identity for one installation of a station's log: 32 hex digits."""
    return secrets.token_hex(16)
