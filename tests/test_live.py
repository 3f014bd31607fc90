"""What is to be seen while the traffic comes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from analysis import live
from analysis.compare import judged
from analysis.evidence import SwitchState
from analysis.knowledge import Knowledge
from analysis.live import Sent, Watcher
from analysis.model import Category, Verdict
from captures import formats
from captures.model import Body, Contact, Endpoint, Exchange, Source, Unreadable
from shipped import KNOWLEDGE


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return KNOWLEDGE


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


def test_a_remembered_judgement_is_the_one_that_the_call_alone_gets(knowledge: Knowledge) -> None:
    """Also where days, identities and what was proven differ from call to call."""
    root = Path(__file__).parent / "data"
    remembered = 0
    for name in ("npm-plex", "plexapi", "tautulli", "web-session"):
        watcher = Watcher(knowledge)
        seen = list(formats.read(root / f"{name}.flow.gz").observations())
        later = [replace(one, time=one.time + 40_000.0) for one in seen if one.time]
        for observation in (*seen, *later, *seen):
            before = len(watcher._met)
            found = watcher.look(observation)
            assert found.comparisons == judged((found.call,), found.findings, knowledge, watcher.evidence), name
            remembered += bool(found.comparisons) and len(watcher._met) == before
    assert remembered > 100


def test_what_is_remembered_of_a_call_ends_where_a_switch_is_turned(knowledge: Knowledge) -> None:
    watcher = Watcher(knowledge)
    states = (
        SwitchState(50.0, "plex", "send-playback-data", True, 0),
        SwitchState(100.0, "plex", "send-playback-data", False, 0),
    )
    watcher._evidence = dataclasses.replace(watcher.evidence, switches=states)
    event = exchange(
        "analytics.plex.tv", "/collect/event", {"event": "playback", "duration": 60_000}, x_plex_product="Plex Web"
    )
    for time in (60.0, 110.0, 70.0, 120.0):
        found = watcher.look(replace(event, time=time))
        fresh = judged((found.call,), found.findings, knowledge, watcher.evidence)
        assert found.comparisons == fresh
        assert any(c.verdict is Verdict.OPTED_OUT for c in fresh) == (time > 100)
    assert len(watcher._met) == 2


def played(serverType: str = "owned", **properties: object) -> Exchange:
    """An event of Plex Web about a film."""
    about = {"serverType": serverType, "identifier": "com.plexapp.plugins.library", **properties}
    body = {"event": "playback:itemend", "context": {"device": {"product": "Plex Web"}}, "properties": about}
    return replace(exchange("analytics.plex.tv", "/collect/event", body), time=1_750_000_000.0)


BESIDE = {
    "place": (played(bitrate=8192), played(videoBitrate=8192)),
    "value": (played(title="Dune"), played("x", identifier="tv.plex.provider.made-up", title="Dune")),
    "day": (played(duration=5460), replace(played(duration=5460), time=1_250_000_000.0)),
    "host": (
        exchange("a.made-up.example", "/x", {"user": "tom@mail.example"}),
        exchange("b.made-up.example", "/x", {"user": "tom@mail.example"}),
    ),
}


@pytest.mark.parametrize("pair", BESIDE.values(), ids=BESIDE)
def test_what_tells_two_calls_apart_is_not_forgotten(knowledge: Knowledge, pair: tuple[Exchange, Exchange]) -> None:
    watcher = Watcher(knowledge)
    said = []
    for one in (*pair, *pair):
        found = watcher.look(one)
        said.append([replace(c, calls=(), look=None) for c in found.comparisons])
        assert found.comparisons == judged((found.call,), found.findings, knowledge, watcher.evidence)
    assert said[0] == said[2]
    assert said[1] == said[3]
    assert said[0] != said[1]


def test_nothing_is_remembered_beyond_what_was_proven(knowledge: Knowledge) -> None:
    watcher = Watcher(knowledge)
    watcher.look(exchange("made-up.example", "/x", {"user": "tom@mail.example"}))
    assert watcher._met
    proof = watcher.look(exchange("plex.tv", "/api/v2/resources", answer=SERVERS, x_plex_product="Plex Web"))
    assert watcher.evidence.own.hosts == {"home.example"}
    assert [found[0].calls for found in watcher._met.values()] == [(proof.call.n,)]
