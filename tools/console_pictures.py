"""Pictures of the console: a real centre, a busy day of invented people, a real browser.

    python -m tools.console_pictures [FOLDER] [--readme]

Part of `make screens`. Fonts are the browser's own.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from broker.contract.facts import (
    DecidedBy,
    Decision,
    PassAdmitted,
    PassIssued,
    PassLeft,
    SlipOutcome,
    SlipPrinted,
    StaffCalled,
    VisitDecided,
    VisitRegistered,
)
from broker.contract.names import new_id
from broker.contract.state import Availability
from tests.support.centre import RunningCentre, running_centre
from tests.support.log_writer import LogWriter, a_person, a_registration
from tests.support.mqtt_station import MqttStation

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES = ((1440, 900), (1024, 768), (390, 844))


@dataclass
class Day:
    """A day in the making; times are minutes before now."""

    lobby: LogWriter
    gate: LogWriter

    def visit(
        self, ago: float, name: str, title: str | None, building: str, room: str, host: str, people: int = 1
    ) -> VisitRegistered:
        made = a_registration(
            number=f"{secrets.randbelow(10**6):06}",
            building=building,
            people=people,
            identity="card" if title else "typed",
            purpose="family" if title else "business",
        )
        person = a_person(name, title, host=host, room=room, building=building)
        self.lobby.add(made, person, at=before(ago))
        return made

    def decided(self, visit: VisitRegistered, ago: float, decision: Decision, place: str = "") -> None:
        fact = VisitDecided(
            visit=visit.visit, request=visit.request.id, decision=decision, by=DecidedBy.STAFF, place=place
        )
        self.lobby.add(fact, at=before(ago))

    def passed(self, visit: VisitRegistered, ago: float) -> str:
        """Agreed, with a pass and a slip; the pass's id."""
        self.decided(visit, ago, Decision.AGREED)
        cti, since = secrets.token_hex(8), before(ago)
        issued = PassIssued(
            visit=visit.visit,
            cti=cti,
            kid=7,
            index=secrets.randbelow(60_000),
            not_before=int(since.timestamp()),
            expires=int((since + timedelta(hours=4)).timestamp()),
            areas=1,
            entries=1,
            mode=0,
        )
        self.lobby.add(issued, at=since)
        self.lobby.add(SlipPrinted(visit=visit.visit, outcome=SlipOutcome.PRINTED), at=since)
        return cti

    def inside(self, visit: VisitRegistered, ago: float, left: float | None = None) -> None:
        cti = self.passed(visit, ago + 4)
        fact = PassAdmitted(cti=cti, kid=7, nonce=new_id(), gate="gate-1", offline=False)
        self.gate.add(fact, at=before(ago))
        if left is not None:
            gone = PassLeft(cti=cti, reason="ok", nonce=new_id(), gate="gate-1", offline=False)
            self.gate.add(gone, at=before(left))


def before(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def a_day() -> tuple[Day, VisitRegistered]:
    """Somebody in every list of the board; the visit that waits longest."""
    day = Day(LogWriter("lobby-1"), LogWriter("gate-1"))
    day.inside(day.visit(250, "Anna Maria Lindqvist", None, "b3", "601", "Wang"), 245, left=160)
    day.inside(day.visit(220, "刘洋", "ms", "b1", "1101", "赵国华"), 214, left=130)
    day.inside(day.visit(70, "孙丽", "ms", "b1", "702", "何俊"), 64)
    day.inside(day.visit(41, "欧阳修远", "mr", "b3", "215", "郭涛", people=2), 35)
    day.passed(day.visit(12, "黄志强", "mr", "b2", "1904", "吴芳"), 10)
    day.decided(day.visit(16, "林婉清", "ms", "b1", "402", "徐建"), 14, Decision.WAIT, "tea")
    day.decided(day.visit(130, "马超", "mr", "b1", "1203", "朱琳"), 128, Decision.AWAY)
    longest = day.visit(3, "张伟", "mr", "b1", "1502", "李静")
    day.visit(1, "Michael O'Connor", None, "b3", "903", "Li Jing", people=3)
    day.lobby.add(StaffCalled(call=new_id(), visit=longest.visit, screen="waiting"), at=before(0.3))
    return day, longest


def shoot(folder: Path) -> list[Path]:
    """All pages in both languages and three sizes; returns the files."""
    made: list[Path] = []

    def keep(page: Page, name: str) -> None:
        page.wait_for_timeout(300)
        made.append(folder / f"console-{name}.png")
        page.screenshot(path=made[-1])

    with (
        tempfile.TemporaryDirectory() as data,
        running_centre(Path(data)) as centre,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*CHROMIUM])
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.goto(centre.console_url)
        keep(page, "login-zh_CN-1440x900")
        page.fill("#account", "admin")
        page.fill("#password", centre.admin_password)
        page.click("button.primary")
        page.wait_for_url(centre.console_url + "/")
        keep(page, "board-empty-zh_CN-1440x900")
        longest = _live(centre)
        page.locator(f"#visit-{longest.visit}").wait_for()
        # What has just arrived glows for a moment; the pictures show the board at rest.
        page.wait_for_timeout(3000)
        for language in ("zh_CN", "en"):
            page.goto(f"{centre.console_url}/language/{language}?next=/")
            for path, name in (("/", "board"), (f"/visits/{longest.visit}", "visit")):
                page.goto(centre.console_url + path)
                for width, height in SIZES:
                    page.set_viewport_size({"width": width, "height": height})
                    keep(page, f"{name}-{language}-{width}x{height}")
        chromium.close()
    return made


def _live(centre: RunningCentre) -> VisitRegistered:
    """Send the day as its stations do."""
    day, longest = a_day()
    for log, kind in ((day.lobby, "lobby"), (day.gate, "gate")):
        station = MqttStation(centre.mqtt_port, log)
        station.say(kind=kind)
        station.say_device("scanner", "code_scanner", Availability.ONLINE)
        if kind == "lobby":
            station.say_device("id-reader", "id_reader", Availability.ONLINE)
            station.say_device("printer", "ticket_printer", Availability.FAULT, "paper_out")
        station.send(log.payload())
        station.acknowledged(len(log.items))
    return longest


def main() -> int:
    """Write the pictures; prints where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "screens")
    parser.add_argument("--readme", action="store_true", help="also renew the board in docs/pictures")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    made = shoot(options.folder)
    if options.readme:
        with Image.open(options.folder / "console-board-zh_CN-1440x900.png") as board:
            small = board.convert("RGB").resize((960, 600), Image.Resampling.LANCZOS).quantize(192)
        small.save(ROOT / "docs" / "pictures" / "console-board.png", optimize=True)
    print(f"{len(made)} pictures of the console in {options.folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
