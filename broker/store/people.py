"""The people table: personal data by visit and class, masked for every page unless somebody asks to see it.

It is purged by class and stands apart from everything else for that reason. In this version its values are in clear,
on one machine; encrypting them, and keyed indexes to search them by, come with sealing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from broker.contract.personal import (
    CLASSES,
    Document,
    HostNamed,
    Personal,
    PersonName,
    Phone,
    mask_document,
    mask_name,
    mask_phone,
)


@dataclass(frozen=True, slots=True)
class Masked:
    """What a board or a page may show of a person and of whom they come to see (architecture.md: `张*`)."""

    name: str = ""
    title: str = ""
    phone: str = ""
    document: str = ""
    host_name: str = ""
    host_building: str = ""
    host_unit: str = ""
    host_room: str = ""


def of_visit(db: sqlite3.Connection, visit: str) -> dict[str, Personal]:
    """What is known of a visit's people, in full, by class."""
    return of_visits(db, [visit]).get(visit, {})


def of_visits(db: sqlite3.Connection, visits: Iterable[str]) -> dict[str, dict[str, Personal]]:
    """The same for many visits at once."""
    rows = db.execute(
        "select visit, class, value from people where visit in (select value from json_each(?))",
        (msgspec.json.encode(list(visits)).decode(),),
    )
    found: dict[str, dict[str, Personal]] = {}
    for visit, name, value in rows:
        if name in CLASSES:
            found.setdefault(visit, {})[name] = msgspec.json.decode(value, type=CLASSES[name])
    return found


def masked(known: dict[str, Personal]) -> Masked:
    """What may be shown without asking."""
    values: dict[str, str] = {}
    for value in known.values():
        match value:
            case PersonName():
                values |= {"name": mask_name(value.text), "title": value.title or ""}
            case Phone():
                values["phone"] = mask_phone(value.number)
            case Document():
                values["document"] = mask_document(value.number)
            case HostNamed():
                values |= {
                    "host_name": mask_name(value.name),
                    "host_building": value.building,
                    "host_unit": value.unit,
                    "host_room": value.room,
                }
    return Masked(**values)
