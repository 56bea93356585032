"""The demo as a place: its configurations, folders, ports and sockets. What runs it, plays on it and tests it shares this.

`Stage.copy` makes another one beside it, with ports and folders of its own, so tests never meet a running demo.
"""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import broker.settings
import kiosk.station.settings

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
"""Where the three commands are: the environment that runs this."""


@dataclass(frozen=True, slots=True)
class Stage:
    """`config` holds centre.toml, site.toml, lobby.toml and gate.toml; `var` all that is written."""

    config: Path
    var: Path

    @property
    def centre(self) -> broker.settings.Centre:
        """The centre's settings. Raises SettingsError."""
        return broker.settings.load(self.config / "centre.toml")

    @property
    def lobby(self) -> kiosk.station.settings.LobbySettings:
        """The lobby terminal's settings. Raises SettingsError."""
        return kiosk.station.settings.load_lobby(self.config / "lobby.toml")

    @property
    def gate(self) -> kiosk.station.settings.GateSettings:
        """The gate's settings. Raises SettingsError."""
        return kiosk.station.settings.load_gate(self.config / "gate.toml")

    @property
    def console(self) -> str:
        """The console's address."""
        settings = self.centre.console
        return f"http://{settings.host}:{settings.port}"

    @property
    def devices(self) -> Path:
        """Where the simulated devices' ports are."""
        return self.var / "devices"

    @property
    def shown(self) -> Path:
        """Where the demo leaves its pictures."""
        return self.var / "demo"

    def pilot(self, station: str) -> Path:
        """The socket by which a window is driven; `lobby` or `gate`."""
        return self.var / f"{station}.sock"

    def environment(self) -> dict[str, str]:
        """What the Procfile's lines read."""
        return {
            "FRONTDESK_CONFIG": str(self.config),
            "FRONTDESK_VAR": str(self.var),
            "FRONTDESK_DEVICES": str(self.devices),
        }

    def copy(self, folder: Path, changes: Mapping[str, str] | None = None) -> Stage:
        """A stage in `folder` with free ports and empty data, and `changes` in the text of its configurations."""
        settings = self.centre
        mqtt, console = free_ports(2)
        wanted = {
            f"port = {settings.mqtt.port}": f"port = {mqtt}",
            f"port = {settings.console.port}": f"port = {console}",
            "../../var": "../var",
            **(changes or {}),
        }
        config = folder / "config"
        shutil.copytree(self.config, config)
        for path in config.glob("*.toml"):
            text = path.read_text("utf-8")
            for old, new in wanted.items():
                text = text.replace(old, new)
            path.write_text(text, "utf-8")
        return Stage(config, folder / "var")


DEMO = Stage(ROOT / "config" / "demo", ROOT / "var")


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens on just now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [taken.getsockname()[1] for taken in sockets]
    finally:
        for taken in sockets:
            taken.close()


def in_use(host: str, port: int) -> bool:
    """True when something listens there already."""
    try:
        socket.create_server((host, port)).close()
    except OSError:
        return True
    return False
