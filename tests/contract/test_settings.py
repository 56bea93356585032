"""A configuration that can't be used names the file, the line, the key and what is wrong."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from broker.contract.settings import SettingsError, load, refusal


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    port: int
    host: str = "127.0.0.1"


class Row(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    speed: int = 1


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    site: str
    broker: Inner
    devices: list[Row] = []


GOOD = """\
site = "yunqi"

[broker]
port = 1883

[[devices]]
name = "reader"

[[devices]]
name = "printer"
speed = 2
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "station.toml"


def test_a_good_file_is_read(file: Path):
    file.write_text(GOOD)
    read = load(file, Settings)
    assert (read.site, read.broker.port, [d.name for d in read.devices]) == (
        "yunqi",
        1883,
        ["reader", "printer"],
    )


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (('site = "yunqi"', "site = 5"), ":1: site: Expected `str`, got `int`"),
        (("port = 1883", 'port = "1883"'), ":4: broker.port: Expected `int`, got `str`"),
        (("port = 1883", "port = 1883\nprot = 5"), ":5: broker.prot: "),
        (("speed = 2", 'speed = "fast"'), ":11: devices.1.speed: Expected `int`, got `str`"),
        (('name = "printer"\n', ""), ":9: devices.1.name: "),
        (("[broker]\nport = 1883", ""), ": broker: "),
        (('site = "yunqi"', 'sites = "yunqi"'), ": site"),
        (("port = 1883", "port = "), "is not valid TOML"),
    ],
    ids=range(8),
)
def test_what_is_wrong_is_named_with_line_and_key(file: Path, change: tuple[str, str], where: str):
    assert change[0] in GOOD
    file.write_text(GOOD.replace(*change, 1))
    with pytest.raises(SettingsError) as caught:
        load(file, Settings)
    assert str(caught.value).startswith(str(file))
    assert where in str(caught.value)


def test_a_missing_file_says_what_to_do(file: Path):
    with pytest.raises(SettingsError, match="--config"):
        load(file, Settings)


def test_a_binary_file_is_no_configuration(file: Path):
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="UTF-8"):
        load(file, Settings)


def test_a_value_refused_later_is_named_the_same_way(file: Path):
    file.write_text(GOOD)
    assert str(refusal(file, ["broker", "port"], "is taken")) == f"{file}:4: broker.port: is taken."
