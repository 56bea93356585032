"""What each type of event says in its `data`: the closed list of facts, by (type, version).

No personal data and no pass text stands here; those travel as classes beside the body (`personal`). An event whose
type, version or shape isn't in this list is stored and acknowledged all the same, and quarantined for the views.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from broker.contract.names import HexDigest, Id, Name

Short = Annotated[str, msgspec.Meta(max_length=64)]
Cti = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$", description="the pass id: 8 bytes as hex")]


class FactError(ValueError):
    """An event's `data` is not what its type and version say; it is quarantined, not dropped."""


class Decision(StrEnum):
    """What was answered for a visit: V5 agreed, V6 away, V7 wait, or declined."""

    AGREED = "agreed"
    WAIT = "wait"
    AWAY = "away"
    DECLINED = "declined"


class Decider(StrEnum):
    """Who decides about a visit, by the policy of its type and hour."""

    POLICY = "policy"
    STAFF = "staff"


class DecidedBy(StrEnum):
    """Who did decide: the policy by itself, staff at the console, a staff PIN at the terminal, or the offline rule."""

    POLICY = "policy"
    STAFF = "staff"
    PIN = "pin"
    OFFLINE = "offline"


class PredecessorLog(msgspec.Struct, frozen=True, kw_only=True):
    """The log this installation continues, as far as the station knew it."""

    log: Id
    seq: int


class LogOpened(msgspec.Struct, frozen=True, kw_only=True):
    """The first event of a log. `public_key` is the log's own Ed25519 key in hex, once messages are signed."""

    reason: Short
    predecessor: PredecessorLog | None = None
    public_key: HexDigest | None = None


class PassKeyMade(msgspec.Struct, frozen=True, kw_only=True):
    """A station made a key to sign passes with; the private half never leaves it. The centre puts it in the key set."""

    kid: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
    public_key: HexDigest
    valid_from: int
    valid_until: int
    """Seconds since 1970: the key signs from–until; passes it signed end by `valid_until` + the longest validity."""


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """What the visitor agreed to: the notice's version and the hash of the very text shown; the document apart."""

    version: Short
    hash: HexDigest
    language: Short
    document: bool


class HostRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The question put to the host or to staff; a decision names it."""

    id: Id
    decider: Decider
    deadline: datetime


class VisitRegistered(msgspec.Struct, frozen=True, kw_only=True):
    """V1, V4: a visit is registered, before anything else happens. Classes beside it: name, phone, document, host."""

    visit: Id
    number: Short
    visit_type: Short
    purpose: Short
    arranged: bool | None
    identity: Short
    """How the visitor was identified: `typed` or `card`."""
    people: Annotated[int, msgspec.Meta(ge=1)]
    building: Short
    consent: Consent
    request: HostRequest


class VisitDecided(msgspec.Struct, frozen=True, kw_only=True):
    """The terminal took a decision over. `applied` is False for one that came after another had been applied."""

    visit: Id
    request: Id
    decision: Decision
    by: DecidedBy
    place: Short = ""
    """Id of the waiting place (V7), where the decision is `wait`."""
    applied: bool = True


class HostAnswered(msgspec.Struct, frozen=True, kw_only=True):
    """Staff answered a request at the console. Stands in the centre's own log."""

    visit: Id
    request: Id
    decision: Decision
    place: Short = ""
    account: Short


class PassIssued(msgspec.Struct, frozen=True, kw_only=True):
    """A pass was signed for a visit. Its text is a bearer credential and stands nowhere."""

    visit: Id
    cti: Cti
    kid: int
    index: int
    not_before: int
    expires: int
    areas: int
    entries: int
    mode: int


class SlipOutcome(StrEnum):
    """What is known of a slip after the last byte was sent. `unknown` is never printed again blindly."""

    PRINTED = "printed"
    UNKNOWN = "unknown"
    FAILED = "failed"


class SlipPrinted(msgspec.Struct, frozen=True, kw_only=True):
    """The slip of a visit went to the printer, or could not."""

    visit: Id
    outcome: SlipOutcome
    reason: Short = ""


class VisitRecalled(msgspec.Struct, frozen=True, kw_only=True):
    """A registered visit was brought back to the screen, by its number or by staff."""

    visit: Id
    by: Short


class StaffCalled(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody at the terminal asks for a person."""

    call: Id
    visit: Id | None = None
    screen: Short = ""


class StaffComing(msgspec.Struct, frozen=True, kw_only=True):
    """Staff took a call. Stands in the centre's own log."""

    call: Id
    account: Short


class CorrectedField(StrEnum):
    """What of a registration may be corrected (V10). The last three are personal: their values stand beside the body."""

    PURPOSE = "purpose"
    BUILDING = "building"
    PEOPLE = "people"
    NAME = "name"
    PHONE = "phone"
    HOST = "host"


class CorrectionReason(StrEnum):
    """Why; a closed list, because what people type may name a person."""

    TYPO = "typo"
    VISITOR = "visitor"
    HOST = "host"
    DOCUMENT = "document"


class VisitCorrected(msgspec.Struct, frozen=True, kw_only=True):
    """V10: a registration was wrong; this entry stands beside it, which stays as it is. In the centre's own log.

    `before` and `after` are "" for a personal field: the new value is the class of that name beside the body, the old
    one stands beside the event that it came with.
    """

    visit: Id
    field: CorrectedField
    before: Short = ""
    after: Short = ""
    reason: CorrectionReason
    account: Short


class PassAdmitted(msgspec.Struct, frozen=True, kw_only=True):
    """A gate let somebody in. `offline` says the centre was not in reach when the gate decided."""

    cti: Cti
    kid: int
    nonce: Id
    gate: Name
    offline: bool


class PassRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A gate refused a scan, for a reason of the closed list in `verdict`. `cti` is None where none could be read."""

    cti: Cti | None
    reason: Short
    nonce: Id
    gate: Name
    offline: bool


class PassLeft(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody left; leaving is never refused. `reason` is what an entry would have been refused for, or `ok`."""

    cti: Cti | None
    reason: Short
    nonce: Id
    gate: Name
    offline: bool


Fact = (
    LogOpened
    | PassKeyMade
    | VisitRegistered
    | VisitDecided
    | HostAnswered
    | PassIssued
    | SlipPrinted
    | VisitRecalled
    | VisitCorrected
    | StaffCalled
    | StaffComing
    | PassAdmitted
    | PassRefused
    | PassLeft
)

FACTS: dict[tuple[str, int], type[Fact]] = {
    ("log.opened", 1): LogOpened,
    ("pass_key.made", 1): PassKeyMade,
    ("visit.registered", 1): VisitRegistered,
    ("visit.decided", 1): VisitDecided,
    ("host.answered", 1): HostAnswered,
    ("pass.issued", 1): PassIssued,
    ("slip.printed", 1): SlipPrinted,
    ("visit.recalled", 1): VisitRecalled,
    ("visit.corrected", 1): VisitCorrected,
    ("staff.called", 1): StaffCalled,
    ("staff.coming", 1): StaffComing,
    ("pass.admitted", 1): PassAdmitted,
    ("pass.refused", 1): PassRefused,
    ("pass.left", 1): PassLeft,
}

_types = {kind: key for key, kind in FACTS.items()}
_decoders = {key: msgspec.json.Decoder(kind) for key, kind in FACTS.items()}


def type_of(fact: Fact) -> tuple[str, int]:
    """(type, version) under which a fact is written."""
    return _types[type(fact)]


def read(event_type: str, version: int, data: msgspec.Raw | bytes) -> Fact:
    """The fact an event states.

    Raises:
        FactError: type or version unknown to this program, or the data doesn't fit; without the content.
    """
    decoder = _decoders.get((event_type, version))
    if decoder is None:
        raise FactError(f"unknown event type {event_type} version {version}")
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        what = error if isinstance(error, msgspec.ValidationError) else "malformed"
        raise FactError(f"{event_type} version {version}: {what}") from None
