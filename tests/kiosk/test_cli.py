"""The command `kiosk`: exit codes, the verdict by the gate's own data, the PIN that stands in no argument."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.contract import passes, sitedata
from broker.contract.acknowledgement import Acknowledgement
from broker.contract.passes import Pass
from broker.contract.sitedata import Keys, PassKey
from broker.contract.verdict import Outcome
from broker.contract.version import __version__
from kiosk.cli import main
from kiosk.gate.post import GatePost
from kiosk.station.pin import PinAnswer, check_pin
from kiosk.station.settings import load_gate
from kiosk.station.station import Station
from kiosk.station.store import Store
from kiosk.station.tries import Tries
from tests.support.centre import DEMO_SITE
from tests.support.terminal import HandClock

KEY = Ed25519PrivateKey.generate()


def config(folder: Path, name: str, extra: str = "") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(
        f'site = "yunqi"\nstation = "{name}-1"\ndata = "{name}"\nsite_file = "{DEMO_SITE}"\n{extra}'
        "[broker]\nport = 1\n"
    )
    return path


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A gate that has heard the centre's keys once."""
    path = config(tmp_path, "gate")
    station = Station(load_gate(path), "gate")
    now = int(station.clock.seconds())
    key = PassKey(
        kid=9,
        public_key=KEY.public_key().public_bytes_raw().hex(),
        station="lobby-1",
        areas=15,
        valid_from=now - 86_400,
        valid_until=now + 86_400,
        longest=14_400,
    )
    document = sitedata.issue(Keys(keys=[key]), last_version=0, now=station.clock.now())
    station.site.receive(sitedata.encode(document), station.store, station.clock.now())
    station.stop()
    return path


def vpass(expires_in: int = 3600) -> str:
    now = int(time.time())
    claims = Pass(
        kid=9,
        cti=b"commands",
        not_before=now - 7200,
        expires=now + expires_in,
        site=1,
        areas=1,
        entries=1,
        mode=0,
        index=0,
    )
    return passes.sign(claims, KEY, "yunqi.example")


def run(*arguments: str, given: str = ""):
    return CliRunner().invoke(main, [*arguments], input=given)


@pytest.mark.parametrize(
    ("expires_in", "outcome", "reason", "code"),
    [(3600, "admitted", "ok", 0), (-3600, "refused", "expired", 1)],
)
def test_the_verdict_is_the_gates_and_so_is_the_exit_code(
    gate: Path, expires_in: int, outcome: str, reason: str, code: int
):
    result = run("verdict", vpass(expires_in), "--config", str(gate), "--json")
    assert result.exit_code == code, result.output
    said = json.loads(result.stdout)
    assert (said["outcome"], said["reason"], said["direction"]) == (outcome, reason, "in")
    assert said["pass"]["cti"] == b"commands".hex()
    assert vpass(expires_in) not in result.output


def test_a_text_that_is_no_pass_is_refused(gate: Path):
    result = run("verdict", "hello", "--config", str(gate))
    assert (result.exit_code, result.stdout) == (1, "refused: unreadable (in)\n")


def test_leaving_is_never_refused_on_the_command_line_either(gate: Path):
    assert run("verdict", "hello", "--config", str(gate), "--direction", "out").exit_code == 0


def test_the_pass_may_come_by_standard_input(gate: Path):
    assert run("verdict", "-", "--config", str(gate), given=vpass() + "\n").exit_code == 0


def test_looking_uses_nothing_up_and_works_beside_the_running_gate(gate: Path):
    station = Station(load_gate(gate), "gate")
    lane = GatePost(station, load_gate(gate)).lane
    for _ in range(3):
        assert run("verdict", vpass(), "--config", str(gate)).stdout == "admitted: ok (in)\n"
    assert lane.scan(vpass()).verdict.outcome is Outcome.ADMITTED
    # The ledger of the running gate is what the look goes by.
    assert run("verdict", vpass(), "--config", str(gate)).stdout == "left: ok (out)\n"
    station.stop()


def test_a_gate_that_was_never_started_has_no_verdict(tmp_path: Path):
    result = run("verdict", "x", "--config", str(config(tmp_path, "gate")))
    assert result.exit_code == 2
    assert "Start the station once" in result.stderr


def test_the_pin_is_read_from_standard_input_and_kept_as_a_hash(tmp_path: Path):
    path = config(tmp_path, "lobby")
    result = run("set-pin", "--config", str(path), given="482913\n")
    assert (result.exit_code, result.stdout) == (0, "The staff PIN of lobby-1 is set.\n")
    folder = tmp_path / "lobby"
    assert "482913" not in (folder / "staff-pin").read_text()
    assert (folder / "staff-pin").stat().st_mode & 0o777 == 0o600
    store = Store(folder, site="yunqi", station="lobby-1")
    tries = Tries(store, HandClock().clock(), "pin")
    assert check_pin(folder, "482913", tries) is PinAnswer.RIGHT
    assert check_pin(folder, "482914", tries) is PinAnswer.WRONG
    store.close()


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12ab", "٤٨٢٩١٣", "1111"])
def test_what_can_be_no_pin_is_refused_in_a_sentence(tmp_path: Path, pin: str):
    result = run("set-pin", "--config", str(config(tmp_path, "lobby")), given=pin + "\n")
    assert result.exit_code == 2
    assert "Choose another one." in result.stderr
    assert not (tmp_path / "lobby" / "staff-pin").exists()


@pytest.mark.parametrize(
    ("command", "extra", "said"),
    [
        ("lobby", 'colour = "red"\n', ":5: colour: "),
        ("gate", 'direction = "up"\n', ":5: direction: "),
        ("gate", "areas = [32]\n", ":5: areas"),
        ("lobby", "keep_days = 3\n", ":5: keep_days: "),
        ("lobby", 'languages = ["de"]\n', ":5: languages"),
    ],
)
def test_a_broken_configuration_is_named_and_nothing_starts(
    tmp_path: Path, command: str, extra: str, said: str
):
    result = run(command, "--config", str(config(tmp_path, command, extra)))
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / command).exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ('station = "lobby-1"', 'station = "centre"'),
            ":2: station: 'centre' is the service centre's own name",
        ),
        (("port = 1", 'port = 1\nhost = "10.0.0.5"'), ":7: broker.host: 10.0.0.5 is not this machine"),
        (("port = 1", "port = 0"), ":6: broker.port: "),
        (('station = "lobby-1"', 'station = "Lobby 1"'), ":2: station: "),
    ],
)
def test_a_value_that_cannot_work_is_named_the_same_way(tmp_path: Path, change: tuple[str, str], said: str):
    path = config(tmp_path, "lobby")
    assert change[0] in path.read_text()
    path.write_text(path.read_text().replace(*change))
    result = run("lobby", "--config", str(path))
    assert result.exit_code == 2
    assert said in result.stderr


def test_two_devices_of_one_name_are_refused(tmp_path: Path):
    path = config(tmp_path, "lobby")
    device = '\n[[devices]]\nname = "printer"\nkind = "ticket_printer"\nresource = "serial:/dev/null"\n'
    path.write_text(path.read_text() + device * 2)
    result = run("lobby", "--config", str(path))
    assert result.exit_code == 2
    assert "'printer' stands here twice" in result.stderr


def test_help_and_version_need_no_window_and_no_configuration():
    code = (
        "import sys; from kiosk.cli import main\n"
        "try: main(['--help'], prog_name='kiosk')\n"
        "except SystemExit: pass\n"
        "assert not any(name.startswith('kivy') for name in sys.modules), 'Kivy was imported'"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Example: kiosk lobby" in done.stdout
    assert run("--version").stdout == f"kiosk, version {__version__}\n"
    for command in ("lobby", "gate", "verdict", "set-pin"):
        assert "Example: kiosk" in run(command, "--help").stdout


def test_anchors_are_what_the_centre_acknowledged_as_the_centres_verify_reads_them(tmp_path: Path) -> None:
    path = config(tmp_path, "gate")
    refused = CliRunner().invoke(main, ["anchors", "--config", str(path)])
    assert (refused.exit_code, "Start the station once" in refused.output) == (2, True)
    station = Station(load_gate(path), "gate")
    seq, head = station.outbox.head()
    word = Acknowledgement(
        epoch="an-epoch-of-the-centre",
        log=station.outbox.log,
        seq=seq,
        head_hash=head,
        centre_time=station.clock.now(),
    )
    station.outbox.acknowledge(word)
    result = CliRunner().invoke(main, ["anchors", "--config", str(path), "--json"])
    station.stop()
    kept = {"epoch": word.epoch, "log": word.log, "seq": seq, "head_hash": head}
    assert json.loads(result.output) == {"site": "yunqi", "station": "gate-1", "anchors": [kept]}
    assert head in CliRunner().invoke(main, ["anchors", "--config", str(path)]).output
