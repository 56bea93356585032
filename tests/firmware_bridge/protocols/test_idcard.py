"""The resident card's text: read back as it was written, and what doesn't fit together noted (GA/T 490, GB 11643)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.capabilities import CardWarning, IdCard
from firmware_bridge.protocols import idcard
from firmware_bridge.simulators import specimen

TODAY = date(2026, 6, 1)

# Published specimens (§1.13), none of a living person.
SOUND = [
    "11010519491231002X",
    "440524188001010014",
    "34052419800101001X",
    "932682198501010017",
    "911124198108030024",
    "931586198001010028",
    "810000199408230021",
    "830000199201300022",
]


def text(characters: int) -> st.SearchStrategy[str]:
    """What fits `characters` UTF-16 units and comes back: no padding at the end, no control characters."""
    return st.text(
        st.characters(exclude_categories=("Cs", "Cc")),
        max_size=characters // 2,
    ).map(lambda value: value.rstrip(" \0"))


cards = st.builds(
    replace,
    st.just(specimen()),
    name=text(15),
    sex=st.sampled_from(sorted(idcard.SEXES.values())),
    nation=st.sampled_from(sorted(idcard.NATIONS.values())),
    birth=st.none() | st.dates(min_value=date(1800, 1, 1)),
    address=text(35),
    number=st.from_regex(r"\A[0-9]{17}[0-9X]\Z"),
    issuer=text(15),
    valid_from=st.none() | st.dates(min_value=date(1000, 1, 1)),
    valid_to=st.none() | st.dates(min_value=date(1000, 1, 1)),
    photo=st.binary(max_size=10),
)


@given(cards)
def test_what_is_written_is_read_back(card: IdCard) -> None:
    written = idcard.encode(card)
    assert len(written) == 256
    assert replace(idcard.decode(written, TODAY, card.photo), warnings=()) == card


def test_a_card_that_fits_together_has_no_warning() -> None:
    assert idcard.decode(idcard.encode(specimen()), TODAY).warnings == ()


def test_the_fields_lie_where_the_standard_puts_them() -> None:
    written = idcard.encode(specimen("张伟", nation="回"))
    places = {0: "张伟", 30: "1", 32: "03", 36: "19800101", 122: "34052419800101001X", 188: "20200101"}
    for offset, value in places.items():
        assert written[offset : offset + 2 * len(value)].decode("utf-16-le") == value
    assert written[220:256] == b" \0" * 18


WRONG = {
    CardWarning.CHECK_DIGIT: replace(specimen(), number="340524198001010019"),
    CardWarning.BIRTH_DIFFERS: replace(specimen(), birth=date(1980, 1, 2)),
    CardWarning.SEX_DIFFERS: replace(specimen(), sex="female"),
    CardWarning.EXPIRED: replace(specimen(), valid_to=date(2026, 5, 31)),
    CardWarning.NOT_YET_VALID: replace(specimen(), valid_from=date(2026, 6, 2)),
    CardWarning.UNKNOWN_NATION: replace(specimen(), nation="88"),
    CardWarning.UNKNOWN_REGION: replace(
        specimen(), number="99052419800101001" + idcard.check_digit("99052419800101001")
    ),
}


@pytest.mark.parametrize("warning", WRONG)
def test_a_card_that_doesn_t_fit_together_is_read_with_a_warning(warning: CardWarning) -> None:
    card = idcard.decode(idcard.encode(WRONG[warning]), TODAY)
    assert card.warnings == (warning,)
    assert card.name == "张伟"


def test_the_last_day_of_validity_is_valid() -> None:
    card = replace(specimen(), valid_from=TODAY, valid_to=TODAY)
    assert idcard.decode(idcard.encode(card), TODAY).warnings == ()


def test_long_term_has_no_end_and_no_warning() -> None:
    card = idcard.decode(idcard.encode(specimen(valid_to=None)), TODAY)
    assert (card.valid_to, card.warnings) == (None, ())


@pytest.mark.parametrize("written", ["", "20261301", "2026060", "????????", "２０２６０６０１"])
def test_an_end_of_validity_that_is_no_date_is_not_taken_for_long_term(written: str) -> None:
    layout = bytearray(idcard.encode(specimen()))
    layout[204:220] = written.ljust(8).encode("utf-16-le")
    card = idcard.decode(bytes(layout), TODAY)
    assert (card.valid_to, card.warnings) == (None, (CardWarning.VALIDITY_UNCLEAR,))


def test_an_unknown_nation_keeps_its_digits() -> None:
    assert idcard.decode(idcard.encode(WRONG[CardWarning.UNKNOWN_NATION]), TODAY).nation == "88"


def test_padding_with_nul_reads_as_padding_with_spaces() -> None:
    padded = idcard.encode(specimen()).replace(b" \0", b"\0\0")
    assert idcard.decode(padded, TODAY) == idcard.decode(idcard.encode(specimen()), TODAY)


def test_inner_spaces_of_a_name_stay_and_control_characters_go() -> None:
    written = bytearray(idcard.encode(specimen("AB CD")))
    written[2:4] = "\x1b".encode("utf-16-le")
    assert idcard.decode(bytes(written), TODAY).name == "A CD"


@pytest.mark.parametrize("flag", ["J", "I", "Y"])
def test_another_kind_of_card_is_told_by_its_letter(flag: str) -> None:
    with pytest.raises(idcard.OtherCardError, match=flag):
        idcard.decode(idcard.encode(specimen(), flag=flag), TODAY)


@given(st.binary(min_size=256, max_size=256))
def test_any_256_bytes_are_a_card_or_another_kind(data: bytes) -> None:
    try:
        card = idcard.decode(data, TODAY)
    except idcard.OtherCardError:
        return
    assert not any(character < " " for character in card.name + card.address + card.number)


@pytest.mark.parametrize("number", SOUND)
def test_a_published_number_is_sound_and_any_other_check_digit_is_not(number: str) -> None:
    assert idcard.number_is_sound(number)
    others = [digit for digit in "0123456789X" if digit != number[17]]
    assert not any(idcard.number_is_sound(number[:17] + digit) for digit in others)


@pytest.mark.parametrize("number", ["", "1101051949123100", "１１０１０５１９４９１２３１００２X", "abc"])
def test_what_is_no_number_is_not_sound(number: str) -> None:
    assert not idcard.number_is_sound(number)


def test_there_are_56_nations_and_two_more_codes() -> None:
    assert len(idcard.NATIONS) == 58
    assert [idcard.NATIONS[code] for code in ("01", "15", "30", "46", "56", "97")] == [
        "汉",
        "土家",
        "土",
        "德昂",
        "基诺",
        "其他",
    ]


@pytest.mark.parametrize(
    ("number", "shown"), [("11010519491231002X", "110105********002X"), ("12345", "*****"), ("", "")]
)
def test_a_number_is_masked_for_eyes(number: str, shown: str) -> None:
    assert idcard.masked(number) == shown


def test_a_field_that_is_too_long_is_not_cut() -> None:
    with pytest.raises(ValueError, match="name"):
        idcard.encode(specimen("长" * 16))


def test_a_card_s_repr_tells_nothing_of_its_person() -> None:
    shown = repr(specimen())
    assert not any(secret in shown for secret in ("张伟", "340524", "1980", "云栖"))
