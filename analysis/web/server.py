"""The dashboard's server: tornado, on loopback, for the browsers that came by a link."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import socket
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.web import Application, HTTPError, RequestHandler

from analysis import texts
from analysis.report import html
from analysis.report.private import private
from analysis.texts import dashboard as say
from analysis.web import filters, notes, pages
from analysis.web.gate import HEADERS, Gate
from analysis.web.origin import InUseError
from analysis.web.pages import Shown, Values
from analysis.web.store import Listed, Store
from captures.gateway import ports
from captures.model import CaptureError

_STATIC = {
    "page.css": (html.TEMPLATES, "text/css"),
    "dashboard.css": (Path(__file__).with_name("static"), "text/css"),
    "dashboard.js": (Path(__file__).with_name("static"), "text/javascript"),
    "icon.svg": (Path(__file__).with_name("static"), "image/svg+xml"),
}

USUAL = 8321
"""Where a dashboard listens if nothing else is said."""

_MOST_LIVE = 20
"""Pages that may follow at the same time."""

_TICK = 0.5
"""Seconds between two looks whether something is new."""

_FIRST = ("blocks.html", "calls.inc.html", "layout.html", "now.html")
"""Templates of the first page."""

MOMENT = 3.0
"""Seconds that somebody waits for a page before he is told that it is being made."""

_AGAIN, _KEPT = 2, 60
"""Seconds after which his browser asks again, and for which what was made is kept for it."""

_LONGEST_FORM = 64 * 1024
"""Bytes that a form may send."""


class Server:
    """One dashboard.  It listens once it is made; `run` serves until it is stopped."""

    def __init__(self, port: int | None = None, moment: float = MOMENT) -> None:
        """`port` 0: any that is free; `None`: the usual one, so that addresses can be kept, or any that is free.

        `moment` are the seconds after which somebody who waits for a page is told so.

        Raises `OSError` when the port is taken.
        """
        try:
            self.socket = socket.create_server(("127.0.0.1", USUAL if port is None else port))
        except OSError:
            if port is not None:
                raise
            self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]
        self.gate = Gate(self.port)
        self.moment = moment
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, shown: Shown, tell: Callable[[str], None]) -> None:
        """Serves until `stop`; `tell` gets the link at first, and a new one each time that one was used."""
        self._loop = asyncio.get_running_loop()
        server = HTTPServer(
            _application(shown, self.gate, tell, self.moment), max_buffer_size=1 << 20, max_body_size=_LONGEST_FORM
        )
        # Nobody reaches it through a proxy of ours.
        with ports.registered(self.port):
            server.add_socket(self.socket)
            tell(self.gate.link)
            try:
                await self._stop.wait()
            finally:
                server.stop()
                await server.close_all_connections()

    def stop(self) -> None:
        """Ends `run`; may be called from any thread and from a signal's handler."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._stop.set)
        else:
            self._stop.set()


def _application(shown: Shown, gate: Gate, tell: Callable[[str], None], moment: float) -> Application:
    templates = pages.templates(shown.knowledge)
    for name in _FIRST:  # a fifth of a second, for which nobody is to wait who opens the first page
        templates.get_template(name)
    common = {
        "shown": shown, "gate": gate, "tell": tell, "templates": templates,
        "busy": asyncio.Lock(), "live": set(), "made": {}, "moment": moment,
    }  # fmt: skip
    routes: list[tuple[str, type[RequestHandler], dict[str, Any]]] = [
        (r"/", Now, common),
        (r"/enter", Enter, common),
        (r"/calls", Explore, common),
        (r"/call/(\d{1,15})", Call, common),
        (r"/call/(\d{1,15})/rule", Rule, common),
        (r"/call/(\d{1,15})/note", Note, common),
        (r"/compare", Compare, common),
        (r"/report", Report, common),
        (r"/share", Share, common),
        (r"/settings", Settings, common),
        (r"/device", Device, common),
        (r"/hidden", Hidden, common),
        (r"/live", Live, common),
        (r"/static/([a-z.]+)", Static, common),
        (r"/favicon.ico", Static, common),
    ]
    return Application(routes, default_handler_class=Nowhere, default_handler_args=common, log_function=_silent)


def _silent(_: RequestHandler) -> None:
    """No request is logged: its address may hold a token, or what was captured."""


class Page(RequestHandler):
    """What all pages have in common."""

    open_to_all = False
    """Whether it answers without the cookie."""

    def initialize(
        self, shown: Shown, gate: Gate, tell: Callable[[str], None], templates: Any, busy: asyncio.Lock,
        live: set[Any], made: dict[str, asyncio.Task[Any]], moment: float,
    ) -> None:  # fmt: skip
        """What the application gives to each."""
        self.shown, self.gate, self.tell, self.templates = shown, gate, tell, templates
        self.busy, self.live, self.made, self.moment = busy, live, made, moment

    def set_default_headers(self) -> None:
        """Headers of every answer, errors too."""
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> Awaitable[None] | None:
        """Looks whether the request may be answered."""
        if reason := self.gate.refusal(self.request.method or "", self.request.headers):
            self.refuse(403, say.REFUSAL.format(why=reason))
        elif not self.open_to_all and not self.inside:
            locked = self.gate.locked("cookie")
            self.refuse(429 if locked else 403, say.LOCKED if locked else say.NO_ENTRY)
        elif self.request.method == "POST" and not self.shown.changes:
            self.refuse(403, say.READ_ONLY)
        return None

    def check_xsrf_cookie(self) -> None:
        """Not by a token in each form: origin, site and the cookie's SameSite say it (see `gate`)."""

    @property
    def inside(self) -> bool:
        """Whether it came with a cookie of ours."""
        if not hasattr(self, "_inside"):
            self._inside = self.gate.knows(self.get_cookie(self.gate.cookie))
        return self._inside

    @property
    def arguments(self) -> dict[str, str]:
        """What stands in the address, each name once."""
        found = self.request.query_arguments
        return {name: values[-1].decode("utf-8", "replace") for name, values in found.items()}

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store, for as long as it takes to make the page."""
        store = Store(self.shown.origin.path)
        try:
            yield store
        finally:
            store.close()

    def found(self, store: Store, n: str) -> Listed:
        """The call of this number.  Raises `HTTPError` when there is none."""
        listed = store.numbered(int(n))
        if listed is None:
            raise HTTPError(404, reason=say.NO_CALL)
        return listed

    def show(self, template: str, title: str, values: Values | None = None, **more: object) -> None:
        """Renders a page."""
        menu = [
            ("/", say.NOW), ("/calls", say.EXPLORE), ("/compare", say.COMPARE), ("/report", say.REPORT),
            ("/share", say.SHARE), ("/settings", say.SETTINGS),
        ]  # fmt: skip
        origin, inside = self.shown.origin, self.inside
        frame = {
            "title": title,
            "name": origin.name if inside else "",
            "inside": inside,
            "menu": menu,
            "here": self.request.path,
            "grows": origin.grows and inside,
            "behind": pages.behind(self.shown) if inside else "",
            "changes": self.shown.changes,
            "named": notes.devices() if inside else {},
        }
        self.set_header("Content-Type", "text/html; charset=utf-8")
        text = self.templates.get_template(template).render({**frame, **(values or {}), **more})
        self.finish(text.encode("utf-8", "backslashreplace"))

    def refuse(self, status: int, message: str) -> None:
        """Answers with a sentence and nothing else."""
        self.set_status(status)
        self.show("message.html", say.TITLE, message=message, tone="warn")

    def write_error(self, status_code: int, **more: Any) -> None:
        """A page for what went wrong; never what tornado would say, which may hold captured text."""
        fault = (more.get("exc_info") or (None, None))[1]
        if isinstance(fault, CaptureError):
            message, status = str(fault), 422
        elif isinstance(fault, sqlite3.OperationalError):
            message, status = say.MADE_ANEW, 503
        elif isinstance(fault, HTTPError):
            message, status = fault.reason or say.NOT_HERE, status_code
        else:
            message, status = say.FAULT.format(kind=type(fault).__name__), status_code
        self.refuse(status, message)

    def log_exception(self, *_: Any) -> None:
        """Says nothing: a traceback may hold captured text."""

    async def apart[T](self, work: Callable[[], T]) -> T:
        """Does long work in a thread, one at a time."""
        async with self.busy:
            try:
                return await asyncio.get_running_loop().run_in_executor(None, work)
            except asyncio.CancelledError:
                # The end of the dashboard does not wait for it.
                raise HTTPError(503, reason=say.TOO_BUSY) from None

    async def prepared[T](self, work: Callable[[], T]) -> T | None:
        """Does long work as `apart`; `None` when that takes longer than a moment.

        Then the work goes on, and the answer is a page that says so, from which the browser asks again by itself.
        """
        address = self.request.uri or ""
        task = self.made.get(address)
        if task is None:
            task = self.made[address] = asyncio.create_task(self.apart(work))
        done, _ = await asyncio.wait({task}, timeout=self.moment)
        if done:
            self.made.pop(address, None)
            try:
                made: T = task.result()
            except InUseError:
                self.later(say.IN_USE)
                return None
            return made
        task.add_done_callback(functools.partial(self._keep, address))
        progress = self.shown.origin.prepared()
        far = say.PREPARED.format(done=texts.number(progress[0]), total=texts.number(progress[1]))
        self.later(f"{say.PREPARING} {far}" if progress[1] else say.PREPARING)
        return None

    def _keep(self, address: str, task: asyncio.Task[Any]) -> None:
        """Who does not come back for what was made leaves nothing behind."""
        if not task.cancelled():
            task.exception()  # else asyncio would print it
        asyncio.get_running_loop().call_later(_KEPT, self.made.pop, address, None)

    def later(self, message: str) -> None:
        """Says why a page is not there yet, and has the browser ask again."""
        self.set_header("Refresh", str(_AGAIN))
        self.show("message.html", say.TITLE, message=message, tone="plain")


class Nowhere(Page):
    """No such page."""

    def get(self) -> None:
        """Says so."""
        raise HTTPError(404, reason=say.NOT_HERE)


class Enter(Page):
    """The link: a token for a cookie."""

    open_to_all = True

    def get(self) -> None:
        """Lets in who has the token."""
        if self.gate.locked():
            self.refuse(429, say.LOCKED)
            return
        made = self.gate.enter(self.arguments.get("token", ""))
        if made is None:
            self.refuse(403, say.WRONG)
            return
        self.set_cookie(self.gate.cookie, made, httponly=True, samesite="Strict", path="/")
        self.tell(self.gate.link)
        self.redirect("/", status=303)


class Static(Page):
    """Style, script and icon."""

    open_to_all = True

    def get(self, name: str = "icon.svg") -> None:
        """One of our four files."""
        if name not in _STATIC:
            raise HTTPError(404, reason=say.NOT_HERE)
        folder, kind = _STATIC[name]
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.finish((folder / name).read_bytes())


class Now(Page):
    """What happens."""

    def get(self) -> None:
        """The first page."""
        with self.store() as store:
            self.show("now.html", say.NOW, pages.now(store, self.shown))


class Explore(Page):
    """Calls, as they are asked for."""

    def get(self) -> None:
        """A page of the list."""
        arguments = self.arguments
        before = arguments.get("before", "")
        with self.store() as store:
            wanted = filters.read(arguments)
            number = int(before) if re.fullmatch(r"[0-9]{1,15}", before) else 0
            self.show("explore.html", say.EXPLORE, pages.explore(store, self.shown, wanted, number))


class Call(Page):
    """One call."""

    def get(self, n: str) -> None:
        """Its page."""
        with self.store() as store:
            listed = self.found(store, n)
        try:
            values = pages.call(listed, self.shown)
        except KeyError:
            raise HTTPError(404, reason=say.NO_CALL) from None
        self.show("call.html", say.CALL.format(n=listed.n), values)


class Rule(Page):
    """A rule for such calls."""

    async def get(self, n: str) -> None:
        """The draft."""

        def work() -> Values:
            with self.store() as store:
                listed = self.found(store, n)
                if not listed.readable:
                    raise HTTPError(404, reason=say.RULE_NONE)
                return pages.rule(listed, store, self.shown)

        self.show("rule.html", say.RULE, await self.apart(work))


class Compare(Page):
    """Two periods of time."""

    async def get(self) -> None:
        """The form, and what became of each item."""

        def work() -> Values:
            with self.store() as store:
                return pages.compare(store, self.shown, self.arguments)

        if values := await self.prepared(work):
            self.show("compare.html", say.COMPARE, values)


class Report(Page):
    """The whole report."""

    async def get(self) -> None:
        """As `inspect --format html` writes it; its own policy names its own script and style."""
        text = await self.prepared(lambda: html.render(private(self.shown.origin.page(), page=True)))
        if text is None:
            return
        policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
        assert policy is not None  # noqa: S101 - each report has one
        self.set_header("Content-Security-Policy", policy[1].replace("&#39;", "'") + "; frame-ancestors 'none'")
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(text.encode("utf-8", "backslashreplace"))


class Share(Page):
    """What a post would say."""

    async def get(self) -> None:
        """The preview, without what the address names."""
        left_out = self.get_query_arguments("without")
        if values := await self.prepared(lambda: pages.share(self.shown, left_out)):
            self.show("share.html", say.SHARE, values)


class Settings(Page):
    """Names of devices, and what is hidden."""

    def get(self) -> None:
        """Both lists."""
        with self.store() as store:
            self.show("settings.html", say.SETTINGS, pages.settings(store))


class Note(Page):
    """A note on a call."""

    def post(self, n: str) -> None:
        """Keeps it."""
        with self.store() as store:
            listed = self.found(store, n)
        text = self.get_body_argument("text", "").replace("\r\n", "\n")
        notes.write(listed, notes.Note(bool(self.get_body_argument("seen", "")), text))
        self.redirect(f"/call/{n}", status=303)


class Device(Page):
    """The name of a device."""

    def post(self) -> None:
        """Keeps it."""
        notes.name(self.get_body_argument("device"), self.get_body_argument("name", ""))
        self.redirect("/settings", status=303)


class Hidden(Page):
    """What is hidden."""

    def post(self) -> None:
        """Hides or shows again."""
        host, purpose = self.get_body_argument("host", ""), self.get_body_argument("purpose")
        notes.hide(host, purpose, hides=bool(self.get_body_argument("hide", "")))
        self.redirect("/settings", status=303)


class Live(Page):
    """Tells a page when something is new, as server-sent events."""

    async def get(self) -> None:
        """Goes on until the page is left."""
        if len(self.live) >= _MOST_LIVE:
            raise HTTPError(429, reason=say.TOO_BUSY)
        self.live.add(self)
        self.set_header("Content-Type", "text/event-stream")
        wanted, begin = filters.read(self.arguments), -1
        told, quiet = (-1, False), 0.0
        try:
            while True:
                # The store may just be made anew.
                try:
                    with self.store() as store:
                        last, behind = store.last, pages.behind(self.shown)
                        begin = last if begin < 0 else begin
                        event = self._event(store, wanted, begin, behind) if (last, bool(behind)) != told else ""
                        told = last, bool(behind)
                except sqlite3.Error:
                    event = ""
                quiet = 0.0 if event else quiet + _TICK
                if event or quiet >= 15:
                    self.write(event or ": still here\n\n")
                    await self.flush()
                    quiet = 0.0
                await asyncio.sleep(_TICK)
        except (StreamClosedError, asyncio.CancelledError):
            pass  # the page is left, or the dashboard ends
        finally:
            self.live.discard(self)

    @staticmethod
    def _event(store: Store, wanted: filters.Filter, begin: int, behind: str) -> str:
        told = {"fresh": store.since(wanted, begin, notes.hidden()), "behind": behind}
        return f"event: calls\ndata: {json.dumps(told)}\n\n"

    def on_connection_close(self) -> None:
        """The page is gone."""
        self.live.discard(self)
