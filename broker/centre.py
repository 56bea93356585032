"""What the centre does: takes what arrives, answers asks, carries out what staff decide at the console.

Everything that writes runs on the writer's thread. What is published follows the commit it speaks of: an
acknowledgement, a decision, a key set. Publishing may fail (the line is down); then nothing is lost, because stations
resend, ask again after a reconnect, and everything retained is published anew at every connection.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from broker import clock
from broker.contract import acknowledgement, asking, state
from broker.contract.asking import (
    AskError,
    AskReceived,
    CallTaken,
    HostAsk,
    HostDecision,
    TimeAnswer,
    TimeAsk,
)
from broker.contract.facts import Decision, HostAnswered, StaffComing
from broker.contract.names import CENTRE, new_id
from broker.contract.personal import Personal
from broker.contract.state import StateError
from broker.contract.topics import Topics
from broker.ingest.batch import Ingest, Taken
from broker.ledger.redrive import Redriven, redrive
from broker.mqtt.client import Arrival
from broker.settings import Centre as Settings
from broker.store import own_log, people, site, stations, views
from broker.store.database import is_storage_fault, transaction
from broker.store.log import EventLog
from broker.store.views import Changes
from broker.store.writer import Writer
from broker.visits.calls import may_take
from broker.visits.correcting import Choices, correct
from broker.visits.deciding import Refusal, may_answer
from broker.visits.visit import Visit

log = logging.getLogger(__name__)


class Centre:
    """The centre of one site. `publish` and `done` are the MQTT connection's; `on_change` hears of every commit."""

    def __init__(
        self,
        settings: Settings,
        connection: sqlite3.Connection,
        *,
        publish: Callable[..., bool],
        done: Callable[[Arrival], None],
        on_change: Callable[[Changes], None],
    ) -> None:
        self._settings = settings
        self._topics = Topics(settings.site)
        self._publish, self._done, self._on_change = publish, done, on_change
        self._log = EventLog(connection)
        self._ingest = Ingest(settings.site, self._log, connection)
        self._db = connection
        self.storage_fails = False
        """Whether the latest write failed for want of room or for a fault of the disk. Kept here: it can't be written."""
        self._places = frozenset(place.id for place in settings.areas.places)
        self._writer: Writer[Arrival] = Writer(connection, self._batch)

    def start(self) -> None:
        """Issue what changed in the site's documents, and take messages from now on."""
        with self._commit(self._db):
            for body in (self._settings.areas, self._settings.policy):
                site.issue_if_changed(self._db, body, clock.now())
            self._issue_keys(self._db)
            stations.all_unheard(self._db)
        self._writer.start()

    def stop(self) -> None:
        self._writer.stop()

    def arrived(self, arrival: Arrival) -> None:
        """Take a message; returns at once."""
        self._writer.arrived(arrival)

    def connected(self) -> None:
        """After every connection: publish what is retained, acknowledge to every known station."""

        def work(db: sqlite3.Connection) -> None:
            for kind, payload in site.documents(db):
                self._publish(self._topics.site_document(kind), payload, retain=True)
            for key, head in self._log.latest():
                if key.site == self._settings.site and key.station != CENTRE:
                    self._acknowledge(key.station, self._ingest.acknowledge(key, head))

        self._writer.submit(work)

    def broker_is_fresh(self) -> None:
        """A new Mosquitto knows no station: all are offline until they speak."""

        def work(db: sqlite3.Connection) -> None:
            with self._commit(db):
                stations.all_unheard(db)
            self._on_change(Changes(stations=True))

        self._writer.submit(work)

    # What staff do. Each returns a future: None when done, or why not.

    def answer(self, visit: str, decision: Decision, place: str, account: str) -> Future[Refusal | None]:
        """Staff answer for a visit: once, in the log first, then to the terminal."""

        def work(db: sqlite3.Connection) -> Refusal | None:
            with self._commit(db):
                found = views.read_visit(db, visit)
                refusal = may_answer(found, decision, place, self._places)
                if refusal or found is None:
                    return refusal
                fact = HostAnswered(
                    visit=visit,
                    request=found.request,
                    decision=decision,
                    place=place if decision is Decision.WAIT else "",
                    account=account,
                )
                changes = own_log.write(db, self._log, self._settings.site, fact)
                found = views.read_visit(db, visit)
            assert found is not None
            self._tell(found)
            self._on_change(changes)
            return None

        return self._writer.submit(work)

    def take_call(self, call: str, account: str) -> Future[Refusal | None]:
        """Somebody goes to a visitor who called."""

        def work(db: sqlite3.Connection) -> Refusal | None:
            with self._commit(db):
                found = views.read_call(db, call)
                refusal = may_take(found)
                if refusal or found is None:
                    return refusal
                changes = own_log.write(
                    db, self._log, self._settings.site, StaffComing(call=call, account=account)
                )
            self._publish(self._topics.answer(found.station), asking.encode(CallTaken(id=call)))
            self._on_change(changes)
            return None

        return self._writer.submit(work)

    def recall(self, visit: str, account: str) -> Future[Refusal | None]:
        """Bring a visit back to its terminal's screen; the terminal records it in its own log."""

        def work(db: sqlite3.Connection) -> Refusal | None:
            with self._commit(db):
                found = views.read_visit(db, visit)
                if found is None or not found.registered_at:
                    return Refusal.UNKNOWN_VISIT
                if not stations.is_online(db, found.station):
                    return Refusal.TERMINAL_OFFLINE
                stations.audit(db, account, "visit.recalled", visit)
            message = asking.VisitRecall(id=new_id(), visit=visit)
            self._publish(self._topics.answer(found.station), asking.encode(message))
            self._on_change(Changes(visits={visit}))
            return None

        return self._writer.submit(work)

    def correct(
        self, visit: str, field: str, given: dict[str, str], reason: str, account: str
    ) -> Future[Refusal | None]:
        """V10: a new entry beside a wrong one, in the centre's own log."""

        def work(db: sqlite3.Connection) -> Refusal | None:
            with self._commit(db):
                found = views.read_visit(db, visit)
                made = correct(
                    found,
                    people.of_visit(db, visit),
                    field,
                    given,
                    reason=reason,
                    account=account,
                    choices=self._choices(found.visit_type if found else ""),
                )
                if isinstance(made, Refusal):
                    return made
                changes = own_log.write(db, self._log, self._settings.site, *made)
            self._on_change(changes)
            return None

        return self._writer.submit(work)

    def _choices(self, visit_type: str) -> Choices:
        kinds = (kind for kind in self._settings.policy.visit_types if kind.id == visit_type)
        return Choices(
            purposes=frozenset(purpose.id for kind in kinds for purpose in kind.purposes),
            buildings=frozenset(building.id for building in self._settings.areas.buildings),
        )

    def show_person(self, visit: str, account: str) -> Future[dict[str, Personal]]:
        """A visitor's data in full, by class; that it was opened is on record before it is shown."""

        def work(db: sqlite3.Connection) -> dict[str, Personal]:
            with self._commit(db):
                stations.audit(db, account, "person.shown", visit)
                return people.of_visit(db, visit)

        return self._writer.submit(work)

    def dismiss(self, kind: str, subject: str, account: str) -> Future[None]:
        """Staff have seen an alarm; it shows again when it comes again."""

        def work(db: sqlite3.Connection) -> None:
            with self._commit(db):
                db.execute(
                    "update alarms set seen_by = ? where kind = ? and subject = ?", (account, kind, subject)
                )
                stations.audit(db, account, "alarm.seen", f"{kind} {subject}")
            self._on_change(Changes(alarms=True))

        return self._writer.submit(work)

    def redrive(self, account: str) -> Future[Redriven]:
        """Try again what was set aside: events that are understood now, messages that fit now."""

        def work(db: sqlite3.Connection) -> Redriven:
            with self._commit(db):
                stations.audit(db, account, "records.redriven", "")
            done = redrive(db, self._ingest)
            for station, word in done.acknowledgements.items():
                self._acknowledge(station, word)
            if done.changes.keys:
                with self._commit(db):
                    fresh = self._issue_keys(db)
                if fresh is not None:
                    self._publish(self._topics.site_document("keys"), fresh, retain=True)
            self._on_change(done.changes)
            return done

        return self._writer.submit(work)

    def submit(self, work: Callable[[sqlite3.Connection], None]) -> Future[None]:
        """Write something that is no event (accounts, sessions), in a transaction."""

        def within(db: sqlite3.Connection) -> None:
            with self._commit(db):
                work(db)

        return self._writer.submit(within)

    # On the writer's thread.

    @contextmanager
    def _commit(self, db: sqlite3.Connection) -> Iterator[None]:
        before = db.total_changes
        try:
            with transaction(db):
                yield
        except BaseException as error:
            self._log.forget()
            if is_storage_fault(error):
                self._storage(fails=True, why=str(error))
            raise
        if db.total_changes != before:
            self._storage(fails=False)

    def _storage(self, *, fails: bool, why: str = "") -> None:
        """The disk took nothing, or takes again: shown at once, said in the log once."""
        if fails == self.storage_fails:
            return
        self.storage_fails = fails
        if fails:
            log.error("the database can't be written (%s); nothing is acknowledged until it can", why)
        else:
            log.warning("the database can be written again; stations send what was not acknowledged")
        self._on_change(Changes(alarms=True))

    def _batch(self, arrivals: list[Arrival]) -> None:
        asks = self._asks(arrivals)
        try:
            with self._commit(self._db):
                taken, fresh_keys = self._take(arrivals)
        except Exception as error:
            if is_storage_fault(error):
                # No fault of the messages: their stations send them again until they are acknowledged.
                for arrival in arrivals:
                    self._done(arrival)
                return
            log.exception("a batch of %d failed; taking its messages one by one", len(arrivals))
            if len(arrivals) > 1:
                for one in arrivals:
                    self._batch([one])
            else:
                self._set_aside(arrivals[0])
            return
        for arrival in arrivals:
            self._done(arrival)
        for station, word in taken.acknowledgements.items():
            self._acknowledge(station, word)
        if fresh_keys is not None:
            self._publish(self._topics.site_document("keys"), fresh_keys, retain=True)
        for station, ask in asks:
            self._reply(station, ask)
        if taken.changes:
            self._on_change(taken.changes)

    def _take(self, arrivals: list[Arrival]) -> tuple[Taken, bytes | None]:
        messages: list[tuple[str, str, bytes]] = []
        heard = False
        for arrival in arrivals:
            match self._topics.parse(arrival.topic):
                case "event", (station,):
                    messages.append((arrival.topic, station, arrival.payload))
                case ("state", (_,)) | ("device", (_, _)) as where:
                    heard = self._heard(where[0], where[1], arrival) or heard
                case _:
                    pass
        taken = self._ingest.take(messages)
        taken.changes.stations |= heard
        return taken, self._issue_keys(self._db) if taken.changes.keys else None

    def _heard(self, head: str, names: tuple[str, ...], arrival: Arrival) -> bool:
        if not arrival.payload:
            return False
        try:
            if head == "state":
                station = state.decode_station(arrival.payload)
                if station.station != names[0]:
                    raise StateError(f"station {station.station} speaks on the topic of {names[0]}")
                stations.station_said(self._db, station)
            else:
                device = state.decode_device(arrival.payload)
                if device.device != names[1]:
                    raise StateError(f"device {device.device} stands on the topic of {names[1]}")
                stations.device_said(self._db, names[0], device)
        except StateError as error:
            log.warning("on %s: %s", arrival.topic, error)
            self._log.keep_dead_letter(arrival.topic, arrival.payload, str(error))
            views.raise_alarm(self._db, "dead_letter", names[0])
        return True

    def _asks(self, arrivals: list[Arrival]) -> list[tuple[str, HostAsk]]:
        """The asks among what arrived; one for the time is answered on the spot, before anything is written."""
        found: list[tuple[str, HostAsk]] = []
        for arrival in arrivals:
            match self._topics.parse(arrival.topic):
                case "ask", (station,):
                    try:
                        ask = asking.decode_ask(arrival.payload)
                    except AskError as error:
                        log.warning("on %s: %s", arrival.topic, error)
                        continue
                    if isinstance(ask, TimeAsk):
                        word = TimeAnswer(id=ask.id, centre_time=clock.now())
                        self._publish(self._topics.answer(station), asking.encode(word))
                    else:
                        found.append((station, ask))
                case _:
                    pass
        return found

    def _reply(self, station: str, ask: HostAsk) -> None:
        """An ask is a hint: "we hold it", or the decision again where staff have answered already."""
        visit = views.read_visit(self._db, ask.visit)
        if visit is not None and visit.request == ask.id and visit.answer:
            self._tell(visit)
        else:
            self._publish(self._topics.answer(station), asking.encode(AskReceived(id=ask.id)))

    def _tell(self, visit: Visit) -> None:
        decision = HostDecision(
            id=visit.request,
            visit=visit.id,
            decision=Decision(visit.answer),
            decided_at=clock.moment(visit.answered_at),
            place=visit.answer_place,
        )
        self._publish(self._topics.answer(visit.station), asking.encode(decision))

    def _acknowledge(self, station: str, word: acknowledgement.Acknowledgement) -> None:
        self._publish(self._topics.ack(station), acknowledgement.encode(word), retain=True)

    def _issue_keys(self, db: sqlite3.Connection) -> bytes | None:
        body = site.keys(db, self._settings.areas, self._settings.policy, clock.now())
        return site.issue_if_changed(db, body, clock.now())

    def _set_aside(self, arrival: Arrival) -> None:
        """A message that breaks us is kept whole and not acknowledged; the next ones go on."""
        try:
            with self._commit(self._db):
                self._log.keep_dead_letter(
                    arrival.topic, arrival.payload, "could not be handled; see the log"
                )
                views.raise_alarm(self._db, "dead_letter", arrival.topic.rsplit("/", 1)[-1])
        except sqlite3.Error:
            log.exception("the database can't be written; the station will send again")
        self._done(arrival)
        self._on_change(Changes(alarms=True))
