"""What goes down to all stations: issued anew when its content changed, kept with its version.

version = max(last + 1, ms), so that a centre restored from yesterday never issues one that stations must refuse.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

import msgspec

from broker.contract import sitedata
from broker.contract.sitedata import Areas, Body, Keys, PassKey, Policy


def issue_if_changed(db: sqlite3.Connection, body: Body, now: datetime) -> bytes | None:
    """The new document where the content differs from the last one, else None. The caller's transaction."""
    kind = next(name for name, struct in sitedata.KINDS.items() if isinstance(body, struct))
    text = msgspec.json.encode(body).decode()
    row = db.execute("select version, body from site_documents where kind = ?", (kind,)).fetchone()
    if row and row[1] == text:
        return None
    document = sitedata.issue(body, last_version=row[0] if row else 0, now=now)
    payload = sitedata.encode(document)
    db.execute(
        "insert or replace into site_documents values (?, ?, ?, ?)", (kind, document.version, text, payload)
    )
    return payload


def documents(db: sqlite3.Connection) -> list[tuple[str, bytes]]:
    """(kind, payload) of every document in force."""
    return db.execute("select kind, document from site_documents order by kind").fetchall()


def keys(db: sqlite3.Connection, areas: Areas, policy: Policy, now: datetime) -> Keys:
    """The key set: every key whose passes can still be valid. The centre bounds what a key may grant."""
    mask = 0
    for building in areas.buildings:
        mask |= 1 << building.area
    longest = 60 * max(kind.terms.minutes for kind in policy.visit_types)
    rows = db.execute(
        "select kid, public_key, station, valid_from, valid_until from pass_keys where valid_until >= ? order by kid",
        (int(now.timestamp()) - longest,),
    )
    return Keys(
        keys=[
            PassKey(
                kid=r[0],
                public_key=r[1],
                station=r[2],
                areas=mask,
                valid_from=r[3],
                valid_until=r[4],
                longest=longest,
            )
            for r in rows
        ]
    )
