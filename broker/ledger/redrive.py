"""What was set aside, tried again: after an update that understands more, or a fix that takes what was refused.

Events that are understood now count, where they stand in the log. Messages that were refused go through ingest like new
ones, and leave the dead letters once the log holds what they brought.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass, field

from broker.contract import facts, message
from broker.contract.acknowledgement import Acknowledgement
from broker.contract.facts import FactError
from broker.contract.message import MessageError
from broker.contract.topics import Topics
from broker.ingest.batch import ALTERED, Ingest
from broker.ingest.opening import open_beside
from broker.store import aside
from broker.store.database import transaction
from broker.store.log import OK, REPEATED, LogKey
from broker.store.views import Changes, Views

BATCH = 500


@dataclass(slots=True)
class Redriven:
    """What became of it: events that count now, messages that are in the log now, and what is still set aside."""

    events: int = 0
    messages: int = 0
    left: int = 0
    changes: Changes = field(default_factory=Changes)
    acknowledgements: dict[str, Acknowledgement] = field(default_factory=dict)


def redrive(db: sqlite3.Connection, ingest: Ingest) -> Redriven:
    """Try everything again that was set aside; on the writer's thread, in transactions of its own."""
    done = Redriven()
    at = 0
    while True:
        with transaction(db):
            waiting = aside.quarantined(db, after=at, limit=BATCH)
            done.events += _events(db, ingest, waiting, done)
        if not waiting:
            break
        at = waiting[-1].position
    for hash in aside.dead_letters(db):
        done.messages += _message(db, ingest, hash, done)
    done.left = aside.count(db)
    return done


def _events(db: sqlite3.Connection, ingest: Ingest, waiting: list[aside.Quarantined], done: Redriven) -> int:
    views = Views(db, done.changes)
    understood = 0
    for one in waiting:
        try:
            fact = facts.read(one.event.type, one.event.v, one.event.data)
        except FactError:
            continue
        understood += 1
        if ingest.events.counted(one.event.station, [one.event.id]):
            aside.judge_anew(db, one.position, REPEATED)
            continue
        aside.judge_anew(db, one.position, OK)
        views.apply(one.position, one.event, fact, open_beside(one.event, one.ciphertexts)[0])
    views.flush()
    return understood


def _message(db: sqlite3.Connection, ingest: Ingest, hash: str, done: Redriven) -> bool:
    letter = aside.dead_letter(db, hash)
    if letter is None or letter.reason.startswith(ALTERED):
        # Of those the events are in the log already; what came altered beside them can't be put right here.
        return False
    match Topics(ingest.site).parse(letter.topic):
        case "event", (station,):
            pass
        case _:
            return False
    try:
        with transaction(db):
            taken = ingest.take([(letter.topic, station, letter.payload)])
            if not _is_in_the_log(ingest, letter.payload):
                raise _RefusedAgain
            aside.settle(db, hash)
    except BaseException as error:
        ingest.events.forget()
        if isinstance(error, _RefusedAgain):
            return False
        raise
    done.changes.add(taken.changes)
    done.acknowledgements |= taken.acknowledgements
    return True


class _RefusedAgain(Exception):
    """Rolls the trial back: a letter that is refused again is not even counted up."""


def _is_in_the_log(ingest: Ingest, payload: bytes) -> bool:
    try:
        found = message.decode(payload)
    except MessageError:
        return False
    key = LogKey(found.site, found.station, found.log)
    stored = ingest.events.hashes(key, found.first, found.last)
    sent = {found.first + n: hashlib.sha256(item.body).hexdigest() for n, item in enumerate(found.items)}
    return stored == sent
