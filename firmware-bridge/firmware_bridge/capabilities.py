"""What devices can do, in the terms of who uses them: read a card, print a ticket, scan a code.

Flows know these interfaces only. Which port a device hangs on is a *resource* in the configuration, how it talks is a
*protocol*, and a *driver* joins the two behind one of these. Callbacks come from a device's own thread: they must
return at once (a window hands them to its own thread).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol


class CardType(StrEnum):
    """Which card was read (device-protocols.md §1.8); J, I and Y come later."""

    RESIDENT = "resident"


class CardWarning(StrEnum):
    """What didn't fit together on a card that was read all the same."""

    CHECK_DIGIT = "check_digit"
    BIRTH_DIFFERS = "birth_differs"
    SEX_DIFFERS = "sex_differs"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    VALIDITY_UNCLEAR = "validity_unclear"
    UNKNOWN_NATION = "unknown_nation"
    UNKNOWN_REGION = "unknown_region"


@dataclass(frozen=True, slots=True)
class IdCard:
    """An identity card's text. The photo is opaque bytes kept in memory only; neither shows in repr.

    `sex` is `male`, `female`, `unknown` or `unstated` (GB/T 2261.1); `nation` the name of GB/T 3304 (`汉`), or the
    digits where unknown; `valid_to` None = 长期 (long-term).
    """

    type: CardType
    name: str = field(repr=False)
    sex: str = field(repr=False)
    nation: str = field(repr=False)
    birth: date | None = field(repr=False)
    address: str = field(repr=False)
    number: str = field(repr=False)
    issuer: str = field(repr=False)
    valid_from: date | None
    valid_to: date | None
    warnings: tuple[CardWarning, ...] = ()
    photo: bytes = field(default=b"", repr=False)


class ReaderTrouble(StrEnum):
    """Why no card could be read just now; reading goes on by itself unless stopped."""

    UNPLUGGED = "unplugged"
    NO_ANSWER = "no_answer"
    KEEP_STILL = "keep_still"
    NOT_READABLE = "not_readable"
    OTHER_CARD = "other_card"
    READER_FAULT = "reader_fault"


class IdReader(Protocol):
    """Reads identity cards, but only while it is asked to: consent comes before the first poll."""

    def start(self, on_card: Callable[[IdCard], None], on_trouble: Callable[[ReaderTrouble], None]) -> None:
        """Poll for a card until one was read (then stop by itself) or `stop` is called. A second start replaces the first."""
        ...

    def stop(self) -> None:
        """Stop polling; no callback comes after this returns."""
        ...


class Align(StrEnum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text; `scale` 1 or 2 (double width and height). Longer than the paper: wrapped, never cut."""

    text: str
    align: Align = Align.LEFT
    scale: int = 1
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts on one line, left and right; the right one moves to its own line where both don't fit."""

    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A thin line across the paper."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Empty lines."""

    lines: int = 1


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code, alphanumeric text, error correction M, centred, `module` printer dots a module (6 = 0.75 mm)."""

    text: str = field(repr=False)
    module: int = 6


@dataclass(frozen=True, slots=True)
class Ticket:
    """What goes on paper, from top to bottom; it is cut after the last element. `id` names the job in logs."""

    id: str
    elements: tuple[Line | Pair | Rule | Feed | QrCode, ...]


class PrintState(StrEnum):
    """What is known of a job. UNKNOWN: bytes were sent and no answer told the rest; never repeated blindly."""

    PRINTED = "printed"
    UNKNOWN = "unknown"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PrintOutcome:
    """`reason` from the closed list of `PrinterStatus.trouble`, or `busy`, `too_late`, `unplugged`, `no_status`; "" when printed."""

    state: PrintState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """The printer's own word (DLE EOT 1–4). Every part is None while it has never answered: unknown, not ok."""

    online: bool | None = None
    cover_open: bool | None = None
    paper_out: bool | None = None
    paper_near_end: bool | None = None
    error: bool | None = None

    @property
    def trouble(self) -> str:
        """`paper_out`, `cover_open`, `error`, `offline`, or "" when nothing keeps it from printing (as far as known)."""
        for name, value in (
            ("paper_out", self.paper_out),
            ("cover_open", self.cover_open),
            ("error", self.error),
        ):
            if value:
                return name
        return "offline" if self.online is False else ""


class TicketPrinter(Protocol):
    """Prints tickets, each at most once."""

    def print_ticket(
        self, ticket: Ticket, on_outcome: Callable[[PrintOutcome], None], *, within: float = 15.0
    ) -> None:
        """Queue a ticket; `on_outcome` is called exactly once, at the latest `within` seconds from now.

        A full queue, a printer out of paper or a lost port end it at once with FAILED and the reason: nothing was
        printed then. Never raises for the state of the device.
        """
        ...

    @property
    def status(self) -> PrinterStatus:
        """The latest status; all None where the printer never answers."""
        ...


@dataclass(frozen=True, slots=True)
class Scan:
    """One scanned code: its text with suffix and symbology prefix taken off, control characters refused.

    `text` is "" with a `fault` (`too_long`, `not_text`) where rubbish came; `at` is time.monotonic() at its last byte.
    """

    text: str = field(repr=False)
    at: float = 0.0
    fault: str = ""


class CodeScanner(Protocol):
    """Delivers scans as they come."""

    def listen(self, on_scan: Callable[[Scan], None]) -> None:
        """Deliver every scan to `on_scan` from now on (replaces an earlier listener)."""
        ...


class LinkState(StrEnum):
    """How a device's link stands."""

    DISCONNECTED = "disconnected"
    OPENING = "opening"
    HANDSHAKE = "handshake"
    READY = "ready"
    FAULT = "fault"
    BACKOFF = "backoff"


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """How one device is doing. `since` in seconds since 1970; `reason` from the closed lists above."""

    name: str
    kind: str
    state: LinkState
    reason: str
    since: float
    counters: dict[str, int] = field(default_factory=dict[str, int])
