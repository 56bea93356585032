"""libFuzzer over one reader: `python -m tests.fuzz.libfuzzer message CORPUS_FOLDER`; needs atheris."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def main() -> None:
    atheris: Any = importlib.import_module("atheris")
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=["broker.contract"]):
        cases = importlib.import_module("tests.fuzz.test_decoding")
    atheris.Setup(sys.argv, lambda payload: cases.run_one(name, payload))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
