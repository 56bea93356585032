"""Runs the whole product on this machine: `make run`. The processes are the Procfile's; honcho starts and ends them.

Here is what stands around them: the data folders and the staff PIN of a first run, a display where there is none, free
ports, one place that says where to look, and an end that leaves nothing running. With --demo the visit of tools/demo.py
is one more process, and all of it ends when that is over.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shlex
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import click
from honcho.environ import parse_procfile
from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Printer

from broker.contract.settings import SettingsError
from kiosk.station import pin
from tools.display import NoDisplayError, VirtualDisplay, usable
from tools.stage import BIN, DEMO, ROOT, Stage, in_use

INTERRUPTED = {130, 143}
"""What honcho returns when it was asked to end by Ctrl-C or SIGTERM."""
UP_WITHIN = 60.0
"""Seconds after which we stop waiting for everything to be up, and say what is missing."""


class Announcer(Printer):
    """Prints the processes' lines; of honcho's own only what ended, which is what one looks for afterwards."""

    def write(self, message: Any) -> None:
        if message.name == SYSTEM_PRINTER_NAME and b" stopped " not in _bytes(message.data):
            return
        super().write(message)


def _bytes(data: str | bytes) -> bytes:
    return data if isinstance(data, bytes) else data.encode()


def main() -> int:
    options = arguments()
    stage = Stage(options.config.absolute(), options.var.absolute())
    try:
        refuse_taken_ports(stage)
        first_run(stage)
        return run(stage, demo=options.demo)
    except (SettingsError, NoDisplayError, click.ClickException) as error:
        print(error, file=sys.stderr)
        return 2


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--demo", action="store_true", help="play one visit by itself, then end")
    parser.add_argument("--config", type=Path, default=DEMO.config, help="folder of the four configurations")
    parser.add_argument("--var", type=Path, default=DEMO.var, help="folder for all that is written")
    return parser.parse_args()


def refuse_taken_ports(stage: Stage) -> None:
    """Say so at once, in a sentence, when somebody has our ports. Raises SettingsError."""
    centre = stage.centre
    for section, listener in (("mqtt", centre.mqtt), ("console", centre.console)):
        if in_use(listener.host, listener.port):
            raise SettingsError(
                f"Port {listener.port} of {listener.host} is in use, perhaps by another `make run`. End that, or choose "
                f"another port under [{section}] in {shown(stage.config)} (the stations' [broker] port must be the same)."
            )


def first_run(stage: Stage) -> None:
    """Folders that only their owner reads, and a staff PIN that is printed this once."""
    stage.var.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not pin.is_set(stage.lobby.folder):
        digits = f"{secrets.randbelow(10**6):06}"
        while len(set(digits)) == 1:
            digits = f"{secrets.randbelow(10**6):06}"
        pin.set_pin(stage.lobby.folder, digits)
        print(
            f"Staff PIN for the lobby terminal (shown this once; `kiosk set-pin` sets another): {digits}",
            flush=True,
        )


def run(stage: Stage, *, demo: bool) -> int:
    """Start everything, stay until it ends, and end the display last."""
    environment = {**os.environ, **stage.environment(), "PYTHONUNBUFFERED": "1"}
    display = None
    if not usable(environment.get("DISPLAY")):
        display = VirtualDisplay()
        environment["DISPLAY"] = display.name
        environment.pop("XAUTHORITY", None)
    # The SDL that Kivy brings can't speak Wayland; there it goes by Xwayland's display.
    environment["SDL_VIDEODRIVER"] = "x11"
    try:
        manager = Manager(Announcer(sys.stdout))
        for name, command in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
            manager.add_process(name, command, env=environment, cwd=str(ROOT))
        if demo:
            play = [str(BIN / "python"), "-m", "tools.demo", "--config", stage.config, "--var", stage.var]
            manager.add_process("demo", f"exec {shlex.join(map(str, play))}", env=environment, cwd=str(ROOT))
        else:
            windows = (
                f"on the virtual display {display.name}"
                if display
                else f"on display {environment['DISPLAY']}"
            )
            threading.Thread(target=say_where_to_look, args=(stage, windows), daemon=True).start()
        manager.loop()
    finally:
        if display is not None:
            display.close()
    if manager.returncode in INTERRUPTED:
        print("Ended.", flush=True)
        return 0
    if not demo:
        print("A process ended by itself, so all were ended; its last lines above say why.", file=sys.stderr)
        return 1
    return 1 if manager.returncode else 0


def say_where_to_look(stage: Stage, windows: str) -> None:
    """Once everything answers (or should have long ago), say where it is and how to drive it."""
    waiting = {"console", "lobby", "gate"}
    deadline = time.monotonic() + UP_WITHIN
    while waiting and time.monotonic() < deadline:
        waiting = {name for name in waiting if not answers(stage, name)}
        time.sleep(0.1)
    simulate = shlex.join([shown(BIN / "firmware-bridge"), "simulate"])
    where = "" if stage.devices == DEMO.devices else f" --dir {shlex.quote(str(stage.devices))}"
    print(
        f"""
{f"Not up after {UP_WITHIN:.0f} s: {', '.join(sorted(waiting))}; see the lines above." if waiting else "Frontdesk is up."}
  console    {stage.console}   account admin; its password was printed once, on the first run
  windows    {windows}
  data       {shown(stage.var)}
  devices    drive them from another terminal, for example
               {simulate} card place{where}          (an ID card on the lobby's reader; remove)
               {simulate} receipts --json{where}     (what was printed; "qr" is what a scanner reads)
               {simulate} scan TEXT --device gate-scanner{where}
               {simulate} printer paper-out{where}   (paper-ok)
               {simulate} unplug id-reader{where}    (replug)
  Ctrl-C ends all of it.
""",
        flush=True,
    )


def answers(stage: Stage, name: str) -> bool:
    """True when a process takes connections."""
    if name == "console":
        listener = stage.centre.console
        try:
            socket.create_connection((listener.host, listener.port), 1).close()
        except OSError:
            return False
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(stage.pilot(name)))
        except OSError:
            return False
    return True


def shown(path: Path) -> str:
    """A path as one would type it here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
