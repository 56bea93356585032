"""Is the log whole? Reads all of it and names the first thing that is wrong.

Nothing stored is believed because another column says so: hashes are computed from the bytes, the envelope is read from
the body, each log's last signature is checked with the key that its first event brought, and where stations' anchors are
given (`kiosk anchors`), what they were told is held against what is here. Those come from outside: a log rewritten from
its beginning, keys and all, is noticed by them alone.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from broker import clock
from broker.contract.event import NO_PREDECESSOR, SealedRef
from broker.contract.message import Item, Message, signature_holds
from broker.contract.names import CENTRE
from broker.store.database import meta
from broker.store.log import Head, LogKey

STEP = 20_000
"""Events in a stretch: what one process reads at a time, and what progress is told by."""

WORTH_SHARING = 15
"""Stretches from which on more than one process is quicker than one."""

MOST_PROCESSES = 8


class AnchorsError(Exception):
    """The file of anchors can't be used; the message is a sentence for a person."""


class Anchor(msgspec.Struct, frozen=True):
    """What a centre once told a station: that it holds the log up to `seq`, whose hash is `head_hash`."""

    epoch: str
    log: str
    seq: int
    head_hash: str


class Anchors(msgspec.Struct, frozen=True):
    """All that one station was told and still keeps, as `kiosk anchors --json` prints it."""

    site: str
    station: str
    anchors: list[Anchor]


@dataclass(frozen=True, slots=True)
class Wrong:
    """The first thing that is wrong, and where."""

    what: str
    site: str = ""
    station: str = ""
    log: str = ""
    seq: int = 0

    def __str__(self) -> str:
        where = "/".join(part for part in (self.site, self.station, self.log) if part)
        if where and self.seq:
            where += f" seq {self.seq}"
        return f"{where}: {self.what}" if where else self.what


@dataclass(slots=True)
class Verdict:
    """What was read, and the first thing wrong, if any.

    `unsigned` logs came before messages were signed; `unbacked` anchors are of an epoch before a restore, of events that
    did not come back.
    """

    events: int = 0
    logs: int = 0
    unsigned: int = 0
    ciphertexts: int = 0
    ciphertexts_gone: int = 0
    anchors: int = 0
    unbacked: int = 0
    seconds: float = 0.0
    wrong: Wrong | None = None

    @property
    def whole(self) -> bool:
        return self.wrong is None


class _Envelope(msgspec.Struct, gc=False):
    """An event's envelope as it is compared here: it was judged by the contract's types when it came in."""

    id: str
    site: str
    station: str
    log: str
    seq: int
    prev: str
    type: str
    v: int
    time: str
    sealed: dict[str, SealedRef] = {}


class _Opening(msgspec.Struct, gc=False):
    """Of a first event, the key it brought."""

    data: dict[str, msgspec.Raw] = {}


class _Broken(Exception):
    def __init__(self, wrong: Wrong) -> None:
        super().__init__(str(wrong))
        self.wrong = wrong


class _Signed(NamedTuple):
    """A log's key as it is kept, and its last signature: over seqs `first` to `last`."""

    public: str
    first: int
    last: int
    signature: bytes | None


class _Stretch(NamedTuple):
    """Seqs `first` to `last` of a log."""

    key: LogKey
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Read:
    """What a stretch came to."""

    events: int = 0
    sealed: int = 0
    wrong: Wrong | None = None


_EVENT = "from events where site = ? and station = ? and log = ? and seq = ?"
_envelopes = msgspec.json.Decoder(_Envelope)
_openings = msgspec.json.Decoder(_Opening)


def read_anchors(path: Path) -> list[Anchors]:
    """The anchors in a file: what one station printed, or several printed after each other.

    Raises:
        AnchorsError: the file can't be read, or holds something else.
    """
    try:
        lines = [line for line in path.read_bytes().splitlines() if line.strip()]
        return [msgspec.json.decode(line, type=Anchors) for line in lines]
    except OSError as error:
        raise AnchorsError(f"{path}: {error.strerror}. Name a file that `kiosk anchors` wrote.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AnchorsError(f"{path}: no anchors ({error}). Make it with `kiosk anchors --json`.") from None


def verify(
    db: sqlite3.Connection,
    anchors: Sequence[Anchors] = (),
    progress: Callable[[int], None] = lambda done: None,
) -> Verdict:
    """Read the whole log as it stands now; what is appended meanwhile is left alone.

    A large one is read by as many processes as there are processors, a stretch each. `progress` hears how many events
    are done.
    """
    began = time.monotonic()
    verdict = Verdict()
    db.row_factory = None
    db.execute("begin")
    try:
        [found] = db.execute("pragma quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        heads = db.execute("select site, station, log, seq, hash from heads order by site, station, log")
        logs = {LogKey(*row[:3]): Head(*row[3:]) for row in heads}
        _bodies(db, _stretches(db, logs), verdict, progress)
        for key, head in logs.items():
            _end(db, key, head, verdict)
        _once(db)
        _beside(db, verdict)
        _anchored(db, anchors, verdict)
    except _Broken as broken:
        verdict.wrong = broken.wrong
    except sqlite3.DatabaseError as error:
        verdict.wrong = Wrong(f"the database file itself is damaged ({error}); restore a backup")
    finally:
        db.execute("rollback")
    verdict.seconds = time.monotonic() - began
    return verdict


def _stretches(db: sqlite3.Connection, logs: dict[LogKey, Head]) -> list[_Stretch]:
    """The whole log in stretches; every log must have its head, and reach as far as that says."""
    made: list[_Stretch] = []
    found = db.execute(
        "select site, station, log, max(seq) from events group by site, station, log order by site, station, log"
    ).fetchall()
    reach = {LogKey(*row[:3]): row[3] for row in found}
    for key in sorted(logs.keys() | reach.keys()):
        last, head = reach.get(key, 0), logs.get(key, Head())
        made += [_Stretch(key, first, min(first + STEP - 1, last)) for first in range(1, last + 1, STEP)]
        if head.seq != last:
            made.append(_Stretch(key, min(last, head.seq) + 1, max(last, head.seq)))
    return made


def _bodies(
    db: sqlite3.Connection, stretches: list[_Stretch], verdict: Verdict, progress: Callable[[int], None]
) -> None:
    processes = min(os.cpu_count() or 1, MOST_PROCESSES)
    if len(stretches) < WORTH_SHARING or processes < 2:
        _sum((_stretch(db, one) for one in stretches), verdict, progress)
        return
    path = next(row[2] for row in db.execute("pragma database_list") if row[1] == "main")
    # Not forked: SQLite's own state must not be carried into another process.
    with ProcessPoolExecutor(processes, get_context("spawn"), _open_in_worker, (path,)) as pool:
        try:
            _sum(pool.map(_in_worker, stretches), verdict, progress)
        finally:
            pool.shutdown(cancel_futures=True)


def _sum(results: Iterable[_Read], verdict: Verdict, progress: Callable[[int], None]) -> None:
    """Results come in the order of the log, so the first that is wrong is the first thing wrong."""
    for read in results:
        verdict.events += read.events
        verdict.ciphertexts_gone += read.sealed
        if read.wrong is not None:
            raise _Broken(read.wrong)
        progress(verdict.events)


_worker: list[sqlite3.Connection] = []


def _open_in_worker(path: str) -> None:
    _worker.append(sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True))


def _in_worker(stretch: _Stretch) -> _Read:
    return _stretch(_worker[0], stretch)


def _stretch(db: sqlite3.Connection, stretch: _Stretch) -> _Read:
    """Part of one log, with the event before it. The loop is kept tight: it is what the time goes into."""
    key, first, last = stretch
    site, station, name = key
    sha256, decode = hashlib.sha256, _envelopes.decode
    expected, prev, last_position, sealed = max(1, first - 1), NO_PREDECESSOR, 0, 0
    rows = db.execute(
        "select position, seq, id, type, v, time, body, hash from events"
        " where site = ? and station = ? and log = ? and seq between ? and ? order by seq",
        (*key, first - 1, last),
    )
    seq = expected
    try:
        for position, seq, id, kind, v, at, body, stored in rows:
            digest = sha256(body).hexdigest()
            if digest != stored:
                raise _at(key, seq, "its body is not what its hash says: altered after it was stored")
            event = decode(body)
            if seq != expected:
                raise _at(key, seq, f"it follows seq {expected - 1}: events are missing")
            if event.prev != prev and seq >= first:
                raise _at(key, seq, "it does not follow its predecessor: one of the two was exchanged")
            if (
                event.id != id
                or event.seq != seq
                or event.log != name
                or event.station != station
                or event.site != site
                or event.type != kind
                or event.v != v
                or (event.time[:23] != at[:23] and not _same_moment(event.time, at))
            ):
                raise _at(key, seq, "its columns say something else than its body")
            if position <= last_position:
                raise _at(key, seq, "it stands before its predecessor in the order of arrival")
            if event.sealed and seq >= first:
                sealed += len(event.sealed)
            prev, last_position, expected = digest, position, seq + 1
        if expected != last + 1:
            raise _at(key, expected, f"it is missing; the log is said to reach seq {last}")
    except msgspec.DecodeError:
        return _Read(wrong=_at(key, seq, "its body is no event").wrong)
    except TypeError:
        return _Read(wrong=_at(key, seq, "a column holds another kind of value than was ever stored").wrong)
    except _Broken as broken:
        return _Read(wrong=broken.wrong)
    return _Read(last - first + 1, sealed)


def _end(db: sqlite3.Connection, key: LogKey, head: Head, verdict: Verdict) -> None:
    """A log's last event is the head that is kept, and what its station signed reaches as far."""
    verdict.logs += 1
    [stored] = db.execute(f"select hash {_EVENT}", (*key, head.seq)).fetchone()
    if stored != head.hash:
        raise _at(key, head.seq, "its last event is not the head we keep: the end was exchanged")
    if key.station == CENTRE:
        return
    [opening] = db.execute(f"select body {_EVENT}", (*key, 1)).fetchone()
    [body] = db.execute(f"select body {_EVENT}", (*key, head.seq)).fetchone()
    verdict.unsigned += not _is_signed(key, _key_brought(opening), _signed(db, key), head.seq, body)


def _is_signed(key: LogKey, public: str, signed: _Signed | None, head: int, body: bytes) -> bool:
    """True where the last signature covers the log to its end; False where none was kept, before messages were signed."""
    if (signed.public if signed else "") != public:
        raise _at(key, 1, "the key kept for the log is not the one its first event brought")
    if signed is None or signed.signature is None:
        return False
    if signed.last != head:
        raise _at(key, signed.last, f"the last signature ends here, the log at seq {head}")
    proof = Message(
        site=key.site,
        station=key.station,
        log=key.log,
        first=signed.first,
        last=signed.last,
        items=[Item(body)],
        signature=signed.signature,
    )
    if not signature_holds(proof, Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))):
        raise _at(key, signed.last, "the station's signature does not cover the log as it is here")
    return True


def _signed(db: sqlite3.Connection, key: LogKey) -> _Signed | None:
    row = db.execute(
        "select public_key, first, last, signature from log_keys where site = ? and station = ? and log = ?",
        key,
    ).fetchone()
    if row is None:
        return None
    return _Signed(row[0], row[1] or 0, row[2] or 0, row[3])


def _key_brought(body: bytes) -> str:
    """The key in a log's first event, "" where there is none."""
    try:
        public = _openings.decode(body).data.get("public_key")
        return (msgspec.json.decode(public, type=str | None) if public else None) or ""
    except msgspec.DecodeError:
        return ""


def _once(db: sqlite3.Connection) -> None:
    """A fact that came in two logs counts once."""
    twice = db.execute("select station, id from events group by station, id having count(*) > 1").fetchall()
    for station, id in twice:
        counted = db.execute(
            "select site, log, seq from events where station = ? and id = ? and state = 'ok' order by position",
            (station, id),
        ).fetchall()
        if len(counted) > 1:
            site, log, seq = counted[1]
            raise _at(LogKey(site, station, log), seq, "the fact counts a second time here")


def _beside(db: sqlite3.Connection, verdict: Verdict) -> None:
    """Ciphertexts are those the chain speaks of. One that is gone is no fault: it may be deleted by its class."""
    rows = db.execute(
        "select c.class, c.kid, c.hash, c.ciphertext, e.position, e.site, e.station, e.log, e.seq, e.body"
        " from ciphertexts c left join events e on e.position = c.position order by c.position"
    )
    last, sealed = 0, {}
    for name, kid, stored, ciphertext, position, site, station, log, seq, body in rows:
        if position is None:
            raise _Broken(Wrong(f"a ciphertext of class {name} stands beside no event"))
        if position != last:
            last, sealed = position, _envelopes.decode(body).sealed
        ref = sealed.get(name)
        if ref is None or (ref.hash, ref.kid) != (stored, kid):
            raise _at(LogKey(site, station, log), seq, f"the chain knows no such ciphertext of class {name}")
        if hashlib.sha256(ciphertext).hexdigest() != stored:
            raise _at(LogKey(site, station, log), seq, f"the ciphertext of class {name} was altered")
        verdict.ciphertexts += 1
    verdict.ciphertexts_gone -= verdict.ciphertexts


def _anchored(db: sqlite3.Connection, anchors: Sequence[Anchors], verdict: Verdict) -> None:
    epoch = meta(db, "epoch")
    for key, anchor in _each(anchors):
        row = db.execute(
            "select hash from events where site = ? and station = ? and log = ? and seq = ?",
            (*key, anchor.seq),
        ).fetchone()
        if row is None and anchor.epoch == epoch:
            raise _at(key, anchor.seq, "it was acknowledged to the station, and is not here")
        if row is None:
            verdict.unbacked += 1
        elif row[0] != anchor.head_hash:
            raise _at(key, anchor.seq, "the station was told another hash of it: the log was rewritten here")
        verdict.anchors += 1


def _each(anchors: Sequence[Anchors]) -> Iterator[tuple[LogKey, Anchor]]:
    for station in anchors:
        for anchor in station.anchors:
            if anchor.seq > 0:
                yield LogKey(station.site, station.station, anchor.log), anchor


def _same_moment(written: str, stored: str) -> bool:
    """The slow comparison: no fraction of a second, or another time zone."""
    try:
        return clock.stamp(clock.moment(written)) == stored
    except ValueError:
        return False


def _at(key: LogKey, seq: int, what: str) -> _Broken:
    return _Broken(Wrong(what, *key, seq))
