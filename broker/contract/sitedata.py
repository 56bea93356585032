"""What the centre tells all its stations: policy, areas and pass keys (`site/{policy,areas,keys}`).

Plain and versioned; a station keeps the last good copy of each and works from it while the line is down. The body
travels as the very text that a signature will cover; the signature's place is `signature`. Status lists (`site/status`)
join when passes can be withdrawn.
"""

from __future__ import annotations

from datetime import datetime, time
from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec

from broker.contract.facts import Decider
from broker.contract.names import HexDigest, Name
from broker.contract.personal import CLASSES

Words = dict[str, str]
"""A text in each language of the site: `{"zh_CN": "…", "en": "…"}`."""

Code = Annotated[str, msgspec.Meta(pattern="^[a-z0-9_-]{1,32}$")]


class SiteDataError(ValueError):
    """A document from the centre can't be read; the last good copy stays in force."""


class Unreachable(StrEnum):
    """What holds when staff must decide and the centre can't be reached."""

    AGREE = "agree"
    PIN = "pin"
    HOLD = "hold"


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """From `start` (inclusive) to `end` (exclusive), local time; past midnight where end ≤ start."""

    start: time
    end: time
    decider: Decider
    unreachable: Unreachable = Unreachable.HOLD

    def hold_at(self, local: time) -> bool:
        """True where these hours cover the local time of day."""
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


class Purpose(msgspec.Struct, frozen=True, kw_only=True):
    """A reason to come, as the visitor picks it."""

    id: Code
    names: Words


class PassTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass of this visit type allows. `entries` 0 = any number within the window; `mode` as in pass-format.md."""

    minutes: Annotated[int, msgspec.Meta(ge=5, le=60 * 24 * 7)] = 240
    entries: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
    mode: Annotated[int, msgspec.Meta(ge=0, le=15)] = 0


class VisitType(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one kind of visit. The first of `hours` that covers the time decides; hours must cover the day."""

    id: Code
    names: Words
    purposes: Annotated[list[Purpose], msgspec.Meta(min_length=1)]
    hours: Annotated[list[Hours], msgspec.Meta(min_length=1)]
    terms: PassTerms = PassTerms()
    answer_seconds: Annotated[int, msgspec.Meta(ge=10, le=3600)] = 120
    """After so long without an answer the visitor is asked to speak to staff; the visit stays open."""

    def hours_at(self, local: time) -> Hours:
        """The hours that hold at a local time of day; outside all of them staff decide and nobody passes unasked."""
        for hours in self.hours:
            if hours.hold_at(local):
                return hours
        return Hours(start=time(0), end=time(0), decider=Decider.STAFF, unreachable=Unreachable.HOLD)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `site/policy`."""

    visit_types: Annotated[list[VisitType], msgspec.Meta(min_length=1)]
    consent_version: str
    retention_days: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(CLASSES, 30))
    unreachable_seconds: Annotated[int, msgspec.Meta(ge=1, le=60)] = 5
    """So long an ask may go unreceived before the centre counts as out of reach."""


class Building(msgspec.Struct, frozen=True, kw_only=True):
    """A building or another destination. `area` is its bit (0–31) in a pass; `way` tells how to get there (V5)."""

    id: Code
    names: Words
    area: Annotated[int, msgspec.Meta(ge=0, le=31)]
    way: Words
    units: Annotated[int, msgspec.Meta(ge=0, le=99)] = 0
    """How many units (单元) it has; 0 = rooms are not within units."""
    floors: Annotated[int, msgspec.Meta(ge=0, le=199)] = 0
    """How many floors; 0 = no room is asked for."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a visitor may be asked to wait (V7)."""

    id: Code
    names: Words


class Areas(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `site/areas`: the site and what is in it. `organisation` binds passes to this installation."""

    organisation: Annotated[str, msgspec.Meta(pattern="^[a-z0-9.-]{1,64}$")]
    site_number: Annotated[int, msgspec.Meta(ge=1, le=0xFFFF)]
    names: Words
    time_zone: str = "Asia/Shanghai"
    buildings: Annotated[list[Building], msgspec.Meta(min_length=1)]
    places: list[Place] = []


class PassKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that signs passes: who holds it, what it may grant (area bits), and when. Times in seconds since 1970."""

    kid: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
    public_key: HexDigest
    station: Name
    areas: int
    valid_from: int
    valid_until: int
    longest: int
    """Longest validity of a pass in seconds."""


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `site/keys`."""

    keys: list[PassKey]


Body = Policy | Areas | Keys
KINDS: dict[str, type[Body]] = {"policy": Policy, "areas": Areas, "keys": Keys}


class SiteDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What travels: the body as text, with its kind, version and time of issue.

    version = max(last + 1, issue time in ms), so a restored centre never issues one that stations must refuse.
    """

    kind: Annotated[str, msgspec.Meta(pattern="^[a-z]{1,16}$")]
    version: Annotated[int, msgspec.Meta(ge=1)]
    issued: datetime
    body: str
    signature: str | None = None


_document = msgspec.json.Decoder(SiteDocument)
_bodies = {kind: msgspec.json.Decoder(body) for kind, body in KINDS.items()}
B = TypeVar("B", Policy, Areas, Keys)


def issue(body: Body, *, last_version: int, now: datetime) -> SiteDocument:
    """A new version of a document of the centre."""
    kind = next(name for name, struct in KINDS.items() if isinstance(body, struct))
    version = max(last_version + 1, int(now.timestamp() * 1000))
    return SiteDocument(kind=kind, version=version, issued=now, body=msgspec.json.encode(body).decode())


def encode(document: SiteDocument) -> bytes:
    """The document as JSON bytes."""
    return msgspec.json.encode(document)


def decode(payload: bytes) -> SiteDocument:
    """Raises SiteDataError where the payload is no document of ours."""
    try:
        return _document.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SiteDataError(f"not a site document: {error}") from None


def read(document: SiteDocument, kind: type[B]) -> B:
    """The body of a document.

    Raises:
        SiteDataError: another kind of document, or a body that doesn't fit.
    """
    name = next(name for name, struct in KINDS.items() if struct is kind)
    if document.kind != name:
        raise SiteDataError(f"a document of kind {document.kind!r} where {name!r} was expected")
    try:
        body = _bodies[name].decode(document.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SiteDataError(f"{name} version {document.version}: {error}") from None
    assert isinstance(body, kind)
    return body


def say(words: Words, language: str) -> str:
    """The text in a language, else in Chinese, else in whatever there is."""
    return words.get(language) or words.get("zh_CN") or next(iter(words.values()), "")
