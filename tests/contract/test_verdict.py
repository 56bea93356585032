"""The verdict, as a table: one case a reason, and which of two reasons is shown when both hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.contract import passes
from broker.contract.passes import KeySet, Pass, TrustedKey
from broker.contract.verdict import Direction, Lane, Outcome, Reason, Uses, judge

NOW = 1_795_400_000
ORGANISATION = "test.example"
KEY = Ed25519PrivateKey.generate()
OTHER = Ed25519PrivateKey.generate()
GOOD = Pass(
    kid=1,
    cti=b"12345678",
    not_before=NOW - 600,
    expires=NOW + 3600,
    site=1,
    areas=0b1,
    entries=1,
    mode=0,
    index=5,
)
KEYS = KeySet(
    ORGANISATION,
    {1: TrustedKey(1, KEY.public_key(), "lobby-1", 0b111, NOW - 86_400, NOW + 86_400, 86_400)},
)
IN = Lane(site=1, areas=0b11, direction=Direction.IN)
ALL_WRONG = replace(GOOD, not_before=NOW - 7200, expires=NOW - 3600, site=2, areas=0b100)


@dataclass(frozen=True)
class Case:
    name: str
    reason: Reason
    vpass: Pass = GOOD
    lane: Lane = IN
    text: str | None = None
    key: Ed25519PrivateKey = KEY
    revoked: bool = False
    flagged: bool = False
    uses: Uses = field(default_factory=Uses)

    def judge(self, lane: Lane | None = None):
        text = passes.sign(self.vpass, self.key, ORGANISATION) if self.text is None else self.text
        return judge(
            text,
            keys=KEYS,
            lane=lane or self.lane,
            now=NOW,
            revoked=lambda _: self.revoked,
            flagged=lambda _: self.flagged,
            uses=lambda _: self.uses,
        )


USED = Uses(entries=1, inside=True)
CASES = [
    Case("good", Reason.OK),
    Case("nothing scanned", Reason.UNREADABLE, text=""),
    Case("a web address", Reason.UNREADABLE, text="https://example.com/?id=1"),
    Case("key nobody knows", Reason.UNKNOWN_KEY, replace(GOOD, kid=2)),
    Case("signed by another key", Reason.FORGED, key=OTHER),
    Case("pass longer than its key may", Reason.KEY_NOT_VALID, replace(GOOD, expires=NOW + 90_000)),
    Case("area its key may not grant", Reason.KEY_NOT_VALID, replace(GOOD, areas=0b1001)),
    Case(
        "issued before its key",
        Reason.KEY_NOT_VALID,
        replace(GOOD, not_before=NOW - 90_000, expires=NOW - 80_000),
    ),
    Case(
        "issued after its key's end",
        Reason.KEY_NOT_VALID,
        replace(GOOD, not_before=NOW + 90_000, expires=NOW + 91_000),
    ),
    Case("withdrawn", Reason.REVOKED, revoked=True),
    Case("flagged", Reason.FLAGGED, flagged=True),
    Case("clock wrong", Reason.CLOCK_WRONG, lane=replace(IN, clock_trusted=False)),
    Case("tomorrow", Reason.NOT_YET, replace(GOOD, not_before=NOW + 61, expires=NOW + 3600)),
    Case("a minute early is forgiven", Reason.OK, replace(GOOD, not_before=NOW + 60, expires=NOW + 3600)),
    Case("over", Reason.EXPIRED, replace(GOOD, expires=NOW - 60)),
    Case("a minute over is forgiven", Reason.OK, replace(GOOD, expires=NOW - 59)),
    Case("another site", Reason.OTHER_SITE, replace(GOOD, site=2)),
    Case("another area", Reason.WRONG_AREA, replace(GOOD, areas=0b100)),
    Case("one of several areas", Reason.OK, replace(GOOD, areas=0b110)),
    Case("used up", Reason.USED_UP, uses=Uses(entries=1)),
    Case("second of two", Reason.OK, replace(GOOD, entries=2), uses=Uses(entries=1)),
    Case("any number", Reason.OK, replace(GOOD, entries=0), uses=Uses(entries=200)),
    Case(
        "inside already, anti-passback",
        Reason.ALREADY_INSIDE,
        replace(GOOD, entries=0, mode=passes.MODE_ANTI_PASSBACK),
        uses=USED,
    ),
    Case("inside already, no anti-passback", Reason.OK, replace(GOOD, entries=0), uses=USED),
    Case("centre must be asked", Reason.ASK_CENTRE, replace(GOOD, mode=passes.MODE_ASK_CENTRE)),
    # The order: the first failure is the one shown.
    Case("forged and everything else", Reason.FORGED, ALL_WRONG, key=OTHER, revoked=True, uses=USED),
    Case(
        "withdrawn, flagged, over, elsewhere, used",
        Reason.REVOKED,
        ALL_WRONG,
        revoked=True,
        flagged=True,
        uses=USED,
    ),
    Case("flagged, over, elsewhere, used", Reason.FLAGGED, ALL_WRONG, flagged=True, uses=USED),
    Case(
        "clock wrong, over, elsewhere, used",
        Reason.CLOCK_WRONG,
        ALL_WRONG,
        lane=replace(IN, clock_trusted=False),
        uses=USED,
    ),
    Case("over, elsewhere, used", Reason.EXPIRED, ALL_WRONG, uses=USED),
    Case("elsewhere, used", Reason.OTHER_SITE, replace(ALL_WRONG, expires=NOW + 60), uses=USED),
    Case("wrong area, used", Reason.WRONG_AREA, replace(GOOD, areas=0b100), uses=USED),
    Case(
        "used, and once only: a withdrawn pass is no friendly duplicate",
        Reason.REVOKED,
        revoked=True,
        uses=USED,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_first_failure_is_the_reason(case: Case):
    verdict = case.judge()
    assert verdict.reason is case.reason
    assert verdict.outcome is (Outcome.ADMITTED if case.reason is Reason.OK else Outcome.REFUSED)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_leaving_is_never_refused(case: Case):
    verdict = case.judge(replace(case.lane, direction=Direction.OUT))
    assert verdict.outcome is Outcome.LEFT
    assert verdict.reason is case.reason


def test_every_reason_has_a_case():
    assert {case.reason for case in CASES} == set(Reason)


def test_who_it_was_is_known_whenever_the_signature_held():
    for case in CASES:
        known = case.reason not in (Reason.UNREADABLE, Reason.UNKNOWN_KEY, Reason.FORGED)
        assert (case.judge().vpass is not None) is known
