"""The other ends of the demo: a made-up vendor cloud with two third parties, and the household's media server."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from xml.sax.saxutils import quoteattr

import tornado.httpserver
import tornado.netutil
import tornado.web

from analysis.demo import household as home


@contextmanager
def serve(context: ssl.SSLContext) -> Iterator[tuple[int, int]]:
    """Starts both on loopback and gives their ports: (cloud, media server).  Stops them at the end.

    They run in a thread with an event loop of its own.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="demo-cloud", daemon=True)
    thread.start()
    servers = asyncio.run_coroutine_threadsafe(_start(context), loop).result(timeout=10)
    try:
        yield servers[0][1], servers[1][1]
    finally:
        asyncio.run_coroutine_threadsafe(_stop([server for server, _ in servers]), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


async def _start(context: ssl.SSLContext) -> list[tuple[tornado.httpserver.HTTPServer, int]]:
    return [_listen(_cloud(), context), _listen(_media_server(), context)]


def _listen(application: tornado.web.Application, context: ssl.SSLContext) -> tuple[tornado.httpserver.HTTPServer, int]:
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server = tornado.httpserver.HTTPServer(application, ssl_options=context)
    server.add_sockets(sockets)
    return server, sockets[0].getsockname()[1]


async def _stop(servers: list[tornado.httpserver.HTTPServer]) -> None:
    for server in servers:
        server.stop()
        await server.close_all_connections()


class _Xml(tornado.web.RequestHandler):
    """Answers every method with a fixed document."""

    def initialize(self, document: str, kind: str = "application/xml") -> None:
        """Takes what to answer with."""
        self._document = document
        self._kind = kind

    def set_default_headers(self) -> None:
        """Says what the vendor's servers say of themselves."""
        self.clear_header("Server")
        if self.request.host.endswith("plex.tv") or ".plex.direct" in self.request.host:
            self.set_header("X-Plex-Protocol", "1.0")

    def _answer(self, *_: str) -> None:
        self.set_header("Content-Type", self._kind)
        self.finish(self._document)

    get = post = put = delete = _answer


def _cloud() -> tornado.web.Application:
    application = tornado.web.Application(log_function=_silent)
    plex = [
        (r"/api/v2/users/signin", _Xml, {"document": _user()}),
        (r"/api/v2/resources", _Xml, {"document": _resources()}),
        (r"/api/v2/user/privacy", _Xml, {"document": "<privacy/>"}),
        (r"/devices/.*", _Xml, {"document": "<MediaContainer/>"}),
        (r"/updater/products/\d+/check.xml", _Xml, {"document": "<MediaContainer size='0'/>"}),
        (r"/pms/:/ip", _Xml, {"document": home.PUBLIC_ADDRESS, "kind": "text/plain"}),
    ]
    application.add_handlers(r"plex\.tv", plex)
    statistics = [(r"/collect/event", _Xml, {"document": "OK", "kind": "text/plain"})]
    application.add_handlers(r"(analytics|metrics)\.plex\.tv", statistics)
    application.add_handlers(
        r"metadata\.provider\.plex\.tv", [(r"/library/metadata/matches", _Xml, {"document": _matches()})]
    )
    application.add_handlers(
        r".*\.ingest\.sentry\.io", [(r"/api/\d+/envelope/", _Xml, {"document": "{}", "kind": "application/json"})]
    )
    application.add_handlers(r"pubads\.g\.doubleclick\.net", [(r"/gampad/ads", _Xml, {"document": "<VAST/>"})])
    return application


def _media_server() -> tornado.web.Application:
    identity = f"<MediaContainer machineIdentifier={quoteattr(home.MACHINE_ID)} version='1.41.0.8994'/>"
    return tornado.web.Application(
        [
            (r"/", _Xml, {"document": identity}),
            (r"/identity", _Xml, {"document": identity}),
            (r"/library/metadata/\d+", _Xml, {"document": _library()}),
            (r"/:/timeline", _Xml, {"document": "<MediaContainer size='0'/>"}),
        ],
        log_function=_silent,
    )


def _silent(_: tornado.web.RequestHandler) -> None:
    """Standard error belongs to the demo's own steps."""


def _user() -> str:
    return (
        f"<user id={quoteattr(home.ACCOUNT_ID)} uuid={quoteattr(home.ACCOUNT_UUID)} email={quoteattr(home.EMAIL)} "
        f"username={quoteattr(home.USERNAME)} authToken={quoteattr(home.TOKEN)} country='AT' locale='en'/>"
    )


def _resources() -> str:
    connections = (
        f"<connection protocol='https' address='{home.LAN_ADDRESS}' port='{home.SERVER_PORT}' "
        f"uri='https://{home.SERVER_HOST}:{home.SERVER_PORT}' local='1' relay='0' IPv6='0'/>"
    )
    return (
        f"<resources><resource name='{home.SERVER_NAME}' product='Plex Media Server' provides='server' owned='1' "
        f"clientIdentifier='{home.MACHINE_ID}' publicAddress='{home.PUBLIC_ADDRESS}' "
        f"accessToken='{home.SERVER_TOKEN}'><connections>{connections}</connections></resource></resources>"
    )


def _matches() -> str:
    film = home.FILMS[0]
    return json.dumps({"MediaContainer": {"Metadata": [{"title": film.title, "guid": film.guid, "year": film.year}]}})


def _library() -> str:
    media = "".join(
        f"<Video ratingKey='{film.key}' title={quoteattr(film.title)} duration='{film.duration}' year='{film.year}'>"
        f"<Media duration='{film.duration}' bitrate='{film.bitrate}' width='1920' height='804'/></Video>"
        for film in home.FILMS
    )
    return f"<MediaContainer size='{len(home.FILMS)}'>{media}</MediaContainer>"
