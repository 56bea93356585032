"""One way to read a configuration: TOML into typed settings, with the file, line and key named when it doesn't fit.

It stands in the contract because all three commands read their settings by it and this is what they all import.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

S = TypeVar("S")


class SettingsError(ValueError):
    """A configuration that can't be used. The message is a sentence for a person: file, line, key, what to do."""


def load(path: Path, kind: type[S]) -> S:
    """Read `path` as settings of `kind` (a msgspec.Struct that forbids unknown fields).

    Relative paths inside are left as they are; callers resolve them against the file's folder.

    Raises:
        SettingsError: no such file, not TOML, an unknown key, a missing key, or a value of the wrong kind.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise SettingsError(
            f"{path}: can't be read ({error.strerror}). Name another file with --config."
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: is not UTF-8 text.") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not valid TOML: {error}.") from None
    return convert(values, kind, path=path, text=text)


def convert(values: dict[str, Any], kind: type[S], *, path: Path, text: str) -> S:
    """Turn values read from `text` into settings; errors name the line in `text`. Raises SettingsError."""
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        problem, keys = _split(str(error))
        where = f"{path}:{_line(text, keys)}" if keys and _line(text, keys) else str(path)
        key = ".".join(keys) or "the file as a whole"
        raise SettingsError(f"{where}: {key}: {problem}.") from None


def _split(message: str) -> tuple[str, list[str]]:
    """msgspec says "Expected `int`, got `str` - at `$.a[0].b`": the problem, and the keys that lead to it."""
    problem, _, at = message.partition(" - at `$")
    keys = [part for part in re.split(r"[.\[\]]+", at.rstrip("`")) if part]
    field = re.search(r"(?:unknown|required) field `([^`]+)`", problem)
    if field:
        keys.append(field.group(1))
    return problem, keys


def _line(text: str, keys: list[str]) -> int:
    """The 1-based line where the last key that is written in the text stands; 0 when none is."""
    lines = text.splitlines()
    start, found = 0, 0
    for index, key in enumerate(keys):
        if key.isdigit():
            wanted, last = int(key), keys[index - 1] if index else ""
            headers = [
                n
                for n, line in enumerate(lines)
                if re.match(rf"\s*\[\[\s*([\w.-]+\.)?{re.escape(last)}\s*\]\]", line)
            ]
            if wanted < len(headers):
                start, found = headers[wanted] + 1, headers[wanted] + 1
            continue
        pattern = re.compile(
            rf"\s*(?:\[\[?\s*([\w.-]+\.)?{re.escape(key)}\s*\]\]?|(?:[\w-]+\.)*\"?{re.escape(key)}\"?\s*=|.*[{{,]\s*\"?{re.escape(key)}\"?\s*=)"
        )
        for n in range(start, len(lines)):
            if pattern.match(lines[n]):
                start, found = n, n + 1
                break
    return found


def refusal(path: Path, keys: list[str], problem: str) -> SettingsError:
    """The error for a value that has the right kind and still can't be: names file, line and key as `load` does.

    Args:
        keys: the way to the value, e.g. `["broker", "host"]`.
        problem: what is wrong and what to do, without a full stop.
    """
    try:
        line = _line(path.read_text("utf-8"), keys)
    except (OSError, UnicodeDecodeError):
        line = 0
    return SettingsError(f"{path}{f':{line}' if line else ''}: {'.'.join(keys)}: {problem}.")
