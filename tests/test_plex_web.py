"""A whole session of Plex Web, read as HAR and as a flow file: every item it sends is named, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from mitmproxy import http
from mitmproxy.io import FlowWriter
from mitmproxy.test import tflow

from analysis.cli import main
from analysis.model import Party
from analysis.pipeline import Result, run
from captures.formats import read
from plex_web import BROWSER, BROWSER_ITEMS, CALLS, PLEX, PRIVATE, SERVER_TOKEN, Call, q
from scanner import leaks
from shipped import KNOWLEDGE


def url(call: Call) -> str:
    """The address with what the app says of itself in the query."""
    if call.plex not in ("query", "lower"):
        return call.url
    pairs = {name.lower() if call.plex == "lower" else name: value for name, value in said(call).items()}
    return call.url + ("&" if "?" in call.url else "?") + q(**pairs)


def said(call: Call) -> dict[str, str]:
    pairs = {name: value for name, (value, _) in PLEX.items()}
    if ".plex.direct" in call.url:
        pairs["X-Plex-Token"] = SERVER_TOKEN
    return pairs


def headers(call: Call) -> list[tuple[str, str]]:
    own = list(said(call).items()) if call.plex == "header" else []
    typed = [("Content-Type", call.kind)] if call.body else []
    place = [("Origin", call.page.rstrip("/")), ("Referer", call.page)] if call.page else []
    return [*BROWSER, *place, *typed, *own, *call.headers]


def har(folder: Path) -> Path:
    """As a browser saves it."""
    entries = [
        {
            "startedDateTime": f"2026-01-11T19:{number // 60:02}:{number % 60:02}.250Z",
            "time": 80,
            "request": {
                "method": call.method,
                "url": url(call),
                "httpVersion": "h2",
                "headers": [{"name": name, "value": value} for name, value in headers(call)],
                "queryString": [],
                "cookies": [],
                "headersSize": -1,
                "bodySize": len(call.body),
                **({"postData": {"mimeType": call.kind, "text": call.body}} if call.body else {}),
            },
            "response": {
                "status": 200,
                "statusText": "",
                "httpVersion": "h2",
                "headers": [{"name": "content-type", "value": "application/json"}],
                "cookies": [],
                "content": {"size": len(call.answer), "mimeType": "application/json", "text": call.answer},
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": len(call.answer),
            },
            "cache": {},
            "timings": {"send": 1, "wait": 70, "receive": 9},
        }
        for number, call in enumerate(CALLS)
    ]
    path = folder / "session.har"
    log = {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "pages": [], "entries": entries}
    path.write_text(json.dumps({"log": log}), "utf-8")
    return path


def flow(folder: Path) -> Path:
    """As mitmproxy writes it."""
    path = folder / "session.flow"
    with path.open("wb") as file:
        writer = FlowWriter(file)
        for number, call in enumerate(CALLS):
            request = http.Request.make(call.method, url(call), call.body.encode())
            request.headers = http.Headers([(name.lower().encode(), value.encode()) for name, value in headers(call)])
            request.http_version = "HTTP/2.0"
            request.timestamp_start = request.timestamp_end = 1768159000.25 + number
            response = http.Response.make(200, call.answer.encode(), {"content-type": "application/json"})
            response.timestamp_start = response.timestamp_end = 1768159000.33 + number
            seen = tflow.tflow(req=request, resp=response)
            seen.server_conn.address = (request.host, request.port)
            seen.client_conn.sni = request.host
            writer.add(seen)
    return path


FORMS: dict[str, Any] = {"har": har, "flow": flow}


def expected() -> set[tuple[int, str, str]]:
    """Call, place, item."""
    wanted = set()
    for number, call in enumerate(CALLS):
        items: dict[str, str | tuple[str, ...]] = {**BROWSER_ITEMS, **call.items}
        if call.plex:
            where = "header" if call.plex == "header" else "query"
            for name, (_, item) in PLEX.items():
                items[f"{where}.{name.lower() if call.plex != 'query' else name}"] = item
        for at, ids in items.items():
            wanted |= {(number, at, item) for item in ([ids] if isinstance(ids, str) else ids) if item}
    return wanted


def found(result: Result) -> set[tuple[int, str, str]]:
    return {
        (result.calls[f.call].observation.source.index, f.at, f.item)
        for f in result.findings
        if f.direction == "sent" and f.source != "implied" and f.at != "host"
    }


@pytest.fixture(scope="module", params=FORMS)
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    path = FORMS[request.param](tmp_path_factory.mktemp("session"))
    return path, run([read(path)], KNOWLEDGE)


def test_every_item_is_named_at_its_place_and_nothing_else_is(session: tuple[Path, Result]) -> None:
    wanted, seen = expected(), found(session[1])
    assert len(wanted) > 1000
    assert (sorted(wanted - seen), sorted(seen - wanted)) == ([], [])


def test_every_call_has_its_purpose_and_comes_out_once(session: tuple[Path, Result]) -> None:
    calls = session[1].calls
    assert [call.observation.source.index for call in calls] == list(range(len(CALLS)))
    assert [(call.observation.path, call.category.value) for call in calls] == [  # type: ignore[union-attr]  # exchanges
        (urlsplit(call.url).path, call.category) for call in CALLS
    ]


def test_the_server_of_the_signed_in_user_is_own_and_gets_no_verdict(session: tuple[Path, Result]) -> None:
    calls, judged = session[1].calls, {n for c in session[1].comparisons for n in c.calls}
    own = {call.n for call in calls if call.observation.host.endswith(".plex.direct")}
    assert {calls[n].party for n in own} == {Party.OWN}
    assert own & judged == set()


def test_nothing_private_stands_in_the_shared_report(session: tuple[Path, Result], tmp_path: Path) -> None:
    out = tmp_path / "report"
    with pytest.raises(SystemExit) as ended:
        main(["share", str(session[0]), "--format", "markdown", "-o", str(out)])
    assert ended.value.code == 0
    assert leaks(list(PRIVATE), session[0].read_text("utf-8", "replace")) == list(PRIVATE)
    assert leaks(list(PRIVATE), out.read_text("utf-8")) == []
