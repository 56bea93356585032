"""`broker serve`: Mosquitto, the writer, the MQTT connection and the console, started and ended together.

Started from the inside out (database, broker, connection, console), ended in the opposite order, so that everything
that was taken is written before the process goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from broker.centre import Centre
from broker.console.app import make_app
from broker.contract.sitedata import say
from broker.contract.topics import Topics
from broker.mqtt.client import Arrival, Connection
from broker.mqtt.mosquitto import Mosquitto
from broker.settings import Centre as Settings
from broker.store import accounts
from broker.store.database import HeldError, hold, open_reader, open_writer, transaction
from broker.store.views import Changes

log = logging.getLogger(__name__)


class ServiceError(Exception):
    """The centre can't run; the message is a sentence for a person."""


def serve(settings: Settings, say_line: Callable[[str], None]) -> None:
    """Run the centre until SIGINT or SIGTERM. `say_line` prints for the person who started it.

    Raises:
        ServiceError, StoreError, MosquittoError: it can't start; each with what to do.
    """
    asyncio.run(_serve(settings, say_line))


async def _serve(settings: Settings, say_line: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ending.set)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listener(settings.console.host, settings.console.port))
        try:
            stack.enter_context(hold(settings.data))
        except HeldError as error:
            raise ServiceError(
                f"{error} Is another `broker serve` running? End it, or choose another data folder."
            ) from None
        writing = open_writer(settings.data)
        stack.callback(writing.close)
        with transaction(writing):
            password = accounts.first_password(writing)
        if password is not None:
            # At once: whatever fails further on, only its hash is kept.
            say_line(f"First run: log in as {accounts.ADMIN} with password {password} (shown only this once)")

        changed: list[Callable[[Changes], None]] = []

        def on_change(changes: Changes) -> None:
            for hear in changed:
                loop.call_soon_threadsafe(hear, changes)

        def on_message(arrival: Arrival) -> None:
            centre.arrived(arrival)

        def on_connected() -> None:
            centre.connected()

        def on_fresh_broker() -> None:
            centre.broker_is_fresh()

        connection = Connection(
            client_id=f"{settings.site}.centre",
            host=settings.mqtt.host,
            port=settings.mqtt.port,
            filters=Topics(settings.site).for_centre(),
            on_message=on_message,
            on_connected=on_connected,
        )
        centre = Centre(
            settings, writing, publish=connection.publish, done=connection.done, on_change=on_change
        )
        mosquitto = Mosquitto(
            program=settings.mqtt.mosquitto,
            host=settings.mqtt.host,
            port=settings.mqtt.port,
            folder=settings.data / "mosquitto",
            on_start=on_fresh_broker,
        )
        reading = open_reader(settings.data)
        stack.callback(reading.close)
        console = make_app(settings, centre, reading, ending)
        changed.append(console.on_change)

        centre.start()
        stack.callback(centre.stop)
        await asyncio.to_thread(mosquitto.start)
        stack.callback(mosquitto.stop)
        connection.start()
        stack.callback(connection.stop)

        say_line(f"Frontdesk service centre · {say(settings.areas.names, 'zh_CN')}")
        say_line(f"  console  http://{settings.console.host}:{settings.console.port}")
        say_line(f"  MQTT     {settings.mqtt.host}:{settings.mqtt.port} (this machine only)")
        say_line(f"  data     {settings.data}")
        server = _Server(
            uvicorn.Config(
                console.asgi,
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="on",
                server_header=False,
                timeout_graceful_shutdown=2,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )
        running = asyncio.create_task(server.serve(sockets=[listener]))
        waiting = asyncio.create_task(ending.wait())
        while not server.started and not running.done():
            await asyncio.sleep(0.01)
        say_line("Ready. Ctrl-C ends it.")
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        ending.set()
        server.should_exit = True
        await running
        log.info("ending")
        await asyncio.to_thread(stack.close)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the service ends everything in its order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def _listener(host: str, port: int) -> Iterator[socket.socket]:
    """The console's socket, taken before anything else starts."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ServiceError(
            f"Console port {port} on {host} can't be used ({error.strerror}). Is another `broker serve` running? "
            "End it, or choose another [console] port."
        ) from None
    with listener:
        yield listener
