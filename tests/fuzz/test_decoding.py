"""Whatever arrives is read or refused with our own error: no other exception, no crash, no memory to speak of.

FUZZ=… is the number of examples; ATHERIS=1 also runs libFuzzer over the same readers, where it is installed.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.contract import acknowledgement, asking, event, facts, message, state
from broker.contract.acknowledgement import Acknowledgement, AcknowledgementError
from broker.contract.asking import AskError, HostAsk
from broker.contract.event import EventError
from broker.contract.facts import FactError
from broker.contract.message import MessageError
from broker.contract.names import new_id, new_log_id
from broker.contract.state import StateError, StationState
from tests.fuzz import payloads
from tests.support.log_writer import LogWriter, a_person, a_registration

EXAMPLES = int(os.environ.get("FUZZ", "150"))
FACTOR = 12
"""A reader may need so many times the bytes it was given, and a fixed 256 KiB: never what a header promises."""

Reader = Callable[[bytes], object]


def a_log() -> LogWriter:
    log = LogWriter()
    for _ in range(3):
        log.add(a_registration(), a_person())
    return log


LOG = a_log()
WORD = Acknowledgement(
    epoch=new_id(), log=new_log_id(), seq=7, head_hash="0" * 64, centre_time=datetime.now(UTC)
)
ASK = HostAsk(id=new_id(), visit=new_id(), deadline=datetime.now(UTC))
STATE = StationState(station="lobby-1", kind="lobby", online=True, since=datetime.now(UTC), version="0.1.0")

READERS: dict[str, tuple[Reader, type[Exception], bytes]] = {
    "message": (message.decode, MessageError, LOG.payload()),
    "event": (event.decode, EventError, LOG.items[1].body),
    "fact": (
        lambda data: facts.read("visit.registered", 1, data),
        FactError,
        bytes(event.decode(LOG.items[1].body).data),
    ),
    "acknowledgement": (acknowledgement.decode, AcknowledgementError, acknowledgement.encode(WORD)),
    "ask": (asking.decode_ask, AskError, asking.encode(ASK)),
    "answer": (asking.decode_answer, AskError, asking.encode(asking.AskReceived(id=new_id()))),
    "state": (state.decode_station, StateError, state.encode(STATE)),
}


def shapes(whole: bytes) -> st.SearchStrategy[bytes]:
    odd = payloads.odd_json(whole) if whole[:1] == b"{" else payloads.BIG_MAPS
    return st.one_of(payloads.flipped(whole), odd, payloads.BYTES_FROM_NOWHERE)


@pytest.mark.parametrize("name", READERS)
def test_a_reader_reads_or_refuses_and_does_nothing_else(name: str) -> None:
    read, refusal, whole = READERS[name]
    read(whole)
    refused = 0

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(shapes(whole))
    def feed(payload: bytes) -> None:
        nonlocal refused
        said = ""
        tracemalloc.start()
        try:
            read(payload)
        except refusal as error:
            said = str(error)
            refused += 1
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert len(said) < 500, "a refusal must not quote what it refuses"
        assert peak < FACTOR * len(payload) + 256 * 1024, f"{peak} bytes for {len(payload)}"

    feed()
    assert refused > EXAMPLES // 4, "hardly anything was refused: the examples are too tame"


@pytest.mark.parametrize("name", READERS)
def test_libfuzzer_finds_nothing_either(name: str, tmp_path: Path) -> None:
    """By ATHERIS=1; without it the same entry is run once on a seed, so that it can't rot."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "seed").write_bytes(READERS[name][2])
    if os.environ.get("ATHERIS") != "1":
        run_one(name, (corpus / "seed").read_bytes())
        return
    importlib.import_module("atheris")
    seconds = os.environ.get("ATHERIS_SECONDS", "30")
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.libfuzzer", name, str(corpus), f"-max_total_time={seconds}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]


def run_one(name: str, payload: bytes) -> None:
    """What libFuzzer calls: anything but our own refusal is a finding."""
    read, refusal, _ = READERS[name]
    try:
        read(payload)
    except refusal:
        return
