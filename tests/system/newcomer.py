"""What somebody types who never saw the project, on a machine with only git, make and Python: the inside of bare_debian.sh.

Plain Python, because nothing is installed when it starts. It ends with 0 when everything held.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
STARTED = time.monotonic()
OURS = ("kiosk", "mosquitto", "Xvfb", "broker", "firmware-bridge", "honcho")


def step(text: str) -> None:
    print(f"    [{time.monotonic() - STARTED:6.1f} s] {text}", flush=True)


def expect(holds: bool, text: str) -> None:
    if not holds:
        print(f"    FAILED: {text}", flush=True)
        sys.exit(1)


def left_running() -> list[str]:
    """Command lines of our processes; zombies have none."""
    lines: list[str] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(Path(word).name in OURS for word in words[:2]):
            lines.append(" ".join(words))
    return lines


def demo(which: str) -> float:
    """Run the demo, check what it left, and return how long it took in seconds."""
    start = time.monotonic()
    done = subprocess.run(["make", "run", "DEMO=1"], cwd=ROOT, stdin=subprocess.DEVNULL)
    took = time.monotonic() - start
    step(f"the {which} make run DEMO=1 ended with {done.returncode} after {took:.1f} s")
    expect(done.returncode == 0, "make run DEMO=1 must end with 0")
    left = ROOT / "var" / "demo"
    for pattern in ("receipt.png", "console.html", "lobby-*.png", "gate-*.png"):
        found = list(left.glob(pattern))
        expect(bool(found) and all(f.stat().st_size > 1000 for f in found), f"var/demo/{pattern} is missing")
    expect(not left_running(), f"left running: {left_running()}")
    return took


def interrupted() -> None:
    """`make run` at a terminal, and Ctrl-C typed once it says how to end it."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execvp("make", ["make", "run"])
    said = b""
    pressed = 0.0
    while True:
        try:
            block = os.read(terminal, 65536)
        except OSError:
            break
        if not block:
            break
        said += block
        if not pressed and b"Ctrl-C ends all of it" in said:
            time.sleep(2)
            os.write(terminal, b"\x03")
            pressed = time.monotonic()
    os.waitpid(pid, 0)
    print("\n".join(f"      {line}" for line in said.decode(errors="replace").splitlines()))
    expect(bool(pressed), "make run never said how to end it")
    step(f"Ctrl-C ended everything after {time.monotonic() - pressed:.1f} s")
    expect(not left_running(), f"left running: {left_running()}")


def main() -> None:
    step(
        f"Python {sys.version.split()[0]}; no display: {'DISPLAY' not in os.environ}; nothing of ours installed"
    )
    demo("first")
    links = [path for level in "2345" for path in Path(f"/etc/rc{level}.d").glob("S*mosquitto")]
    expect(not links, f"Debian's own Mosquitto service was enabled: {links}")
    expect(not Path("/usr/sbin/policy-rc.d").exists(), "policy-rc.d was left behind")

    start = time.monotonic()
    subprocess.run(["tools/setup.sh", "run"], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    took = time.monotonic() - start
    step(f"setup.sh a second time took {took * 1000:.0f} ms")
    expect(took < 1, "a second set-up must take less than a second")

    expect(demo("second") < 60, "the demo must be over in a minute after set-up")
    interrupted()


if __name__ == "__main__":
    main()
