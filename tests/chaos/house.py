"""A house to break: several stations as processes, each behind a fault proxy, Mosquitto and the centre, all real.

The schedule is drawn from a seed before anything starts, so the same seed breaks the same things in the same order at
the same moments. What is broken heals after its time; what is killed is started again.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from broker.contract.names import new_log_id
from tests.support import ledger
from tests.support.centre import RunningCentre, prepare_centre
from tests.support.fault_proxy import FaultProxy

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("station_process.py")
DISK_LEFT = 96 * 1024
"""Bytes a file of the centre may have while its disk is "full": less than its database has from the start."""


@dataclass
class StationProcess:
    """A station that can be killed and started again on its folder; `side` is what it was told is on record."""

    name: str
    folder: Path
    proxy: FaultProxy
    rate: float = 200.0
    clock: float = 0.0
    process: subprocess.Popen[str] | None = None

    @property
    def database(self) -> Path:
        return self.folder / "station.db"

    @property
    def side(self) -> Path:
        return self.folder.with_suffix(".told")

    def start(self) -> None:
        given = {
            "station": self.name,
            "folder": str(self.folder),
            "side": str(self.side),
            "port": self.proxy.port,
            "rate": self.rate,
            "clock": self.clock,
        }
        with self.folder.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(DRIVER), json.dumps(given)],
                stdin=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "firmware-bridge")))},
            )

    def tell(self, line: str) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def at_rate(self, rate: float) -> None:
        self.rate = rate
        self.tell(f"rate {rate}")

    def step_clock(self, seconds: float) -> None:
        self.clock = seconds
        self.tell(f"clock {seconds}")

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        assert self.process is not None
        self.tell("stop")
        self.process.wait(20)

    def told(self) -> list[str]:
        """The events it was told are on record; a last line that a kill tore is none."""
        if not self.side.exists():
            return []
        return [line for line in self.side.read_text().split("\n")[:-1] if line]

    def standing(self) -> tuple[str, int, int] | None:
        """(log, last seq, acknowledged) of the current log."""
        if not self.database.exists():
            return None
        with contextlib.suppress(sqlite3.Error), closing(ledger.open_read_only(self.database)) as db:
            return db.execute(
                "select log, (select max(seq) from event where event.log = log.log), acked from log where current"
            ).fetchone()
        return None


@dataclass
class House:
    """The whole: `open` starts it, `settle` waits until all is acknowledged, `close` ends it."""

    folder: Path
    stations: list[StationProcess]
    centre: RunningCentre
    copy: Path | None = None
    memory: Path | None = None
    """Where a Mosquitto with persistence keeps it."""

    @classmethod
    def build(cls, folder: Path, *, stations: int, persistent: bool, seed: int) -> House:
        centre = prepare_centre(folder)
        memory = Path(tempfile.mkdtemp(prefix="frontdesk-chaos-")) if persistent else None
        if memory is not None:
            program = a_mosquitto_that_remembers(memory)
            text = centre.config.read_text().replace("[mqtt]\n", f'[mqtt]\nmosquitto = "{program}"\n')
            centre.config.write_text(text)
        made = [
            StationProcess(f"lobby-{n}", folder / f"lobby-{n}", FaultProxy(centre.mqtt_port, seed=seed + n))
            for n in range(1, stations + 1)
        ]
        return cls(folder, made, centre, memory=memory)

    @property
    def database(self) -> Path:
        return self.centre.data / "centre.db"

    def open(self) -> None:
        self.centre.start()
        for station in self.stations:
            station.start()

    def close(self) -> None:
        for station in self.stations:
            if station.process is not None and station.process.poll() is None:
                station.kill()
            station.proxy.close()
        if self.centre.running:
            os.kill(self.centre.pid, signal.SIGCONT)
            self.centre.stop()
        if self.memory is not None:
            shutil.rmtree(self.memory)

    def settle(self, patience: float) -> None:
        """Nothing new, nothing broken: wait until every station's whole log is acknowledged.

        Raises:
            AssertionError: with how far each came.
        """
        for station in self.stations:
            station.proxy.heal()
            station.at_rate(0)
        deadline = time.monotonic() + patience
        while True:
            standings = [station.standing() for station in self.stations]
            if all(one is not None and one[1] == one[2] for one in standings) and self._quiet():
                return
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"not settled after {patience:.0f} s; (log, last, acknowledged): {standings}"
                )
            time.sleep(0.1)

    def _quiet(self) -> bool:
        """No station has put anything on record for a moment: the line `rate 0` has been heard."""
        before = [station.standing() for station in self.stations]
        time.sleep(0.3)
        return before == [station.standing() for station in self.stations]

    # What breaks.

    def kill_centre(self) -> None:
        self.centre.kill()
        self.centre.start()

    def kill_broker(self) -> None:
        """kill -9 of Mosquitto; `broker serve` starts it again."""
        for pid in children(self.centre.pid):
            if Path(f"/proc/{pid}/comm").read_text().strip() == "mosquitto":
                os.kill(pid, signal.SIGKILL)

    def fill_disk(self) -> None:
        """No file of the centre may grow any more: every write past the limit fails, as on a full disk."""
        self._limit(DISK_LEFT)

    def free_disk(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        resource.prlimit(self.centre.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def freeze_centre(self) -> None:
        os.kill(self.centre.pid, signal.SIGSTOP)

    def thaw_centre(self) -> None:
        os.kill(self.centre.pid, signal.SIGCONT)

    def back_up(self) -> None:
        """A consistent copy of the centre's database, as it is now."""
        self.copy = self.folder / "yesterday.db"
        self.copy.unlink(missing_ok=True)
        with (
            closing(ledger.open_read_only(self.database)) as live,
            closing(sqlite3.connect(self.copy)) as out,
        ):
            live.backup(out)

    def restore(self) -> None:
        """The centre dies, and comes back as it was when the copy was made."""
        assert self.copy is not None
        self.centre.kill()
        put_back(self.copy, self.centre.data)
        self.centre.start()


def put_back(copy: Path, data: Path) -> None:
    """Replace the database of a centre that doesn't run by an old copy, under a new epoch and a new log of its own."""
    for name in ("centre.db-wal", "centre.db-shm"):
        (data / name).unlink(missing_ok=True)
    shutil.copy(copy, data / "centre.db")
    with closing(sqlite3.connect(data / "centre.db")) as db, db:
        for key in ("epoch", "centre_log"):
            db.execute("update meta set value = ? where key = ?", (new_log_id(), key))


def children(pid: int) -> list[int]:
    """Every process that a process's threads started."""
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def a_mosquitto_that_remembers(memory: Path) -> Path:
    """A program that is Mosquitto with persistence in that folder, whatever its configuration says."""
    # Mosquitto gives up root's rights before it writes, so its folder must be open to it.
    memory.chmod(0o777)
    program = memory / "mosquitto"
    program.write_text(
        f"""#!/bin/sh
PATH=$PATH:/usr/sbin
[ "$1" = -h ] && exec mosquitto -h
{{ sed 's/^persistence false/persistence true/'; echo "persistence_location {memory}/"; echo "autosave_interval 1"; }} \\
    > {memory}/mosquitto.conf
exec mosquitto -c {memory}/mosquitto.conf
"""
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return program


@dataclass(frozen=True, slots=True)
class Mishap:
    """One line of the schedule: `undo` comes `lasting` seconds after `do`."""

    at: float
    what: str
    do: Callable[[], None]
    lasting: float = 0.0
    undo: Callable[[], None] | None = None


@dataclass
class Schedule:
    """Everything that will happen to a house, drawn from a seed."""

    house: House
    seed: int
    seconds: float
    mishaps: list[Mishap] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Each kind of mishap at least once; in a longer run more of each."""
        draw = random.Random(self.seed)
        rounds = max(1, round(self.seconds / 20))
        for n in range(rounds):
            start, width = self.seconds * n / rounds, self.seconds / rounds
            for what, lasting in self._kinds(draw):
                at = start + draw.random() * width * 0.8
                self.mishaps.append(self._mishap(draw, at, what, lasting))
            backup_at = start + draw.random() * width * 0.4
            restore_at = backup_at + width * (0.3 + draw.random() * 0.2)
            self.mishaps.append(Mishap(backup_at, "centre is backed up", self.house.back_up))
            self.mishaps.append(Mishap(restore_at, "centre is restored", self.house.restore))
        self.mishaps.sort(key=lambda one: one.at)

    @staticmethod
    def _kinds(draw: random.Random) -> list[tuple[str, float]]:
        kinds = [("kill station", 0.5), ("kill station", 0.5), ("kill centre", 0.0), ("kill broker", 0.0)]
        kinds += [("cut", 0.0), ("cut", 0.0), ("refuse", 1.0), ("half-open", 2.0), ("delay", 2.0)]
        kinds += [("throttle", 2.0), ("garbage", 1.0), ("clock", 3.0), ("rate", 0.0), ("rate", 0.0)]
        kinds += [("disk full", 1.5), ("freeze", 1.0)]
        draw.shuffle(kinds)
        return kinds

    def _mishap(self, draw: random.Random, at: float, what: str, lasting: float) -> Mishap:
        house, station = self.house, draw.choice(self.house.stations)
        proxy = station.proxy

        def healed() -> None:
            proxy.heal()
            proxy.cut()

        match what:
            case "kill station":
                return Mishap(at, f"{station.name} is killed", station.kill, lasting, station.start)
            case "kill centre":
                return Mishap(at, "centre is killed", house.kill_centre)
            case "kill broker":
                return Mishap(at, "broker is killed", house.kill_broker)
            case "cut":
                return Mishap(at, f"{station.name}'s line is cut", proxy.cut)
            case "refuse":
                return Mishap(at, f"{station.name} is refused", proxy.refuse, lasting, proxy.heal)
            case "half-open":
                return Mishap(at, f"{station.name}'s line is half-open", proxy.half_open, lasting, proxy.heal)
            case "delay":
                wait = round(draw.uniform(0.05, 0.6), 2)
                return Mishap(
                    at, f"{station.name} delayed {wait} s", lambda: proxy.delay(wait), lasting, proxy.heal
                )
            case "throttle":
                speed = draw.choice((2_000, 20_000, 100_000))
                return Mishap(
                    at, f"{station.name} has {speed} B/s", lambda: proxy.throttle(speed), lasting, proxy.heal
                )
            case "garbage":
                share = round(draw.uniform(0.05, 0.5), 2)
                return Mishap(
                    at,
                    f"{station.name} hears garbage, {share}",
                    lambda: proxy.garbage(share),
                    lasting,
                    healed,
                )
            case "clock":
                step = draw.choice((-400 * 86400.0, -3600.0, -40.0, 40.0, 3600.0, 400 * 86400.0))
                return Mishap(
                    at,
                    f"{station.name}'s clock steps {step:+.0f} s",
                    lambda: station.step_clock(step),
                    lasting,
                    lambda: station.step_clock(0),
                )
            case "rate":
                rate = draw.choice((0, 20, 200, 600, 1000))
                return Mishap(at, f"{station.name} at {rate}/s", lambda: station.at_rate(rate))
            case "disk full":
                return Mishap(at, "centre's disk is full", house.fill_disk, lasting, house.free_disk)
            case _:
                return Mishap(at, "centre is frozen", house.freeze_centre, lasting, house.thaw_centre)

    def run(self) -> None:
        """Let it all happen, in this order."""
        due = [(one.at, n, one.what, one.do) for n, one in enumerate(self.mishaps)]
        due += [
            (one.at + one.lasting, n, f"{one.what}: over", one.undo)
            for n, one in enumerate(self.mishaps)
            if one.undo is not None
        ]
        began = time.monotonic()
        for at, _, what, do in sorted(due, key=lambda one: one[:3]):
            time.sleep(max(0.0, began + at - time.monotonic()))
            print(f"{at:7.2f} s  {what}", flush=True)
            before = time.monotonic()
            do()
            # While a centre starts, the schedule stands still: what follows keeps its distance.
            began += time.monotonic() - before
