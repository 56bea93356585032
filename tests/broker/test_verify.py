"""`broker verify` finds each way in which a log can be altered, and says whole where nothing was."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from broker.cli import main
from broker.contract import event as events
from broker.contract.facts import StaffComing
from broker.contract.names import new_id
from broker.ingest.batch import Ingest
from broker.ledger import verify as checks
from broker.ledger.verify import Anchor, Anchors, verify
from broker.store import own_log
from broker.store.database import FILE, open_reader, open_writer, transaction
from broker.store.log import EventLog
from tests.support.centre import prepare_centre
from tests.support.log_writer import LogWriter, a_person, a_registration


@dataclass
class Kept:
    """A database with two logs of stations and the centre's own."""

    folder: Path
    config: Path
    lobby: LogWriter
    other: LogWriter
    anchors: list[Anchors]

    def change(self, sql: str, *values: object) -> None:
        with sqlite3.connect(self.folder / FILE) as db:
            assert db.execute(sql, values).rowcount > 0, "the test altered nothing"
        db.close()

    def first_wrong(self, anchors: list[Anchors] | None = None) -> str:
        db = open_reader(self.folder)
        verdict = verify(db, anchors or [])
        db.close()
        return str(verdict.wrong or "")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    centre = prepare_centre(tmp_path)
    db = open_writer(centre.data)
    log = EventLog(db)
    ingest = Ingest("yunqi", log, db)
    lobby, other = LogWriter("lobby-1"), LogWriter("lobby-2")
    told: list[Anchors] = []
    for writer in (lobby, other):
        for n in range(5):
            writer.add(a_registration(number=f"{n:06}"), a_person())
        with transaction(db):
            taken = ingest.take([("topic", writer.station, writer.payload(1, 4))])
            taken = ingest.take([("topic", writer.station, writer.payload(3, 6))])
        word = taken.acknowledgements[writer.station]
        told.append(
            Anchors("yunqi", writer.station, [Anchor(word.epoch, word.log, word.seq, word.head_hash)])
        )
    for _ in range(3):
        with transaction(db):
            own_log.write(db, log, "yunqi", StaffComing(call=new_id(), account="admin"))
    db.close()
    return Kept(centre.data, centre.config, lobby, other, told)


def test_an_untouched_log_is_whole(kept: Kept) -> None:
    db = open_reader(kept.folder)
    verdict = verify(db, kept.anchors)
    assert (verdict.whole, verdict.events, verdict.logs) == (True, 15, 3)
    assert (verdict.ciphertexts, verdict.ciphertexts_gone, verdict.anchors) == (30, 0, 2)
    db.close()


ALTER = {
    "a body": (
        "update events set body = cast(replace(body, '000001', '000009') as blob) where seq = 3",
        "altered",
    ),
    "a body's kind": ("update events set body = cast(body as text) where seq = 3", "another kind"),
    "a stored hash": ("update events set hash = 'f' || substr(hash, 2) where seq = 3", "altered"),
    "a column": (
        "update events set station = 'lobby-2' where seq = 6 and station = 'lobby-1'",
        "missing|head|body",
    ),
    "a type": ("update events set type = 'pass.left' where seq = 3", "columns"),
    "a moment": ("update events set time = '2020-01-01T00:00:00.000Z' where seq = 3", "columns"),
    "an id": ("update events set id = 'another-identity' where seq = 3", "columns"),
    "an event taken out": ("delete from events where seq = 3 and station = 'lobby-1'", "missing"),
    "the end cut": ("delete from events where seq = 6 and station = 'lobby-1'", "missing"),
    "a whole log taken out": ("delete from events where station = 'lobby-2'", "seq 1: it is missing"),
    "a head": ("update heads set seq = 5 where station = 'lobby-2'", "head"),
    "the order of arrival": (
        "update events set position = 1000 where seq = 2 and station = 'lobby-1'",
        "order",
    ),
    "a key": ("update log_keys set public_key = replace(public_key, substr(public_key, 1, 1), 'x')", "key"),
    "a signature": ("update log_keys set signature = zeroblob(64)", "signature"),
    "a ciphertext": (
        "update ciphertexts set ciphertext = x'00' where class = 'phone'",
        "class phone was altered",
    ),
    "a ciphertext's class": ("update ciphertexts set class = 'document' where class = 'phone'", "no such"),
    "a ciphertext beside nothing": ("update ciphertexts set position = 999 where position = 2", "no event"),
}


@pytest.mark.parametrize("name", ALTER)
def test_what_was_altered_is_named(kept: Kept, name: str) -> None:
    sql, says = ALTER[name]
    kept.change(sql)
    assert re.search(says, kept.first_wrong())


def test_a_forger_who_mends_the_chain_is_given_away_by_the_signature_and_by_the_anchor(kept: Kept) -> None:
    """Rewrites an event and everything after it, with the hashes, the heads and the columns in step."""
    forged = LogWriter(log=kept.lobby.log, items=kept.lobby.items[:3], key=LogWriter().key)
    forged.head = events.body_hash(forged.items[2].body)
    for n in range(3):
        forged.add(a_registration(number=f"forge{n}"))
    db = sqlite3.connect(kept.folder / FILE)
    for item in forged.items[3:]:
        event = events.decode(item.body)
        db.execute(
            "update events set body = ?, hash = ?, id = ?, time = ? where station = 'lobby-1' and seq = ?",
            (
                item.body,
                events.body_hash(item.body),
                event.id,
                event.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                event.seq,
            ),
        )
    db.execute("update heads set hash = ? where station = 'lobby-1'", (forged.head,))
    db.commit()
    db.close()
    assert kept.first_wrong() == (
        f"yunqi/lobby-1/{kept.lobby.log} seq 6: the station's signature does not cover the log as it is here"
    )
    kept.change("delete from log_keys where station = 'lobby-1'")
    kept.change("delete from ciphertexts where position between 4 and 6")
    assert "seq 1: the key kept" in kept.first_wrong(), "nor can the key be left out"


def test_a_log_written_anew_from_its_beginning_with_a_key_of_the_forgers_own_is_found_by_the_stations_anchor(
    tmp_path: Path, kept: Kept
) -> None:
    db = open_writer(tmp_path / "forged")
    copy = LogWriter(log=kept.lobby.log)
    for _ in range(5):
        copy.add(a_registration())
    with transaction(db):
        db.execute("update meta set value = ? where key = 'epoch'", (kept.anchors[0].anchors[0].epoch,))
        Ingest("yunqi", EventLog(db), db).take([("topic", "lobby-1", copy.payload())])
    db.close()
    reading = open_reader(tmp_path / "forged")
    assert verify(reading).whole, "from within nothing can be seen"
    wrong = verify(reading, kept.anchors).wrong
    assert wrong is not None
    assert (wrong.station, wrong.log, wrong.seq) == ("lobby-1", copy.log, 6)
    assert "rewritten" in wrong.what
    reading.close()


def test_what_was_acknowledged_and_is_not_here_is_wrong_unless_a_backup_was_restored_since(
    kept: Kept,
) -> None:
    [lobby, _] = kept.anchors
    [anchor] = lobby.anchors
    beyond = msgspec.structs.replace(anchor, seq=7)
    assert "not here" in kept.first_wrong([msgspec.structs.replace(lobby, anchors=[beyond])])
    earlier = msgspec.structs.replace(beyond, epoch="an-epoch-before")
    assert kept.first_wrong([msgspec.structs.replace(lobby, anchors=[earlier])]) == ""


def test_a_large_log_read_in_stretches_by_several_processes_is_judged_alike(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "STEP", 2)
    monkeypatch.setattr(checks, "WORTH_SHARING", 1)
    heard: list[int] = []
    db = open_reader(kept.folder)
    verdict = verify(db, kept.anchors, heard.append)
    db.close()
    assert (verdict.whole, verdict.events, verdict.ciphertexts_gone, heard[-1]) == (True, 15, 0, 15)
    assert heard == sorted(heard)
    kept.change("update events set id = 'another-' || seq where station = 'lobby-1' and seq in (3, 5)")
    assert kept.first_wrong().startswith(f"yunqi/lobby-1/{kept.lobby.log} seq 3: its columns")


def test_a_deleted_ciphertext_is_counted_and_is_no_fault(kept: Kept) -> None:
    kept.change("delete from ciphertexts where class = 'phone'")
    result = CliRunner().invoke(main, ["verify", "--json", "--config", str(kept.config)])
    said = json.loads(result.output)
    assert (result.exit_code, said["whole"], said["ciphertexts_gone"]) == (0, True, 10)


def test_the_command_says_whole_or_what_is_wrong_with_its_exit_code(kept: Kept, tmp_path: Path) -> None:
    run = CliRunner().invoke
    file = tmp_path / "anchors.json"
    file.write_bytes(b"\n".join(msgspec.json.encode(one) for one in kept.anchors))
    command = ["verify", "--config", str(kept.config), "--anchors", str(file)]
    result = run(main, command)
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "whole")
    kept.change(
        "update events set body = cast(replace(body, '000001', '000009') as blob) where seq = 3 and station = 'lobby-2'"
    )
    result = run(main, command)
    assert result.exit_code == 1
    assert f"NOT WHOLE: yunqi/lobby-2/{kept.other.log} seq 3: its body" in result.output
    file.write_text("nonsense")
    assert run(main, command).exit_code == 2
    assert run(main, [*command[:3], "--anchors", str(tmp_path / "none")]).exit_code == 2


@pytest.mark.parametrize("at", [0.3, 0.6, 0.9])
def test_a_damaged_file_is_said_to_be_damaged(kept: Kept, at: float) -> None:
    db = sqlite3.connect(kept.folder / FILE)
    db.execute("pragma wal_checkpoint(truncate)")
    db.close()
    path = kept.folder / FILE
    content = bytearray(path.read_bytes())
    page = int(len(content) * at) // 4096 * 4096
    content[page : page + 4096 * 8] = b"\xa5" * 4096 * 8
    path.write_bytes(content)
    result = CliRunner().invoke(main, ["verify", "--config", str(kept.config)])
    assert (result.exit_code, "Traceback" in result.output) == (1, False)
