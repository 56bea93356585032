"""From what the store reads to what a template prints: texts in one language, times of the site, people masked.

Whatever reaches a template has gone through here; full names and numbers do only in `full_person`, for the one
fragment that is on record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from broker import clock
from broker.console.words import Speaker
from broker.contract.facts import CorrectionReason, Decider, Decision, SlipOutcome
from broker.contract.personal import CLASSES, Document, HostNamed, Personal, PersonName, Phone
from broker.contract.sitedata import Areas, Policy, Words, say
from broker.store.aside import Record
from broker.store.board import Board, Device, Entry, Row, Station
from broker.store.corrections import Correction
from broker.store.people import Masked
from broker.visits.board import ON_BOARD, Standing
from broker.visits.visit import Visit

SHOWN_OPEN = 60
SHOWN_ENDED = 12
"""Visits listed in a group, open and ended ones; the count says how many there are, and the next move up."""

NEWEST_FIRST = frozenset({Standing.INSIDE, Standing.LEFT, Standing.NOT_RECEIVED})

CLOCK_WARNING_MS = 30_000
"""Past this difference staff are told (field-notes.md)."""


@dataclass(frozen=True, slots=True)
class Card:
    """A visit on the board."""

    id: str
    standing: str
    who: str
    to: str
    number: str
    people: int
    purpose: str
    arranged: bool | None
    phone: str
    since: str
    since_text: str
    place: str
    overstaying: bool
    outcome: str
    unconfirmed: bool
    slip_problem: bool
    may_wait: bool
    station: str


@dataclass(frozen=True, slots=True)
class Group:
    """One of the board's lists. `cards` may be fewer than `count` where ended visits are many."""

    standing: str
    count: int
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One device of a station, with what to do about it."""

    name: str
    availability: str
    note: str


@dataclass(frozen=True, slots=True)
class StationLine:
    """One station in the board's edge."""

    name: str
    kind: str
    online: bool
    notes: tuple[str, ...]
    troubled: bool
    devices: tuple[DeviceLine, ...]


@dataclass(frozen=True, slots=True)
class CorrectionLine:
    """One correction: the old value, struck out, beside the new one (V10)."""

    label: str
    before: str
    after: str
    note: str


@dataclass(frozen=True, slots=True)
class Correctable:
    """A field that may be corrected: what is chosen from (id, name, chosen), or "" to type."""

    field: str
    label: str
    choices: tuple[tuple[str, str, bool], ...] = ()
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One thing set aside, as staff read of it."""

    kind: str
    title: str
    station: str
    at: str
    reason: str
    size: str
    times: int


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a visit's timeline."""

    at: str
    text: str
    note: str
    tone: str


class Presenter:
    """Presents one site in one language. Make one per request or stream; it holds no data."""

    def __init__(self, areas: Areas, policy: Policy, words: Speaker) -> None:
        self.t = words
        self._areas = areas
        self._zone = ZoneInfo(areas.time_zone)
        self._buildings = {one.id: one.names for one in areas.buildings}
        self._places = {one.id: one.names for one in areas.places}
        self._purposes = {
            (kind.id, purpose.id): purpose.names for kind in policy.visit_types for purpose in kind.purposes
        }

    @property
    def site_name(self) -> str:
        return self._say(self._areas.names)

    @property
    def places(self) -> list[tuple[str, str]]:
        """(id, name) of the waiting places (V7)."""
        return [(id, self._say(names)) for id, names in self._places.items()]

    def local(self, now: datetime) -> datetime:
        return now.astimezone(self._zone)

    def day_began(self, now: datetime) -> datetime:
        """Local midnight of the day that `now` is in."""
        return self.local(now).replace(hour=0, minute=0, second=0, microsecond=0)

    def duty(self, now: datetime) -> str:
        """V13: from 20:00 to 08:00 the duty manager, else the day desk."""
        return self.t("day_desk") if 8 <= self.local(now).hour < 20 else self.t("duty_manager")

    def when(self, stamp: str, now: datetime) -> str:
        """A stamp as local time, "" for none."""
        return self.t.when(self.local(clock.moment(stamp)), self.local(now)) if stamp else ""

    def groups(self, board: Board, now: datetime) -> list[Group]:
        """The board's lists in their order: open ones oldest first, ended ones newest first and shortened."""
        found: dict[Standing, list[Row]] = {standing: [] for standing in ON_BOARD}
        for row in board.rows:
            found[row.placed.standing].append(row)
        groups: list[Group] = []
        for standing, rows in found.items():
            shown = rows[::-1] if standing in NEWEST_FIRST else rows
            shown = shown[: SHOWN_ENDED if standing in (Standing.LEFT, Standing.NOT_RECEIVED) else SHOWN_OPEN]
            groups.append(Group(standing, len(rows), tuple(self.card(row, now) for row in shown)))
        return groups

    def card(self, row: Row, now: datetime) -> Card:
        """One visit as the board shows it: masked."""
        visit, placed = row.placed.visit, row.placed
        return Card(
            id=visit.id,
            standing=placed.standing,
            who=self.who(row.person),
            to=self.to(row.person, visit),
            number=visit.number,
            people=visit.people,
            purpose=self.purpose(visit),
            arranged=visit.arranged,
            phone=row.person.phone,
            since=placed.since,
            since_text=self.when(placed.since, now),
            place=self._say(self._places.get(visit.place, {})),
            overstaying=placed.overstaying,
            outcome=self.t.known(f"decision_{visit.effective}", ""),
            unconfirmed=bool(visit.answer)
            and visit.answer != visit.decision
            and visit.effective == visit.answer,
            slip_problem=visit.slip in (SlipOutcome.FAILED, SlipOutcome.UNKNOWN),
            may_wait=visit.effective != Decision.WAIT and bool(self._places),
            station=visit.station,
        )

    def who(self, person: Masked) -> str:
        """`张* 先生`; 访客 where nothing is known."""
        if not person.name:
            return self.t("visitor")
        return self.t(person.title, name=person.name) if person.title in ("mr", "ms") else person.name

    def to(self, person: Masked, visit: Visit) -> str:
        """Where to and to whom: `1 号楼 · 听松 2 单元 1502 室 · 李*`."""
        building = self._say(self._buildings.get(visit.building, {})) or visit.building
        parts = [building]
        if person.host_unit:
            parts.append(self.t("unit", unit=person.host_unit))
        if person.host_room:
            parts.append(self.t("room", room=person.host_room))
        where = " ".join(parts)
        return f"{where} · {person.host_name}" if person.host_name else where

    def purpose(self, visit: Visit) -> str:
        return self._say(self._purposes.get((visit.visit_type, visit.purpose), {})) or visit.purpose

    def can_answer(self, visit: Visit) -> bool:
        """True while an answer may still come (see visits.deciding)."""
        return visit.decider == Decider.STAFF and visit.effective in ("", Decision.WAIT)

    def stations(self, board: Board, now: datetime) -> list[StationLine]:
        return [self._station(one, now) for one in board.stations]

    def _station(self, one: Station, now: datetime) -> StationLine:
        notes: list[str] = []
        if not one.online:
            notes.append(self.t("offline_since", time=self.when(one.since, now)))
        else:
            notes += [self.t.known(alarm, alarm) for alarm in one.alarms]
            if (
                one.offset_ms is not None
                and abs(one.offset_ms) > CLOCK_WARNING_MS
                and "clock_wrong" not in one.alarms
            ):
                notes.append(self.t("clock_off", n=round(abs(one.offset_ms) / 1000)))
        troubled = bool(notes)
        if one.backlog and one.online:
            notes.append(self.t("backlog", n=one.backlog))
        # After a station's end its devices keep their last word; only an online station's count.
        devices = tuple(self._device(device) for device in one.devices) if one.online else ()
        troubled = troubled or any(device.note for device in devices)
        return StationLine(
            one.station, self.t.known(one.kind, one.kind), one.online, tuple(notes), troubled, devices
        )

    def _device(self, device: Device) -> DeviceLine:
        note = ""
        if device.availability != "online":
            note = self.t.known(device.reason, device.reason) or self.t.known(
                device.availability, device.availability
            )
        return DeviceLine(self.t.known(device.kind, device.device), device.availability, note)

    def pass_state(self, row: Row, now: datetime) -> list[str]:
        """What became of the pass, line by line; never its text or typed code."""
        use = row.placed.use
        if use is None or not use.expires:
            return [self.t("pass_none")]
        end = self.t.when(self.local(datetime.fromtimestamp(use.expires, self._zone)), self.local(now))
        lines = [self.t("pass_expired" if now.timestamp() > use.expires else "pass_until", time=end)]
        if use.entered_at:
            lines.append(self.t("pass_in", time=self.when(use.entered_at, now)))
        if use.left_at:
            lines.append(self.t("pass_out", time=self.when(use.left_at, now)))
        if use.refused_at:
            reason = self.t.known(f"reason_{use.refused_reason}", use.refused_reason)
            lines.append(self.t("pass_refused", time=self.when(use.refused_at, now), reason=reason))
        return lines

    def slip_state(self, visit: Visit) -> str:
        if not visit.slip:
            return self.t("slip_none")
        text = self.t(f"slip_{visit.slip}")
        return f"{text} · {self.t.known(visit.slip_reason, visit.slip_reason)}" if visit.slip_reason else text

    def full_person(self, known: dict[str, Personal]) -> list[tuple[str, str]]:
        """(label, value) in full; only for the fragment whose showing was put on record."""
        lines: list[tuple[str, str]] = []
        for value in (known[name] for name in CLASSES if name in known):
            match value:
                case PersonName():
                    name = value.text
                    lines.append(
                        (
                            self.t("name"),
                            self.t(value.title, name=name) if value.title in ("mr", "ms") else name,
                        )
                    )
                case Phone():
                    lines.append((self.t("phone"), value.number))
                case Document():
                    lines.append((self.t("document"), value.number))
                case HostNamed():
                    if value.name:
                        lines.append((self.t("host"), value.name))
        return lines

    def corrections(self, found: list[Correction], now: datetime) -> list[CorrectionLine]:
        """What was corrected, by whom, when and why; personal values masked."""
        return [
            CorrectionLine(
                self.t.known(f"field_{one.field}", one.field),
                self._corrected(one.field, one.before),
                self._corrected(one.field, one.after),
                " · ".join(
                    (one.account, self.when(one.at, now), self.t.known(f"because_{one.reason}", one.reason))
                ),
            )
            for one in found
        ]

    def _corrected(self, field: str, value: str | Masked | None) -> str:
        match value:
            case None:
                return self.t("value_gone")
            case Masked():
                unit = self.t("unit", unit=value.host_unit) if value.host_unit else ""
                room = self.t("room", room=value.host_room) if value.host_room else ""
                parts = (value.name, value.phone, unit, room, value.host_name)
                return " ".join(part for part in parts if part)
            case _ if field == "building":
                return self._say(self._buildings.get(value, {})) or value
            case _ if field == "purpose":
                names = (names for (_, id), names in self._purposes.items() if id == value)
                return self._say(next(names, {})) or value
            case _:
                return value

    def correctable(self, visit: Visit) -> list[Correctable]:
        """The fields of a registration that staff may correct, with what they may choose."""
        purposes = tuple(
            (id, self._say(names), id == visit.purpose)
            for (kind, id), names in self._purposes.items()
            if kind == visit.visit_type
        )
        buildings = tuple(
            (id, self._say(names), id == visit.building) for id, names in self._buildings.items()
        )
        return [
            Correctable("name", self.t("field_name")),
            Correctable("phone", self.t("field_phone"), kind="tel"),
            Correctable("host", self.t("field_host"), kind="host"),
            Correctable("building", self.t("field_building"), buildings),
            Correctable("purpose", self.t("field_purpose"), purposes),
            Correctable("people", self.t("field_people"), kind="number"),
        ]

    @property
    def correction_reasons(self) -> list[tuple[str, str]]:
        return [(one.value, self.t(f"because_{one.value}")) for one in CorrectionReason]

    def records(self, found: list[Record], now: datetime) -> list[RecordLine]:
        """What was set aside; of what is inside, nothing."""
        return [
            RecordLine(
                one.kind,
                self.t(f"record_{one.kind}"),
                one.station,
                self.when(one.at, now),
                one.reason,
                f"{one.size / 1024:.1f} KB" if one.size >= 1024 else f"{one.size} B",
                one.times,
            )
            for one in found
        ]

    def steps(self, entries: list[Entry], now: datetime) -> list[Step]:
        """A visit's events, told."""
        return [self._step(entry, now) for entry in entries]

    def _step(self, entry: Entry, now: datetime) -> Step:
        data = entry.data
        key, note, tone = f"event_{entry.type}", "", "plain"
        values: dict[str, object] = {
            "account": data.get("account", ""),
            "gate": data.get("gate", ""),
            "decision": self.t.known(f"decision_{data.get('decision')}", ""),
            "by": self.t.known(f"by_{data.get('by')}", ""),
            "outcome": self.t.known(f"slip_{data.get('outcome')}", ""),
            "field": self.t.known(f"field_{data.get('field')}", str(data.get("field", ""))),
            "reason": self.t.known(f"reason_{data.get('reason')}", str(data.get("reason", ""))),
        }
        match entry.type:
            case "visit.decided" if not data.get("applied", True):
                key = "event_visit.decided_late"
            case "visit.decided" | "host.answered":
                note = self._say(self._places.get(data.get("place", ""), {}))
                tone = {"agreed": "good", "declined": "bad"}.get(data.get("decision", ""), "plain")
            case "pass.admitted" | "pass.left":
                tone = "good"
                note = self.t("offline_note") if data.get("offline") else ""
            case "pass.refused":
                tone = "bad"
            case "slip.printed":
                tone = "plain" if data.get("outcome") == SlipOutcome.PRINTED else "bad"
                note = self.t.known(data.get("reason", ""), data.get("reason", ""))
            case "staff.called":
                tone = "call"
            case "visit.corrected":
                note = self.t.known(f"because_{data.get('reason')}", "")
            case _:
                pass
        return Step(self.when(entry.at, now), self.t.known(key, entry.type, **values), note, tone)

    def _say(self, words: Words) -> str:
        return say(words, self.t.language)
