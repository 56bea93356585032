"""The centre's own log: what staff did, under the station name `centre`, chained like any other.

Its facts are appended where they happen, in the same transaction as what they change; nobody acknowledges them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

import msgspec

from broker import clock
from broker.contract import event as events
from broker.contract import facts, personal
from broker.contract.event import ClockReading, Event
from broker.contract.facts import Fact
from broker.contract.names import CENTRE, new_id
from broker.contract.personal import Personal
from broker.store.log import EventLog, LogKey, Row
from broker.store.views import Changes, Views


def write(
    db: sqlite3.Connection, log: EventLog, site: str, fact: Fact, people: Sequence[Personal] = ()
) -> Changes:
    """Append a fact of the centre, with personal data beside it, and let it count. The caller's transaction."""
    sealed = {personal.class_of(one): personal.seal(one) for one in people}
    key = LogKey(site, CENTRE, log.centre_log)
    head = log.head(key)
    kind, version = facts.type_of(fact)
    event = Event(
        id=new_id(),
        site=site,
        station=CENTRE,
        log=key.log,
        seq=head.seq + 1,
        prev=head.hash,
        type=kind,
        v=version,
        time=clock.now(),
        clock=ClockReading(0, 0),
        data=msgspec.Raw(msgspec.json.encode(fact)),
        sealed={name: ref for name, (_, ref) in sealed.items()},
    )
    body = events.encode(event)
    row = Row(
        event.seq,
        event.id,
        kind,
        version,
        clock.stamp(event.time),
        body,
        events.body_hash(body),
        ciphertexts=tuple((name, ref.kid, ref.hash, value) for name, (value, ref) in sealed.items()),
    )
    [position] = log.append(key, [row], clock.stamp(clock.now()))
    views = Views(db)
    views.apply(position, event, fact, {name: msgspec.json.encode(one) for name, one in _by_class(people)})
    return views.flush()


def _by_class(people: Sequence[Personal]) -> Iterator[tuple[str, Personal]]:
    for one in people:
        yield personal.class_of(one), one
