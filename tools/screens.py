"""Render every screen in every state, language and orientation to PNG, with a contact sheet a language: `make screens`.

    python tools/screens.py [FOLDER] [--only TEXT] [--language zh_CN] [--size 1080x1920] [--readme]

Offscreen, with invented people and devices (`sample.py`); nothing is asked of a network, a port or a disk.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "firmware-bridge"), str(Path(__file__).resolve().parent)]

from kiosk.ui.window import WindowPlan, prepare  # noqa: E402  (the root must be on the path first)

if TYPE_CHECKING:
    from kiosk.ui.stage import Stage

SIZES = ((1080, 1920), (1920, 1080))
GATE_SIZES = ((1280, 800), (800, 1280))
NOW = datetime(2026, 11, 23, 1, 41, tzinfo=UTC)
README = {
    "lobby-welcome-zh_CN-1080x1920": ("lobby-welcome", 480),
    "lobby-host-room-zh_CN-1080x1920": ("lobby-host", 480),
    "lobby-pass-printed-zh_CN-1080x1920": ("lobby-pass", 480),
    "lobby-welcome-en-1920x1080": ("lobby-welcome-en", 960),
    "gate-admitted-zh_CN-1280x800": ("gate-admitted", 640),
    "gate-refused-expired-zh_CN-1280x800": ("gate-refused", 640),
}
"""Pictures for people who read about us: (name in docs/pictures, width in pixels)."""


def main() -> int:
    """Write the pictures; prints where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "screens")
    parser.add_argument("--only", default="", help="only pictures whose name contains this")
    parser.add_argument("--language", choices=("zh_CN", "en"), help="only this language")
    parser.add_argument("--size", help="another size for the lobby, such as 800x1280")
    parser.add_argument("--readme", action="store_true", help="also renew the pictures in docs/pictures")
    options = parser.parse_args()
    sizes = SIZES
    if options.size:
        width, _, height = options.size.partition("x")
        sizes = ((int(width), int(height)),)
    options.folder.mkdir(parents=True, exist_ok=True)
    side = max(max(size) for size in (*sizes, *GATE_SIZES))
    prepare(WindowPlan(side, side), offscreen=True)

    from kiosk.ui import theme
    from kiosk.ui.pilot import shoot

    theme.set_still(True)
    languages = (options.language,) if options.language else ("zh_CN", "en")
    made: dict[str, list[Path]] = {language: [] for language in languages}
    for language in languages:
        for name, stage in pictures(language, sizes, options.only):
            path = options.folder / f"{name}.png"
            shoot(stage, path)
            made[language].append(path)
    for language, paths in made.items():
        _sheet(paths, options.folder / f"sheet-{language}.png")
    if options.readme:
        _readme(options.folder)
    print(f"{sum(map(len, made.values()))} pictures in {options.folder}")
    return 0


def pictures(language: str, sizes: tuple[tuple[int, int], ...], only: str) -> Iterator[tuple[str, Stage]]:
    """(name, stage ready to be shot) of every picture in a language."""
    import sample
    from kivy.core.window import Window

    from kiosk.lobby.screens.view import LobbyView
    from kiosk.ui.stage import Stage

    for width, height in sizes:
        for state, go in sample.STATES.items():
            name = f"lobby-{state}-{language}-{width}x{height}"
            if only not in name:
                continue
            stage = Stage()
            stage.resize(width, height)
            Window.add_widget(stage)
            terminal = sample.lobby(language, known=state != "not-set-up")
            go(terminal)
            view = LobbyView(stage, terminal.session, now=lambda: NOW)
            view.draw()
            yield name, stage
            Window.remove_widget(stage)
    yield from _gate_pictures(language, only)


def _gate_pictures(language: str, only: str) -> Iterator[tuple[str, Stage]]:
    import sample_gate
    from kivy.core.window import Window

    from kiosk.gate.screens.view import GateView
    from kiosk.ui.stage import Stage

    for width, height in GATE_SIZES:
        for state, show in sample_gate.STATES.items():
            name = f"gate-{state}-{language}-{width}x{height}"
            if only not in name:
                continue
            stage = Stage()
            stage.resize(width, height)
            Window.add_widget(stage)
            view = GateView(stage, sample_gate.post(show, language), now=lambda: NOW)
            view.draw()
            yield name, stage
            Window.remove_widget(stage)


def _sheet(paths: list[Path], to: Path, *, high: int = 480, wide: int = 3000) -> None:
    """All pictures of a language on one, in rows of equal height."""
    from PIL import Image

    rows: list[list[Image.Image]] = [[]]
    left = 20
    for path in paths:
        with Image.open(path) as picture:
            small = picture.convert("RGB").resize(
                (round(picture.width * high / picture.height), high), Image.Resampling.LANCZOS
            )
        if left + small.width + 20 > wide and rows[-1]:
            rows.append([])
            left = 20
        rows[-1].append(small)
        left += small.width + 20
    sheet = Image.new("RGB", (wide, len(rows) * (high + 20) + 20), (210, 206, 198))
    for index, row in enumerate(rows):
        left = 20
        for small in row:
            sheet.paste(small, (left, 20 + index * (high + 20)))
            left += small.width + 20
    sheet.save(to, optimize=True)


def _readme(folder: Path) -> None:
    """The few pictures that stand in the README, small and with a palette."""
    from PIL import Image

    to = ROOT / "docs" / "pictures"
    to.mkdir(parents=True, exist_ok=True)
    for name, (short, width) in README.items():
        source = folder / f"{name}.png"
        if not source.exists():
            continue
        with Image.open(source) as picture:
            size = (width, round(picture.height * width / picture.width))
            small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        palette = small.quantize(256)
        dithered = small.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
        dithered.save(to / f"{short}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
