"""Reads resident cards with an SDT reader (device-protocols.md §1.10), only between `start` and `stop`.

Until it is asked to, it sends nothing that concerns a card: only "are you there". A look is find, select, read; it may
fail once and work the next time, so the whole is tried three times before a person is told to keep the card still. A
card that was read must leave before another is looked for, so nobody gets the card the last visitor forgot.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from firmware_bridge.capabilities import IdCard, LinkState, ReaderTrouble
from firmware_bridge.link.listeners import tell
from firmware_bridge.link.port import LinkReason, Port
from firmware_bridge.link.supervisor import DeviceFaultError, Report
from firmware_bridge.protocols import idcard, sdt
from firmware_bridge.protocols.sdt import Command, Damage, Reply, Status

log = logging.getLogger(__name__)

TRIES = 3
WATCH_SECONDS = 5.0
_AFTER_DAMAGE = 0.3
_MID_FRAME = 0.5
_WHOLE_ANSWER = 4.0
_SILENT_AT = 2

_LINK_TROUBLES: dict[str, ReaderTrouble] = {
    LinkReason.UNPLUGGED: ReaderTrouble.UNPLUGGED,
    LinkReason.NO_ANSWER: ReaderTrouble.NO_ANSWER,
}
_BROKEN = {Status.SELF_TEST_FAILED, Status.NOT_AUTHORISED}
_REFUSALS = {Status.CARD_REFUSED_SAM, Status.SAM_REFUSED_CARD, Status.NOT_VERIFIED, Status.NO_RANDOM}


@dataclass
class _Session:
    on_card: Callable[[IdCard], None]
    on_trouble: Callable[[ReaderTrouble], None]
    told: ReaderTrouble | None = None
    rounds: int = 0


class SdtReader:
    """An `IdReader`; `wake` is the link's. `last_frame_at`: time.monotonic() of the last byte of the latest answer."""

    def __init__(
        self,
        *,
        poll_seconds: float = 0.3,
        today: Callable[[], date] = date.today,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self.sam_id = ""
        self.last_frame_at = 0.0
        self.wake: Callable[[], None] = lambda: None
        self._poll_seconds, self._today = poll_seconds, today
        # Held while a callback runs, so that none comes after `stop` returned; a callback may itself call `stop`.
        self._lock = threading.RLock()
        self._session: _Session | None = None
        self._framer = sdt.Framer.for_replies()
        self._unanswered = 0
        self._unsettled = False
        self._card_may_lie_there = False

    def start(self, on_card: Callable[[IdCard], None], on_trouble: Callable[[ReaderTrouble], None]) -> None:
        with self._lock:
            self._session = _Session(on_card, on_trouble)
        self.wake()

    def stop(self) -> None:
        with self._lock:
            self._session = None

    # For the link --------------------------------------------------------------------------------------------------

    def handshake(self, port: Port) -> None:
        self._unanswered = 0
        self._unsettled = False
        for _ in range(TRIES):
            reply = self._ask(port, Command.SAM_STATUS, patient=True)
            if reply and reply.status in _BROKEN:
                raise DeviceFaultError(ReaderTrouble.READER_FAULT)
            if reply and reply.status == Status.OK:
                break
        else:
            raise DeviceFaultError(LinkReason.NO_ANSWER)
        for _ in range(TRIES):  # the first answer is sometimes wrong (§1.6)
            reply = self._ask(port, Command.SAM_ID, patient=True)
            if reply and reply.status == Status.OK:
                self.sam_id = sdt.sam_id(reply.data)
                log.info("reader %s answers", self.sam_id)
                return

    def serve(self, port: Port, report: Report) -> None:
        watched = time.monotonic()
        while True:
            session = self._session
            if session is not None:
                self._look(port, session)
                watched = time.monotonic()
                port.pause(self._poll_seconds)
            elif time.monotonic() - watched >= WATCH_SECONDS:
                self._watch(port, report)
                watched = time.monotonic()
            else:
                port.pause(WATCH_SECONDS)

    def down(self, reason: str) -> None:
        session = self._session
        if session:
            self._tell(session, _LINK_TROUBLES.get(reason, ReaderTrouble.READER_FAULT))

    # Looking for a card --------------------------------------------------------------------------------------------

    def _look(self, port: Port, session: _Session) -> None:
        """One look at the glass; the session hears what came of it."""
        if self._card_may_lie_there:
            reply = self._ask(port, Command.READ_ADDED_ADDRESS)
            if reply and reply.status in (Status.OK, Status.NO_CONTENT):
                return
            self._card_may_lie_there = False
        trouble = ReaderTrouble.NO_ANSWER
        seen = False
        for _ in range(TRIES):
            if self._session is not session:
                return
            found = self._ask(port, Command.FIND)
            if found and found.status == Status.NO_CARD:
                self._gone(session, seen)
                return
            if not found or found.status != Status.FOUND:
                trouble = self._judge(found) if found else trouble
                continue
            seen = True
            content, trouble = self._read(port)
            if content:
                self._deliver(session, content)
                return
            if trouble is ReaderTrouble.OTHER_CARD:
                break
        session.rounds += 1
        # Told to keep still once, and still no luck: it isn't the person's hand.
        again = trouble is ReaderTrouble.KEEP_STILL and session.rounds > 1
        self._tell(session, ReaderTrouble.NOT_READABLE if again else trouble)

    def _gone(self, session: _Session, seen: bool) -> None:
        """No card there. One seen a moment ago was taken away too early."""
        if seen:
            self._tell(session, ReaderTrouble.KEEP_STILL)
        else:
            session.told, session.rounds = None, 0

    def _read(self, port: Port) -> tuple[sdt.CardContent | None, ReaderTrouble]:
        """Select and read the card that was found: its content, or what was the matter."""
        selected = self._ask(port, Command.SELECT)
        if not selected or selected.status != Status.OK:
            return None, self._judge(selected)
        reply = self._ask(port, Command.READ)
        if reply and reply.status == Status.OK and (content := sdt.CardContent.of(reply.data)):
            return content, ReaderTrouble.NOT_READABLE
        if reply is None:
            # The reader may count the card as read although its answer was lost: start over, or it is never found again.
            self._ask(port, Command.RESET)
        return None, self._judge(reply)

    def _judge(self, reply: Reply | None) -> ReaderTrouble:
        """What a failure means to a person. Raises DeviceFaultError where the reader itself is broken."""
        if reply is None:
            return ReaderTrouble.KEEP_STILL
        if reply.status in _BROKEN:
            raise DeviceFaultError(ReaderTrouble.READER_FAULT)
        if reply.status == Status.WRONG_CARD:
            return ReaderTrouble.OTHER_CARD
        return ReaderTrouble.NOT_READABLE if reply.status in _REFUSALS else ReaderTrouble.KEEP_STILL

    def _deliver(self, session: _Session, content: sdt.CardContent) -> None:
        """The card to who asked for it, who then isn't looked for any more; or why its text is no resident's."""
        try:
            card = idcard.decode(content.text, self._today(), content.photo)
        except idcard.OtherCardError:
            self._tell(session, ReaderTrouble.OTHER_CARD)
            return
        except ValueError:
            self._tell(session, ReaderTrouble.NOT_READABLE)
            return
        with self._lock:
            self._card_may_lie_there = True
            self.counters["cards"] += 1
            if self._session is session:
                self._session = None
                tell(session.on_card, card, "reader")

    def _tell(self, session: _Session, trouble: ReaderTrouble) -> None:
        """Once, until something else happens."""
        with self._lock:
            if self._session is session and session.told is not trouble:
                session.told = trouble
                tell(session.on_trouble, trouble, "reader")

    # Asking --------------------------------------------------------------------------------------------------------

    def _watch(self, port: Port, report: Report) -> None:
        """Is it still there? Concerns no card; unanswered twice, the reader is lost."""
        reply = self._ask(port, Command.SAM_STATUS) or self._ask(port, Command.SAM_STATUS)
        if reply and reply.status in _BROKEN:
            raise DeviceFaultError(ReaderTrouble.READER_FAULT)
        report(LinkState.READY, "")

    def _ask(self, port: Port, command: Command, *, patient: bool = False) -> Reply | None:
        """The answer, or None where none came in time or only a damaged one.

        Raises DeviceFaultError after two requests in a row that nothing at all answered, unless `patient`.
        """
        if self._unsettled:
            self.counters["late_bytes"] += port.settle()
            self._unsettled = False
        self.counters["late_bytes"] += port.discard()
        self._framer.reset()
        port.write(sdt.Request(command).encode())
        before = self._framer.dropped
        reply, heard = self._await(port, command)
        if reply is None:
            self._framer.reset()
            self._unsettled = True
            self.counters["timeouts"] += 1
            self._unanswered = 0 if heard else self._unanswered + 1
            if self._unanswered >= _SILENT_AT and not patient:
                raise DeviceFaultError(LinkReason.NO_ANSWER)
        else:
            self._unanswered = 0
            self.counters["frames"] += 1
        self.counters["dropped_bytes"] += self._framer.dropped - before
        return reply

    def _await(self, port: Port, command: Command) -> tuple[Reply | None, bool]:
        """The answer, and whether anything was heard that looked like a frame."""
        now = time.monotonic()
        end, latest = now + sdt.seconds_for(command), now + _WHOLE_ANSWER
        heard = False
        while (left := min(end, latest) - time.monotonic()) > 0:
            chunk = port.read(left)
            if chunk is None:
                continue
            for body in self._framer.feed(chunk.data):
                heard = True
                if isinstance(body, Damage):
                    self.counters[f"bad_{body}"] += 1
                    end = min(end, chunk.at + _AFTER_DAMAGE)
                elif sdt.answers(command, reply := Reply.of(body)):
                    self.last_frame_at = chunk.at
                    return reply, True
                else:
                    self.counters["late_frames"] += 1
            if self._framer.waiting > len(sdt.PREAMBLE):
                heard = True
                end = chunk.at + _MID_FRAME
        return None, heard
