"""Personal data for the people table: opened here, and nowhere else at the centre."""

from __future__ import annotations

import logging

import msgspec

from broker.contract.event import Event
from broker.contract.personal import PersonalError, class_of, unseal

log = logging.getLogger(__name__)


def open_beside(event: Event, ciphertexts: dict[str, bytes]) -> tuple[dict[str, bytes], bool]:
    """(what the ciphertexts beside an event hold, by class and as JSON; whether all of them could be opened)."""
    opened: dict[str, bytes] = {}
    for name, ciphertext in ciphertexts.items():
        try:
            value = unseal(ciphertext, event.sealed[name])
            if class_of(value) != name:
                raise PersonalError(f"opens to class {class_of(value)}")
        except PersonalError as error:
            log.warning("event %s: class %s: %s", event.id, name, error)
            continue
        opened[name] = msgspec.json.encode(value)
    return opened, len(opened) == len(ciphertexts)
