"""Backup of a centre at work, and what a restored one is to its stations."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from broker.cli import main
from broker.ingest.batch import Ingest
from broker.ledger import backup as backups
from broker.ledger import sealed_file
from broker.ledger.verify import verify
from broker.store.board import read_alarms
from broker.store.database import FILE, hold, meta, open_reader, open_writer, transaction
from broker.store.log import EventLog
from tests.support.centre import RunningCentre, prepare_centre
from tests.support.log_writer import LogWriter, a_person, a_registration
from tests.support.mqtt_station import MqttStation

PASSPHRASE = "eight hills under the morning sun"
NAME = "欧阳无名"


@pytest.fixture
def centre(tmp_path: Path) -> RunningCentre:
    """A centre that is not running, with a few visits."""
    prepared = prepare_centre(tmp_path)
    db = open_writer(prepared.data)
    log = LogWriter()
    for n in range(4):
        log.add(a_registration(number=f"{n:06}"), a_person(NAME))
    with transaction(db):
        Ingest("yunqi", EventLog(db), db).take([("topic", "lobby-1", log.payload())])
    db.close()
    return prepared


@pytest.fixture
def run(centre: RunningCentre, tmp_path: Path) -> Callable[..., Result]:
    """A command on that centre with the passphrase in a file."""
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE + "\n")

    def invoke(
        command: str, *arguments: str | Path, passphrase: Path | None = secret, typed: str = ""
    ) -> Result:
        words = [command, *map(str, arguments), "--config", str(centre.config)]
        if passphrase is not None:
            words += ["--passphrase-file", str(passphrase)]
        return CliRunner().invoke(main, words, input=typed)

    return invoke


def rows(folder: Path) -> list[tuple[object, ...]]:
    db = sqlite3.connect(folder / FILE)
    found = db.execute(
        "select position, body from events where station != 'centre' order by position"
    ).fetchall()
    db.close()
    return found


def test_a_restored_centre_holds_what_was_backed_up_in_a_new_epoch_with_a_note_in_its_log(
    centre: RunningCentre, run: Callable[..., Result], tmp_path: Path
) -> None:
    db = open_reader(centre.data)
    epoch, before = meta(db, "epoch"), rows(centre.data)
    db.close()
    file = tmp_path / "centre.backup"
    killed = centre.data / "backup-of-one-that-was-killed"
    killed.mkdir()
    assert run("backup", file).exit_code == 0
    assert not killed.exists()
    for old in centre.data.glob("centre.db*"):
        old.unlink()
    result = run("restore", file)
    assert (result.exit_code, "restored as of 20" in result.output) == (0, True)
    assert rows(centre.data) == before
    db = open_reader(centre.data)
    assert meta(db, "epoch") != epoch
    assert verify(db).whole
    note = db.execute(
        "select body from events where station = 'centre' and log = ?", (meta(db, "centre_log"),)
    )
    assert b'"reason":"restored","predecessor":{"log":"' in note.fetchone()[0]
    assert "restored" in {alarm.kind for alarm in read_alarms(db)}
    assert db.execute("select count(*) from sessions").fetchone()[0] == 0
    db.close()
    left = {path.name for path in centre.data.iterdir() if path.suffix != ".lock"}
    assert left <= {FILE, f"{FILE}-wal", f"{FILE}-shm"}
    assert (centre.data / FILE).stat().st_mode & 0o077 == 0


def test_a_backup_tells_nobody_anything_without_the_passphrase(
    centre: RunningCentre, run: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "centre.backup"
    run("backup", file)
    content = file.read_bytes()
    for told in (NAME.encode(), b"visit.registered", b"lobby-1", b"SQLite"):
        assert told not in content
    assert file.stat().st_mode & 0o077 == 0
    wrong = tmp_path / "wrong"
    wrong.write_text(PASSPHRASE + "!")
    refused = run("restore", file, "--force", passphrase=wrong)
    assert (refused.exit_code, "passphrase is not the one" in refused.output) == (1, True)


@pytest.mark.parametrize(
    ("how", "where"),
    [
        ("altered", 5),
        ("altered", 60),
        ("altered", 0.5),
        ("altered", 0.9999),
        ("cut", 60),
        ("cut", 0.9999),
        ("longer", 40),
        ("longer", 0.5),
    ],
)
def test_a_file_that_was_altered_or_cut_off_restores_nothing(
    centre: RunningCentre, run: Callable[..., Result], tmp_path: Path, where: float, how: str
) -> None:
    file = tmp_path / "centre.backup"
    run("backup", file)
    before = (centre.data / FILE).read_bytes()
    content = bytearray(file.read_bytes())
    at = int(where if where >= 1 else len(content) * where)
    if how == "altered":
        content[at] ^= 1
    elif how == "cut":
        del content[at:]
    else:
        content[at:at] = b"x"
    file.write_bytes(content)
    result = run("restore", file, "--force")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert str(file) in result.output
    assert (centre.data / FILE).read_bytes() == before
    assert not list(centre.data.glob("restore-*"))


def test_a_backup_cut_between_two_frames_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_file, "FRAME", 1000)
    source, sealed = tmp_path / "source", tmp_path / "sealed"
    source.write_bytes(bytes(range(250)) * 16)
    with source.open("rb") as plain, sealed.open("wb") as out:
        sealed_file.seal(plain, out, PASSPHRASE, site="yunqi", made="now", version="0")
    with sealed.open("rb") as back:
        assert b"".join(sealed_file.unseal(back, PASSPHRASE)) == source.read_bytes()
    content = sealed.read_bytes()
    frame = 1000 + sealed_file.TAG
    head = len(content) - 4 * frame
    swapped = content[:head] + content[head + frame : head + 2 * frame] + content[head : head + frame]
    for spoilt in (content[:-frame], swapped + content[head + 2 * frame :], content + content[-frame:]):
        sealed.write_bytes(spoilt)
        with (
            sealed.open("rb") as back,
            pytest.raises(sealed_file.SealedFileError, match="altered or cut off"),
        ):
            list(sealed_file.unseal(back, PASSPHRASE))


def test_nothing_is_written_over_unless_that_is_said(
    centre: RunningCentre, run: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "centre.backup"
    assert run("backup", file).exit_code == 0
    again = run("backup", file)
    assert (again.exit_code, "--force" in again.output) == (1, True)
    assert run("backup", file, "--force").exit_code == 0
    over = run("restore", file)
    assert (over.exit_code, "--force" in over.output) == (1, True)
    assert run("restore", file, "--force").exit_code == 0


def test_a_centre_that_serves_is_not_replaced(
    centre: RunningCentre, run: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "centre.backup"
    run("backup", file)
    with hold(centre.data):
        refused = run("restore", file, "--force")
    assert (refused.exit_code, "End the centre first" in refused.output) == (1, True)


def test_the_passphrase_is_asked_for_twice_and_must_not_be_short(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "centre.backup"
    typed = f"{PASSPHRASE}\n{PASSPHRASE}\n"
    assert run("backup", file, passphrase=None, typed=typed).exit_code == 0
    assert run("restore", file, "--force", passphrase=None, typed=f"{PASSPHRASE}\n").exit_code == 0
    short = run("backup", tmp_path / "other", passphrase=None, typed="short\nshort\n")
    assert (short.exit_code, "at least 12" in short.output) == (1, True)
    assert run("backup", tmp_path / "other", passphrase=tmp_path / "none").exit_code == 2


def test_another_sites_backup_and_a_file_that_is_none_are_refused(
    centre: RunningCentre, run: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "centre.backup"
    backups.backup(centre.data, file, PASSPHRASE, site="elsewhere")
    other = run("restore", file, "--force")
    assert (other.exit_code, "of site elsewhere" in other.output) == (1, True)
    letter = run("restore", centre.config, "--force")
    assert (letter.exit_code, "no backup" in letter.output) == (1, True)


def test_a_backup_made_while_events_arrive_is_one_moment_of_the_log(
    centre: RunningCentre, run: Callable[..., Result], tmp_path: Path
) -> None:
    db = open_writer(centre.data)
    ingest, log = Ingest("yunqi", EventLog(db), db), LogWriter("lobby-2")
    for n in range(3000):
        log.add(a_registration(number=f"{n:06}"), a_person())
    stop, sent = threading.Event(), [0]

    def arrive() -> None:
        while not stop.is_set() and sent[0] < 3000:
            with transaction(db):
                ingest.take([("topic", "lobby-2", log.payload(sent[0] + 1, sent[0] + 5))])
            sent[0] += 5

    writer = threading.Thread(target=arrive)
    writer.start()
    try:
        while sent[0] < 50:
            time.sleep(0.01)
        files = [tmp_path / f"{n}.backup" for n in range(3)]
        marks: list[int] = []
        for file in files:
            marks.append(sent[0])
            assert run("backup", file).exit_code == 0
    finally:
        stop.set()
        writer.join()
        db.close()
    for file, mark in zip(files, marks, strict=True):
        backups.restore(tmp_path / file.stem, file, PASSPHRASE, site="yunqi")
        reading = open_reader(tmp_path / file.stem)
        assert verify(reading).whole
        visits = reading.execute("select count(*) from visits where station = 'lobby-2'").fetchone()[0]
        [events] = reading.execute("select count(*) from events where station = 'lobby-2'").fetchone()
        assert events == visits + 1, "log and views are of the same moment"
        assert events >= mark
        reading.close()


@pytest.fixture
def lobby(centre: RunningCentre) -> Iterator[MqttStation]:
    centre.start()
    station = MqttStation(centre.mqtt_port, LogWriter("lobby-9"))
    yield station
    station.close()
    if centre.running:
        centre.stop()


def test_after_a_restore_the_station_brings_what_came_after_the_backup(
    centre: RunningCentre, run: Callable[..., Result], lobby: MqttStation, tmp_path: Path
) -> None:
    """With a real centre: backed up while it serves, ended, restored, started again."""
    lobby.log.add(a_registration(number="000001"), a_person())
    lobby.send(lobby.log.payload())
    old = lobby.acknowledged(2).epoch
    file = tmp_path / "centre.backup"
    assert run("backup", file).exit_code == 0
    lobby.log.add(a_registration(number="000002"), a_person())
    lobby.send(lobby.log.payload(3, 3))
    lobby.acknowledged(3)
    refused = run("restore", file, "--force")
    assert (refused.exit_code, "End the centre first" in refused.output) == (1, True)
    centre.stop()
    assert run("restore", file, "--force").exit_code == 0
    centre.start()

    def renewed(topic: str, payload: bytes) -> object:
        from broker.contract import acknowledgement

        word = acknowledgement.decode(payload) if topic == lobby.topics.ack("lobby-9") else None
        return word if word and word.epoch != old else None

    word = lobby.wait_for(renewed, 15)
    assert getattr(word, "seq", 0) == 2, "a new epoch, and how far the restored centre holds the log"
    lobby.send(lobby.log.payload(3, 3))
    assert lobby.acknowledged(3).head_hash == lobby.log.head
    reading = open_reader(centre.data)
    assert verify(reading).whole
    reading.close()
