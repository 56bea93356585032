"""Is this message one of ours, and what of it is new? Judged in memory; nothing is written here.

Three things are not acknowledged: a gap (asks for a replay), a fork and a bad signature. The signature covers the last
body, and the chain below it the others: so nothing of a message is taken unless the whole of it hangs together.
Everything else is appended, understood or not: one bad event never blocks a station.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from broker.contract import event as events
from broker.contract import facts, message
from broker.contract.event import Event, EventError
from broker.contract.facts import Fact, FactError, LogOpened
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
    """What a message holds: duplicates, then new events or a fork; or the reason why nothing of it is taken."""

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


def offered_key(found: Message) -> str | None:
    """The public key that a message from the beginning of a log brings in its own first event, in hex.

    The centre trusts the first key it sees for a log. Enrolment will certify it: `log.opened` then carries the
    station's certificate, and this is where it is checked.
    """
    if found.first != 1:
        return None
    try:
        first = events.decode(found.items[0].body)
        fact = facts.read(first.type, first.v, first.data)
    except (EventError, FactError):
        return None
    return fact.public_key if isinstance(fact, LogOpened) else None


def is_signed(found: Message, public: str | None) -> bool:
    """True where the log's key signed this message."""
    key = _parsed(public) if public else None
    return key is not None and message.signature_holds(found, key)


@lru_cache(maxsize=4096)
def _parsed(public: str) -> Ed25519PublicKey | None:
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    except ValueError:
        return None


def judge(found: Message, head: Head, stored: Callable[[int, int], dict[int, str]]) -> Judged:
    """Sort a message's events against the head of their log. `stored(first, last)` gives stored hashes by seq."""
    judged = Judged()
    if found.first > head.seq + 1:
        judged.gap = True
        return judged
    known = stored(found.first, min(found.last, head.seq)) if found.first <= head.seq else {}
    digests = [hashlib.sha256(item.body).hexdigest() for item in found.items]
    while judged.duplicates < len(digests):
        if known.get(found.first + judged.duplicates) != digests[judged.duplicates]:
            break
        judged.duplicates += 1
    begin = judged.duplicates
    # Told apart before anything is taken: a break inside the message means that its signature proves nothing.
    fits = found.first + begin == head.seq + 1
    new: list[Checked] = []
    prev = head.hash if fits else ""
    for index in range(begin, len(digests)):
        item, seq = found.items[index], found.first + index
        try:
            event = events.decode(item.body)
        except EventError as error:
            judged.bad = f"event {seq}: {error}"
            return judged
        if (event.site, event.station, event.log, event.seq) != (found.site, found.station, found.log, seq):
            judged.bad = f"event {seq} names another site, station, log or seq than its message"
            return judged
        if event.prev != prev:
            if index > 0 and (index > begin or fits):
                judged.bad = f"event {seq} does not follow the one before it in its message"
                return judged
            fits = False
        if fits:
            new.append(_checked(event, item, digests[index]))
        prev = digests[index]
    if fits:
        judged.new = new
    else:
        # From the first event that differs on, everything belongs to the other branch and is kept with it.
        judged.forks = [
            (found.first + index, digests[index], found.items[index]) for index in range(begin, len(digests))
        ]
    return judged


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
