"""Mosquitto's configuration by version, and what a person is told when it can't run."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.contract.personal import NotLoopbackError
from broker.mqtt.mosquitto import MosquittoError, configuration, find


def test_the_listener_is_on_this_machine_only_until_personal_data_is_sealed() -> None:
    assert "listener 1234 127.0.0.1" in configuration("127.0.0.1", 1234, (2, 0))
    with pytest.raises(NotLoopbackError, match="not this machine"):
        configuration("0.0.0.0", 1234, (2, 0))


def test_nothing_is_kept_on_disk_and_packets_are_not_delayed() -> None:
    lines = configuration("127.0.0.1", 1, (2, 0)).splitlines()
    assert {"persistence false", "set_tcp_nodelay true", "message_size_limit 1048576"} <= set(lines)


@pytest.mark.parametrize(
    ("version", "allow"), [((2, 0), "allow_anonymous true"), ((2, 1), "listener_allow_anonymous true")]
)
def test_options_follow_the_version(version: tuple[int, int], allow: str) -> None:
    lines = configuration("127.0.0.1", 1, version).splitlines()
    assert allow in lines
    assert any(line.startswith("max_packet_size") for line in lines) == (version >= (2, 1))


def a_program(folder: Path, says: str) -> str:
    program = folder / "mosquitto"
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("mosquitto version 1.6.9", "2.0 or later is needed"),
        ("hello", "doesn't say that it is Mosquitto"),
    ],
)
def test_another_program_or_an_old_one_is_refused_in_a_sentence(tmp_path: Path, says: str, told: str) -> None:
    with pytest.raises(MosquittoError, match=told):
        find(a_program(tmp_path, says))


def test_a_missing_program_is_named_with_how_to_install_it() -> None:
    with pytest.raises(MosquittoError, match="apt install mosquitto"):
        find("no-such-mosquitto")


def test_the_installed_one_is_found() -> None:
    assert find("mosquitto")[1] >= (2, 0)
