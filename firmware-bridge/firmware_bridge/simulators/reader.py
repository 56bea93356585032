"""A simulated resident-card reader: the states and session rules of device-protocols.md §1.10 and §1.16, faults included.

A card is placed, found, selected, read; then it must leave before it is found again. `fault` makes replies go wrong in
the ways readers and cables do; each stands for a number of replies, or until `fault("none")`.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from firmware_bridge.capabilities import CardType, IdCard
from firmware_bridge.protocols import idcard, sdt
from firmware_bridge.protocols.sdt import Command, Damage, Reply, Status
from firmware_bridge.simulators.wire import Wire

SAM_ID = sdt.encode_sam_id(5, 1, 20130101, 12345, 67890)
PHOTO = bytes(1024)


def specimen(
    name: str = "张伟",
    number: str = "34052419800101001X",
    *,
    sex: str = "",
    nation: str = "汉",
    birth: date | None = None,
    address: str = "云栖市样本区示例路1号",
    issuer: str = "云栖市公安局样本分局",
    valid_from: date | None = date(2020, 1, 1),
    valid_to: date | None = date(2040, 1, 1),
) -> IdCard:
    """An invented person's card; the number is one published as a specimen. Sex and birth follow from it unless given."""
    return IdCard(
        type=CardType.RESIDENT,
        name=name,
        sex=sex or ("male" if int(number[16]) % 2 else "female"),
        nation=nation,
        birth=birth or date(int(number[6:10]), int(number[10:12]), int(number[12:14])),
        address=address,
        number=number,
        issuer=issuer,
        valid_from=valid_from,
        valid_to=valid_to,
        photo=PHOTO,
    )


class State(StrEnum):
    """Where a card stands with the reader."""

    NO_CARD = "no_card"
    PRESENT = "present"
    FOUND = "found"
    SELECTED = "selected"
    CONSUMED = "consumed"


class Fault(StrEnum):
    """What goes wrong. Up to WRONG_CARD the reader says so itself; then what happens on the line, and to the card.

    LATE holds an answer back until the next request; FINDS_AGAIN offers a card once more that was read and never left.
    """

    NONE = "none"
    SELF_TEST = "self_test"
    NOT_AUTHORISED = "not_authorised"
    READ_FAILS = "read_fails"
    CARD_REFUSED = "card_refused"
    WRONG_CARD = "wrong_card"
    SILENT = "silent"
    LATE = "late"
    TRUNCATED = "truncated"
    FLIPPED = "flipped"
    NOISE = "noise"
    GARBAGE = "garbage"
    LENGTH_FFFF = "length_ffff"
    GLUED = "glued"
    BYTE_BY_BYTE = "byte_by_byte"
    UNPLUG_HALFWAY = "unplug_halfway"
    CARD_LEAVES = "card_leaves"
    FINDS_AGAIN = "finds_again"


_STATUS = {
    Fault.SELF_TEST: Status.SELF_TEST_FAILED,
    Fault.NOT_AUTHORISED: Status.NOT_AUTHORISED,
    Fault.READ_FAILS: Status.READ_FAILED,
    Fault.CARD_REFUSED: Status.CARD_REFUSED_SAM,
    Fault.WRONG_CARD: Status.WRONG_CARD,
}
_EVERY_COMMAND = {
    Fault.SELF_TEST,
    Fault.NOT_AUTHORISED,
    Fault.SILENT,
    Fault.GARBAGE,
    Fault.NOISE,
    Fault.BYTE_BY_BYTE,
}
"""The others concern reading a card only."""
_NOISE = bytes.fromhex("00FFAAAA96AAAAAA96") * 3


@dataclass
class _FaultNow:
    kind: Fault = Fault.NONE
    left: int | None = None


class IdReaderSimulator:
    """A reader on a line at `path`."""

    def __init__(self, path: Path) -> None:
        self.wire = Wire(path, self._receive)
        self.reads = 0
        self._late = b""
        self._lock = threading.RLock()
        self._framer = sdt.Framer.for_requests()
        self._state = State.NO_CARD
        self._card: IdCard | None = None
        self._flag = " "
        self._fault = _FaultNow()

    @property
    def state(self) -> State:
        return self._state

    def place(self, card: IdCard | None = None, *, flag: str = " ") -> None:
        """Put a card on the reader (the specimen's by default); `flag` J, I or Y makes it one of another kind.

        Raises ValueError for a card with a field that is too long.
        """
        card = card or specimen()
        idcard.encode(card, flag=flag)
        with self._lock:
            self._card, self._flag, self._state = card, flag, State.PRESENT

    def remove(self) -> None:
        """Take the card away."""
        with self._lock:
            self._card, self._state = None, State.NO_CARD

    def fault(self, kind: Fault | str, times: int | None = None) -> None:
        """From now on, for `times` replies (None: until told otherwise)."""
        with self._lock:
            self._fault = _FaultNow(Fault(kind), times)

    def unplug(self) -> None:
        self.wire.unplug()
        with self._lock:
            self._framer.reset()
            self._late = b""
            if self._card:
                self._state = State.PRESENT

    def replug(self, path: Path | None = None) -> None:
        self.wire.replug(path)

    def _receive(self, data: bytes) -> None:
        with self._lock:
            for body in self._framer.feed(data):
                match body:
                    case Damage.CHECKSUM:
                        self.wire.send(Reply(Status.BAD_CHECKSUM).encode())
                    case Damage.LENGTH:
                        self.wire.send(Reply(Status.BAD_LENGTH).encode())
                    case bytes():
                        self._answer(int.from_bytes(body[:2], "big"))

    def _answer(self, command: int) -> None:
        if self._late:
            self.wire.send(self._late)
            self._late = b""
        fault = self._due(command)
        if fault in _STATUS:
            self._send(Reply(_STATUS[fault]), Fault.NONE)
            return
        if fault is Fault.SILENT:
            return
        if fault is Fault.CARD_LEAVES:
            self.remove()
        reply = self._reply(command)
        self._send(reply, fault)

    def _due(self, command: int) -> Fault:
        """The fault that strikes this reply, counted down."""
        fault = self._fault
        if fault.kind is Fault.NONE or (command != Command.READ and fault.kind not in _EVERY_COMMAND):
            return Fault.NONE
        if fault.left is not None:
            fault.left -= 1
            if fault.left <= 0:
                self._fault = _FaultNow()
        return fault.kind

    def _reply(self, command: int) -> Reply:
        match command:
            case Command.SAM_STATUS:
                return Reply(Status.OK)
            case Command.SAM_ID:
                return Reply(Status.OK, SAM_ID)
            case Command.RESET:
                if self._card:
                    self._state = State.PRESENT
                return Reply(Status.OK)
            case Command.FIND:
                again = {State.CONSUMED} if self._fault.kind is Fault.FINDS_AGAIN else set[State]()
                return self._step(
                    {State.PRESENT, State.FOUND, State.SELECTED} | again,
                    State.FOUND,
                    Reply(Status.FOUND, bytes(4)),
                    Reply(Status.NO_CARD),
                )
            case Command.SELECT:
                return self._step(
                    {State.FOUND}, State.SELECTED, Reply(Status.OK, bytes(8)), Reply(Status.SELECT_FAILED)
                )
            case Command.READ:
                return self._read()
            case Command.READ_ADDED_ADDRESS:
                there = self._state in (State.SELECTED, State.CONSUMED)
                return Reply(Status.NO_CONTENT if there else Status.READ_FAILED)
            case _:
                return Reply(Status.BAD_COMMAND)

    def _step(self, wanted: set[State], then: State, good: Reply, bad: Reply) -> Reply:
        if self._state not in wanted:
            return bad
        self._state = then
        return good

    def _read(self) -> Reply:
        if self._state is not State.SELECTED or self._card is None:
            return Reply(Status.READ_FAILED)
        self._state = State.CONSUMED
        self.reads += 1
        text = idcard.encode(self._card, flag=self._flag)
        return Reply(Status.OK, sdt.CardContent(text, self._card.photo or PHOTO).encode())

    def _send(self, reply: Reply, fault: Fault) -> None:
        frame = reply.encode()
        half = len(frame) // 2
        match fault:
            case Fault.LATE:
                self._late = frame
            case Fault.TRUNCATED:
                self.wire.send(frame[:half])
            case Fault.FLIPPED:
                self.wire.send(frame[:half] + bytes((frame[half] ^ 0x10,)) + frame[half + 1 :])
            case Fault.LENGTH_FFFF:
                self.wire.send(frame[:5] + b"\xff\xff" + frame[7:])
            case Fault.GARBAGE:
                self.wire.send(bytes(byte * 7 + 13 & 0xFF for byte in frame))
            case Fault.NOISE:
                self.wire.send(_NOISE + frame + _NOISE)
            case Fault.GLUED:
                self.wire.send(frame + frame)
            case Fault.BYTE_BY_BYTE:
                for at in range(len(frame)):
                    self.wire.send(frame[at : at + 1])
            case Fault.UNPLUG_HALFWAY:
                self.wire.send(frame[:half])
                time.sleep(0.05)
                self.unplug()
            case _:
                self.wire.send(frame)
