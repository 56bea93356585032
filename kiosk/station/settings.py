"""What a terminal's configuration file says (TOML; annotated examples in config/demo).

Read by the one loader in `broker.contract.settings`; paths come out absolute, resolved against the file's folder. A value
that can't work is refused here, before a window opens, with file, line and key.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from broker.contract import settings
from broker.contract.names import CENTRE, Name
from broker.contract.personal import NotLoopbackError, require_loopback
from firmware_bridge.config import DeviceSettings

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Pixels = Annotated[int, msgspec.Meta(ge=320, le=8192)]
Area = Annotated[int, msgspec.Meta(ge=0, le=31)]


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the MQTT broker of the service centre listens."""

    host: str = "127.0.0.1"
    port: Port = 1883


class WindowSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The terminal's window: full screen at its post, a plain one of this size and place on a desk. `rotation` in degrees."""

    fullscreen: bool = False
    width: Pixels = 1080
    height: Pixels = 1920
    left: Annotated[int, msgspec.Meta(ge=0, le=16384)] = 0
    top: Annotated[int, msgspec.Meta(ge=0, le=16384)] = 0
    rotation: Literal[0, 90, 180, 270] = 0


class StationSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every terminal is told. `data` is its own folder; `site_file` a starter copy of the site."""

    site: Name
    station: Name
    data: str
    broker: BrokerSettings = BrokerSettings()
    site_file: str | None = None
    window: WindowSettings = WindowSettings()
    devices: list[DeviceSettings] = []
    keep_days: Annotated[int, msgspec.Meta(ge=30)] = 30
    """Days an event stays here after the centre has it; at least twice the interval of the centre's backups."""

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)

    @property
    def starter(self) -> Path | None:
        """The starter copy of the site, if one is named."""
        return None if self.site_file is None else Path(self.site_file)


class LobbySettings(StationSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lobby terminal. `languages` in the order in which they are offered; the first is the one it wakes up with."""

    visit_type: str = ""
    """Id of the visit type registered here; empty = the first of the policy."""
    languages: Annotated[list[Literal["zh_CN", "en"]], msgspec.Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: ["zh_CN", "en"]
    )


class GateSettings(StationSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gate post with one lane. What is behind it: `buildings` by id and `areas` by bit; neither = the whole site."""

    direction: Literal["in", "out", "auto"] = "auto"
    """`auto`: whoever is inside by this gate's ledger is leaving, everybody else enters."""
    buildings: list[str] = []
    areas: list[Area] = []
    language: Literal["zh_CN", "en"] = "zh_CN"


class Terminal(msgspec.Struct, frozen=True, kw_only=True):
    """Of any terminal's configuration, what says where its data lies and whose they are."""

    site: Name
    station: Name
    data: str

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)


S = TypeVar("S", bound=StationSettings)


def load_lobby(path: Path) -> LobbySettings:
    """Read a lobby terminal's configuration. Raises SettingsError."""
    return _load(path, LobbySettings)


def load_gate(path: Path) -> GateSettings:
    """Read a gate's configuration. Raises SettingsError."""
    return _load(path, GateSettings)


def load_terminal(path: Path) -> Terminal:
    """Read of a lobby's or gate's configuration what both have. Raises SettingsError."""
    loaded = settings.load(path, Terminal)
    return msgspec.structs.replace(loaded, data=str((path.absolute().parent / loaded.data).resolve()))


def _load(path: Path, kind: type[S]) -> S:
    loaded = settings.load(path, kind)
    if loaded.station == CENTRE:
        raise settings.refusal(
            path, ["station"], f"{CENTRE!r} is the service centre's own name; take another"
        )
    try:
        require_loopback(loaded.broker.host)
    except NotLoopbackError as error:
        raise settings.refusal(path, ["broker", "host"], str(error)) from None
    names = [device.name for device in loaded.devices]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise settings.refusal(path, ["devices", str(index), "name"], f"{name!r} stands here twice")
    folder = path.absolute().parent
    devices = [
        msgspec.structs.replace(device, resource=f"serial:{os.path.normpath(device.port(folder))}")
        if device.resource.startswith("serial:")
        else device
        for device in loaded.devices
    ]
    site_file = None if loaded.site_file is None else str((folder / loaded.site_file).resolve())
    return msgspec.structs.replace(
        loaded, data=str((folder / loaded.data).resolve()), site_file=site_file, devices=devices
    )
