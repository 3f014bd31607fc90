"""A dashboard that really listens, and a client that asks it as a browser would, for tests."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from analysis.pipeline import Result, run
from analysis.web.origin import Origin, Read
from analysis.web.pages import Shown
from analysis.web.server import Server
from reporting import known


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str


@dataclass
class Client:
    """Asks one dashboard."""

    port: int
    links: list[str] = field(default_factory=list)
    cookie: str = ""

    def ask(self, path: str, method: str = "GET", form: Mapping[str, str] | None = None, **headers: str) -> Answer:
        """One request; `headers` with `_` for `-`, an empty one is left out."""
        sent = {"Host": f"127.0.0.1:{self.port}", "Cookie": self.cookie}
        if form is not None:
            method = "POST"
            sent |= {"Origin": f"http://127.0.0.1:{self.port}", "Sec-Fetch-Site": "same-origin"}
            sent |= {"Content-Type": "application/x-www-form-urlencoded"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            body = urlencode(form).encode() if form is not None else None
            connection.putrequest(method, path, skip_host=True)
            for name, value in sent.items():
                if value:
                    connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())

    def enter(self) -> Answer:
        """Follows the newest link."""
        answer = self.ask(self.links[-1].partition(str(self.port))[2])
        self.cookie = (answer.headers["Set-Cookie"] or "").partition(";")[0]
        return answer


@contextmanager
def served(origin: Origin | Result, *, changes: bool = False, moment: float = 120.0) -> Iterator[Client]:
    """A dashboard over calls -> a client that is not yet in; he waits for pages, however busy the machine is."""
    if isinstance(origin, Result):
        knowledge = origin.knowledge
        origin = Read(origin, lambda captures: run(captures, knowledge))
    server = Server(moment=moment)
    client = Client(server.port)
    ready = threading.Event()

    def tell(link: str) -> None:
        client.links.append(link)
        ready.set()

    thread = threading.Thread(
        target=lambda: asyncio.run(server.run(Shown(origin, known(), changes), tell)), daemon=True
    )
    thread.start()
    try:
        assert ready.wait(20)
        yield client
    finally:
        server.stop()
        thread.join(20)
        origin.close()
