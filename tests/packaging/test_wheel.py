"""The built wheel, installed where the source tree can't help: what isn't packed is missed here, not at a customer's.

Dependencies come from the environment that runs the tests, so only our own files are built and installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"kiosk": "kiosk", "broker": "broker", "firmware-bridge/firmware_bridge": "firmware_bridge"}
COMMANDS = ("kiosk", "broker", "firmware-bridge")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    (built,) = folder.glob("frontdesk-*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def bin_folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment that holds the wheel and, by path, the dependencies: not the source tree."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel],
        check=True,
        capture_output=True,
    )
    (site,) = folder.glob("lib/python*/site-packages")
    # A path in a .pth adds the folder but not its own .pth files, so the editable install stays out.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = subprocess.run(
        [python, "-c", "import kiosk; print(kiosk.__file__)"],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
    ).stdout
    assert where.startswith(str(folder)), where
    return folder / "bin"


@pytest.mark.parametrize(("folder", "package"), PACKAGES.items())
def test_everything_in_a_package_s_folder_is_in_the_wheel(folder: str, package: str, names: set[str]) -> None:
    source = ROOT / folder
    files = [path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert files
    missing = [str(f) for f in files if f"{package}/{f.relative_to(source).as_posix()}" not in names]
    assert missing == []


@pytest.mark.parametrize(
    ("what", "start", "end"),
    [
        ("the terminals' text fonts", "kiosk/ui/fonts/", ".ttf"),
        ("the terminals' icons", "kiosk/ui/fonts/", ".ttf"),
        ("the receipt's font", "firmware_bridge/simulators/fonts/", ".otf"),
        ("the Chinese catalogue", "kiosk/locale/zh_CN/", ".mo"),
        ("the English catalogue", "kiosk/locale/en/", ".mo"),
        ("the console's templates", "broker/console/templates/", ".html"),
        ("the console's style", "broker/console/static/", ".css"),
        ("the console's scripts", "broker/console/static/", ".js"),
        ("the licence", "frontdesk-", "/LICENSE"),
    ],
)
def test_the_wheel_brings_its_data(what: str, start: str, end: str, names: set[str]) -> None:
    assert any(n.startswith(start) and n.endswith(end) for n in names), f"{what} missing"


def test_nothing_but_the_three_packages_is_installed(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES.values())


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_a_command_answers_without_loading_kivy(command: str, option: str, bin_folder: Path) -> None:
    done = subprocess.run(
        [bin_folder / command, option],
        capture_output=True,
        text=True,
        cwd=bin_folder.parent,
        env={"PATH": os.environ["PATH"], "PYTHONPROFILEIMPORTTIME": "1"},
        timeout=30,
    )
    imports = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert "0.1.0" in done.stdout if option == "--version" else "Usage:" in done.stdout
    assert "click" in imports, "the import log is missing, so nothing is known about kivy"
    assert "kivy" not in imports
