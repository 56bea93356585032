"""The paper slip of a visit: where to go (V5), the number, the pass as QR code, and a code to type if it is damaged.

Nothing personal but the surname, with 先生/女士 where a document says so, else 访客. In the visitor's language; the
service centre's words are polite (您) and name what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.contract.sitedata import Areas, say
from firmware_bridge.capabilities import Align, Feed, Line, Pair, QrCode, Rule, Ticket
from kiosk.lobby.flows.draft import PassShown

# The two-character surnames still in use (a name's first character alone would be wrong for them).
_COMPOUND_TEXT = (
    "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 "
    "慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 "
    "轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 梁丘 左丘 东门 西门 南荣 第五 歐陽 司馬 諸葛 東方 尉遲 鍾離 長孫"
)
_COMPOUND = frozenset(_COMPOUND_TEXT.split())

_WORDS = {
    "zh_CN": {
        "head": "访客通行条",
        "mr": "{surname}先生",
        "ms": "{surname}女士",
        "guest": "{surname}访客",
        "number": "登记号",
        "to": "前往",
        "floor": "请从这里坐电梯上{floor}楼",
        "until": "有效期至",
        "show": "请在门岗出示此码",
        "code": "备用码",
        "keep": "离开时请再次扫码。如需帮助，请凭登记号联系前台。",
        "bye": "请慢走，再见！",
    },
    "en": {
        "head": "Visitor slip",
        "mr": "Mr {surname}",
        "ms": "Ms {surname}",
        "guest": "Visitor {surname}",
        "number": "Visit number",
        "to": "You are going to",
        "floor": "Please take the lift to floor {floor}",
        "until": "Valid until",
        "show": "Please show this code at the gate",
        "code": "Code to type",
        "keep": "Please scan it again when you leave. For help, give your visit number at the desk.",
        "bye": "Have a good day. Goodbye!",
    },
}


@dataclass(frozen=True, slots=True)
class SlipData:
    """What the slip says. `until` is already in the site's local time, as `2026-11-23 18:30`."""

    visit: str
    number: str
    language: str
    surname: str = field(repr=False)
    title: str | None
    building: str
    until: str


def surname_of(name: str, language: str) -> str:
    """The surname in a name: `欧阳修` → `欧阳`, `张伟` → `张`, `Zhang Wei` → `Zhang`, `Anna Smith` → `Smith`.

    Latin letters don't tell the order: whoever uses the Chinese screens writes the surname first, others last. In a
    name with `·` the part before it stands for the whole.
    """
    name = name.strip()
    if not name:
        return ""
    if not name[0].isascii():
        head = name.replace("•", "·").split("·")[0].split()[0]
        if head != name:
            return head
        return name[:2] if name[:2] in _COMPOUND and len(name) > 2 else name[:1]
    words = name.split()
    return words[0] if language == "zh_CN" else words[-1]


def ticket(slip: SlipData, vpass: PassShown, areas: Areas) -> Ticket:
    """The slip as the printer takes it, from top to bottom."""
    words = _WORDS.get(slip.language, _WORDS["zh_CN"])
    building = next((b for b in areas.buildings if b.id == slip.building), None)
    salutation = words[slip.title if slip.title in ("mr", "ms") else "guest"]
    elements: list[Line | Pair | Rule | Feed | QrCode] = [
        Line(say(areas.names, slip.language), Align.CENTRE),
        Line(words["head"], Align.CENTRE, scale=2, bold=True),
        Rule(),
        Line(salutation.format(surname=slip.surname).strip(), bold=True),
        Pair(words["number"], slip.number),
    ]
    if building is not None:
        elements.append(Pair(words["to"], say(building.names, slip.language)))
    elements.append(Pair(words["until"], slip.until))
    elements.append(Rule())
    way = say(vpass.way, slip.language)
    if way:
        elements.append(Line(way))
    if vpass.floor is not None:
        elements.append(Line(words["floor"].format(floor=vpass.floor), bold=True))
    elements += [
        Feed(),
        QrCode(vpass.text),
        Line(words["show"], Align.CENTRE),
        Pair(words["code"], f"{vpass.code[:4]} {vpass.code[4:]}"),
        Rule(),
        Line(words["keep"]),
        Line(words["bye"], Align.CENTRE),
        Feed(2),
    ]
    return Ticket(id=slip.visit, elements=tuple(elements))
