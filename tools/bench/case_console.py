"""A scan at the gate → its visit's row moved in the console's page, in a real Chromium fed by server-sent events."""

from __future__ import annotations

import shutil
import time
from typing import Any

from playwright.sync_api import sync_playwright

from tools.bench.case_verdict import ANY_NUMBER, PACE, PASSES
from tools.bench.figure import Figure, p50_p99
from tools.bench.scene import AGREED_BY_ITSELF, codes, scene
from tools.browser import NAMES
from tools.clerk import ACCOUNT, new_password

ROUNDS = 49
GOAL_MS = 100.0

WATCH = """() => {
  window.moved = {};
  let standing = new Set();
  const look = () => {
    const now = new Set();
    for (const card of document.querySelectorAll('[data-visit]')) {
      const key = card.dataset.standing + ' ' + card.dataset.visit;
      now.add(key);
      if (!standing.has(key)) window.moved[key] = performance.timeOrigin + performance.now();
    }
    standing = now;
  };
  look();
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true, attributes: true});
}"""
"""Notes when each visit first stood where it stands, by the page's own clock (milliseconds since 1970)."""


def measure() -> list[Figure]:
    taken: list[float] = []
    chromium = next(path for name in NAMES if (path := shutil.which(name)))
    with scene(AGREED_BY_ITSELF | ANY_NUMBER) as it, sync_playwright() as playwright:
        it.house.centre()
        gate = it.window("gate")
        with it.window("lobby") as lobby:
            texts = codes(lobby, it.devices, PASSES)
        visits = [e["data"]["visit"] for e in it.house.events() if e["type"] == "visit.registered"]
        scanner = it.devices.scanner_named("gate-scanner")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(it.house.stage.console + "/login")
        page.fill("#account", ACCOUNT)
        page.fill("#password", new_password(it.house.stage))
        page.click("button.primary")
        page.wait_for_selector("#content")
        page.evaluate(WATCH)
        with gate:
            gate.wait_screen("idle", 30)
            for turn in range(ROUNDS):
                number = turn % PASSES
                inside = turn // PASSES % 2 == 0
                taken.append(
                    moved(page, scanner, texts[number], visits[number], "inside" if inside else "left")
                )
                time.sleep(PACE)
        browser.close()
    return p50_p99("scan → row moved in the console's page", taken, GOAL_MS, "goal")


def moved(page: Any, scanner: Any, text: str, visit: str, standing: str) -> float:
    """Scan a pass and return how long it took until its visit stood so on the page."""
    key = f"{standing} {visit}"
    page.evaluate("key => { delete window.moved[key]; }", key)
    sent = time.time()
    scanner.scan(text)
    page.wait_for_function("key => window.moved[key]", arg=key, timeout=10_000)
    return page.evaluate("key => window.moved[key]", key) / 1000 - sent
