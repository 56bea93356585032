"""The words on the screens: gettext catalogues, both languages complete, found by key.

Keys name a place (`whom.title`), not a sentence, so that a language is never the hidden original of another. A key that
isn't in the catalogue is a mistake in the program and says so at once.
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).resolve().parent.parent / "locale"
LANGUAGES = ("zh_CN", "en")
DOMAIN = "kiosk"


class MissingWordsError(LookupError):
    """No catalogue entry for a key."""


@cache
def _catalogue(language: str) -> gettext.GNUTranslations:
    with (LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def say(language: str, key: str, **values: object) -> str:
    """The text of `key` in a language, with `{name}` places filled.

    Raises:
        MissingWordsError: the catalogue has no such key.
    """
    text = _catalogue(language).gettext(key)
    if text == key:
        raise MissingWordsError(f"{key!r} is not in the {language} catalogue")
    return text.format(**values) if values else text


def other(language: str) -> str:
    """The language that isn't shown now."""
    return LANGUAGES[1] if language == LANGUAGES[0] else LANGUAGES[0]
