"""What holds for every file of the tree: modules say why they exist, and nothing names a package index or a machine."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("broker", "kiosk", "firmware-bridge", "tools", "tests")


def tracked() -> list[Path]:
    """The files under version control."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


MODULES = [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in FOLDERS]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_module_s_first_lines_say_in_ten_lines_why_it_exists(folder: str) -> None:
    modules = [path for path in MODULES if path.relative_to(ROOT).parts[0] == folder]
    assert modules
    silent = [str(p) for p in modules if not ast.get_docstring(ast.parse(p.read_text("utf-8")))]
    assert silent == []
    talkative = [
        str(p)
        for p in modules
        if len((ast.get_docstring(ast.parse(p.read_text("utf-8"))) or "").splitlines()) > 10
    ]
    assert talkative == []


# Written so that these lines don't find themselves.
FORBIDDEN = {
    "the address of a package index": r"--(extra-)?index"
    + r"-url|find"
    + r"-links|https?://[^ \"']*/simple"
    + "/",
    "a package index by name": r"files\.python" + r"hosted\.org|py" + r"pi\.org",
    "this checkout's own path": re.escape(str(ROOT)) + r"\b",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found: list[str] = []
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path}:{n}" for n, line in enumerate(text.splitlines(), 1) if pattern.search(line)]
    assert found == []


def test_the_lock_for_development_holds_the_lock_for_running() -> None:
    """setup.sh takes an environment for development as one for running."""

    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9._-]+==[^ ;\\]+", (ROOT / "requirements" / name).read_text(), re.M))

    assert pins("run.lock")
    assert pins("run.lock") <= pins("dev.lock")
