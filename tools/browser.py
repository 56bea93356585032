"""A picture of a page with the Chromium that is installed, if one is; Chinese text in the terminals' own font."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.stage import ROOT

NAMES = ("chromium", "chromium-browser", "google-chrome")
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{folder}</dir></fontconfig>
"""


def picture(page: Path, file: Path, *, width: int = 1440, height: int = 1000) -> bool:
    """Draw the page in `page` to the PNG `file`; False where there is no Chromium."""
    program = next((path for name in NAMES if (path := shutil.which(name))), None)
    if program is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        fonts = Path(folder) / "fonts.conf"
        fonts.write_text(FONTS.format(folder=ROOT / "kiosk" / "ui" / "fonts"))
        command = [
            program,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
        ]
        command += [f"--user-data-dir={folder}/profile", f"--window-size={width},{height}"]
        command += [f"--screenshot={file}", page.as_uri()]
        subprocess.run(
            command,
            env={"PATH": "/usr/bin:/bin", "HOME": folder, "FONTCONFIG_FILE": str(fonts)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=30,
        )
    return file.exists()
