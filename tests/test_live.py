"""What is to be seen while the traffic comes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from analysis import live
from analysis.knowledge import Knowledge, load
from analysis.live import Sent, Watcher
from analysis.model import Category, Verdict
from captures.model import Body, Contact, Endpoint, Exchange, Source, Unreadable


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


def exchange(host: str, path: str = "/", body: object = None, answer: bytes = b"", **headers: str) -> Exchange:
    content = json.dumps(body).encode() if body else b""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Exchange(
        source=Source(0, 0), time=1.0, end=2.0, device="tv", client=Endpoint("192.0.2.9", 5000), server_name=host,
        server=None, method="POST" if body else "GET", scheme="https", host=host, port=443, path=path, query=(),
        headers=(("content-type", "application/json"), *named), cookies=(), body=Body(content, len(content)),
        status=200, response_headers=(), response_body=Body(answer, len(answer)), http_version="HTTP/1.1",
        bytes_out=100, bytes_in=100,
    )  # fmt: skip


def contact(host: str, reason: str) -> Contact:
    return Contact(
        source=Source(0, 0), time=1.0, end=2.0, device="tv", client=Endpoint("192.0.2.9", 5000), server=None, host=host,
        name_source="sni", protocol="tls", bytes_out=0, bytes_in=0, packets_out=0, packets_in=0, reason=reason,
    )  # fmt: skip


def test_calls_are_counted_by_purpose_and_items_are_named(knowledge: Knowledge) -> None:
    watcher = Watcher(knowledge)
    event = {"event": "client:view", "properties": {"page": "home"}}
    for _ in range(3):
        assert watcher.take(exchange("analytics.plex.tv", "/collect/event", event, x_plex_product="Plex Web")) is None
    now = watcher.now()
    assert (now.calls, now.purposes) == (3, ((Category.USAGE_STATISTICS, 3),))
    # The same again is one line.
    (sent,) = now.newest
    assert (sent.recipient, sent.purpose) == ("Plex", Category.USAGE_STATISTICS)
    assert "app and version" in sent.items
    assert now.closed == ()


def test_of_what_stays_closed_the_first_time_is_told(knowledge: Knowledge) -> None:
    watcher = Watcher(knowledge)
    refused = contact("plex.tv", "client rejected the certificate")
    assert watcher.take(refused) == ("plex.tv", "client rejected the certificate")
    assert watcher.take(refused) is None
    assert watcher.take(replace(refused, host="app.plex.tv")) == ("app.plex.tv", "client rejected the certificate")
    assert watcher.take(Unreadable(Source(0, 9), None, "row 9", "is damaged")) == ("", "is damaged")
    assert watcher.now().closed[0] == ("plex.tv", "client rejected the certificate", 2)


def test_hosts_that_stay_closed_do_not_pile_up(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_MOST", 5)
    watcher = Watcher(knowledge)
    for number in range(50):
        watcher.take(contact(f"host{number}.example", "server refused TLS"))
    assert ("other hosts", "server refused TLS", 45) in watcher.now().closed


SERVERS = b'[{"clientIdentifier": "made-up-id", "owned": true, "connections": [{"uri": "https://home.example:32400"}]}]'


def test_what_an_answer_proves_counts_from_then_on(knowledge: Knowledge) -> None:
    watcher = Watcher(knowledge)
    to_server = exchange("home.example", "/library/sections", x_plex_token="madeUpToken1234567890")
    watcher.take(to_server)
    assert watcher.now().newest[-1].recipient == "home.example"
    watcher.take(exchange("plex.tv", "/api/v2/resources", answer=SERVERS, x_plex_product="Plex Web"))
    watcher.take(to_server)
    assert (Category.SERVER_API, 1) in watcher.now().purposes
    assert sum(sent.recipient == "home.example" for sent in watcher.now().newest) == 1


def test_own_servers_that_the_user_named_are_no_recipients(knowledge: Knowledge) -> None:
    from analysis.evidence import Servers

    watcher = Watcher(knowledge, Servers(hosts=frozenset({"home.example"})))
    watcher.take(exchange("home.example", "/library/sections", x_plex_token="madeUpToken1234567890"))
    assert watcher.now().newest == ()


def test_the_worst_verdict_of_a_call(knowledge: Knowledge) -> None:
    watcher = Watcher(knowledge)
    assert watcher.worst(exchange("unknown.example", user_agent="Made/1.0")) is Verdict.NO_LIST
    assert watcher.worst(exchange("unknown.example")) is None
    assert watcher.worst(exchange("192.168.1.2", user_agent="Made/1.0")) is None


def test_the_screen_shows_no_control_characters(knowledge: Knowledge) -> None:
    from rich.console import Console

    from analysis.cli.view import screen

    watcher = Watcher(knowledge)
    watcher.take(contact("evil\x1b[2J\u202e.example", "client rejected the certificate"))
    console = Console(width=100, record=True, file=Path("/dev/null").open("w"))  # noqa: SIM115 - lives as long as the test
    console.print(screen(watcher.now(), 3, 2))
    console.file.close()
    text = console.export_text()
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"evil\x1b[2J\u202e.example" in text
    assert "3 observations dropped, 2 times the ledger could not be written." in text


def test_markup_in_captured_text_is_shown_as_it_is() -> None:
    from rich.console import Console

    from analysis.cli.view import screen

    now = live.Now(
        1, (), (Sent(("title",), "[link=http://evil.example]x[/link]", Category.SEARCH, Verdict.NO_LIST),), ()
    )
    console = Console(width=140, record=True, file=Path("/dev/null").open("w"))  # noqa: SIM115 - likewise
    console.print(screen(now, 0, 0))
    console.file.close()
    assert "[link=http://evil.example]x[/link]" in console.export_text()


def test_what_happened_so_far_is_told(knowledge: Knowledge) -> None:
    watcher = Watcher(knowledge)
    watcher.take(exchange("plex.tv", "/api/v2/ping"))
    assert watcher.now().occasions == frozenset()
    watcher.take(replace(exchange("192.168.7.40", "/:/timeline", X_Plex_Product="Plex Web"), port=32400))
    assert watcher.now().occasions == {"film"}
    watcher.take(replace(exchange("plex.tv", "/api/v2/ping"), time=86_402.0))
    assert watcher.now().occasions == {"film", "24-hours"}
