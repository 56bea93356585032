"""Databases of every release are opened by this one: whole, with views that equal rebuilt ones, and they go on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlite_utils import Database

from broker.contract.message import Item
from broker.ingest.batch import Ingest
from broker.ledger.rebuild import rebuild
from broker.ledger.verify import verify
from broker.store.database import FILE, open_writer, transaction
from broker.store.log import EventLog
from broker.store.schema import migrations
from broker.store.views import TABLES
from tests.support.log_writer import LogWriter, a_registration

RELEASES = sorted((Path(__file__).parent / "fixtures").glob("centre-*.sql"))


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.stem)
def test_a_database_of_a_release_is_brought_up_to_date_and_goes_on(release: Path, tmp_path: Path) -> None:
    text = release.read_text("utf-8")
    with closing(sqlite3.connect(tmp_path / FILE)) as old:
        old.executescript(text)
        events = old.execute("select count(*) from events").fetchone()[0]
    db = open_writer(tmp_path)
    assert migrations.pending(Database(db, execute_plugins=False)) == []
    verdict = verify(db)
    assert (verdict.wrong, verdict.events) == (None, events)

    def views() -> dict[str, list[tuple[object, ...]]]:
        return {table: sorted(db.execute(f"select * from {table}").fetchall()) for table in TABLES}

    before = views()
    assert all(before.values())
    rebuild(tmp_path)
    assert views() == before

    [log, head] = db.execute("select log, hash from heads where station = 'lobby-2'").fetchone()
    items = [Item(row[0]) for row in db.execute("select body from events where log = ? order by seq", (log,))]
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text[3 : text.index("\n")]))
    station = LogWriter("lobby-2", log=log, items=items, head=head, key=key)
    station.add(a_registration())
    with transaction(db):
        taken = Ingest("yunqi", EventLog(db), db).take(
            [("topic", "lobby-2", station.payload(len(station.items)))]
        )
    assert taken.acknowledgements["lobby-2"].seq == len(station.items)
    assert verify(db).whole
    db.close()


def test_there_is_a_fixture_of_each_release() -> None:
    assert {path.stem for path in RELEASES} >= {"centre-0.1.0", "centre-0.1.0-before-signatures"}
