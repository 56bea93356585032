"""Build the simulated printer's font: the characters of GB 2312 out of Noto Sans Mono CJK SC, as a small OpenType font.

A receipt printer sets a Han character in two columns and an ASCII one in one; the Mono face has just these widths. The
subset is what printers of the trade carry, plus Han common in names that GB 2312 lacks. Run it again only when the set
of characters changes; the result is kept in the repository because a bare machine has no such font.

    python tools/build_receipt_font.py /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

FACE = "Noto Sans Mono CJK SC"
TARGET = Path(__file__).parent.parent / "firmware-bridge/firmware_bridge/simulators/fonts/receipt.otf"
NAMES = "喆堃玥翀昇珮珺祎旻晟炜煊煜烨璟瑄瑀琤芃苒茗莀菡萱葳蕊薇赟轶迤邨郇钊钰铄锴镕闫陞隽霈韫颀颢骞骢鹍麒昉曌朤槿樾橦沄沣泠洺淏湉溁滢漪澍灏玙"


def characters() -> set[int]:
    """ASCII and everything of GB 2312, as code points."""
    han = {
        ord(bytes((row, cell)).decode("gb2312", "ignore") or " ")
        for row in range(0xA1, 0xF8)
        for cell in range(0xA1, 0xFF)
    }
    # The codec of GB 2312 has other code points than GBK for these four.
    return set(range(0x20, 0x7F)) | han | {ord(character) for character in NAMES + "—·～￥"}


def face(path: Path) -> TTFont:
    for font in TTCollection(str(path)):
        if font["name"].getDebugName(4) == FACE:
            return font
    raise SystemExit(f"{path} holds no face {FACE}: install fonts-noto-cjk.")


def main() -> None:
    font = face(Path(sys.argv[1]))
    options = Options(
        hinting=False,
        layout_features=[],
        desubroutinize=False,
        notdef_outline=True,
        name_IDs=[0, 1, 2, 13, 14],
    )
    options.drop_tables += ["VORG", "vhea", "vmtx", "BASE"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters())
    subsetter.subset(font)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    font.save(TARGET)
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, {font['maxp'].numGlyphs} glyphs")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main()
