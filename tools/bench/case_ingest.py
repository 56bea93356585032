"""Events stored, chain-verified, signature-verified, viewed and acknowledged by one centre, through a real Mosquitto.

Beside it in the same run: the raw limit (the same bytes inserted in batches by sqlite3 alone) and what one writes first
(paho's callback inserts and commits each message).
"""

from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from broker.contract import message
from kiosk.station.uplink import WINDOW
from tools.bench.figure import Figure
from tools.bench.sender import Line, Sender
from tools.bench.wire import LONG, RunningCentre, SimulatedLog, centre, days
from tools.stage import free_ports

STATIONS = 8
EVENTS = 40_000 if LONG else 8_000
"""A station, when catching up."""

SINGLE = 10_000 if LONG else 1_000
"""A station, at one event a message."""

PLAIN = 1_000
SINGLE_WINDOW = 25
"""Events a station has under way then: live, there are few; a longer queue would only measure repetitions."""

EACH = 250
GOAL, GOAL_SINGLE = 50_000, 8_000


def measure() -> list[Figure]:
    logs = [days(SimulatedLog(f"lobby-{n}"), EVENTS) for n in range(STATIONS)]
    raw = raw_limit(logs)
    with centre() as running:
        before = running.memory()
        caught_up, used = drained(running, logs, EACH)
        memory = running.memory()
        assert running.stored() == STATIONS * EVENTS, "not everything is stored"
    singles = [days(SimulatedLog(f"lobby-{n}"), SINGLE) for n in range(STATIONS)]
    with centre() as running:
        single, used_single = drained(running, singles, 1)
        assert running.stored() == STATIONS * SINGLE, "not everything is stored"
    naive = plain_loop(singles[0])
    return [
        Figure("ingest, catching up", caught_up, "events/s", GOAL, "goal"),
        Figure("ingest, catching up", caught_up, "events/s", raw, "raw sqlite3, same bytes by 1,000"),
        Figure("ingest, catching up", caught_up, "events/s", naive, "plain paho → sqlite3"),
        Figure("one event a message", single, "events/s", GOAL_SINGLE, "goal"),
        Figure("one event a message", single, "events/s", naive, "plain paho → sqlite3"),
        Figure("processor an event, catching up", used * 1e6, "µs", 1e6 / GOAL, "goal, one core"),
        Figure(
            "processor an event, one a message", used_single * 1e6, "µs", 1e6 / GOAL_SINGLE, "goal, one core"
        ),
        Figure("centre's memory afterwards", memory, "MB", before, "before"),
    ]


def drained(running: RunningCentre, logs: list[SimulatedLog], each: int) -> tuple[float, float]:
    """(events a second, the centre's processor seconds an event), from the first publish to the last acknowledgement."""
    # The load has a process of its own, as stations have; forked, so that it holds the finished messages already.
    prepared = [(log.station, log.log, log.payloads(each)) for log in logs]
    fork = multiprocessing.get_context("fork")
    near, far = fork.Pipe()
    process = fork.Process(target=_send, args=(running.port, prepared, far), daemon=True)
    used = running.busy()
    process.start()
    far.close()  # so that a sender that fails ends our waiting
    began, ended = near.recv()
    process.join()
    total = sum(log.seq for log in logs)
    return total / (ended - began), (running.busy() - used) / total


def _send(port: int, prepared: list[tuple[str, str, list[tuple[int, bytes]]]], out: Connection) -> None:
    sender = Sender(port)
    for station, log, payloads in prepared:
        lasts = [last for last, _ in payloads]
        window = SINGLE_WINDOW if len(lasts) == lasts[-1] else WINDOW
        sender.add(Line(station, log, lasts, lambda index, payloads=payloads: payloads[index][1], window))
    began = time.monotonic()
    ended = sender.drain(30)
    sender.close()
    out.send((began, ended))


def raw_limit(logs: list[SimulatedLog]) -> float:
    """Bodies and ciphertexts as rows, 1,000 a transaction, flushed to the disk: no centre can be faster than this."""
    rows = [
        (at, item.body, b"".join(item.ciphertexts.values()))
        for at, item in enumerate(item for log in logs for item in log.items)
    ]
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder) / "raw.db", isolation_level=None)
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        db.execute("create table event (id integer primary key, body blob, beside blob)")
        began = time.monotonic()
        for at in range(0, len(rows), 1000):
            db.execute("begin")
            db.executemany("insert into event values (?, ?, ?)", rows[at : at + 1000])
            db.execute("commit")
        took = time.monotonic() - began
        db.close()
    return len(rows) / took


def plain_loop(log: SimulatedLog) -> float:
    """Events a second of the loop that one writes first: a callback that inserts and commits."""
    [port] = free_ports(1)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
        broker = subprocess.Popen(["mosquitto", "-c", config], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        db = sqlite3.connect(Path(folder) / "plain.db", check_same_thread=False)
        db.execute("create table event (id integer primary key, body blob)")
        stored = 0

        def on_message(_c: object, _u: object, found: paho.MQTTMessage) -> None:
            nonlocal stored
            for item in message.decode(bytes(found.payload)).items:
                db.execute("insert into event (body) values (?)", (item.body,))
                stored += 1
            db.commit()

        reader = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        reader.on_message = on_message
        reader.connect("127.0.0.1", port)
        reader.subscribe("event", 1)
        reader.loop_start()
        time.sleep(0.3)
        payloads = [log.payload(seq, seq) for seq in range(1, min(PLAIN, log.seq) + 1)]
        writer = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        writer.connect("127.0.0.1", port)
        writer.loop_start()
        began = time.monotonic()
        for payload in payloads:
            writer.publish("event", payload, 1)
        while stored < len(payloads):
            time.sleep(0.005)
            assert time.monotonic() - began < 60
        took = time.monotonic() - began
        for client in (writer, reader):
            client.disconnect()
            client.loop_stop()
        db.close()
        broker.terminate()
        broker.wait()
    return len(payloads) / took
