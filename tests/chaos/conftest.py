"""Each test has a broker of its own: what an earlier one left retained would be an odd site in itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.site import Site
from tests.support.mosquitto import running_mosquitto


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site whose centre runs; its stations are up to the test."""
    with running_mosquitto(tmp_path / "broker") as broker:
        made = Site(tmp_path, broker)
        made.centre.start()
        yield made
        made.close()
