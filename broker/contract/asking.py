"""Questions from a station to the centre, and answers back: `ask/{station}` and `answer/{station}`.

An ask is a hint with an id and a deadline, never the only record: the visit it is about went ahead as an event. The
centre replies `received` at once (so a station knows that somebody is there) and answers later; a station repeats an
ask until `received`, and again after every reconnect while undecided. An answer may arrive twice; ids make it one.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from broker.contract.facts import Decision, Short
from broker.contract.names import Id


class AskError(ValueError):
    """The payload is no ask or answer of ours."""


class HostAsk(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="host"):
    """May this registered visitor come in? `id` is the request id that stands in `visit.registered`."""

    id: Id
    visit: Id
    deadline: datetime


class TimeAsk(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="time"):
    """What is the time? The nonce `id` makes the reply belong to this very question."""

    id: Id


Ask = HostAsk | TimeAsk


class AskReceived(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="received"):
    """The centre holds the ask with this id; the answer follows when somebody decides."""

    id: Id


class HostDecision(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="decision"):
    """Staff decided. `place` is the id of a waiting place where the decision is `wait` (V7)."""

    id: Id
    visit: Id
    decision: Decision
    decided_at: datetime
    place: Short = ""


class TimeAnswer(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="time"):
    """The centre's clock when it read the nonce `id`."""

    id: Id
    centre_time: datetime


class CallTaken(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="call_taken"):
    """Somebody is on the way to a visitor who called for staff (`id` is the call's id in `staff.called`)."""

    id: Id


class VisitRecall(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="recall"):
    """Staff bring a registered visit back to the terminal's screen, for a visitor who lost it."""

    id: Id
    visit: Id


Answer = AskReceived | HostDecision | TimeAnswer | CallTaken | VisitRecall

_asks = msgspec.json.Decoder(Ask)
_answers = msgspec.json.Decoder(Answer)


def encode(message: Ask | Answer) -> bytes:
    """An ask or an answer as JSON bytes."""
    return msgspec.json.encode(message)


def decode_ask(payload: bytes) -> Ask:
    """Raises AskError where the payload is no ask."""
    try:
        return _asks.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AskError(f"not an ask: {error}") from None


def decode_answer(payload: bytes) -> Answer:
    """Raises AskError where the payload is no answer."""
    try:
        return _answers.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AskError(f"not an answer: {error}") from None
