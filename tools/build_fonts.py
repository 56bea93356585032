"""Cut the terminals' fonts from their sources: Simplified-Chinese Noto Sans, and the Phosphor icons in use.

Run when an icon is added or a source changes; the results are committed, nothing is built at set-up. Sources: Debian's
`fonts-noto-cjk` (SIL OFL 1.1; face 2 of each collection is the Simplified Chinese one, face 0 is Japanese and draws
门 直 骨 wrongly) and `npm pack @phosphor-icons/web` (MIT). Regular holds GBK, Bold GB2312, both all Latin letters.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kiosk.ui.icons import ICONS  # noqa: E402  (needs the root on the path when run as a script)

FONTS = ROOT / "kiosk" / "ui" / "fonts"
NOTO = Path("/usr/share/fonts/opentype/noto")
NOTO_LICENCE = Path("/usr/share/doc/fonts-noto-cjk/copyright")
SIMPLIFIED_FACE = 2

LATIN = {
    *range(0x20, 0x7F),
    *range(0xA0, 0x250),
    *range(0x2010, 0x2028),
    *range(0x2030, 0x203F),
    *range(0x2190, 0x2194),
    0x20AC,
    0x00B7,
    0x2022,
}
"""Latin letters with their marks, dashes, quotes, arrows: names of visitors from elsewhere."""

CHINESE_MARKS = {*range(0x3000, 0x3020), *range(0xFF00, 0xFFF0), 0x3007}


def main() -> int:
    """Write the four fonts and their licences into kiosk/ui/fonts; prints name and size of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--noto", type=Path, default=NOTO, help="folder with NotoSansCJK-*.ttc")
    parser.add_argument(
        "--phosphor", type=Path, help="unpacked @phosphor-icons/web; fetched with npm when absent"
    )
    options = parser.parse_args()
    FONTS.mkdir(parents=True, exist_ok=True)
    for style, characters in (("Regular", _encodable("gbk")), ("Bold", _encodable("gb2312"))):
        source = options.noto / f"NotoSansCJK-{style}.ttc"
        _cut(
            TTFont(source, fontNumber=SIMPLIFIED_FACE),
            LATIN | CHINESE_MARKS | characters,
            FONTS / f"text-{style.lower()}.ttf",
        )
    shutil.copyfile(NOTO_LICENCE, FONTS / "NOTO-LICENSE.txt")
    with tempfile.TemporaryDirectory() as folder:
        phosphor = options.phosphor or _fetch_phosphor(Path(folder))
        for weight, name in (("regular", "Phosphor.ttf"), ("fill", "Phosphor-Fill.ttf")):
            _check_names(phosphor / "src" / weight / "style.css", weight)
            font = TTFont(phosphor / "src" / weight / name)
            _cut(font, {ord(character) for character in ICONS.values()}, FONTS / f"icons-{weight}.ttf")
        shutil.copyfile(phosphor / "LICENSE", FONTS / "PHOSPHOR-LICENSE.txt")
    for path in sorted(FONTS.iterdir()):
        print(f"{path.stat().st_size:>10,}  {path.relative_to(ROOT)}")
    return 0


def _encodable(codec: str) -> set[int]:
    """Every character of the basic plane that a Chinese code page holds."""
    found: set[int] = set()
    for code in range(0x80, 0x10000):
        try:
            chr(code).encode(codec)
        except UnicodeEncodeError:
            continue
        found.add(code)
    return found


def _cut(font: Any, characters: set[int], to: Path) -> None:
    options = subset.Options()
    options.layout_features = ["kern"]
    options.hinting = False
    options.name_IDs = [0, 1, 2, 4, 5, 6, 13, 14]
    options.notdef_outline = True
    options.glyph_names = False
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GPOS", "GSUB"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=characters)
    cutter.subset(font)
    if "glyf" in font:
        # Phosphor says 0 for every left bearing, which would draw each icon at the left of its square.
        for name, (advance, _) in list(font["hmtx"].metrics.items()):
            glyph = font["glyf"][name]
            glyph.recalcBounds(font["glyf"])
            font["hmtx"].metrics[name] = (advance, getattr(glyph, "xMin", 0))
    if "CFF " in font:
        _to_quadratic(font)
    # No time stamps: the same sources give the same bytes.
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False
    buffer = io.BytesIO()
    font.save(buffer)
    to.write_bytes(buffer.getvalue())


def _to_quadratic(font: Any) -> None:
    """TrueType outlines instead of CFF: FreeType opens them in 1 ms instead of 12, at each size and so at each screen.

    An error of half a unit (1/2000 em) can't be seen at any size of ours.
    """
    outlines = font.getGlyphSet()
    glyphs = {}
    for name in font.getGlyphOrder():
        pen = TTGlyphPen(None)
        outlines[name].draw(Cu2QuPen(pen, max_err=0.5, reverse_direction=True))
        glyphs[name] = pen.glyph()
    table: Any = newTable("glyf")
    font["glyf"] = table
    table.glyphs, table.glyphOrder = glyphs, font.getGlyphOrder()
    font["loca"] = newTable("loca")
    for name, glyph in glyphs.items():
        glyph.recalcBounds(table)
        font["hmtx"].metrics[name] = (font["hmtx"].metrics[name][0], getattr(glyph, "xMin", 0))
    maxp: Any = newTable("maxp")
    font["maxp"] = maxp
    maxp.tableVersion = 0x00010000
    for field in (
        "maxZones",
        "maxTwilightPoints",
        "maxStorage",
        "maxFunctionDefs",
        "maxInstructionDefs",
        "maxStackElements",
        "maxSizeOfInstructions",
        "maxComponentElements",
    ):
        setattr(maxp, field, 0)
    maxp.maxZones = 1
    maxp.compile(font)
    post = font["post"]
    post.formatType = 3.0
    for tag in ("CFF ", "VORG"):
        if tag in font:
            del font[tag]
    font.sfntVersion = "\000\001\000\000"


def _fetch_phosphor(folder: Path) -> Path:
    subprocess.run(["npm", "pack", "@phosphor-icons/web@2.1.2"], cwd=folder, check=True, capture_output=True)
    with tarfile.open(next(folder.glob("phosphor-icons-web-*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def _check_names(stylesheet: Path, weight: str) -> None:
    """Every icon must stand in the source under our name for it, at our code point."""
    kind = "ph" if weight == "regular" else f"ph-{weight}"
    css = stylesheet.read_text()
    there = dict(re.findall(rf"\.{kind}\.ph-([a-z-]+):before \{{\s*content: \"\\([0-9a-f]+)\"", css))
    wrong = [name for name, character in ICONS.items() if there.get(name) != f"{ord(character):x}"]
    if wrong:
        raise SystemExit(f"not in Phosphor under that code point: {', '.join(wrong)}")


if __name__ == "__main__":
    sys.exit(main())
