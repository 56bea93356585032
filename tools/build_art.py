"""Paint the terminals' art: layered mountains in mist under a pale sun.

The pictures are computed, not photographed: no rights to clear, the same bytes at every run, and a site may repaint
them in its own colours. Run after a change of the palette; the results in kiosk/ui/art are committed.
"""

from __future__ import annotations

import math
import random
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ART = Path(__file__).resolve().parent.parent / "kiosk" / "ui" / "art"

Colour = tuple[float, float, float]


def _rgb(text: str) -> Colour:
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


SKY = (_rgb("08302F"), _rgb("0F504D"), _rgb("2A7A70"), _rgb("7DB3A2"))
SUN = _rgb("FAE0A6")
GLOW = _rgb("E9D79A")
MIST = _rgb("A9CDBE")
RIDGES = (_rgb("86B7A8"), _rgb("5E9A8D"), _rgb("3A7A71"), _rgb("1F5C57"), _rgb("0F4341"), _rgb("0A3332"))


@dataclass(frozen=True)
class Palette:
    """Four stops of sky from the top, the mist, the ranges from far to near."""

    sky: tuple[Colour, Colour, Colour, Colour] = SKY
    mist: Colour = MIST
    ridges: tuple[Colour, ...] = RIDGES
    glow: float = 1.0


DAWN = Palette(sky=(_rgb("08302F"), _rgb("0C4542"), _rgb("1B625B"), _rgb("4E9585")))
"""Dark to the middle, where words stand; light only at the horizon."""

DUSK = Palette(
    sky=(_rgb("08302F"), _rgb("0C4542"), _rgb("185D57"), _rgb("27736A")),
    mist=_rgb("3A8277"),
    ridges=(_rgb("266B62"), _rgb("1A5750"), _rgb("103F3C"), _rgb("0C3735")),
    glow=0.8,
)
"""Dark enough everywhere for white words on it."""

PAPER_WASH = Palette(
    sky=(_rgb("F6F2EA"), _rgb("F6F2EA"), _rgb("F6F2EA"), _rgb("F6F2EA")),
    mist=_rgb("F5F1E9"),
    ridges=(_rgb("F0EEE5"), _rgb("EAEAE1"), _rgb("E4E6DD"), _rgb("DFE3DA")),
    glow=0.0,
)
"""A breath of ink on the paper, so that free space is part of the picture."""


@dataclass(frozen=True)
class Ridge:
    """One range: how high its mean and its peaks stand (fractions of the picture), how jagged, how misty below."""

    base: float
    swing: float
    wave: float
    seed: int
    mist: float


@dataclass(frozen=True)
class Scene:
    """A picture: size in pixels, where the sun stands and its radius (fractions of width, height, width)."""

    width: int
    height: int
    sun: tuple[float, float, float]
    ridges: tuple[Ridge, ...]
    horizon: float
    palette: Palette = Palette()


SCENES = {
    "hero-portrait": Scene(
        1080,
        1160,
        (0.815, 0.245, 0.054),
        (
            Ridge(0.585, 0.085, 520, 11, 0.13),
            Ridge(0.635, 0.10, 400, 5, 0.14),
            Ridge(0.70, 0.095, 330, 8, 0.14),
            Ridge(0.775, 0.085, 290, 21, 0.15),
            Ridge(0.86, 0.075, 260, 34, 0.22),
        ),
        0.66,
    ),
    "hero-landscape": Scene(
        760,
        1080,
        (0.72, 0.585, 0.082),
        (
            Ridge(0.645, 0.09, 420, 3, 0.15),
            Ridge(0.70, 0.095, 330, 14, 0.15),
            Ridge(0.775, 0.09, 280, 9, 0.15),
            Ridge(0.855, 0.085, 250, 27, 0.16),
            Ridge(0.935, 0.075, 230, 40, 0.26),
        ),
        0.80,
        DAWN,
    ),
    "band-portrait": Scene(
        1080,
        560,
        (0.815, 0.56, 0.042),
        (
            Ridge(0.815, 0.09, 420, 17, 0.20),
            Ridge(0.87, 0.10, 340, 6, 0.20),
            Ridge(0.935, 0.09, 280, 31, 0.25),
        ),
        0.92,
        DUSK,
    ),
    "wash": Scene(
        700,
        320,
        (0.8, -1.0, 0.01),
        (
            Ridge(0.36, 0.20, 280, 41, 0.34),
            Ridge(0.52, 0.20, 220, 23, 0.34),
            Ridge(0.68, 0.18, 190, 77, 0.34),
            Ridge(0.84, 0.16, 165, 52, 0.40),
        ),
        1.0,
        PAPER_WASH,
    ),
}


def main() -> int:
    """Write all pictures; prints name and size of each."""
    ART.mkdir(parents=True, exist_ok=True)
    for name, scene in SCENES.items():
        paint(scene).save(ART / f"{name}.png", optimize=True)
    for path in sorted(ART.glob("*.png")):
        print(f"{path.stat().st_size:>9,}  {path.name}")
    return 0


def paint(scene: Scene) -> Image.Image:
    """Sky, glow, sun, then the ranges from far to near, each sinking into its mist."""
    width, height = scene.width, scene.height
    palette = scene.palette
    lines = [_skyline(ridge, width, height) for ridge in scene.ridges]
    sun_x, sun_y, sun_r = scene.sun[0] * width, scene.sun[1] * height, scene.sun[2] * width
    chance = random.Random(1)
    picture = Image.new("RGB", (width, height))
    pixels: list[tuple[int, int, int]] = []
    for y in range(height):
        sky = _sky(y / (scene.horizon * height), palette)
        for x in range(width):
            away = math.hypot(x - sun_x, y - sun_y)
            glow = palette.glow * (
                0.62 * math.exp(-away / (sun_r * 3.1)) + 0.05 * math.exp(-away / (sun_r * 7))
            )
            colour = _mix(sky, GLOW, glow)
            colour = _mix(colour, SUN, min(1.0, max(0.0, sun_r - away + 0.5)))
            for index, ridge in enumerate(scene.ridges):
                depth = y - lines[index][x]
                if depth <= -0.5:
                    continue
                sunk = min(1.0, max(0.0, depth) / (ridge.mist * height))
                near = index / max(1, len(scene.ridges) - 1)
                after = palette.ridges[min(index + 1, len(palette.ridges) - 1)]
                mist = _mix(palette.mist, after, 0.25 + 0.55 * near)
                body = _mix(palette.ridges[index], mist, _smooth(sunk) * (0.86 - 0.45 * near))
                # The side that looks at the sun is a little warmer.
                body = _mix(
                    body, GLOW, palette.glow * 0.14 * math.exp(-abs(x - sun_x) / (width * 0.34)) * (1 - near)
                )
                colour = _mix(colour, body, min(1.0, depth + 0.5))
            # Less than one step of noise: long gradients without bands.
            noise = chance.random() - 0.5
            pixels.append((_byte(colour[0] + noise), _byte(colour[1] + noise), _byte(colour[2] + noise)))
    picture.putdata(pixels)
    return picture


def _skyline(ridge: Ridge, width: int, height: int) -> list[float]:
    """The height of a range at each column: a few octaves of smooth noise with sharpened peaks."""
    chance = random.Random(ridge.seed)
    line: list[float] = []
    octaves = [(ridge.wave / 2**k, 0.5**k, [chance.random() for _ in range(64)]) for k in range(6)]
    for x in range(width):
        total = 0.0
        for index, (wave, weight, knots) in enumerate(octaves):
            at = x / wave + index * 7.3
            low = math.floor(at)
            value = _lerp(knots[low % 64], knots[(low + 1) % 64], _smooth(at - low))
            if index < 2:
                # Folded noise has crests, as mountains do.
                value = 1 - abs(2 * value - 1)
            total += (value - 0.5) * weight
        line.append((ridge.base - ridge.swing * total) * height)
    return line


def _sky(t: float, palette: Palette) -> Colour:
    stops = (0.0, 0.38, 0.76, 1.0)
    t = min(1.0, max(0.0, t))
    for index in range(3):
        if t <= stops[index + 1]:
            share = (t - stops[index]) / (stops[index + 1] - stops[index])
            return _mix(palette.sky[index], palette.sky[index + 1], _smooth(share) * 0.5 + share * 0.5)
    return palette.sky[3]


def _mix(a: Colour, b: Colour, t: float) -> Colour:
    return _lerp(a[0], b[0], t), _lerp(a[1], b[1], t), _lerp(a[2], b[2], t)


def _lerp(a: float, b: float, t: float) -> float:
    return a + (b - a) * t


def _smooth(t: float) -> float:
    return t * t * (3 - 2 * t)


def _byte(value: float) -> int:
    return min(255, max(0, round(value)))


if __name__ == "__main__":
    sys.exit(main())
