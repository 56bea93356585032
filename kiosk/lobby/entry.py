"""A draft becomes an entry: the row, the event's fact and the personal data by class. Pure; the desk writes it down (V1).

From here on the full name, the phone and the document number exist in one place only: beside the event, on their way to
the centre. The row keeps what a slip and a recall need.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broker.contract.facts import Consent, Decider, Decision, HostRequest, VisitRegistered
from broker.contract.names import new_id
from broker.contract.personal import Document, HostNamed, Personal, PersonName, Phone
from broker.contract.sitedata import Areas, Hours, Policy, VisitType
from kiosk.lobby.flows.draft import Draft, floor_of
from kiosk.lobby.slip import surname_of
from kiosk.lobby.visits import Visit

_TITLES = {"male": "mr", "female": "ms"}


@dataclass(frozen=True, slots=True)
class Entry:
    """What is written in one transaction. The visit is decided already where the policy agrees by itself."""

    visit: Visit
    fact: VisitRegistered
    people: tuple[Personal, ...] = field(repr=False)


def enter(
    draft: Draft,
    *,
    number: str,
    policy: Policy,
    areas: Areas,
    rules: VisitType,
    hours: Hours,
    now: datetime,
) -> Entry:
    """The entry of a complete draft, under the rules and hours that hold now."""
    card = draft.card
    building = next((b for b in areas.buildings if b.id == draft.building), None)
    request = HostRequest(
        id=new_id(), decider=hours.decider, deadline=now + timedelta(seconds=rules.answer_seconds)
    )
    visit = Visit(
        id=new_id(),
        number=number,
        registered=int(now.timestamp()),
        visit_type=rules.id,
        language=draft.language,
        building=draft.building,
        floor=floor_of(building, draft.room) if building else None,
        surname=surname_of(card.name, "zh_CN") if card else surname_of(draft.name, draft.language),
        title=_TITLES.get(card.sex) if card else None,
        last_four=(card.number if card else draft.phone)[-4:].upper(),
        request=request.id,
        unreachable=hours.unreachable,
        deadline=request.deadline,
        decision=Decision.AGREED if hours.decider is Decider.POLICY else None,
    )
    fact = VisitRegistered(
        visit=visit.id,
        number=visit.number,
        visit_type=rules.id,
        purpose=draft.purpose,
        arranged=draft.arranged,
        identity="card" if card else "typed",
        people=1,
        building=draft.building,
        consent=Consent(
            version=policy.consent_version,
            hash=hashlib.sha256(draft.notice.encode()).hexdigest(),
            language=draft.language,
            document=draft.document_consent,
        ),
        request=request,
    )
    return Entry(visit, fact, tuple(_people(draft)))


def _people(draft: Draft) -> list[Personal]:
    """Only what was given; the document number only where its own consent was given too."""
    people: list[Personal] = [
        HostNamed(building=draft.building, unit=draft.unit, room=draft.room, name=draft.host_name.strip())
    ]
    if draft.card is not None:
        people.append(PersonName(draft.card.name, _TITLES.get(draft.card.sex)))
        if draft.document_consent:
            people.append(Document(draft.card.type.value, draft.card.number))
    else:
        people.append(PersonName(draft.name.strip()))
    if draft.phone:
        people.append(Phone(draft.phone))
    return people
