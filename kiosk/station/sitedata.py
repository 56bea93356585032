"""What the centre told this station about its site: the last good copy of policy, areas and keys.

A document that can't be read, or is older than the one in force, never replaces it. Before the centre was ever heard, a
starter copy from a file stands in, so that a terminal can work on its first day without a line.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from broker.contract import settings, sitedata
from broker.contract.passes import KeySet, TrustedKey
from broker.contract.sitedata import KINDS, Areas, Keys, PassKey, Policy, SiteDataError, SiteDocument
from kiosk.station.store import Store

_log = logging.getLogger(__name__)


class Rows(Protocol):
    """A store that can be read: the station's own, or another process's view of it."""

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]: ...


class StarterSite(Areas, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The starter file: the same as the centre's own site file, the site itself and its policy."""

    policy: Policy


class SiteData:
    """The site as this station knows it. `policy` and `areas` are None until anything is known.

    Raises:
        SettingsError: the starter file can't be used.
    """

    def __init__(self, store: Rows, *, starter: Path | None = None) -> None:
        self.policy: Policy | None = None
        self.areas: Areas | None = None
        self.keys: Keys = Keys(keys=[])
        self.versions: dict[str, int] = {}
        if starter is not None:
            site = settings.load(starter, StarterSite)
            self.policy, self.areas = site.policy, site
        for row in store.rows("SELECT kind, payload FROM site_document"):
            try:
                self._take(sitedata.decode(row["payload"]))
            except SiteDataError as error:
                _log.error("the kept copy of site/%s can't be read: %s", row["kind"], error)
        self._key_set = self._make_key_set()

    def receive(self, payload: bytes, store: Store, now: datetime) -> str | None:
        """Take a document from the centre and keep it; its kind, or None where the copy in force stays."""
        try:
            document = sitedata.decode(payload)
            if document.kind not in KINDS:
                return None
            known = self.versions.get(document.kind, 0)
            if document.version < known:
                _log.warning(
                    "site/%s version %d is older than %d; kept ours", document.kind, document.version, known
                )
                return None
            self._take(document)
        except SiteDataError as error:
            _log.error("a site document can't be read, the last good copy stays: %s", error)
            return None
        with store.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO site_document VALUES (?, ?, ?, ?)",
                (document.kind, document.version, payload, now.isoformat()),
            )
        self._key_set = self._make_key_set()
        return document.kind

    @property
    def complete(self) -> bool:
        """Whether there is enough to register visitors or judge passes by."""
        return self.policy is not None and self.areas is not None

    @property
    def key_set(self) -> KeySet:
        """The keys to judge passes by."""
        return self._key_set

    def key(self, kid: int) -> PassKey | None:
        """The certified key of this id."""
        return next((key for key in self.keys.keys if key.kid == kid), None)

    def local(self, moment: datetime) -> datetime:
        """The site's local time, by which policy's hours go."""
        zone = self.areas.time_zone if self.areas else "Asia/Shanghai"
        try:
            return moment.astimezone(ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError):
            # No such zone on this machine: its own local time is the best guess.
            return moment.astimezone()

    def area_mask(self, buildings: Sequence[str], areas: Sequence[int]) -> int:
        """The areas behind a gate as a bit mask; all areas of the site where none are named."""
        known = {b.id: b.area for b in self.areas.buildings} if self.areas else {}
        mask = 0
        for bit in (*areas, *(known[name] for name in buildings if name in known)):
            mask |= 1 << bit
        if buildings or areas:
            return mask
        for bit in known.values():
            mask |= 1 << bit
        return mask

    def _take(self, document: SiteDocument) -> None:
        match document.kind:
            case "policy":
                self.policy = sitedata.read(document, Policy)
            case "areas":
                self.areas = sitedata.read(document, Areas)
            case "keys":
                self.keys = sitedata.read(document, Keys)
            case _:
                return
        self.versions[document.kind] = document.version

    def _make_key_set(self) -> KeySet:
        trusted: dict[int, TrustedKey] = {}
        for key in self.keys.keys:
            trusted[key.kid] = TrustedKey(
                kid=key.kid,
                public=Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public_key)),
                station=key.station,
                areas=key.areas,
                valid_from=key.valid_from,
                valid_until=key.valid_until,
                longest=key.longest,
            )
        return KeySet(self.areas.organisation if self.areas else "unknown", trusted)
