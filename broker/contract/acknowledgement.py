"""The centre's word that events are stored; the only thing that may empty an outbox.

Cumulative: everything up to `seq` of `log` is committed. `epoch` names the centre's database: another epoch, or a
lower `seq` than before, restarts the station's replay from there (event-log.md, "Acknowledgement").
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from broker.contract.names import HexDigest, Id


class AcknowledgementError(ValueError):
    """The payload is no acknowledgement."""


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """Events 1 … `seq` of `log` are stored; `head_hash` is the hash of body `seq` (64 zeros for seq 0)."""

    epoch: Id
    log: Id
    seq: Annotated[int, msgspec.Meta(ge=0)]
    head_hash: HexDigest
    centre_time: datetime


_decoder = msgspec.json.Decoder(Acknowledgement)


def encode(acknowledgement: Acknowledgement) -> bytes:
    """The acknowledgement as JSON bytes."""
    return msgspec.json.encode(acknowledgement)


def decode(payload: bytes) -> Acknowledgement:
    """Read an acknowledgement.

    Raises:
        AcknowledgementError: not one of ours.
    """
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AcknowledgementError(f"not an acknowledgement: {error}") from None
