"""Prints tickets on an ESC/POS printer, each at most once (device-protocols.md §2, §6.2).

Before anything is sent, the printer's status must be clean, and recent: it is asked every second while idle, so a press
of "finish" waits for a glance only. Afterwards it is watched for as long as the paper takes. Once a byte was sent, a job
that isn't known to be printed is UNKNOWN, never tried again. A printer that never answers is printed on all the same.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Literal

from firmware_bridge.capabilities import LinkState, PrinterStatus, PrintOutcome, PrintState, Ticket
from firmware_bridge.link.listeners import tell
from firmware_bridge.link.port import LinkLostError, LinkReason, Port, StalledError
from firmware_bridge.link.supervisor import Report
from firmware_bridge.protocols import escpos

log = logging.getLogger(__name__)

QUEUE = 4
_POLL_SECONDS = 1.0
_POLL_MUTE_SECONDS = 5.0
_FRESH_SECONDS = 2.0
_ANSWER_SECONDS = 0.3
_GLANCE_SECONDS = 0.03
"""Before printing on a recent status: one question more, that may cost this long, for paper that ran out just now."""
_WATCH_SECONDS = 0.1
_DOTS_PER_MM = 8
_KERNEL_BUFFER = 4096


class _Job:
    """A ticket on its way to exactly one outcome."""

    def __init__(self, ticket: Ticket, on_outcome: Callable[[PrintOutcome], None], within: float) -> None:
        self.ticket = ticket
        self._on_outcome = on_outcome
        self._lock = threading.Lock()
        self._sent = False
        self._done = False
        self._timer = threading.Timer(within, self._too_late)
        self._timer.daemon = True
        self._timer.start()

    def begin(self) -> bool:
        """From here on bytes may be sent; False where the job has ended already."""
        with self._lock:
            self._sent = True
            return not self._done

    def end(self, reason: str = "") -> None:
        """Printed when no reason is given; else failed, or unknown where bytes were sent. Only the first call counts."""
        with self._lock:
            if self._done:
                return
            self._done = True
            failed = PrintState.UNKNOWN if self._sent else PrintState.FAILED
        self._timer.cancel()
        outcome = PrintOutcome(failed if reason else PrintState.PRINTED, reason)
        log.info("ticket %s: %s%s", self.ticket.id, outcome.state.value, f" ({reason})" if reason else "")
        tell(self._on_outcome, outcome, f"ticket {self.ticket.id}")

    def _too_late(self) -> None:
        self.end("too_late")


class EscposPrinter:
    """A `TicketPrinter`; `wake` is the link's. `handed_at`: time.monotonic() when the latest ticket's last byte was handed over."""

    def __init__(
        self,
        *,
        paper: int = 80,
        qr: Literal["native", "raster"] = "native",
        print_speed: int = 100,
        baudrate: int = 115200,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self.handed_at = 0.0
        self.wake: Callable[[], None] = lambda: None
        self._paper: int = paper
        self._qr: Literal["native", "raster"] = qr
        self._dots_a_second = print_speed * _DOTS_PER_MM
        self._baudrate = baudrate
        self._lock = threading.Lock()
        self._jobs: deque[_Job] = deque()
        self._status = PrinterStatus()
        self._status_at = -_FRESH_SECONDS
        self._kinds = list(escpos.STATUS_KINDS)
        self._ever_answered = False
        self._probed = False
        self._unsettled = False

    @property
    def status(self) -> PrinterStatus:
        return self._status

    def print_ticket(
        self, ticket: Ticket, on_outcome: Callable[[PrintOutcome], None], *, within: float = 15.0
    ) -> None:
        job = _Job(ticket, on_outcome, within)
        with self._lock:
            full = len(self._jobs) >= QUEUE
            if not full:
                self._jobs.append(job)
        if full:
            threading.Thread(target=job.end, args=("busy",), daemon=True).start()
        else:
            self.wake()

    # For the link --------------------------------------------------------------------------------------------------

    def handshake(self, port: Port) -> None:
        """Whether it answers is found out, not demanded: some printers never do."""
        self._ever_answered = self._probed = False
        self._kinds = list(escpos.STATUS_KINDS)
        self._poll(port)
        self._probed = True

    def serve(self, port: Port, report: Report) -> None:
        polled = time.monotonic()
        while True:
            self._report(report)
            job = self._next()
            if job is not None:
                self._print(port, job)
                continue
            every = _POLL_SECONDS if self._ever_answered else _POLL_MUTE_SECONDS
            if time.monotonic() - polled >= every:
                self._poll(port)
                polled = time.monotonic()
            else:
                port.pause(polled + every - time.monotonic())

    def down(self, reason: str) -> None:
        self._status, self._status_at = PrinterStatus(online=False), -_FRESH_SECONDS
        told = {LinkReason.UNPLUGGED: "unplugged", LinkReason.BUSY: "busy"}
        while (job := self._next()) is not None:
            job.end(told.get(LinkReason(reason), "offline"))

    # Printing ------------------------------------------------------------------------------------------------------

    def _next(self) -> _Job | None:
        with self._lock:
            return self._jobs.popleft() if self._jobs else None

    def _print(self, port: Port, job: _Job) -> None:
        try:
            trouble = self._trouble_now(port)
            if trouble:
                job.end(trouble)
                return
            try:
                encoded = escpos.encode(job.ticket, paper=self._paper, qr_by=self._qr)
            except ValueError:
                log.exception("ticket %s can't be encoded", job.ticket.id)
                job.end("error")
                return
            if not job.begin():
                return
            self.counters["tickets"] += 1
            port.write(encoded.data)
            self.handed_at = time.monotonic()
            job.end(self._watch(port, encoded))
        except StalledError:
            job.end("offline")
            raise
        except LinkLostError:
            job.end(LinkReason.UNPLUGGED)
            raise
        finally:
            job.end(LinkReason.UNPLUGGED)  # the link is being stopped, or the driver failed

    def _trouble_now(self, port: Port) -> str:
        """What keeps it from printing, by a status no older than two seconds; "" for a printer that never answers."""
        if self._ever_answered and time.monotonic() - self._status_at > _FRESH_SECONDS:
            self._poll(port)
            if time.monotonic() - self._status_at > _FRESH_SECONDS:
                return "no_status"
        elif self._ever_answered and self._changed_just_now(port):
            self._poll(port)
        return self._status.trouble

    def _changed_just_now(self, port: Port) -> bool:
        general = self._ask(port, 1, _GLANCE_SECONDS)
        return general is not None and escpos.status_of({1: general}).online != self._status.online

    def _watch(self, port: Port, encoded: escpos.Encoded) -> str:
        """Watch the status for as long as the paper takes; "" when nothing went wrong."""
        if not self._ever_answered:
            return "no_status"
        in_kernel = min(len(encoded.data), _KERNEL_BUFFER) * 10 / self._baudrate
        end = self.handed_at + in_kernel + encoded.dots / self._dots_a_second
        while True:
            before = self._status_at
            self._poll(port)
            if self._status_at == before:
                return "no_status"
            if self._status.trouble:
                return self._status.trouble
            if time.monotonic() >= end:
                return ""
            pause_until = time.monotonic() + min(_WATCH_SECONDS, max(0.0, end - time.monotonic()))
            while (left := pause_until - time.monotonic()) > 0:
                port.pause(left)

    # Status --------------------------------------------------------------------------------------------------------

    def _poll(self, port: Port) -> None:
        """Ask for every kind of status; a printer that answers the first and not another isn't asked that one again."""
        replies: dict[int, int] = {}
        for kind in tuple(self._kinds):
            reply = self._ask(port, kind)
            if reply is not None:
                replies[kind] = reply
            elif not replies:
                break
            else:
                self._kinds.remove(kind)
        if replies:
            self._ever_answered = True
            self._status, self._status_at = escpos.status_of(replies), time.monotonic()
        elif time.monotonic() - self._status_at > _FRESH_SECONDS:
            self._status = PrinterStatus()

    def _ask(self, port: Port, kind: int, seconds: float = _ANSWER_SECONDS) -> int | None:
        if self._unsettled:
            port.settle(quiet=0.02, at_most=0.2)
            self._unsettled = False
        port.discard()
        port.write(escpos.ask_status(kind))
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            chunk = port.read(left)
            if chunk is None:
                if self._jobs and self._probed and not self._ever_answered:
                    break  # a ticket waits, and this printer has never answered
                continue
            for byte in chunk.data:
                if escpos.is_status(byte):
                    self.counters["answers"] += 1
                    return byte
                self.counters["dropped_bytes"] += 1
        self.counters["timeouts"] += 1
        self._unsettled = True
        return None

    def _report(self, report: Report) -> None:
        if self._status.trouble:
            report(LinkState.FAULT, self._status.trouble)
        elif self._status == PrinterStatus():
            report(LinkState.FAULT if self._ever_answered else LinkState.READY, "no_status")
        else:
            report(LinkState.READY, "paper_near_end" if self._status.paper_near_end else "")
