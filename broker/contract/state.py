"""How stations and devices say they are: retained on `state/{station}` and `device/{station}/{device}`.

A consumer needs both: after a crash only the station's last will changes, its devices keep their last word.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from broker.contract.event import ClockReading
from broker.contract.names import Name


class StateError(ValueError):
    """The payload is no state of ours."""


class Availability(StrEnum):
    """What staff need to know of a device: it works, it isn't there, it is there and can't work."""

    ONLINE = "online"
    OFFLINE = "offline"
    FAULT = "fault"


class DeviceState(msgspec.Struct, frozen=True, kw_only=True):
    """One device of a station. `reason` is from a closed list of the bridge (`paper_out`, `unplugged` …)."""

    device: Name
    kind: str
    availability: Availability
    reason: str = ""
    since: datetime
    counters: dict[str, int] = {}


class StationState(msgspec.Struct, frozen=True, kw_only=True):
    """One station. The last will is `online` False with the rest as it was at connect.

    `alarms` are from a closed list: `clock_wrong`, `name_taken` (a second station uses this name), `disk_full`,
    `no_policy`. `backlog` counts events the centre has not acknowledged.
    """

    station: Name
    run: str = ""
    """Drawn at random when the program starts: two that use one name are told apart by it."""
    kind: str
    online: bool
    since: datetime
    version: str
    backlog: int = 0
    clock: ClockReading = ClockReading()
    devices: dict[Name, Availability] = {}
    alarms: list[str] = []


_station = msgspec.json.Decoder(StationState)
_device = msgspec.json.Decoder(DeviceState)


def encode(state: StationState | DeviceState) -> bytes:
    """A state as JSON bytes."""
    return msgspec.json.encode(state)


def decode_station(payload: bytes) -> StationState:
    """Raises StateError where the payload is no station's state."""
    try:
        return _station.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateError(f"not a station's state: {error}") from None


def decode_device(payload: bytes) -> DeviceState:
    """Raises StateError where the payload is no device's state."""
    try:
        return _device.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateError(f"not a device's state: {error}") from None
