"""What setup.sh says where it can't go on: always what is missing and the next step, and it never asks.

Run on a copy, as a user without rights, with stand-ins for the machine's own commands in front of PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = 65534


@pytest.fixture
def copy() -> Iterator[Path]:
    """A folder that an unprivileged user can read, with setup.sh, the locks and a place for stand-ins."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "tools").mkdir()
        (folder / "bin").mkdir()
        shutil.copy(ROOT / "tools" / "setup.sh", folder / "tools")
        shutil.copytree(ROOT / "requirements", folder / "requirements")
        shutil.copy(ROOT / "pyproject.toml", folder)
        yield folder


def stand_in(folder: Path, command: str, script: str) -> None:
    path = folder / "bin" / command
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run_setup(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", folder / "tools" / "setup.sh", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"},
        timeout=30,
        **({"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}),
    )


def test_without_root_or_sudo_it_prints_the_one_command_and_ends(copy: Path) -> None:
    stand_in(copy, "dpkg-query", "exit 1")
    stand_in(copy, "sudo", "exit 1")
    done = run_setup(copy, "run")
    (command,) = [line.strip() for line in done.stderr.splitlines() if line.startswith("  ")]
    assert done.returncode == 1
    assert command.startswith("sudo sh -c 'apt-get update && apt-get install -y ")
    assert {"mosquitto", "xvfb", "libgl1", "libmtdev1"} <= set(command.rstrip("'").split())
    assert not (copy / ".venv").exists()


def test_with_passwordless_sudo_it_installs_what_is_missing_and_nothing_else(copy: Path) -> None:
    stand_in(
        copy,
        "dpkg-query",
        "for p in libgl1 libegl1 libgl1-mesa-dri libmtdev1t64 mosquitto; do echo $p installed; done; exit 1",
    )
    stand_in(copy, "apt-get", f'echo "$@" >>{copy}/apt.log; [ "$1" = update ]')
    stand_in(copy, "sudo", 'while [ "$1" = -n ]; do shift; done; exec "$@"')
    done = run_setup(copy, "run")
    assert done.returncode != 0, "apt-get failed, so setup must not go on"
    assert (copy / "apt.log").read_text().splitlines() == [
        "update -qq",
        "install -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends xvfb",
    ]


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.14"])
def test_a_python_that_does_not_fit_is_named_with_those_that_do(copy: Path, version: str) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        stand_in(copy, name, f'[ "$1" = --version ] && echo "Python {version}.0"; [ "$1" = --version ]')
    done = run_setup(copy, "run")
    assert done.returncode == 1
    assert f"Python {version}.0" in done.stderr
    assert "3.11, 3.12 or 3.13" in done.stderr


def test_an_unknown_mode_is_a_usage_error(copy: Path) -> None:
    assert run_setup(copy, "everything").returncode == 2


def test_done_already_it_says_nothing_and_changes_nothing(copy: Path) -> None:
    """With the stamp of the same locks in the environment there is nothing to do; pip isn't even asked."""
    stand_in(copy, "dpkg-query", 'for p in "$@"; do echo "$p installed"; done')
    digest = subprocess.run(
        "cat requirements/run.lock requirements/dev.lock pyproject.toml | sha256sum | cut -d ' ' -f 1",
        shell=True,
        cwd=copy,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (copy / ".venv" / "bin").mkdir(parents=True)
    (copy / ".venv" / "bin" / "python").symlink_to("/bin/false")
    (copy / ".venv" / ".frontdesk").write_text(f"dev {digest}\n")
    done = run_setup(copy, "run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
