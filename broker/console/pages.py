"""The pages and what their buttons do. Handlers are thin: read, present, print; staff's acts go to the centre."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotAuthorizedException, NotFoundException
from litestar.params import Body
from litestar.response import Redirect, Stream

from broker import clock
from broker.centre import Centre
from broker.console.live import BoardFragments, Live
from broker.console.present import Presenter
from broker.console.security import LANGUAGE_COOKIE, NO_STORE, SESSION_COOKIE, Attempts
from broker.console.words import HTML_LANG, LANGUAGES, Speaker
from broker.contract.facts import Decision
from broker.contract.sitedata import Areas, Policy
from broker.contract.version import __version__
from broker.store import accounts, aside, corrections
from broker.store import board as store
from broker.store.accounts import Session
from broker.store.board import Alarm, Board
from broker.visits.deciding import Refusal

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
LONGEST_PASSWORD = 200


class Desk:
    """What all handlers share: the centre, a reading connection, templates, open streams."""

    def __init__(
        self, areas: Areas, policy: Policy, centre: Centre, reading: sqlite3.Connection, ending: asyncio.Event
    ) -> None:
        self.centre, self.db = centre, reading
        self.areas, self.policy = areas, policy
        self.attempts = Attempts()
        self.live = Live(self._board, ending)
        self._templates = Environment(
            loader=PackageLoader("broker.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def _board(self, now: datetime, day_began: datetime) -> Board:
        """What is stored, and what can't be: that the disk takes nothing."""
        board = store.read_board(self.db, now, day_began)
        if not self.centre.storage_fails:
            return board
        return replace(board, alarms=(Alarm("storage_fails", "", clock.stamp(now), 1), *board.alarms))

    def presenter(self, request: Request[Any, Any, Any]) -> Presenter:
        language = request.cookies.get(LANGUAGE_COOKIE, LANGUAGES[0])
        return Presenter(self.areas, self.policy, Speaker(language))

    def renderer(self, presenter: Presenter) -> Callable[..., str]:
        """Prints a template in the presenter's language."""

        def render(template: str, **values: object) -> str:
            return self._templates.get_template(template).render(
                t=presenter.t, present=presenter, version=__version__, **values
            )

        return render

    def page(
        self, request: Request[Any, Any, Any], template: str, *, status: int = 200, **values: object
    ) -> Response[str]:
        """A whole page."""
        presenter = self.presenter(request)
        now = clock.now()
        html = self.renderer(presenter)(
            template,
            now=now,
            local=presenter.local(now),
            html_lang=HTML_LANG[presenter.t.language],
            path=request.url.path,
            csrf=csrf_token(request),
            **values,
        )
        return Response(html, media_type="text/html", status_code=status, headers=NO_STORE)

    def notice(self, request: Request[Any, Any, Any], key: str, *, good: bool) -> Response[str]:
        """A sentence at the foot of the page, as answer to a press."""
        html = self.renderer(self.presenter(request))("_notice.html", key=key, good=good)
        return Response(html, media_type="text/html", headers=NO_STORE)

    def session(self, request: Request[Any, Any, Any]) -> Session | None:
        token = request.cookies.get(SESSION_COOKIE, "")
        return accounts.find_session(self.db, token) if token else None


def csrf_token(request: Request[Any, Any, Any]) -> str:
    """The token that forms and htmx send back; set by Litestar's CSRF middleware."""
    from litestar.utils.scope.state import ScopeState

    token = ScopeState.from_scope(request.scope).csrf_token
    return token if isinstance(token, str) else ""


def logged_in(request: Request[Any, Any, Any], desk: Desk) -> Session:
    """The session of whoever asks; without one, on to the log-in page (see app.refused)."""
    session = desk.session(request)
    if session is None:
        raise NotAuthorizedException
    return session


class Entrance(Controller):
    """In, out, and which language."""

    @get("/health", media_type="text/plain")
    async def health(self) -> str:
        return "ok\n"

    @get("/login")
    async def form(self, request: Request[Any, Any, Any], desk: Desk) -> Response[Any]:
        if desk.session(request):
            return Redirect("/")
        return desk.page(request, "login.html", problem="", account="")

    @post("/login")
    async def log_in(self, request: Request[Any, Any, Any], desk: Desk, data: Form) -> Response[Any]:
        name = data.get("account", "").strip()[:32]
        password = data.get("password", "")[:LONGEST_PASSWORD]
        t = desk.presenter(request).t
        if wait := desk.attempts.wait(name):
            problem = t("slow_down", seconds=wait)
            return desk.page(request, "login.html", status=429, problem=problem, account=name)
        # Counted before the slow check, so that attempts at the same time don't all go through.
        desk.attempts.failed(name)
        row = desk.db.execute("select password_hash from accounts where name = ?", (name,)).fetchone()
        if not await asyncio.to_thread(accounts.is_right, row[0] if row else None, password):
            return desk.page(request, "login.html", status=401, problem=t("wrong"), account=name)
        desk.attempts.succeeded(name)
        opened: list[str] = []
        await asyncio.wrap_future(
            desk.centre.submit(lambda db: opened.append(accounts.open_session(db, name)))
        )
        answer = Redirect("/", status_code=303)
        answer.set_cookie(
            Cookie(
                SESSION_COOKIE,
                value=opened[0],
                httponly=True,
                samesite="strict",
                max_age=int(accounts.SESSION_LASTS.total_seconds()),
            )
        )
        return answer

    @post("/logout")
    async def log_out(self, request: Request[Any, Any, Any], desk: Desk) -> Response[Any]:
        session = desk.session(request)
        if session is not None:
            await asyncio.wrap_future(desk.centre.submit(lambda db: accounts.close_session(db, session)))
        answer = Redirect("/login", status_code=303)
        answer.delete_cookie(SESSION_COOKIE)
        return answer

    @get("/language/{code:str}")
    async def language(self, code: str, next: str = "/") -> Response[Any]:
        if code not in LANGUAGES:
            raise NotFoundException
        parts = urlsplit(next)
        local = next.startswith("/") and not next.startswith(("//", "/\\")) and not parts.netloc
        answer = Redirect(next if local else "/")
        answer.set_cookie(Cookie(LANGUAGE_COOKIE, value=code, samesite="strict", max_age=365 * 86400))
        return answer


class BoardPages(Controller):
    """The board, and what can be done from it."""

    @get("/")
    async def board(self, request: Request[Any, Any, Any], desk: Desk, session: Session) -> Response[str]:
        presenter = desk.presenter(request)
        board, now = desk.live.board(presenter)
        return desk.page(
            request,
            "board.html",
            account=session.account,
            groups=presenter.groups(board, now),
            calls=board.calls,
            alarms=board.alarms,
            stations=presenter.stations(board, now),
        )

    @get("/live")
    async def live(self, request: Request[Any, Any, Any], desk: Desk, session: Session) -> Stream:
        presenter = desk.presenter(request)
        fragments = BoardFragments(desk.live, presenter, desk.renderer(presenter))
        return _stream(desk.live.stream(fragments, lambda: desk.session(request) is not None))

    @post("/visits/{visit:str}/answer", status_code=200)
    async def answer(
        self, request: Request[Any, Any, Any], desk: Desk, session: Session, visit: str, data: Form
    ) -> Response[str]:
        try:
            decision = Decision(data.get("decision", ""))
        except ValueError:
            raise NotFoundException from None
        future = desk.centre.answer(visit, decision, data.get("place", ""), session.account)
        return _done(desk, request, await asyncio.wrap_future(future), "sent")

    @post("/visits/{visit:str}/recall", status_code=200)
    async def recall(
        self, request: Request[Any, Any, Any], desk: Desk, session: Session, visit: str
    ) -> Response[str]:
        refusal = await asyncio.wrap_future(desk.centre.recall(visit, session.account))
        return _done(desk, request, refusal, "recalled")

    @post("/calls/{call:str}/take", status_code=200)
    async def take(
        self, request: Request[Any, Any, Any], desk: Desk, session: Session, call: str
    ) -> Response[str]:
        refusal = await asyncio.wrap_future(desk.centre.take_call(call, session.account))
        return _done(desk, request, refusal, "call_sent")

    @post("/alarms/seen", status_code=204)
    async def seen(self, desk: Desk, session: Session, data: Form) -> None:
        await asyncio.wrap_future(
            desk.centre.dismiss(data.get("kind", ""), data.get("subject", ""), session.account)
        )


class VisitPages(Controller):
    """One visit: its state, its events, and the person behind it when somebody asks to see."""

    @get("/visits/{visit:str}")
    async def visit(
        self, request: Request[Any, Any, Any], desk: Desk, session: Session, visit: str
    ) -> Response[str]:
        values = _visit_values(desk, desk.presenter(request), visit)
        if values is None:
            raise NotFoundException
        return desk.page(request, "visit.html", account=session.account, **values)

    @get("/visits/{visit:str}/live")
    async def live(self, request: Request[Any, Any, Any], desk: Desk, session: Session, visit: str) -> Stream:
        presenter = desk.presenter(request)
        render = desk.renderer(presenter)
        sent = [""]

        def fragments() -> str:
            values = _visit_values(desk, presenter, visit)
            html = render("_visit.html", now=clock.now(), oob=True, **values) if values else ""
            if html == sent[0]:
                return ""
            sent[0] = html
            return html

        return _stream(desk.live.stream(fragments, lambda: desk.session(request) is not None))

    @post("/visits/{visit:str}/correct", status_code=200)
    async def correct(
        self, request: Request[Any, Any, Any], desk: Desk, session: Session, visit: str, data: Form
    ) -> Response[str]:
        field, reason = data.get("field", ""), data.get("reason", "")
        refusal = await asyncio.wrap_future(desk.centre.correct(visit, field, data, reason, session.account))
        if refusal is not None:
            return desk.notice(request, refusal.value, good=False)
        presenter = desk.presenter(request)
        values = _visit_values(desk, presenter, visit) or {}
        render = desk.renderer(presenter)
        html = "".join(
            (
                render("_notice.html", key="corrected_done", good=True),
                render("_correct.html", oob=True, **values),
                render("_person.html", oob=True, full=None, **values),
            )
        )
        return Response(html, media_type="text/html", headers=NO_STORE)

    @get("/visits/{visit:str}/person")
    async def hidden(
        self, request: Request[Any, Any, Any], desk: Desk, session: Session, visit: str
    ) -> Response[str]:
        presenter = desk.presenter(request)
        values = _visit_values(desk, presenter, visit)
        if values is None:
            raise NotFoundException
        html = desk.renderer(presenter)("_person.html", full=None, **values)
        return Response(html, media_type="text/html", headers=NO_STORE)

    @post("/visits/{visit:str}/person", status_code=200)
    async def shown(
        self, request: Request[Any, Any, Any], desk: Desk, session: Session, visit: str
    ) -> Response[str]:
        presenter = desk.presenter(request)
        if _visit_values(desk, presenter, visit) is None:
            raise NotFoundException
        known = await asyncio.wrap_future(desk.centre.show_person(visit, session.account))
        values = _visit_values(desk, presenter, visit) or {}
        html = desk.renderer(presenter)("_person.html", full=presenter.full_person(known), **values)
        return Response(html, media_type="text/html", headers=NO_STORE)


class RecordPages(Controller):
    """What was set aside: why, whence, when, how large; and to try it again."""

    @get("/records")
    async def records(self, request: Request[Any, Any, Any], desk: Desk, session: Session) -> Response[str]:
        found = desk.presenter(request).records(aside.records(desk.db), clock.now())
        return desk.page(request, "records.html", account=session.account, records=found)

    @post("/records/redrive", status_code=200)
    async def redrive(self, request: Request[Any, Any, Any], desk: Desk, session: Session) -> Response[str]:
        done = await asyncio.wrap_future(desk.centre.redrive(session.account))
        presenter = desk.presenter(request)
        found = presenter.records(aside.records(desk.db), clock.now())
        render = desk.renderer(presenter)
        text = presenter.t("redriven", events=done.events, messages=done.messages, left=done.left)
        html = render("_notice.html", key="", text=text, good=True) + render(
            "_records.html", records=found, oob=True
        )
        return Response(html, media_type="text/html", headers=NO_STORE)


def _visit_values(desk: Desk, presenter: Presenter, visit: str) -> dict[str, Any] | None:
    now = clock.now()
    row = store.read_one(desk.db, visit, now)
    if row is None:
        return None
    return {
        "row": row,
        "visit": row.placed.visit,
        "card": presenter.card(row, now),
        "can_answer": presenter.can_answer(row.placed.visit) and not row.placed.use,
        "registered": presenter.when(row.placed.visit.registered_at, now),
        "pass_state": presenter.pass_state(row, now),
        "slip_state": presenter.slip_state(row.placed.visit),
        "steps": presenter.steps(store.timeline(desk.db, row.placed.visit), now),
        "corrections": presenter.corrections(corrections.of_visit(desk.db, visit), now),
        "correctable": presenter.correctable(row.placed.visit),
        "opened": [
            (presenter.when(at, now), account, presenter.t.known(f"act_{act}", act))
            for at, account, act in store.opened(desk.db, visit)
        ],
    }


def _done(desk: Desk, request: Request[Any, Any, Any], refusal: Refusal | None, done: str) -> Response[str]:
    return desk.notice(request, refusal.value if refusal else done, good=refusal is None)


def _stream(chunks: Any) -> Stream:
    return Stream(
        chunks,
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )
