"""The 256 bytes of text on a resident identity card, read and written (device-protocols.md §1.8, GA/T 490).

The layout is the table `LAYOUT`; everything is UTF-16LE padded with spaces (some readers: NUL). A card that doesn't fit
together is still read: each thing that doesn't fit is a warning, because people carry old cards with codes abolished
long ago, and turning them away is not this file's business. Other kinds of card carry a letter at 248.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from firmware_bridge.capabilities import CardType, CardWarning, IdCard

TEXT_LENGTH = 256
LONG_TERM = "长期"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field lies: byte offset and length."""

    offset: int
    length: int


LAYOUT: dict[str, Place] = {
    "name": Place(0, 30),
    "sex": Place(30, 2),
    "nation": Place(32, 4),
    "birth": Place(36, 16),
    "address": Place(52, 70),
    "number": Place(122, 36),
    "issuer": Place(158, 30),
    "valid_from": Place(188, 16),
    "valid_to": Place(204, 16),
    "flag": Place(248, 2),
}

SEXES = {"0": "unknown", "1": "male", "2": "female", "9": "unstated"}
"""GB/T 2261.1."""

_NATION_NAMES = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇 "
    "柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 "
    "塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)
NATIONS = {f"{code:02d}": name for code, name in enumerate(_NATION_NAMES.split(), 1)} | {
    "97": "其他",
    "98": "外国血统中国籍人士",
}
"""GB/T 3304; 97 and 98 as readers use them (§1.12)."""

_REGIONS = frozenset(
    f"{code}"
    for codes in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
    for code in range(codes[0], codes[1] + 1)
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


class OtherCardError(ValueError):
    """The text is of a kind of card that isn't read yet; the message is its letter."""


def check_digit(first17: str) -> str:
    """The 18th character of a citizen number (GB 11643, ISO 7064 MOD 11-2). Raises ValueError for anything but 17 digits."""
    if len(first17) != 17 or not (first17.isascii() and first17.isdigit()):
        raise ValueError("17 digits wanted")
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True)) % 11]


def number_is_sound(number: str) -> bool:
    """Whether a citizen number's check digit fits."""
    return (
        len(number) == 18
        and number.isascii()
        and number[:17].isdigit()
        and check_digit(number[:17]) == number[17].upper()
    )


def masked(number: str) -> str:
    """A citizen number for eyes and logs: `110105********002X`."""
    if len(number) <= 10:
        return "*" * len(number)
    return number[:6] + "*" * (len(number) - 10) + number[-4:]


def decode(text: bytes, today: date, photo: bytes = b"") -> IdCard:
    """The card in `text` (256 bytes), its warnings judged as of `today`.

    Raises:
        OtherCardError: the card is of another kind (J, I, Y).
        ValueError: not 256 bytes.
    """
    if len(text) != TEXT_LENGTH:
        raise ValueError(f"{TEXT_LENGTH} bytes wanted, {len(text)} given")
    fields = {name: _field(text, place) for name, place in LAYOUT.items()}
    if fields["flag"]:
        raise OtherCardError(fields["flag"])
    valid_to = _date(fields["valid_to"])
    card = IdCard(
        type=CardType.RESIDENT,
        name=fields["name"],
        sex=SEXES.get(fields["sex"], "unknown"),
        nation=NATIONS.get(fields["nation"], fields["nation"]),
        birth=_date(fields["birth"]),
        address=fields["address"],
        number=fields["number"],
        issuer=fields["issuer"],
        valid_from=_date(fields["valid_from"]),
        valid_to=valid_to,
        photo=photo,
    )
    unclear = valid_to is None and fields["valid_to"] != LONG_TERM
    return with_warnings(card, today, fields["nation"], validity_unclear=unclear)


def with_warnings(card: IdCard, today: date, nation_code: str, *, validity_unclear: bool = False) -> IdCard:
    """The same card with everything noted that doesn't fit together (§1.13)."""
    number = card.number
    sound = number_is_sound(number)
    parity = {"male": 1, "female": 0}.get(card.sex)
    judged = {
        CardWarning.CHECK_DIGIT: not sound,
        CardWarning.BIRTH_DIFFERS: sound and (card.birth is None or f"{card.birth:%Y%m%d}" != number[6:14]),
        CardWarning.SEX_DIFFERS: sound and parity is not None and int(number[16]) % 2 != parity,
        CardWarning.EXPIRED: card.valid_to is not None and card.valid_to < today,
        CardWarning.NOT_YET_VALID: card.valid_from is not None and card.valid_from > today,
        CardWarning.VALIDITY_UNCLEAR: validity_unclear,
        CardWarning.UNKNOWN_NATION: nation_code not in NATIONS,
        CardWarning.UNKNOWN_REGION: sound and number[:2] not in _REGIONS,
    }
    return replace(card, warnings=tuple(warning for warning, holds in judged.items() if holds))


def encode(card: IdCard, *, flag: str = " ") -> bytes:
    """The card's 256 bytes, as a simulated reader sends them. Raises ValueError where a field is too long."""
    nations = {name: code for code, name in NATIONS.items()}
    sexes = {name: code for code, name in SEXES.items()}
    values = {
        "name": card.name,
        "sex": sexes[card.sex],
        "nation": nations.get(card.nation, card.nation),
        "birth": f"{card.birth:%Y%m%d}" if card.birth else "",
        "address": card.address,
        "number": card.number,
        "issuer": card.issuer,
        "valid_from": f"{card.valid_from:%Y%m%d}" if card.valid_from else "",
        "valid_to": f"{card.valid_to:%Y%m%d}" if card.valid_to else LONG_TERM,
        "flag": flag,
    }
    text = bytearray(" ".encode("utf-16-le") * (TEXT_LENGTH // 2))
    for name, place in LAYOUT.items():
        written = values[name].encode("utf-16-le")
        if len(written) > place.length:
            raise ValueError(f"{name} is longer than {place.length // 2} UTF-16 units")
        text[place.offset : place.offset + len(written)] = written
    return bytes(text)


def _field(text: bytes, place: Place) -> str:
    """Inner spaces stay (they are part of a name); what no card holds on purpose, control characters, doesn't."""
    value = text[place.offset : place.offset + place.length].decode("utf-16-le", "replace").rstrip(" \0")
    return "".join(character for character in value if character >= " " and not "\x7f" <= character <= "\x9f")


def _date(digits: str) -> date | None:
    """YYYYMMDD, or None where it is no date."""
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
