"""The centre's one clock, and how moments stand in its tables: `2026-11-23T01:41:00.123Z`, which sorts as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from broker.contract.event import Event


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A moment as text with milliseconds, always in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The moment behind a stamp."""
    return datetime.fromisoformat(text)


def happened(event: Event) -> str:
    """When an event happened by the centre's clock, as far as the station knew the difference (field-notes.md)."""
    offset = event.clock.offset_ms
    return stamp(event.time + timedelta(milliseconds=offset) if offset else event.time)
