"""A day at the desk as messages of three stations, for tests that need more than one visit."""

from __future__ import annotations

from collections.abc import Iterator

from broker.contract.facts import (
    DecidedBy,
    Decision,
    PassAdmitted,
    PassIssued,
    PassKeyMade,
    PassLeft,
    SlipOutcome,
    SlipPrinted,
    StaffCalled,
    StaffComing,
    VisitDecided,
)
from broker.contract.names import new_id
from tests.support.log_writer import LogWriter, a_person, a_registration


def a_busy_day(visits: int = 12) -> Iterator[tuple[str, bytes]]:
    """(station, payload) in an order in which a gate is heard before the terminal that issued the pass."""
    lobby, gate = LogWriter("lobby-1"), LogWriter("gate-1")
    lobby.add(PassKeyMade(kid=9, public_key="cd" * 32, valid_from=0, valid_until=2**31))
    decisions = list(Decision)
    for n in range(visits):
        registration = a_registration(number=f"{n:06}")
        lobby.add(registration, a_person())
        decision = decisions[n % len(decisions)]
        lobby.add(
            VisitDecided(
                visit=registration.visit,
                request=registration.request.id,
                decision=decision,
                by=DecidedBy.STAFF,
                place="tea" if decision is Decision.WAIT else "",
            )
        )
        if decision is Decision.AGREED:
            cti = f"{n:016x}"
            lobby.add(
                PassIssued(
                    visit=registration.visit,
                    cti=cti,
                    kid=9,
                    index=n,
                    not_before=0,
                    expires=2**31,
                    areas=1,
                    entries=1,
                    mode=0,
                )
            )
            lobby.add(SlipPrinted(visit=registration.visit, outcome=SlipOutcome.PRINTED))
            gate.add(PassAdmitted(cti=cti, kid=9, nonce=new_id(), gate="gate-1", offline=n % 2 == 0))
            if n % 8 == 0:
                gate.add(PassLeft(cti=cti, reason="ok", nonce=new_id(), gate="gate-1", offline=False))
        call = new_id()
        lobby.add(StaffCalled(call=call, visit=registration.visit, screen="waiting"))
        if n % 3 == 0:
            lobby.add(StaffComing(call=call, account="admin"))
    yield gate.station, gate.payload()
    yield lobby.station, lobby.payload()
