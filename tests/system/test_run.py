"""`make run`: it says where to look, ends whole, and says in a sentence why it can't start."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.house import House, house, wait_for
from tools.stage import DEMO

pytestmark = pytest.mark.timeout(300)

UP = "Ctrl-C ends all of it."


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[House]:
    with house(DEMO.copy(tmp_path)) as it:
        yield it
        it.report()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_it_says_where_to_look_and_a_signal_ends_all_of_it(empty: House, number: signal.Signals) -> None:
    run = empty.run()
    run.wait_said(UP, 60)
    said = empty.output()
    assert "Frontdesk is up." in said
    assert empty.stage.console in said
    assert re.search(r"Staff PIN .*: \d{6}$", said, re.M)
    assert re.search(r"log in as admin with password \S+", said)
    assert "on the virtual display :" in said
    assert {"mosquitto", "Xvfb"} <= {Path(line.split()[0]).name for line in empty.running().values()}
    assert run.end(number) == 0
    assert empty.running() == {}


def test_ctrl_c_at_a_terminal_reaches_every_process_and_still_ends_well(empty: House) -> None:
    """A terminal sends SIGINT to the whole foreground group, not to the first process only."""
    run = empty.run()
    run.wait_said(UP, 60)
    os.killpg(run.popen.pid, signal.SIGINT)
    assert run.popen.wait(20) == 0
    assert empty.running() == {}


def test_secrets_are_printed_on_the_first_run_only(empty: House) -> None:
    first = empty.run()
    first.wait_said(UP, 60)
    first.end()
    second = empty.run()
    second.wait_said(UP, 60)
    second.end()
    assert "PIN" in "\n".join(first.lines)
    assert not [line for line in second.lines if "PIN" in line or "with password" in line]


def test_a_process_that_dies_ends_the_others_and_is_named(empty: House) -> None:
    run = empty.run()
    run.wait_said(UP, 60)
    lobby = next(pid for pid, line in empty.running().items() if "kiosk lobby" in line)
    os.kill(lobby, signal.SIGKILL)
    assert run.popen.wait(20) == 1
    assert run.said("lobby stopped (rc=-9)")
    assert run.said("A process ended by itself")
    assert empty.running() == {}


@pytest.mark.parametrize("listener", ["mqtt", "console"])
def test_a_port_in_use_is_a_sentence_with_a_next_step(empty: House, listener: str) -> None:
    settings = getattr(empty.stage.centre, listener)
    with contextlib.closing(socket.create_server((settings.host, settings.port))):
        run = empty.run()
        assert run.popen.wait(20) == 2
        wait_for(lambda: run.lines, 5, "it says why")
    (sentence,) = run.lines
    assert f"Port {settings.port} of 127.0.0.1 is in use" in sentence
    assert f"[{listener}]" in sentence


def test_a_broken_configuration_is_named_with_file_line_and_key(empty: House) -> None:
    config = empty.stage.config / "lobby.toml"
    config.write_text(config.read_text("utf-8").replace("width = 1080", 'width = "wide"'), "utf-8")
    line = next(n for n, text in enumerate(config.read_text("utf-8").splitlines(), 1) if "wide" in text)
    run = empty.run()
    assert run.popen.wait(20) == 2
    wait_for(lambda: run.lines, 5, "it says why")
    assert run.lines[0].startswith(f"{config}:{line}: window.width: ")
