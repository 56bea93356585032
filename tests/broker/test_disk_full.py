"""A full disk at the centre: nothing is acknowledged, staff see it, and it goes on by itself."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from broker.ledger.verify import verify
from broker.store.database import open_reader
from tests.broker.conftest import log_in
from tests.support.centre import running_centre
from tests.support.log_writer import LogWriter, a_person, a_registration
from tests.support.mqtt_station import MqttStation


def test_a_full_disk_acknowledges_nothing_is_shown_and_heals_by_itself(
    browser: Browser, tmp_path: Path
) -> None:
    with running_centre(tmp_path) as centre:
        lobby = MqttStation(centre.mqtt_port, LogWriter("lobby-1"))
        lobby.log.add(a_registration(), a_person())
        lobby.send(lobby.log.payload())
        lobby.acknowledged(2)
        page = browser.new_page()
        log_in(page, centre)
        alarm = page.locator("[data-alarm=storage_fails]")
        expect(alarm).to_have_count(0)

        # No file of the centre may grow past this: less than its database and log have already.
        room = resource.prlimit(centre.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(centre.pid, resource.RLIMIT_FSIZE, (4096, room[1]))
        for n in range(3):
            lobby.log.add(a_registration(number=f"{n:06}"), a_person())
        lobby.send(lobby.log.payload(3, 4))
        lobby.send(lobby.log.payload(5, 5))
        expect(alarm).to_have_count(1)
        assert "磁盘已满" in alarm.inner_text()
        expect(alarm.locator("button")).to_have_count(0)
        with pytest.raises(AssertionError, match="not heard"):
            lobby.acknowledged(3, patience=1)

        resource.prlimit(centre.pid, resource.RLIMIT_FSIZE, room)
        # As a station does after 2 s without an acknowledgement.
        lobby.send(lobby.log.payload(3, 5))
        assert lobby.acknowledged(5).head_hash == lobby.log.head
        expect(alarm).to_have_count(0)
        expect(page.locator("#list-needs_answer .card")).to_have_count(4)
        assert sum("can't be written" in line for line in centre.output) == 1, "said once"
        assert not any("Traceback" in line for line in centre.output)
        reading = open_reader(centre.data)
        assert verify(reading).whole
        assert reading.execute("select count(*) from dead_letters").fetchone()[0] == 0
        reading.close()
        page.close()
        lobby.close()
