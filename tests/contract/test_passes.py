"""The pass VP1: what it looks like, who else can read it, and that nothing but the one text we issued gets through."""

from __future__ import annotations

import base64
from dataclasses import replace

import cbor2
import cwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.contract import passes
from broker.contract.passes import KeySet, Pass, PassError, TrustedKey

ORGANISATION = "test.example"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CLAIMS = Pass(
    kid=0x4B31,
    cti=bytes.fromhex("0123456789abcdef"),
    not_before=1_795_400_000,
    expires=1_795_414_400,
    site=1,
    areas=0b101,
    entries=1,
    mode=0,
    index=40_000,
)
WORST = replace(CLAIMS, site=0xFFFF, areas=0xFFFFFFFF, entries=255, mode=15, index=0xFFFF)


def key_set(key: Ed25519PrivateKey = KEY, kid: int = CLAIMS.kid, organisation: str = ORGANISATION) -> KeySet:
    trusted = TrustedKey(kid, key.public_key(), "lobby-1", 0xFFFFFFFF, 0, 2**32 - 1, 604_800)
    return KeySet(organisation, {kid: trusted})


TEXT = passes.sign(CLAIMS, KEY, ORGANISATION)


def fault(text: str, keys: KeySet | None = None) -> str:
    with pytest.raises(PassError) as caught:
        passes.check(text, keys or key_set())
    return caught.value.fault


def test_a_pass_reads_back_as_it_was_issued():
    assert passes.check(TEXT, key_set()) == CLAIMS
    assert passes.check(passes.sign(WORST, KEY, ORGANISATION), key_set()) == WORST


def test_signing_again_gives_the_same_text_so_it_need_not_be_kept():
    assert passes.sign(CLAIMS, KEY, ORGANISATION) == TEXT


def test_its_length_fits_the_qr_versions_that_the_format_names():
    assert len(TEXT) <= 189
    assert len(TEXT) < len(passes.sign(WORST, KEY, ORGANISATION)) <= passes.MAX_TEXT == 200


def test_an_independent_cose_library_reads_it():
    token = base64.b32decode(TEXT[3:] + "=" * (-len(TEXT[3:]) % 8))
    public = cwt.COSEKey.new(
        {
            cwt.COSEKeyParams.KTY: cwt.COSEKeyTypes.OKP,
            cwt.COSEKeyParams.ALG: cwt.COSEAlgs.ED25519,
            cwt.COSEKeyParams.CRV: cwt.COSEKeyCrvs.ED25519,
            cwt.COSEKeyParams.X: KEY.public_key().public_bytes_raw(),
            cwt.COSEKeyParams.KID: CLAIMS.kid.to_bytes(2, "big"),
        }
    )
    protected, unprotected, payload = cwt.COSE.new().decode_with_headers(
        token, public, external_aad=f"vpass/1|{ORGANISATION}".encode()
    )
    assert (protected, unprotected) == ({1: -19, 4: CLAIMS.kid.to_bytes(2, "big")}, {})
    assert cbor2.loads(payload) == {
        4: CLAIMS.expires,
        5: CLAIMS.not_before,
        7: CLAIMS.cti,
        -65537: [1, 0b101, 1, 0, 40_000],
    }
    with pytest.raises(cwt.VerifyError):
        cwt.COSE.new().decode(token, public, external_aad=b"vpass/1|other.example")


def test_every_single_bit_flip_of_the_token_is_refused():
    token = bytearray(base64.b32decode(TEXT[3:] + "=" * (-len(TEXT[3:]) % 8)))
    keys = key_set()
    accepted = []
    for bit in range(len(token) * 8):
        token[bit // 8] ^= 1 << bit % 8
        text = "VP1" + base64.b32encode(bytes(token)).decode().rstrip("=")
        try:
            passes.check(text, keys)
            accepted.append(bit)
        except PassError:
            pass
        token[bit // 8] ^= 1 << bit % 8
    assert accepted == []


def test_every_single_character_change_of_the_text_is_refused():
    keys = key_set()
    accepted = []
    for place in range(len(TEXT)):
        for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567189=abz \n\x00é一":
            if character == TEXT[place]:
                continue
            try:
                passes.check(TEXT[:place] + character + TEXT[place + 1 :], keys)
                accepted.append((place, character))
            except PassError:
                pass
    assert accepted == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "VP1",
        TEXT.lower(),
        TEXT + "A",
        TEXT + "=",
        TEXT[:-1],
        " " + TEXT,
        TEXT + "\r",
        "VP2" + TEXT[3:],
        TEXT[3:],
        "VP1" + "A" * 186,
        "VP1" + "7" * 197,
        "VP1" + "٣" * 186,
        "A" * 1_000_000,
        "\x00" * 189,
        "VP1" + "_" * 186,
        "VP1" + "+1" * 93,
    ],
    ids=lambda text: f"{len(text)} characters from {text[:6]!r}",
)
def test_what_is_no_canonical_pass_is_unreadable(text: str):
    assert fault(text) == passes.UNREADABLE


@pytest.mark.parametrize(
    "claims",
    [
        replace(CLAIMS, areas=200),
        replace(CLAIMS, areas=200, site=300),
        replace(CLAIMS, areas=200, index=5),
        replace(CLAIMS, areas=2**20),
        WORST,
    ],
    ids=range(5),
)
def test_unused_bits_of_the_last_character_must_be_zero(claims: Pass):
    text = passes.sign(claims, KEY, ORGANISATION)
    assert passes.check(text, key_set()) == claims
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    free = (len(text) - 3) * 5 % 8
    assert free > 0
    last = alphabet.index(text[-1])
    assert last % (1 << free) == 0
    for bits in range(1, 1 << free):
        assert fault(text[:-1] + alphabet[last | bits]) == passes.UNREADABLE


def test_a_key_that_is_not_in_the_set_is_named_as_such():
    assert fault(TEXT, key_set(kid=7)) == passes.UNKNOWN_KEY


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        (key_set(Ed25519PrivateKey.generate()), "another key under this id"),
        (key_set(organisation="other.example"), "another installation"),
    ],
    ids=["another key under this id", "another installation"],
)
def test_a_signature_that_does_not_hold_is_forged(keys: KeySet, why: str):
    assert fault(TEXT, keys) == passes.BAD_SIGNATURE, why


def signed_payload(payload: bytes) -> str:
    """A text with any payload, properly signed by the right key: what a faulty or hostile issuer could make."""
    protected = cbor2.dumps({1: -19, 4: CLAIMS.kid.to_bytes(2, "big")})
    aad = f"vpass/1|{ORGANISATION}".encode()
    signature = KEY.sign(cbor2.dumps(["Signature1", protected, aad, payload]))
    token = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]))
    return "VP1" + base64.b32encode(token).decode().rstrip("=")


GOOD = {4: CLAIMS.expires, 5: CLAIMS.not_before, 7: CLAIMS.cti, -65537: [1, 5, 1, 0, 40_000]}


@pytest.mark.parametrize(
    "payload",
    [
        cbor2.dumps({**GOOD, 2: "张伟"}),
        cbor2.dumps({k: v for k, v in GOOD.items() if k != 4} | {6: 1}),
        cbor2.dumps({**GOOD, 4: float(CLAIMS.expires)}),
        cbor2.dumps({**GOOD, 4: True, 5: 1795400000}),
        cbor2.dumps({**GOOD, 7: "01234567"}),
        cbor2.dumps({**GOOD, 7: b"1234567"}),
        cbor2.dumps({**GOOD, -65537: [1, 5, 1, 0]}),
        cbor2.dumps({**GOOD, -65537: [1, 5, 1, 16, 40_000]}),
        cbor2.dumps({**GOOD, -65537: [1, 5, 256, 0, 40_000]}),
        cbor2.dumps({**GOOD, -65537: [-1, 5, 1, 0, 40_000]}),
        cbor2.dumps({5: GOOD[5], 4: GOOD[4], 7: GOOD[7], -65537: GOOD[-65537]}),
        cbor2.dumps([1, 2, 3] * 12),
        cbor2.dumps(b"x" * 38),
        b"\xff" * 40,
        b"\x9f" * 60,
        b"\xd8\x1c" * 25,
    ],
    ids=range(16),
)
def test_signed_claims_that_are_not_exactly_ours_are_refused(payload: bytes):
    assert 24 <= len(payload) <= 70
    assert fault(signed_payload(payload)) in (passes.BAD_CLAIMS, passes.UNREADABLE)


def test_the_helper_that_signs_any_payload_makes_good_passes_too():
    """Otherwise the refusals above would prove nothing."""
    payload = passes._payload(CLAIMS)
    assert passes.check(signed_payload(payload), key_set()) == CLAIMS


@given(
    st.text(max_size=220)
    | st.binary(max_size=130).map(lambda b: "VP1" + base64.b32encode(b).decode().rstrip("="))
)
@settings(max_examples=300, deadline=None)
def test_hostile_text_never_raises_anything_but_a_fault(text: str):
    with pytest.raises(PassError):
        passes.check(text, key_set())


@pytest.mark.parametrize(
    "wrong",
    [
        {"cti": b"short"},
        {"kid": 0x10000},
        {"index": 65_536},
        {"mode": 16},
        {"entries": 256},
        {"areas": 2**32},
        {"site": -1},
        {"expires": 2**32},
    ],
    ids=str,
)
def test_a_claim_out_of_range_is_never_signed(wrong: dict):
    with pytest.raises(ValueError, match="out of its range"):
        passes.sign(replace(CLAIMS, **wrong), KEY, ORGANISATION)


def test_typed_codes_are_eight_characters_that_a_keypad_has():
    keypad = set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    for _ in range(500):
        code = passes.typed_code(passes.draw_cti())
        assert len(code) == 8
        assert set(code) <= keypad


def test_a_typed_code_with_one_wrong_character_fails_its_check():
    cti = passes.draw_cti()
    code = passes.typed_code(cti)
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

    def holds(text: str) -> bool:
        number = 0
        for character in text[:7]:
            number = number * 32 + digits.index(character)
        return (digits + "*~$=U")[number % 37] == text[7]

    assert holds(code)
    for place in range(8):
        for other in digits:
            if other != code[place]:
                assert not holds(code[:place] + other + code[place + 1 :])


def test_pass_ids_are_random():
    assert len({passes.draw_cti() for _ in range(1000)}) == 1000
