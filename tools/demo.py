"""Plays one visit by itself, through the real windows and over the real wires: `make run DEMO=1`.

A finger at the lobby's window, an invented person's card on the simulated reader, a clerk at the console, the printed
code read back from the receipt's picture and held before the gate's scanner, in and out. It says each step with its
time, and leaves the receipt, the screens and the console's pages in var/demo. Nothing here knows a back door: what it
does, a visitor, a clerk and a guard can do.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

import zxingcpp
from PIL import Image

from broker.contract.facts import Decision
from firmware_bridge.simulators.bench import SimulatorsError
from firmware_bridge.simulators.control import ask
from kiosk.gate.lane.lane import REPEAT
from kiosk.ui.words import say
from tools.browser import picture
from tools.clerk import ACCOUNT, Clerk, ClerkError, new_password
from tools.pilot import Pilot, PilotError
from tools.stage import DEMO, Stage

BUILDING, UNIT, ROOM = "b1", "2", "1203"
"""Where the demo's visitor goes: 1 号楼 2 单元 1203."""


class DemoError(RuntimeError):
    """The visit didn't go as it should; the message says where."""


class Demo:
    """One visit on `stage`, whose processes are running."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._began = time.monotonic()
        self._shots = 0
        shutil.rmtree(stage.shown, ignore_errors=True)
        stage.shown.mkdir(mode=0o700, parents=True)

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)

    def play(self) -> None:
        """The whole visit. Raises DemoError, PilotError, ClerkError, SimulatorsError."""
        with ExitStack() as stack:
            self.arrive(stack)
            self.tell_whom()
            self.tell_who()
            self.tell_what_for()
            visit = self.decide()
            code = self.take_pass()
            self.enter(code)
            self.keep_console(visit, "console")
            self.leave(code)
            self.keep_console(visit, "console-after", path=f"/visits/{visit}")
        self.sum_up()

    def arrive(self, stack: ExitStack) -> None:
        """Everybody at their post: the windows, and the clerk at the console."""
        self.lobby = stack.enter_context(Pilot(self.stage.pilot("lobby")))
        self.gate = stack.enter_context(Pilot(self.stage.pilot("gate")))
        self.clerk = Clerk(self.stage.console)
        self.clerk.wait_up()
        self.clerk.log_in(ACCOUNT, new_password(self.stage))
        self.lobby.wait_screen("welcome", 30)
        self.say("lobby, gate and service centre are up")
        self._shot("welcome")

    def tell_whom(self) -> None:
        """Whom do you come to see: the first question (V3)."""
        lobby = self.lobby
        lobby.tap("check-in")
        lobby.tap(f"building:{BUILDING}")
        lobby.tap("field:unit")
        lobby.keys(UNIT)
        lobby.tap("field:room")
        lobby.keys(ROOM)
        self._shot("whom")
        lobby.tap("next")
        self.say(f"lobby: the visitor comes to see building {BUILDING}, unit {UNIT}, room {ROOM}")

    def tell_who(self) -> None:
        """Consent first, then the card: the reader isn't polled before."""
        lobby = self.lobby
        lobby.wait_screen("consent")
        lobby.tap("way:card")
        lobby.tap("consent-document")
        self._shot("consent")
        lobby.tap("next")
        lobby.wait_screen("card")
        self._shot("card")
        placed = time.monotonic()
        ask(self.stage.devices, "card.place")
        lobby.wait_text("2040-01-01")
        self.say(f"lobby: ID card read, its fields on the screen after {time.monotonic() - placed:.2f} s")
        self._shot("card-read")
        ask(self.stage.devices, "card.remove")
        lobby.tap("next")

    def tell_what_for(self) -> None:
        """Purpose and whether it is arranged; then registered, before anything else happens (V1, V4)."""
        lobby = self.lobby
        lobby.wait_screen("purpose")
        lobby.tap("purpose:family")
        lobby.tap("arranged:yes")
        self._shot("purpose")
        lobby.tap("next")
        lobby.wait_screen("summary")
        self._shot("summary")
        lobby.tap("next")
        lobby.wait_screen("waiting", 10)
        self.say("lobby: registered, the visitor is asked to wait while the host is asked")
        self._shot("waiting")

    def decide(self) -> str:
        """A clerk agrees at the console (V5); the visit's id."""
        visit = self.clerk.waiting()
        self.say("console: the visit waits on the board; the clerk agrees")
        pressed = time.monotonic()
        self.clerk.answer(visit, Decision.AGREED)
        self.lobby.wait_screen("pass", 10)
        self.say(f"lobby: the answer and the pass are on the screen {time.monotonic() - pressed:.2f} s later")
        return visit

    def take_pass(self) -> str:
        """The slip, as it came out of the printer, and the text that a scanner reads from its picture."""
        deadline = time.monotonic() + 30
        while not (receipts := ask(self.stage.devices, "receipts")):
            if time.monotonic() > deadline:
                raise DemoError("the printer printed nothing")
            time.sleep(0.05)
        shutil.copyfile(receipts[-1]["path"], self.stage.shown / "receipt.png")
        with Image.open(self.stage.shown / "receipt.png") as printed:
            codes = zxingcpp.read_barcodes(printed)
        if len(codes) != 1 or not codes[0].text.startswith("VP1"):
            raise DemoError("the code on the receipt can't be read back")
        self.say(
            f"printer: slip printed; its code reads back from the picture ({len(codes[0].text)} characters)"
        )
        self.lobby.wait_text(say("zh_CN", "slip.printed"), 15)
        self._shot("pass")
        self.lobby.tap("finish")
        self._shot("farewell")
        return codes[0].text

    def enter(self, code: str) -> None:
        self._scan(code, "admitted", "gate: admitted, green")

    def leave(self, code: str) -> None:
        """The same code again; within a few seconds of the first it would be a re-read, not a way out."""
        time.sleep(max(0.0, self._scanned + REPEAT + 0.5 - time.monotonic()))
        self._scan(code, "left", "gate: left")

    def _scan(self, code: str, outcome: str, said: str) -> None:
        ask(self.stage.devices, "scan", device="gate-scanner", text=code)
        self._scanned = time.monotonic()
        self.gate.wait_text(say("zh_CN", f"gate.{outcome}"))
        self.say(f"{said} ({time.monotonic() - self._scanned:.2f} s after the scan)")
        self.gate.shot(self.stage.shown / f"gate-{outcome}.png")

    def keep_console(self, visit: str, name: str, path: str = "/") -> None:
        """The console's view as a page of its own, and as a picture where there is a Chromium."""
        page = self.stage.shown / f"{name}.html"
        if not self.clerk.shows(visit):
            raise DemoError("the visit isn't on the console's board")
        self.clerk.keep(path, page)
        drawn = picture(page, page.with_suffix(".png"))
        self.say(
            f"console: kept as {page.name}{' and as a picture' if drawn else ' (no Chromium here, so no picture)'}"
        )

    def sum_up(self) -> None:
        files = sorted(path.name for path in self.stage.shown.iterdir())
        self.say(
            f"one visit, end to end, in {time.monotonic() - self._began:.1f} s. Look at it in {self.stage.shown}:"
        )
        for name in files:
            print(f"          {name}", flush=True)

    def _shot(self, what: str) -> None:
        self._shots += 1
        self.lobby.shot(self.stage.shown / f"lobby-{self._shots:02}-{what}.png")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--config", type=Path, default=DEMO.config, help="folder of the four configurations")
    parser.add_argument("--var", type=Path, default=DEMO.var, help="folder of what is written")
    options = parser.parse_args()
    demo = Demo(Stage(options.config.absolute(), options.var.absolute()))
    try:
        demo.play()
    except (DemoError, PilotError, ClerkError, SimulatorsError) as error:
        # Where it stopped is of use to whoever mends it; the sentence is for everybody.
        traceback.print_exc()
        demo.say(f"The demo stopped: {error}.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
