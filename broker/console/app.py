"""The console as an ASGI application: routes, static files, security, error pages."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response
from litestar.config.allowed_hosts import AllowedHostsConfig
from litestar.config.csrf import CSRFConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.response import Redirect
from litestar.static_files import create_static_files_router

from broker.centre import Centre
from broker.console.live import Live
from broker.console.pages import BoardPages, Desk, Entrance, RecordPages, VisitPages, logged_in
from broker.console.security import CSRF_COOKIE, HEADERS
from broker.settings import Centre as Settings
from broker.store.database import meta
from broker.store.views import Changes

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Console:
    """The application, and where it hears of commits (on the event loop)."""

    asgi: Litestar
    live: Live

    def on_change(self, changes: Changes) -> None:
        self.live.changed(changes)


def make_app(
    settings: Settings, centre: Centre, reading: sqlite3.Connection, ending: asyncio.Event
) -> Console:
    """The console of one centre. `reading` is used on the event loop's thread alone."""
    desk = Desk(settings.areas, settings.policy, centre, reading, ending)

    def failed(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        return _error(desk, request, error)

    app = Litestar(
        [
            Entrance,
            BoardPages,
            VisitPages,
            RecordPages,
            create_static_files_router(path="/static", directories=[STATIC], cache_control=None),
        ],
        dependencies={
            "desk": Provide(lambda: desk, sync_to_thread=False),
            "session": Provide(logged_in, sync_to_thread=False),
        },
        csrf_config=CSRFConfig(
            secret=meta(reading, "console_secret"),
            cookie_name=CSRF_COOKIE,
            cookie_httponly=True,
            exclude=["^/static/", "^/health$"],
            cookie_samesite="strict",
        ),
        # Another site's name that resolves to us must not reach us (DNS rebinding).
        allowed_hosts=AllowedHostsConfig(
            [f"{host}:{settings.console.port}" for host in (settings.console.host, "localhost")]
        ),
        response_headers=HEADERS,
        exception_handlers={HTTPException: failed, Exception: failed},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=64 * 1024,
    )
    return Console(app, desk.live)


def _error(desk: Desk, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A page for a person; the cause goes to the log."""
    if isinstance(error, NotAuthorizedException):
        if request.headers.get("hx-request"):
            return Response("", status_code=401, headers={"hx-redirect": "/login"})
        return Redirect("/login")
    status = error.status_code if isinstance(error, HTTPException) else 500
    id = secrets.token_hex(4)
    if status >= 500:
        log.error("problem %s at %s", id, request.url.path, exc_info=error)
    kind = {403: "403", 404: "404", 405: "404"}.get(status, "404" if status < 500 else "500")
    page = desk.page(request, "error.html", status=status, kind=kind, id=id)
    page.headers.update(HEADERS)
    if status == 403:
        # A token of another centre on this host would be refused for ever; without the cookie the next page brings a new one.
        page.delete_cookie(CSRF_COOKIE)
        if request.headers.get("hx-request"):
            page.headers["hx-refresh"] = "true"
    return page
