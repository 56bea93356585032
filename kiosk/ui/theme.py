"""The look in one place: colour, type, space, radius, motion. No Kivy here, so tests read it without a window.

Warm paper, jade and ink, one accent (cinnabar) that means "a person will help you". Sizes are written for a screen
whose shorter side has 1080 pixels; `px` turns them into this screen's.
"""

from __future__ import annotations

Colour = tuple[float, float, float, float]


def _hex(text: str, alpha: float = 1.0) -> Colour:
    return int(text[0:2], 16) / 255, int(text[2:4], 16) / 255, int(text[4:6], 16) / 255, alpha


PAPER = _hex("F6F2EA")
SAND = _hex("EAE4D7")
SAND_DEEP = _hex("DDD5C4")
WHITE = _hex("FFFFFF")
INK = _hex("12302E")
MUTED = _hex("4C625F")
FAINT = _hex("5F726F")
JADE = _hex("0F5C57")
JADE_DEEP = _hex("0A423F")
JADE_NIGHT = _hex("082F2E")
JADE_TINT = _hex("E2EFEA")
SUN = _hex("FAE0A6")
AMBER_TINT = _hex("FBF0DA")
AMBER_INK = _hex("75500D")
CINNABAR = _hex("AE432E")
CINNABAR_DEEP = _hex("8F3323")
CINNABAR_TINT = _hex("F9E8E3")
MIST = _hex("D5E6DF")
SCRIM = _hex("082F2E", 0.72)
VEIL = _hex("FFFFFF", 0.14)
SHADOW = _hex("3A3322", 0.20)
GATE_GREEN = _hex("0B5F45")
GATE_GREEN_DEEP = _hex("084A36")
GATE_RED = _hex("98291B")
GATE_RED_DEEP = _hex("7A1E13")
GATE_AMBER = _hex("8A5A00")

CONTRASTS: tuple[tuple[str, Colour, Colour], ...] = (
    ("ink on paper", INK, PAPER),
    ("ink on white", INK, WHITE),
    ("ink on a key", INK, WHITE),
    ("ink on sand", INK, SAND),
    ("muted on paper", MUTED, PAPER),
    ("muted on white", MUTED, WHITE),
    ("muted on sand", MUTED, SAND),
    ("placeholder on white", FAINT, WHITE),
    ("jade on paper", JADE, PAPER),
    ("jade on white", JADE, WHITE),
    ("jade on its tint", JADE, JADE_TINT),
    ("ink on jade tint", INK, JADE_TINT),
    ("white on jade", WHITE, JADE),
    ("white on deep jade", WHITE, JADE_DEEP),
    ("mist on deep jade", MIST, JADE_DEEP),
    ("mist on jade", MIST, JADE),
    ("sun on deep jade", SUN, JADE_DEEP),
    ("warning", AMBER_INK, AMBER_TINT),
    ("white on cinnabar", WHITE, CINNABAR),
    ("white on deep cinnabar", WHITE, CINNABAR_DEEP),
    ("cinnabar on its tint", CINNABAR_DEEP, CINNABAR_TINT),
    ("gate: white on green", WHITE, GATE_GREEN),
    ("gate: white on red", WHITE, GATE_RED),
    ("gate: white on amber", WHITE, GATE_AMBER),
)
"""Every pairing of text and ground in use; a test holds each at 4.5 : 1 or better (WCAG 2.2, 1.4.3)."""

# Type sizes: body never under 28 at 1080 wide.
DISPLAY = 96
TITLE = 60
HEADING = 44
LEAD = 36
BODY = 32
SMALL = 28

# Space, on a grid of eight.
GAP = 24
MARGIN = 56
TOUCH = 88
"""Least height of anything to press; the rule is 80."""

# Radii.
R_FIELD = 24
R_CARD = 36
R_SHEET = 56

# Motion in seconds, 0 in tests and pictures.
QUICK = 0.14
CALM = 0.22


class _Screen:
    """This screen's scale; set once, before the first widget, and again when the window changes its size."""

    factor = 1.0
    still = False


def set_scale(width: float, height: float) -> None:
    """Make `px` fit a screen of this size in pixels."""
    _Screen.factor = min(width, height) / 1080.0


def set_still(still: bool) -> None:
    """Switch motion off, for tests and pictures."""
    _Screen.still = still


def px(size: float) -> float:
    """A size of the 1080 design on this screen, in whole pixels."""
    return float(round(size * _Screen.factor))


def motion(seconds: float) -> float:
    """A duration, or 0 where motion is off."""
    return 0.0 if _Screen.still else seconds


def contrast(a: Colour, b: Colour) -> float:
    """Contrast ratio of two opaque colours (WCAG 2.2, 1.4.3)."""
    one, two = sorted((_luminance(a), _luminance(b)))
    return (two + 0.05) / (one + 0.05)


def _luminance(colour: Colour) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
