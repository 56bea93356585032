"""Compile the screens' words: kiosk/locale/*/LC_MESSAGES/kiosk.po → kiosk.mo. Run after every change of a catalogue.

The compiled files are committed, so a terminal needs no tool to speak; a test holds them equal to their sources.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parent.parent / "kiosk" / "locale"


def main() -> int:
    """Compile every catalogue; prints how many words each has."""
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        with source.open("rb") as file:
            catalogue = read_po(file)
        with source.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalogue)
        print(f"{len(catalogue):>4} {source.relative_to(LOCALE)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
