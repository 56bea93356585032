"""Writes a station's log as a station does: opened with its key, consecutive, chained, encoded once. No MQTT, no disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.contract import event as events
from broker.contract import facts, message, personal
from broker.contract.event import NO_PREDECESSOR, ClockReading, Event
from broker.contract.facts import (
    Consent,
    Decider,
    Fact,
    HostRequest,
    LogOpened,
    PredecessorLog,
    VisitRegistered,
)
from broker.contract.message import Item, Message
from broker.contract.names import new_id, new_log_id
from broker.contract.personal import HostNamed, Personal, PersonName, Phone


@dataclass
class LogWriter:
    """One log of one station; `items` are all events so far, the first of which opened it."""

    station: str = "lobby-1"
    site: str = "yunqi"
    log: str = field(default_factory=new_log_id)
    items: list[Item] = field(default_factory=list)
    head: str = NO_PREDECESSOR
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    predecessor: PredecessorLog | None = None

    def __post_init__(self) -> None:
        if not self.items:
            public = self.key.public_key().public_bytes_raw().hex()
            self.add(LogOpened(reason="new", predecessor=self.predecessor, public_key=public))

    def add(
        self,
        fact: Fact | None,
        people: Sequence[Personal] = (),
        *,
        id: str | None = None,
        at: datetime | None = None,
        type: str = "",
        v: int = 1,
        data: bytes = b"{}",
    ) -> Item:
        """Append a fact (or, with `fact` None, any `type`, `v` and raw `data`) and return its item."""
        if fact is not None:
            type, v = facts.type_of(fact)
            data = msgspec.json.encode(fact)
        sealed = {personal.class_of(one): personal.seal(one) for one in people}
        body = events.encode(
            Event(
                id=id or new_id(),
                site=self.site,
                station=self.station,
                log=self.log,
                seq=len(self.items) + 1,
                prev=self.head,
                type=type,
                v=v,
                time=at or datetime.now(UTC),
                clock=ClockReading(0, 5),
                data=msgspec.Raw(data),
                sealed={name: ref for name, (_, ref) in sealed.items()},
            )
        )
        item = Item(body, {name: ciphertext for name, (ciphertext, _) in sealed.items()})
        self.items.append(item)
        self.head = events.body_hash(body)
        return item

    def payload(self, first: int = 1, last: int | None = None) -> bytes:
        """The message that holds events `first` … `last` (all by default), signed."""
        last = len(self.items) if last is None else last
        return self.message(self.items[first - 1 : last], first)

    def message(self, items: list[Item], first: int = 1) -> bytes:
        """A message of this log with any items, signed by its key."""
        last = first + len(items) - 1
        return message.encode(
            message.signed(
                Message(
                    site=self.site, station=self.station, log=self.log, first=first, last=last, items=items
                ),
                self.key,
            )
        )


def a_registration(
    visit: str | None = None,
    *,
    number: str = "204816",
    decider: Decider = Decider.STAFF,
    purpose: str = "family",
    building: str = "b1",
    people: int = 1,
    arranged: bool | None = True,
    identity: str = "typed",
) -> VisitRegistered:
    """A visit as a lobby registers it."""
    return VisitRegistered(
        visit=visit or new_id(),
        number=number,
        visit_type="visit",
        purpose=purpose,
        arranged=arranged,
        identity=identity,
        people=people,
        building=building,
        consent=Consent(version="2026-11", hash="0" * 64, language="zh_CN", document=False),
        request=HostRequest(id=new_id(), decider=decider, deadline=datetime.now(UTC) + timedelta(minutes=2)),
    )


def a_person(
    name: str = "张伟",
    title: str | None = None,
    phone: str = "13812341234",
    host: str = "李静",
    room: str = "1502",
    unit: str = "2",
    building: str = "b1",
) -> list[Personal]:
    """The classes that stand beside a registration."""
    return [
        PersonName(name, title),
        Phone(phone),
        HostNamed(building=building, unit=unit, room=room, name=host),
    ]
