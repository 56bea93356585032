"""The screens' words: both languages whole, compiled as written, and fit to be said to a visitor (rule W)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from broker.contract.verdict import Reason
from firmware_bridge.capabilities import ReaderTrouble
from kiosk.lobby.flows.draft import Problem
from kiosk.lobby.flows.registration import Waiting
from kiosk.ui import words

KIOSK = Path(words.__file__).resolve().parents[1]

FORBIDDEN_WORDS = ("不行", "不对", "不会", "不知道", "不是我管的", "不可能", "真的吗")
FORBIDDEN_SENTENCES = (
    "这种问题连小孩子都会",
    "你要知道，一分钱一分货",
    "绝对不可能有这种事情发生",
    "这不是我们的事",
    "我不太清楚",
    "我绝对没说过这种话",
    "我不懂，我不会",
    "公司的规定就是这样的",
    "你看不懂",
    "改天再联系",
    "改天再通知",
)


def catalogue(language: str) -> dict[str, str]:
    path = words.LOCALE / language / "LC_MESSAGES" / "kiosk.po"
    with path.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file) if m.id}


def keys_in_code() -> tuple[set[str], list[re.Pattern[str]]]:
    """Keys written out in the screens, and patterns of those put together from parts."""
    exact: set[str] = set()
    built: list[re.Pattern[str]] = []
    for path in KIOSK.rglob("*.py"):
        for prefix, text in re.findall(
            r'(f?)"((?:[a-z_]+|\{[^"{}]+\})(?:\.(?:[a-z_0-9]+|\{[^"{}]+\}))+)"', path.read_text()
        ):
            if prefix:
                built.append(re.compile(re.sub(r"\\\{.*?\\\}", r"[a-z_0-9.]+", re.escape(text))))
            else:
                exact.add(text)
    return exact, built


def test_both_languages_have_the_same_keys() -> None:
    assert catalogue("zh_CN").keys() == catalogue("en").keys()


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_no_text_is_empty(language: str) -> None:
    assert [key for key, text in catalogue(language).items() if not text.strip()] == []


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_the_compiled_catalogue_is_the_written_one(language: str) -> None:
    path = words.LOCALE / language / "LC_MESSAGES" / "kiosk.mo"
    with path.open("rb") as file:
        compiled = {str(m.id): str(m.string) for m in read_mo(file) if m.id}
    assert compiled == catalogue(language)


def test_both_languages_fill_in_the_same_things() -> None:
    chinese, english = catalogue("zh_CN"), catalogue("en")
    only_names_of_months = {"date", "at.day"}
    for key in chinese.keys() - only_names_of_months:
        assert set(re.findall(r"{(\w+)}", chinese[key])) == set(re.findall(r"{(\w+)}", english[key])), key


@pytest.mark.parametrize("forbidden", FORBIDDEN_WORDS + FORBIDDEN_SENTENCES)
def test_nothing_forbidden_is_said(forbidden: str) -> None:
    assert [key for key, text in catalogue("zh_CN").items() if forbidden in text] == []


def test_the_visitor_is_never_addressed_as_ni() -> None:
    assert [key for key, text in catalogue("zh_CN").items() if "你" in text] == []


def test_no_english_stands_in_the_chinese_words() -> None:
    """Names to type (Zhang Wei) are letters by their nature."""
    allowed = re.compile(r"Zhang( Wei)?|\{\w+\}")
    mixed = {k for k, text in catalogue("zh_CN").items() if re.search("[A-Za-z]", allowed.sub("", text))}
    assert mixed == set()


def test_no_chinese_stands_in_the_english_words() -> None:
    assert [k for k, text in catalogue("en").items() if re.search("[\u2e80-\uffef]", text)] == []


@pytest.mark.parametrize(
    ("rule", "phrase"),
    [
        ("V2", "您好，有什么可以帮到您吗？"),
        ("V2", "请慢走，再见！"),
        ("V3", "请问您找哪位？"),
        ("V3", "请问怎么称呼您？"),
        ("V4", "请稍候，我马上帮您联系"),
        ("V5", "让您久等了，请从这里坐电梯上{floor}楼"),
    ],
)
def test_the_trades_own_phrases_are_used(rule: str, phrase: str) -> None:
    assert phrase in catalogue("zh_CN").values(), rule


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_title_and_a_next_step(reason: Reason) -> None:
    for language in words.LANGUAGES:
        title = words.say(language, f"reason.{reason.value}.title")
        step = words.say(language, f"reason.{reason.value}.next")
        assert title != step


@pytest.mark.parametrize("problem", Problem)
def test_every_problem_has_a_sentence(problem: Problem) -> None:
    for language in words.LANGUAGES:
        assert len(words.say(language, f"problem.{problem.value}")) >= 5


@pytest.mark.parametrize("trouble", ReaderTrouble)
def test_every_trouble_of_the_reader_has_a_sentence(trouble: ReaderTrouble) -> None:
    for language in words.LANGUAGES:
        assert len(words.say(language, f"card.trouble.{trouble.value}")) > 5


@pytest.mark.parametrize("waiting", Waiting)
def test_every_kind_of_waiting_has_its_words(waiting: Waiting) -> None:
    for language in words.LANGUAGES:
        for part in ("title", "below", "body"):
            words.say(language, f"waiting.{waiting.value}.{part}")


def test_no_word_is_written_that_no_screen_says() -> None:
    exact, built = keys_in_code()
    single = {"back", "next", "home", "change", "comma", "date"}
    told = exact | single
    unused = {k for k in catalogue("en") if k not in told and not any(p.fullmatch(k) for p in built)}
    # Keys that a variable carries: `{key}.title` and its like are matched above; these come whole from a table.
    assert unused == set()


def test_a_key_that_is_missing_says_so() -> None:
    with pytest.raises(words.MissingWordsError, match="no such key"):
        words.say("en", "no such key")
