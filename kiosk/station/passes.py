"""The keys a station signs passes with: made here, never leaving it, renewed weekly, announced in its log.

A key id is drawn at random, because two stations must not need to agree; where the centre's key set shows ours with
another public key, a new one is made. Used places of a key's status list stand beside it, so none is given twice.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.contract import passes
from broker.contract.facts import PassKeyMade
from broker.contract.passes import PLACES, Pass
from broker.contract.sitedata import PassTerms
from kiosk.station.clock import Clock
from kiosk.station.outbox import Outbox
from kiosk.station.sitedata import SiteData
from kiosk.station.store import Store

_log = logging.getLogger(__name__)

SIGNS_FOR = 7 * 86_400
SPARE = 86_400
"""Seconds: a key signs for a week; the day after it is still good, for a clock that is a little behind."""

KEPT_AFTER = 8 * 86_400
"""A private key is kept so long after its end, to show again the passes it signed (none lasts longer than a week)."""


class ClockWrongError(RuntimeError):
    """The station's clock can't be believed, so no pass may be issued by it."""


@dataclass(frozen=True, slots=True)
class _Key:
    kid: int
    private: Ed25519PrivateKey
    valid_from: int
    valid_until: int


class PassOffice:
    """Issues passes. Only the worker's thread may use it."""

    def __init__(self, store: Store, outbox: Outbox, clock: Clock, site: SiteData) -> None:
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._site = site

    def ready(self) -> None:
        """Make the key that the next pass will need, so that gates know it before its visitor comes.

        Raises:
            ClockWrongError: a key made now could be valid at a wrong time.
        """
        self._key()

    def issue(self, terms: PassTerms, area: int) -> Pass:
        """Draw the claims of a new pass, valid from now. Joins the caller's transaction.

        Raises:
            ClockWrongError: the clock can't be believed.
            LookupError: the site isn't known yet.
        """
        areas = self._site.areas
        if areas is None:
            raise LookupError("no pass without a site: the centre has not told its areas yet")
        now = self._trusted_now()
        key = self._key()
        certified = self._site.key(key.kid)
        lasts = min(terms.minutes * 60, certified.longest if certified else terms.minutes * 60)
        return Pass(
            kid=key.kid,
            cti=self._draw_cti(now),
            not_before=now,
            expires=now + lasts,
            site=areas.site_number,
            areas=1 << area,
            entries=terms.entries,
            mode=terms.mode,
            index=self._draw_place(key.kid),
        )

    def text(self, claims: Pass, organisation: str) -> str | None:
        """The pass's text, signed anew (Ed25519 always gives the same); None once its key is gone."""
        row = self._store.row("SELECT private FROM pass_key WHERE kid = ?", (claims.kid,))
        if row is None:
            return None
        return passes.sign(claims, Ed25519PrivateKey.from_private_bytes(row["private"]), organisation)

    def keys_changed(self) -> None:
        """The centre's key set changed: a key of ours whose id belongs to another is retired."""
        for row in self._store.rows("SELECT kid, public FROM pass_key WHERE retired = 0"):
            known = self._site.key(row["kid"])
            if known is not None and known.public_key != row["public"]:
                _log.warning("key id %d belongs to %s; making another key", row["kid"], known.station)
                with self._store.transaction() as connection:
                    connection.execute("UPDATE pass_key SET retired = 1 WHERE kid = ?", (row["kid"],))

    def prune(self) -> None:
        """Drop keys that neither sign nor show any more, and their used places."""
        before = int(self._clock.seconds()) - KEPT_AFTER
        with self._store.transaction() as connection:
            connection.execute(
                "DELETE FROM used_place WHERE kid IN (SELECT kid FROM pass_key WHERE valid_until < ?)",
                (before,),
            )
            connection.execute("DELETE FROM pass_key WHERE valid_until < ?", (before,))

    def _trusted_now(self) -> int:
        if not self._clock.trusted:
            raise ClockWrongError("no pass is issued while this station's clock is wrong")
        return int(self._clock.true_seconds())

    def _key(self) -> _Key:
        now = self._trusted_now()
        row = self._store.row(
            "SELECT kid, private, valid_from, valid_until FROM pass_key"
            " WHERE retired = 0 AND valid_from <= ? AND valid_until - ? > ? ORDER BY valid_until DESC LIMIT 1",
            (now, SPARE, now),
        )
        if row is None:
            return self._make(now)
        private = Ed25519PrivateKey.from_private_bytes(row["private"])
        return _Key(row["kid"], private, row["valid_from"], row["valid_until"])

    def _make(self, now: int) -> _Key:
        taken = {key.kid for key in self._site.keys.keys}
        taken |= {row["kid"] for row in self._store.rows("SELECT kid FROM pass_key")}
        kid = secrets.choice([kid for kid in range(1, 0x10000) if kid not in taken])
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw().hex()
        key = _Key(kid, private, now, now + SIGNS_FOR + SPARE)
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO pass_key (kid, private, public, valid_from, valid_until) VALUES (?, ?, ?, ?, ?)",
                (kid, private.private_bytes_raw(), public, key.valid_from, key.valid_until),
            )
            self._outbox.append(
                PassKeyMade(
                    kid=kid, public_key=public, valid_from=key.valid_from, valid_until=key.valid_until
                )
            )
        return key

    def _draw_cti(self, now: int) -> bytes:
        """A pass id whose typed code no living pass of this station has."""
        rows = self._store.rows("SELECT cti FROM visit WHERE expires > ?", (now,))
        codes = {passes.typed_code(row["cti"]) for row in rows}
        while True:
            cti = passes.draw_cti()
            if passes.typed_code(cti) not in codes:
                return cti

    def _draw_place(self, kid: int) -> int:
        with self._store.transaction() as connection:
            # A key signs for a week; a lobby fills a hundredth of its places, so a free one is found at once.
            for _ in range(1000):
                place = secrets.randbelow(PLACES)
                if connection.execute(
                    "INSERT OR IGNORE INTO used_place VALUES (?, ?)", (kid, place)
                ).rowcount:
                    return place
        raise LookupError(f"the status list of key id {kid} is full")
