"""Broken configurations: the file, the line and the key are named, with exit code 2."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from broker import settings
from broker.cli import main
from broker.contract.settings import SettingsError

DEMO = Path(__file__).parents[2] / "config" / "demo"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(DEMO / "centre.toml", tmp_path)
    shutil.copy(DEMO / "site.toml", tmp_path)
    return tmp_path


def test_the_demo_configuration_is_read_with_paths_from_its_own_folder(folder: Path) -> None:
    read = settings.load(folder / "centre.toml")
    assert read.data == (folder / "../../var/centre").resolve()
    assert [one.id for one in read.areas.buildings] == ["b1", "b2", "b3", "centre"]


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        pytest.param(
            "centre.toml", "port = 8080", 'port = "x"', r"centre\.toml:\d+: console\.port", id="wrong kind"
        ),
        pytest.param(
            "centre.toml", "port = 8080", "prot = 8080", r"centre\.toml:\d+: console\.prot", id="misspelt"
        ),
        pytest.param(
            "centre.toml", 'site = "yunqi"', 'site = "Yun Qi"', r"centre\.toml:\d+: site", id="no name"
        ),
        pytest.param(
            "centre.toml", "[mqtt]", "[mqtt", r"centre\.toml: is not valid TOML.*line 8", id="no TOML"
        ),
        pytest.param(
            "centre.toml", '"site.toml"', '"nowhere.toml"', r"nowhere\.toml: can't be read", id="no site file"
        ),
        pytest.param(
            "centre.toml", "port = 18830", "port = 188300", r"mqtt\.port: 188300 is no port", id="no port"
        ),
        pytest.param(
            "centre.toml",
            'host = "127.0.0.1"',
            'host = "0.0.0.0"',
            r"mqtt\.host: .*not this machine",
            id="network",
        ),
        pytest.param(
            "site.toml",
            "floors = 18",
            "flors = 18",
            r"site\.toml:\d+: buildings\.flors: there is no",
            id="misspelt deep",
        ),
        pytest.param(
            "site.toml",
            "area = 1",
            "area = 0",
            r"site\.toml:\d+: buildings\.area: '0' stands twice",
            id="same area",
        ),
        pytest.param(
            "site.toml", "area = 1", "area = 77", r"site\.toml:\d+: buildings.*area", id="no such bit"
        ),
        pytest.param(
            "site.toml",
            "end = 20:00:00",
            "end = 19:00:00",
            r"no hours that cover 19:00",
            id="hole in the day",
        ),
        pytest.param(
            "site.toml", '"Asia/Shanghai"', '"Asia/Nowhere"', r"site\.toml:\d+: time_zone", id="no zone"
        ),
        pytest.param("site.toml", 'zh_CN = "来访"', 'de = "Besuch"', r"Chinese text", id="no Chinese"),
    ],
)
def test_a_slip_is_named_where_it_stands(folder: Path, file: str, old: str, new: str, told: str) -> None:
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(SettingsError, match=told):
        settings.load(folder / "centre.toml")
    result = CliRunner().invoke(main, ["serve", "--config", str(folder / "centre.toml")])
    assert result.exit_code == 2
    assert "Traceback" not in result.output
