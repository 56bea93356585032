"""What `broker serve` is told: the centre's own settings, and the site's file with policy and areas.

Both are TOML, read by the contract's loader; what can be checked by reading is checked here, with file, line and key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from broker.contract import settings
from broker.contract.names import Name
from broker.contract.personal import NotLoopbackError, require_loopback
from broker.contract.settings import SettingsError
from broker.contract.sitedata import Areas, Building, Place, Policy, Words


class MqttSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where our Mosquitto listens, and which program it is."""

    host: str = "127.0.0.1"
    port: int = 18830
    mosquitto: str = "mosquitto"


class ConsoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the web console listens."""

    host: str = "127.0.0.1"
    port: int = 8080


class CentreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """centre.toml. `data` and `site_file` are relative to the file's own folder."""

    site: Name
    data: str
    site_file: str
    mqtt: MqttSettings = MqttSettings()
    console: ConsoleSettings = ConsoleSettings()


class SiteFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """site.toml: what becomes `site/areas` and `site/policy`."""

    organisation: str
    site_number: int
    names: Words
    time_zone: str = "Asia/Shanghai"
    buildings: list[Building]
    places: list[Place] = []
    policy: Policy


@dataclass(frozen=True, slots=True)
class Centre:
    """Settings as used: paths resolved, the site's documents checked."""

    site: str
    data: Path
    mqtt: MqttSettings
    console: ConsoleSettings
    areas: Areas
    policy: Policy


def load(path: Path) -> Centre:
    """Read centre.toml and the site file it names.

    Raises:
        SettingsError: with file, line, key and what to do.
    """
    path = path.absolute()
    read = settings.load(path, CentreSettings)
    for key, host in (("mqtt.host", read.mqtt.host), ("console.host", read.console.host)):
        try:
            require_loopback(host)
        except NotLoopbackError as error:
            raise SettingsError(f"{path}: {key}: {error}.") from None
    for key, port in (("mqtt.port", read.mqtt.port), ("console.port", read.console.port)):
        if not 1 <= port <= 65535:
            raise SettingsError(f"{path}: {key}: {port} is no port; choose one of 1–65535.")
    areas, policy = load_site((path.parent / read.site_file).resolve())
    return Centre(read.site, (path.parent / read.data).resolve(), read.mqtt, read.console, areas, policy)


def load_site(path: Path) -> tuple[Areas, Policy]:
    """Read a site file into the bodies of `site/areas` and `site/policy`. Raises SettingsError."""
    site = settings.load(path, SiteFile)
    text = path.read_text("utf-8")
    values = tomllib.loads(text)
    # The contract's structs tolerate what a newer centre may add; in a file that people type, it is a slip.
    unknown = _unknown(values, msgspec.to_builtins(site, builtin_types=(time, datetime)))
    if unknown:
        raise SettingsError(f"{_where(path, text, unknown)}: {unknown}: there is no such key here.")
    areas = Areas(
        organisation=site.organisation,
        site_number=site.site_number,
        names=site.names,
        time_zone=site.time_zone,
        buildings=site.buildings,
        places=site.places,
    )
    # Constraints of the contract hold here too, before stations refuse the document.
    settings.convert({key: values[key] for key in values if key != "policy"}, Areas, path=path, text=text)
    for key, problem in _problems(areas, site.policy):
        raise SettingsError(f"{_where(path, text, key)}: {key}: {problem}.")
    return areas, site.policy


def _problems(areas: Areas, policy: Policy) -> Iterable[tuple[str, str]]:
    try:
        ZoneInfo(areas.time_zone)
    except (KeyError, ValueError, OSError):
        yield "time_zone", f"{areas.time_zone!r} is no time zone; use a name such as Asia/Shanghai"
    yield from _twice("buildings.id", [building.id for building in areas.buildings])
    yield from _twice("buildings.area", [str(building.area) for building in areas.buildings])
    yield from _twice("places.id", [place.id for place in areas.places])
    yield from _twice("policy.visit_types.id", [kind.id for kind in policy.visit_types])
    for kind in policy.visit_types:
        yield from _twice("policy.visit_types.purposes.id", [purpose.id for purpose in kind.purposes])
        for minute in range(24 * 60):
            local = time(minute // 60, minute % 60)
            if not any(hours.hold_at(local) for hours in kind.hours):
                yield (
                    "policy.visit_types.hours",
                    f"visit type {kind.id!r} has no hours that cover {local:%H:%M}; hours must cover the day",
                )
                break
    wordings: list[tuple[str, Words]] = [("names", areas.names)]
    wordings += [("buildings.names", one.names) for one in areas.buildings]
    wordings += [("buildings.way", one.way) for one in areas.buildings]
    wordings += [("places.names", one.names) for one in areas.places]
    for kind in policy.visit_types:
        wordings.append(("policy.visit_types.names", kind.names))
        wordings += [("policy.visit_types.purposes.names", one.names) for one in kind.purposes]
    for key, words in wordings:
        if not words.get("zh_CN"):
            yield key, "the Chinese text (zh_CN) is missing"


def _twice(key: str, values: list[str]) -> Iterable[tuple[str, str]]:
    for value in sorted({value for value in values if values.count(value) > 1}):
        yield key, f"{value!r} stands twice"


def _unknown(given: Any, known: Any, path: str = "") -> str:
    """The first key that was given and not understood, as a dotted path; "" where there is none."""
    if isinstance(given, dict) and isinstance(known, dict):
        for key, value in given.items():
            here = f"{path}.{key}" if path else key
            if key not in known:
                return here
            if found := _unknown(value, known[key], here):
                return found
    elif isinstance(given, list) and isinstance(known, list):
        for one, other in zip(given, known, strict=True):
            if found := _unknown(one, other, path):
                return found
    return ""


def _where(path: Path, text: str, key: str) -> str:
    """The file, with the line of the last part of a key where it stands written."""
    last = re.escape(key.rsplit(".", 1)[-1])
    stands = re.compile(rf"\s*(\[\[?\s*([\w.-]+\.)?{last}\s*\]|([\w-]+\.)*{last}\s*=|.*[{{,]\s*{last}\s*=)")
    for number, line in enumerate(text.splitlines(), 1):
        if stands.match(line):
            return f"{path}:{number}"
    return str(path)
