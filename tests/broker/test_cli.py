"""The command `broker` as a technician uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from broker.cli import main
from broker.contract.version import __version__
from tests.support.centre import RunningCentre
from tests.support.log_writer import a_person, a_registration
from tests.support.mqtt_station import MqttStation


def test_help_shows_an_example_and_version_the_version() -> None:
    for arguments in (["--help"], ["serve", "--help"], ["events", "tail", "--help"]):
        result = CliRunner().invoke(main, arguments)
        assert (result.exit_code, "Example: broker" in result.output) == (0, True)
    assert __version__ in CliRunner().invoke(main, ["--version"]).output


def test_asking_for_help_loads_neither_web_framework_nor_mqtt_client() -> None:
    program = (
        "import sys\nfrom broker.cli import main\nmain(['--help'], standalone_mode=False)\n"
        "print([name for name in ('litestar', 'paho', 'uvicorn', 'kivy') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "[]"


def test_exported_events_are_the_bodies_as_sent_and_nothing_personal(
    centre: RunningCentre, station: Callable[..., MqttStation]
) -> None:
    lobby = station("cli-1")
    lobby.log.add(a_registration(), a_person("欧阳无名", phone="13700001111"))
    lobby.send(lobby.log.payload())
    lobby.acknowledged(2)
    command = ["events", "export", "--config", str(centre.config)]
    result = CliRunner().invoke(main, [*command, "--json"])
    lines = [json.loads(line) for line in result.output.splitlines()]
    mine = [line for line in lines if line["event"]["log"] == lobby.log.log]
    assert (result.exit_code, len(mine), mine[1]["state"]) == (0, 2, "ok")
    assert lobby.log.items[1].body.decode() in result.output
    assert "欧阳无名" not in result.output
    assert "13700001111" not in result.output
    assert CliRunner().invoke(main, [*command, "--json", "--since", str(lines[-1]["position"])]).output == ""
    assert CliRunner().invoke(main, [*command, "--json", "--since", "2099-01-01"]).output == ""
    assert "visit.registered" in CliRunner().invoke(main, command).output
    assert CliRunner().invoke(main, [*command, "--since", "yesterday"]).exit_code == 2


def test_tail_prints_events_as_they_come(centre: RunningCentre, station: Callable[..., MqttStation]) -> None:
    tail = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "broker.cli",
            "events",
            "tail",
            "--json",
            "--since",
            "0",
            "--config",
            str(centre.config),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        lobby = station("cli-2")
        lobby.log.add(a_registration())
        lobby.send(lobby.log.payload())
        assert tail.stdout is not None
        for line in tail.stdout:
            if json.loads(line)["event"]["log"] == lobby.log.log:
                break
    finally:
        tail.terminate()
        tail.wait(5)


def test_reading_a_log_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    from tests.support.centre import prepare_centre

    centre = prepare_centre(tmp_path)
    result = CliRunner().invoke(main, ["events", "export", "--config", str(centre.config)])
    assert (result.exit_code, "broker serve" in result.output) == (1, True)


def test_a_new_password_opens_and_the_old_one_no_longer(tmp_path: Path) -> None:
    from broker.store import accounts
    from broker.store.database import open_writer, transaction
    from tests.support.centre import prepare_centre

    centre = prepare_centre(tmp_path)
    db = open_writer(centre.data)
    with transaction(db):
        first = accounts.first_password(db)
        token = accounts.open_session(db, "admin")
        assert accounts.first_password(db) is None, "shown only once"
    fresh = CliRunner().invoke(main, ["password", "admin", "--config", str(centre.config)]).output.strip()
    hash = db.execute("select password_hash from accounts").fetchone()[0]
    assert first is not None
    assert (accounts.is_right(hash, fresh), accounts.is_right(hash, first)) == (True, False)
    assert accounts.find_session(db, token) is None, "open sessions end with the old password"
    dump = "\n".join(db.iterdump())
    assert fresh not in dump
    assert first not in dump
    assert token not in dump
    db.close()


def test_the_committed_interface_description_is_current() -> None:
    committed = (Path(__file__).parents[2] / "docs" / "asyncapi.json").read_text("utf-8")
    assert CliRunner().invoke(main, ["asyncapi"]).output == committed


def test_every_reference_in_the_interface_description_leads_somewhere() -> None:
    from broker.contract.asyncapi import document

    found = document()

    def follow(value: object) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                target: object = found
                for part in value["$ref"].removeprefix("#/").split("/"):
                    assert isinstance(target, dict)
                    target = target[part]
            for one in value.values():
                follow(one)
        elif isinstance(value, list):
            for one in value:
                follow(one)

    follow(found)
    assert set(found["channels"]) >= {"event", "ack", "state", "device", "site_policy", "ask", "answer"}


@pytest.mark.parametrize("wrong", [["nonsense"], ["serve", "--nonsense"], ["password"]])
def test_wrong_usage_is_exit_code_2(wrong: list[str]) -> None:
    assert CliRunner().invoke(main, wrong).exit_code == 2
