"""What a pass costs: signed and made an image at the lobby, checked strictly at a gate; peers are bare Ed25519."""

from __future__ import annotations

import random
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.contract import passes
from broker.contract.passes import KeySet, Pass, TrustedKey
from firmware_bridge.protocols import qr
from tools.bench.figure import Figure, beside, p50_p99

ROUNDS = 1000
ISSUE_GOAL_MS = 3.0
CHECK_GOAL = 1.5
"""Times a bare verify."""
ORGANISATION = "bench.example"


def measure() -> list[Figure]:
    """Peers and ours take turns round by round, so that a busy moment of the machine meets both."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key()
    trusted = TrustedKey(7, public, "lobby-1", 0xFF, 0, 0xFFFFFFFF, 7 * 86400)
    keys = KeySet(ORGANISATION, {7: trusted})
    message = random.randbytes(70)
    signature = key.sign(message)
    now = int(time.time())
    durations: dict[str, list[float]] = {
        name: [] for name in ("bare sign", "sign", "issue", "bare verify", "check", "refuse")
    }

    def timed(name: str, start: float) -> float:
        end = time.perf_counter()
        durations[name].append(end - start)
        return time.perf_counter()

    for index in range(ROUNDS):
        claims = Pass(7, passes.draw_cti(), now, now + 14400, 1, 1, 1, 0, index)
        at = time.perf_counter()
        key.sign(message)
        at = timed("bare sign", at)
        text = passes.sign(claims, key, ORGANISATION)
        at = timed("sign", at)
        text = passes.sign(claims, key, ORGANISATION)
        image(qr.modules(text), 6)
        timed("issue", at)
        bad = text[:60] + ("A" if text[60] != "A" else "B") + text[61:]

        at = time.perf_counter()
        public.verify(signature, message)
        at = timed("bare verify", at)
        found = passes.check(text, keys)
        at = timed("check", at)
        refused(bad, keys)
        timed("refuse", at)
        assert found == claims
    verify = durations["bare verify"]
    return [
        *beside("pass signed", durations["sign"], durations["bare sign"], "bare Ed25519 signature"),
        *p50_p99("pass issued with image", durations["issue"], ISSUE_GOAL_MS, "goal"),
        *beside("pass checked", durations["check"], verify, f"bare verify; goal ratio {CHECK_GOAL}"),
        *beside("forged pass refused", durations["refuse"], verify, "bare verify"),
    ]


def image(rows: tuple[bytes, ...], scale: int) -> bytes:
    """A grey picture of a QR symbol with its quiet zone, `scale` pixels a module: what a screen or raster is made of."""
    shades = bytes((255, 0))
    margin = bytes(shades[:1]) * (qr.QUIET * scale)
    blank = shades[:1] * ((len(rows) + 2 * qr.QUIET) * scale)
    lines = [blank] * (qr.QUIET * scale)
    for row in rows:
        line = b"".join(shades[module : module + 1] * scale for module in row)
        lines += [margin + line + margin] * scale
    lines += [blank] * (qr.QUIET * scale)
    return b"".join(lines)


def refused(text: str, keys: KeySet) -> None:
    """Check a text that must not pass."""
    try:
        passes.check(text, keys)
    except passes.PassError:
        return
    raise AssertionError("a forged pass was taken for a real one")
