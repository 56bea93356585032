"""Is this message one of ours, and what of it is new? Judged in memory; nothing is written here.

Three things are not acknowledged: a gap (asks for a replay), a fork and a bad signature. A body that is no event
can't be chained and stops the message there. Everything else is appended, understood or not: one bad event never
blocks a station. The signature's check joins in `read` once logs are opened with a key; until then it must be absent
or is ignored, which loopback alone permits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from broker.contract import event as events
from broker.contract import facts, message
from broker.contract.event import Event, EventError
from broker.contract.facts import Fact, FactError
from broker.contract.message import Item, Message, MessageError
from broker.contract.names import CENTRE
from broker.store.log import Head


class BadMessage(Exception):
    """Not a message that this station may send here; goes to the dead letters with this reason."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A new event that fits. `fact` is None where its content isn't understood; `problem` says why.

    `ciphertexts` are those whose hash stands in the chain; `mangled` names the classes that came altered.
    """

    event: Event
    body: bytes
    hash: str
    fact: Fact | None
    problem: str
    ciphertexts: dict[str, bytes]
    mangled: tuple[str, ...] = ()


@dataclass(slots=True)
class Judged:
    """What a message holds: duplicates, then new events, then perhaps the reason why the rest was not taken."""

    new: list[Checked] = field(default_factory=list)
    duplicates: int = 0
    gap: bool = False
    forks: list[tuple[int, str, Item]] = field(default_factory=list)
    bad: str = ""


def read(payload: bytes, *, site: str, station: str) -> Message:
    """The message a payload holds, from the station whose topic it came on.

    Raises:
        BadMessage: no message, or one in another's name.
    """
    try:
        found = message.decode(payload)
    except MessageError as error:
        raise BadMessage(str(error)) from None
    if found.site != site:
        raise BadMessage(f"a message of site {found.site} on a topic of site {site}")
    if found.station != station:
        raise BadMessage(f"a message of station {found.station} on the topic of {station}")
    if found.station == CENTRE:
        raise BadMessage("a message in the centre's own name")
    return found


def judge(found: Message, head: Head, stored: Callable[[int, int], dict[int, str]]) -> Judged:
    """Sort a message's events against the head of their log. `stored(first, last)` gives stored hashes by seq."""
    judged = Judged()
    if found.first > head.seq + 1:
        judged.gap = True
        return judged
    known = stored(found.first, min(found.last, head.seq)) if found.first <= head.seq else {}
    seq, prev = found.first, head.hash
    for index, item in enumerate(found.items):
        digest = hashlib.sha256(item.body).hexdigest()
        if seq <= head.seq:
            if known.get(seq) != digest:
                judged.forks = _rest(found, index)
                return judged
            judged.duplicates += 1
        else:
            try:
                event = events.decode(item.body)
            except EventError as error:
                judged.bad = f"event {seq}: {error}"
                return judged
            if (event.site, event.station, event.log, event.seq) != (
                found.site,
                found.station,
                found.log,
                seq,
            ):
                judged.bad = f"event {seq} names another site, station, log or seq than its message"
                return judged
            if event.prev != prev:
                judged.forks = _rest(found, index)
                return judged
            judged.new.append(_checked(event, item, digest))
            prev = digest
        seq += 1
    return judged


def _rest(found: Message, index: int) -> list[tuple[int, str, Item]]:
    """From the first event that differs on, everything belongs to the other branch and is kept with it."""
    return [
        (found.first + index + n, hashlib.sha256(item.body).hexdigest(), item)
        for n, item in enumerate(found.items[index:])
    ]


def _checked(event: Event, item: Item, digest: str) -> Checked:
    fact, problem = None, ""
    try:
        fact = facts.read(event.type, event.v, event.data)
    except FactError as error:
        problem = str(error)
    if not item.ciphertexts:
        return Checked(event, item.body, digest, fact, problem, {})
    kept: dict[str, bytes] = {}
    mangled: list[str] = []
    for name, ciphertext in item.ciphertexts.items():
        ref = event.sealed.get(name)
        if ref is not None and hashlib.sha256(ciphertext).hexdigest() == ref.hash:
            kept[name] = ciphertext
        else:
            mangled.append(name)
    return Checked(event, item.body, digest, fact, problem, kept, tuple(mangled))
