"""Where lines of Chinese and English end.

Kivy breaks Chinese anywhere, also before a full stop. Here a line never begins with closing punctuation nor ends with
opening punctuation; Latin words, numbers with their counting words, and the trade's own words (前台, 通行码 …) stay whole;
lines are balanced so that no last line holds a lonely character, and where there is a choice a line ends after
punctuation. A dot between two parts (` · `) goes where the line ends there. Pure: the measure is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable

WORDS = frozenset(
    [
        "前台",
        "接待",
        "接待厅",
        "接待处",
        "通知",
        "登记",
        "登记号",
        "呼叫",
        "证件",
        "手机",
        "号码",
        "通行码",
        "身份证",
        "读卡",
        "读卡器",
        "读卡区",
        "工作人员",
        "服务中心",
        "离线",
        "暂时",
        "马上",
        "稍候",
        "稍等",
        "片刻",
        "联系",
        "确认",
        "同意",
        "打印",
        "打印机",
        "访客",
        "访客条",
        "屏幕",
        "有效",
        "拍照",
        "姓名",
        "信息",
        "来访",
        "园区",
        "安全",
        "查看",
        "删除",
        "要求",
        "提前",
        "输入",
        "选择",
        "方式",
        "按钮",
        "下方",
        "帮助",
        "清除",
        "清空",
        "个人",
        "终端",
        "办理",
        "重新",
        "核对",
        "核实",
        "电梯",
        "大堂",
        "石桥",
        "南门",
        "北门",
        "左转",
        "右转",
        "直行",
        "左手",
        "右手",
        "这里",
        "我们",
        "您的",
        "可以",
        "已经",
        "正在",
        "准备",
        "资料",
        "直接",
        "手动",
        "改为",
        "二维码",
        "扫描",
        "扫描器",
        "对准",
        "纸条",
        "放行",
        "人工",
        "主管",
        "当班",
        "展平",
        "调亮",
        "本机",
        "时间",
        "校准",
        "出具",
        "进入",
        "离开",
        "离场",
        "找回",
        "编号",
        "内容",
        "填写",
        "稍后",
        "对方",
        "回复",
        "继续",
        "有效期",
        "缺纸",
        "同样",
        "楼栋",
        "入口",
        "引导",
        "前往",
        "所示",
        "物业",
        "中心",
        "乘客",
        "乘客梯",
        "上楼",
        "出示",
        "闸机",
        "单独",
        "到期",
        "自动",
        "随时",
        "收集",
        "需要",
        "保护",
        "隐私",
        "部分",
        "隐藏",
        "仅用于",
        "本次",
        "尝试",
        "次数",
        "分钟",
        "几分钟",
        "没有",
        "相符",
        "请您",
        "请到",
        "请从",
        "请改为",
        "故障",
        "出现",
        "移动",
        "平放",
        "拿起",
        "现在",
        "不便",
        "不在",
        "被访人",
        "保障",
        "最长",
        "可随时",
        "感谢",
        "欢迎",
        "光临",
        "第一栋",
        "即是",
        "旁边",
        "前厅",
        "连廊",
        "尽头",
        "同意读取",
        "读取",
        "后四位",
        "其他",
        "服务",
        "保存",
        "照常",
        "请慢走",
        "再见",
        "判定",
        "这次",
        "展平纸条",
        "连线",
        "检查",
        "在此期间",
        "生效",
        "当前",
        "存储",
        "异常",
        "维护",
        "设备",
        "名称",
        "使用",
        "另有",
        "您久等了",
        "我马上",
        "帮您",
        "对不起",
        "非常",
        "抱歉",
    ]
)
"""Words a line doesn't end inside: those of our screens and of the ways to go. Others are kept whole only by luck."""

_LONGEST = max(map(len, WORDS))
CLOSING = "，。！？、；：）》〉」』】…—·,.!?;:)%”’"
OPENING = "（《〈「『【(“‘"
_PAUSE = "，。！？、；：…,.!?;:·"
_AT_PAUSE, _AT_SPACE, _INSIDE = 0.0, 0.06, 0.16
"""What it costs to end a line after punctuation, between Latin words, between Chinese words."""
_TOKEN = re.compile(
    r"\s+|[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]|[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+"
)

Measure = Callable[[str], float]


def break_lines(text: str, width: float, measure: Measure) -> list[str]:
    """The lines of `text` (its own newlines kept) for a box of `width`; a word wider than the box is split."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines.extend(_break(paragraph, width, measure))
    return lines


def _break(text: str, width: float, measure: Measure) -> list[str]:
    if measure(text) <= width:
        return [text]
    parts = _split_wide(_pieces(text), width, measure)
    widths = [measure(part) for part in parts]
    count = _fewest(parts, widths, width)
    return _balanced(parts, widths, width, count)


def _pieces(text: str) -> list[str]:
    """What may not be torn apart, in order; a piece may end with a space."""
    pieces: list[str] = []
    glue_next = False
    for token in _tokens(text):
        if not pieces:
            pieces.append(token)
        elif glue_next or token.isspace() or token[0] in CLOSING or _counts(pieces[-1], token):
            pieces[-1] += token
        else:
            pieces.append(token)
        glue_next = token[-1] in OPENING
    return pieces


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    while at < len(text):
        known = next((n for n in range(_LONGEST, 1, -1) if text[at : at + n] in WORDS), 0)
        if known:
            tokens.append(text[at : at + known])
            at += known
            continue
        match = _TOKEN.match(text, at)
        assert match is not None
        tokens.append(match.group())
        at = match.end()
    return tokens


def _counts(before: str, token: str) -> bool:
    """`30 天`, `12楼`: a number and the character after it belong together."""
    return before.rstrip()[-1:].isdigit() and len(token) == 1 and not token.isascii()


def _split_wide(pieces: list[str], width: float, measure: Measure) -> list[str]:
    parts: list[str] = []
    for piece in pieces:
        while len(piece) > 1 and measure(piece.rstrip()) > width:
            cut = next(n for n in range(len(piece) - 1, 0, -1) if n == 1 or measure(piece[:n]) <= width)
            parts.append(piece[:cut])
            piece = piece[cut:]
        parts.append(piece)
    return parts


def _fewest(parts: list[str], widths: list[float], width: float) -> int:
    count, used = 1, 0.0
    for part, wide in zip(parts, widths, strict=True):
        if used and used + _bare(part, wide) > width:
            count, used = count + 1, 0.0
        used += wide
    return count


def _bare(part: str, wide: float) -> float:
    """A trailing space may hang over the edge; it is a quarter of the type size or so, so only whole spaces count."""
    return 0.0 if part.isspace() else wide * (len(part.rstrip()) / len(part))


def _balanced(parts: list[str], widths: list[float], width: float, count: int) -> list[str]:
    """The cheapest way into exactly `count` lines: even lines, ends at punctuation preferred."""
    total = sum(widths)
    ideal = total / count
    size = len(parts)
    best: list[dict[int, tuple[float, int]]] = [{} for _ in range(count + 1)]
    best[0][0] = (0.0, -1)
    for line in range(1, count + 1):
        for start, (cost, _) in best[line - 1].items():
            used = 0.0
            for end in range(start + 1, size + 1):
                wide = widths[end - 1]
                if used and used + _bare(parts[end - 1], wide) > width:
                    break
                used += wide
                price = cost + ((used - ideal) / width) ** 2
                if end < size:
                    price += _price(parts[end - 1])
                if end not in best[line] or price < best[line][end][0]:
                    best[line][end] = (price, start)
    lines: list[str] = []
    end = size
    for line in range(count, 0, -1):
        start = best[line][end][1]
        whole = "".join(parts[start:end]).strip()
        lines.append(whole.removesuffix("·").rstrip() if end < size else whole)
        end = start
    return lines[::-1]


def _price(piece: str) -> float:
    if piece.rstrip()[-1:] in _PAUSE:
        return _AT_PAUSE
    return _AT_SPACE if piece[-1].isspace() else _INSIDE
