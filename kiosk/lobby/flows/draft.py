"""What a visitor has told us so far, and what became of it. Only what a visit type needs is asked for.

`Draft` holds answers exactly as typed, also half of them, so nothing is lost by going back, changing the language or a
device coming and going. It lives in memory until the visit is registered, and is wiped when its visitor is gone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from broker.contract.sitedata import Building, Words
from firmware_bridge.capabilities import IdCard


class Identity(StrEnum):
    """How the visitor wants to say who they are."""

    CARD = "card"
    TYPED = "typed"


class Problem(StrEnum):
    """Why an answer can't be taken yet; each has a sentence with a next step in every language."""

    CHOOSE_BUILDING = "choose_building"
    UNIT_MISSING = "unit_missing"
    UNIT_UNKNOWN = "unit_unknown"
    ROOM_MISSING = "room_missing"
    ROOM_UNKNOWN = "room_unknown"
    CONSENT_MISSING = "consent_missing"
    NAME_MISSING = "name_missing"
    NAME_UNFIT = "name_unfit"
    PHONE_MISSING = "phone_missing"
    PHONE_UNFIT = "phone_unfit"
    CARD_MISSING = "card_missing"
    CARD_EXPIRED = "card_expired"
    PURPOSE_MISSING = "purpose_missing"
    ARRANGED_MISSING = "arranged_missing"
    NOT_SAVED = "not_saved"
    NUMBER_UNFIT = "number_unfit"
    NOT_FOUND = "not_found"
    TOO_MANY_TRIES = "too_many_tries"
    PIN_WRONG = "pin_wrong"


@dataclass(frozen=True, slots=True)
class Draft:
    """A visit in the making. Texts as typed; None = not answered. Nothing of it shows in repr."""

    building: str = field(default="", repr=False)
    unit: str = field(default="", repr=False)
    room: str = field(default="", repr=False)
    host_name: str = field(default="", repr=False)
    consent: bool = field(default=False, repr=False)
    document_consent: bool = field(default=False, repr=False)
    identity: Identity | None = field(default=None, repr=False)
    card: IdCard | None = field(default=None, repr=False)
    name: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    purpose: str = field(default="", repr=False)
    arranged: bool | None = field(default=None, repr=False)
    language: str = "zh_CN"
    notice: str = field(default="", repr=False)
    """The very text of the notice that was shown when consent was given; its hash goes into the event."""


@dataclass(frozen=True, slots=True)
class RegisteredVisit:
    """A visit that is on record. `number` is what the visitor keeps; `floor` is where the lift goes, if told."""

    id: str
    number: str
    building: str
    floor: int | None = None


@dataclass(frozen=True, slots=True)
class PassShown:
    """A pass as the visitor gets it. `text` is a bearer credential: on screen and on paper, never in a log."""

    text: str = field(repr=False)
    code: str = field(repr=False)
    expires: int
    """Seconds since 1970."""
    way: Words
    """How to get to the building (V5), in each language."""
    floor: int | None
    """Which floor to take the lift to, where the room tells."""


_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .'·-]){0,39}")
_PHONE = re.compile(r"\+?[0-9]{5,15}")


def floor_of(building: Building, room: str) -> int | None:
    """The floor a room is on: `1203` → 12, `302` → 3; None where there are no floors or the room doesn't tell."""
    if building.floors == 0 or not room.isascii() or not room.isdigit() or len(room) < 3:
        return None
    floor = int(room[:-2])
    return floor if 1 <= floor <= building.floors else None


def host_problem(draft: Draft, building: Building | None) -> Problem | None:
    """What is missing in "whom do you come to see" (V3); the same for rooms that do and don't exist (S2)."""
    if building is None:
        return Problem.CHOOSE_BUILDING
    if building.units:
        if not draft.unit:
            return Problem.UNIT_MISSING
        if not draft.unit.isascii() or not draft.unit.isdigit() or not 1 <= int(draft.unit) <= building.units:
            return Problem.UNIT_UNKNOWN
    if building.floors:
        if not draft.room:
            return Problem.ROOM_MISSING
        if floor_of(building, draft.room) is None:
            return Problem.ROOM_UNKNOWN
    return None


def person_problem(draft: Draft) -> Problem | None:
    """What is missing in "who are you" when it is typed."""
    if not draft.name.strip():
        return Problem.NAME_MISSING
    if not _NAME.fullmatch(draft.name.strip()):
        return Problem.NAME_UNFIT
    if not draft.phone:
        return Problem.PHONE_MISSING
    # A mainland mobile number has eleven digits and starts with 1; other numbers come with + or an area code.
    if not _PHONE.fullmatch(draft.phone) or (draft.phone.startswith("1") and len(draft.phone) != 11):
        return Problem.PHONE_UNFIT
    return None
