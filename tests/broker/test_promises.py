"""The page of promises names its tests; each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "what-we-promise.md"


def test_every_test_that_the_page_of_promises_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE.read_text("utf-8"))
    assert len(named) > 30
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or f"def {name}(" not in (ROOT / path).read_text("utf-8")
    ]
    assert missing == []


def test_every_promise_states_its_limits_and_its_tests() -> None:
    promises = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert len(promises) == 10
    for promise in promises:
        assert "**Limits.**" in promise, promise.splitlines()[0]
        assert "Tests: `tests/" in promise, promise.splitlines()[0]
