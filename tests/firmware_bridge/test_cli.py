"""The technician's commands, as processes of their own, against simulated devices."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from firmware_bridge.cli import main
from firmware_bridge.probe import stable_name
from firmware_bridge.simulators import Simulators, specimen

from .conftest import Eventually

COMMAND = (sys.executable, "-m", "firmware_bridge.cli")
KEYS = ["type", "name", "sex", "nation", "birth", "address", "number", "issuer", "valid_from", "valid_to"]


def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    words = [*COMMAND, *(str(argument) for argument in arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, **options)


def test_help_and_version_say_what_they_must() -> None:
    done = run("--help")
    assert done.returncode == 0
    for word in ("probe", "read-card", "print-test", "simulate", "Example"):
        assert word in done.stdout
    assert run("--version").stdout.startswith("firmware-bridge, version ")


@pytest.mark.parametrize(
    "arguments", [["fly"], ["read-card"], ["print-test", "--port", "x", "--width", "57"]]
)
def test_a_command_that_can_t_be_meant_is_exit_code_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, arguments).exit_code == 2


def test_a_card_is_shown_as_json_with_its_number_masked(devices: Simulators) -> None:
    devices.reader.place(specimen("王芳", "11010519491231002X", valid_to=None))
    done = run("read-card", "--port", devices.ports["id-reader"], "--json")
    assert (done.returncode, "王芳" in done.stdout) == (0, True)
    card = json.loads(done.stdout)
    assert list(card) == [*KEYS, "warnings"]
    assert (card["number"], card["birth"], card["valid_to"]) == ("110105********002X", "1949-12-31", None)
    assert (card["type"], card["sex"], card["warnings"]) == ("resident", "female", [])


def test_a_card_is_waited_for_and_shown_whole_when_asked(devices: Simulators) -> None:
    command = [*COMMAND, "read-card", "--port", str(devices.ports["id-reader"]), "--full"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        assert waiting.stderr.readline() == "Put a card on the reader.\n"
        devices.reader.place(specimen("张伟", valid_to=None))
        shown, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    assert "number: 34052419800101001X\n" in shown
    assert "valid_to: 长期\n" in shown


def test_no_card_in_time_is_exit_code_1_with_a_next_step(devices: Simulators) -> None:
    done = run("read-card", "--port", devices.ports["id-reader"], "--timeout", 0.5)
    assert done.returncode == 1
    assert "Put one on the reader" in done.stderr


@pytest.mark.parametrize(
    ("port", "step"), [("/nowhere/ttyUSB9", "Check the cable"), ("/dev/null", "firmware-bridge probe")]
)
def test_a_port_that_is_none_is_told_with_a_next_step(port: str, step: str) -> None:
    for command in ("read-card", "print-test"):
        done = run(command, "--port", port)
        assert done.returncode == 1
        assert step in done.stderr


@pytest.mark.parametrize("width", ["58", "80"])
def test_a_test_receipt_is_printed(width: str, devices: Simulators) -> None:
    done = run("print-test", "--port", devices.ports["printer"], "--width", width, "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"outcome": "printed", "reason": ""})
    receipt = devices.printer.wait_for_receipt()
    assert receipt.qr == ("FRONTDESK TEST",)
    ruler = "1234567890" * 5
    assert ruler[: 32 if width == "58" else 48] in receipt.text.splitlines()


def test_a_test_receipt_without_paper_is_exit_code_1_with_a_next_step(devices: Simulators) -> None:
    devices.printer.paper_out()
    done = run("print-test", "--port", devices.ports["printer"])
    assert (done.returncode, "new roll" in done.stderr) == (1, True)


def test_a_printer_without_status_prints_and_leaves_the_looking_to_the_technician(
    devices: Simulators,
) -> None:
    devices.printer.silent()
    done = run("print-test", "--port", devices.ports["printer"], "--qr", "raster")
    assert (done.returncode, "look whether" in done.stderr) == (0, True)
    assert devices.printer.wait_for_receipt().qr == ("FRONTDESK TEST",)


def test_a_probe_says_who_answers_and_what_to_write(devices: Simulators) -> None:
    ports = [devices.ports[name] for name in ("id-reader", "printer")]
    devices.printer.near_end()
    done = run("probe", *(word for port in ports for word in ("--port", port)), "--json")
    assert done.returncode == 0
    reader, printer = json.loads(done.stdout)
    assert (reader["kind"], reader["identity"]) == ("id_reader", "05.01-20130101-0000012345-0000067890")
    assert (printer["kind"], printer["status"]["paper_near_end"]) == ("ticket_printer", True)
    assert f'resource = "serial:{ports[1]}"' in printer["settings"]
    assert devices.printer.receipts == ()


def test_a_probe_of_a_silent_port_is_exit_code_1(devices: Simulators) -> None:
    done = run("probe", "--port", devices.ports["gate-scanner"])
    assert (done.returncode, "A scanner never answers" in done.stdout) == (1, True)


def test_the_stable_name_of_an_adapter_without_a_serial_number_is_its_place(tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB0"
    port.touch()
    for kind, name in (("by-id", "usb-1a86_USB_Serial-if00-port0"), ("by-path", "pci-0000:00:14.0-usb-0:2")):
        (tmp_path / "serial" / kind).mkdir(parents=True)
        (tmp_path / "serial" / kind / name).symlink_to(port)
    assert stable_name(str(port), tmp_path / "serial").endswith("by-path/pci-0000:00:14.0-usb-0:2")
    assert stable_name("/dev/ttyS9", tmp_path / "serial") == "/dev/ttyS9"


def test_simulated_devices_run_are_driven_and_end_cleanly(tmp_path: Path) -> None:
    environment = os.environ | {"FRONTDESK_DEVICES": str(tmp_path / "devices")}
    with subprocess.Popen(
        [*COMMAND, "simulate", "run"], stdout=subprocess.PIPE, text=True, env=environment
    ) as bench:
        assert bench.stdout is not None
        while "running" not in (line := bench.stdout.readline()):
            assert line, "it ended by itself"

        def simulate(*words: object) -> Result:
            return CliRunner().invoke(main, ["simulate", *map(str, words)], env=environment)

        assert simulate("card", "place", "--name", "王芳", "--valid-to", "长期").exit_code == 0
        assert simulate("printer", "near-end").exit_code == 0
        assert simulate("unplug", "scanner").exit_code == 0
        assert simulate("fault", "reader", "truncated", "--times", 1).exit_code == 0
        status = json.loads(simulate("status", "--json").stdout)["devices"]
        assert status["id-reader"]["card"] == "present"
        assert (status["printer"]["near_end"], status["scanner"]["plugged"]) == (True, False)
        card = run("read-card", "--port", status["id-reader"]["port"], "--json")
        assert json.loads(card.stdout)["name"] == "王芳"
        assert run("print-test", "--port", status["printer"]["port"]).returncode == 0
        [receipt] = json.loads(simulate("receipts", "--json").stdout)
        assert (receipt["qr"], Path(receipt["path"]).exists()) == (["FRONTDESK TEST"], True)
        assert "打印测试" in simulate("receipts").stdout
        refused = simulate("scan", "VP1ABC")
        assert (refused.exit_code, "unplugged" in refused.stderr) == (1, True)
        second = run("simulate", "run", env=environment)
        assert (second.returncode, "already" in second.stderr) == (1, True)
        bench.send_signal(signal.SIGINT)
        assert bench.wait(20) == 0
    assert simulate("status").exit_code == 1
    assert not (tmp_path / "devices" / "id-reader").is_symlink()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_waiting_for_a_card_can_be_given_up(number: int, devices: Simulators, eventually: Eventually) -> None:
    command = [*COMMAND, "read-card", "--port", str(devices.ports["id-reader"])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        waiting.stderr.readline()
        waiting.send_signal(number)
        _, shown = waiting.communicate(timeout=20)
    assert waiting.returncode != 0
    assert "Traceback" not in shown
