"""A centre in the test's own process, on a broker of the test's: to be crashed, muted, emptied and put back in moments.

It is the real one without its console: database, writer, ingest, MQTT connection. What `broker serve` itself does with
its processes is tested with `running_centre`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from broker import settings as centre_settings
from broker.centre import Centre
from broker.contract.names import new_log_id
from broker.contract.topics import Topics
from broker.mqtt.client import Connection
from broker.store.board import read_alarms
from broker.store.database import FILE, open_writer
from tests.support import ledger
from tests.support.centre import prepare_centre
from tests.support.ledger import Ledger


class InnerCentre:
    """Runs from `start` to `crash`; `muted` swallows everything it would publish, after its commit."""

    def __init__(self, folder: Path, mqtt_port: int) -> None:
        read = centre_settings.load(prepare_centre(folder).config)
        self.settings = read
        self._port = mqtt_port
        self.data = read.data
        self.muted = False
        self._running: tuple[Centre, Connection, sqlite3.Connection] | None = None

    @property
    def file(self) -> Path:
        return self.data / FILE

    def start(self) -> None:
        db = open_writer(self.data)
        connection = Connection(
            client_id=f"{self.settings.site}.centre",
            host="127.0.0.1",
            port=self._port,
            filters=Topics(self.settings.site).for_centre(),
            on_message=lambda arrival: centre.arrived(arrival),
            on_connected=lambda: centre.connected(),
        )

        def publish(topic: str, payload: bytes, *, retain: bool = False) -> bool:
            return not self.muted and connection.publish(topic, payload, retain=retain)

        centre = Centre(
            self.settings, db, publish=publish, done=connection.done, on_change=lambda changes: None
        )
        centre.start()
        connection.start()
        self._running = centre, connection, db

    def crash(self) -> None:
        """Ends with whatever it was told last unsaid; the broker keeps what is retained."""
        if self._running is None:
            return
        centre, connection, db = self._running
        self._running = None
        connection.stop()
        centre.stop()
        db.close()

    def back_up(self, copy: Path) -> None:
        """A consistent copy of the database as it is."""
        with closing(ledger.open_read_only(self.file)) as live, closing(sqlite3.connect(copy)) as out:
            live.backup(out)

    def put_back(self, copy: Path | None) -> None:
        """Begin again from an old copy, or from nothing, in a new epoch."""
        for suffix in ("", "-wal", "-shm"):
            self.file.with_name(FILE + suffix).unlink(missing_ok=True)
        if copy is None:
            return
        self.file.write_bytes(copy.read_bytes())
        with closing(sqlite3.connect(self.file)) as db, db:
            for key in ("epoch", "centre_log"):
                db.execute("update meta set value = ? where key = ?", (new_log_id(), key))

    def ledger(self) -> Ledger:
        """What it holds, checked."""
        return ledger.of_centre(self.file)

    def query(self, sql: str, *values: object) -> list[tuple]:
        with closing(ledger.open_read_only(self.file)) as db:
            return db.execute(sql, values).fetchall()

    def alarms(self) -> set[str]:
        with closing(ledger.open_read_only(self.file)) as db:
            db.row_factory = sqlite3.Row
            return {alarm.kind for alarm in read_alarms(db)}
