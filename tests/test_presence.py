"""What the proxy changes for a device is noticed, and a device gets nothing older or weaker than it would accept."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import io
import json
import re
import socket
import sqlite3
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from mitmproxy import http as mitm

from addons.presence import Offer, offered
from analysis import post, redact, shared_report, texts
from analysis.demo.certificates import make
from analysis.evidence import NO_SERVERS
from analysis.index import Index
from analysis.pipeline import Result, run
from analysis.proxy import Proxy
from analysis.report import as_json
from analysis.report.private import private
from analysis.report.terminal import render
from analysis.shared_report import SharedEffect
from analysis.sums import summed
from analysis.texts import presence as words
from captures import ledger
from captures.formats import read
from captures.ledger import Writer
from captures.model import Effect
from captures.recorder import Raw, frame, frames, packed
from dashboard import served
from fake_cloud import Handler, connect, recorded, small, trust
from shipped import KNOWLEDGE

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@contextmanager
def serving(context: ssl.SSLContext, handler: Handler = small) -> Iterator[int]:
    """A TLS server with this context, which by default answers each request -> its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve(plain: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
            handler(secure)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with server:
        yield server.getsockname()[1]


def told(path: Path, *wanted: str) -> Counter[str]:
    """What is said of effects, as soon as all wanted ones are there."""
    end = time.monotonic() + 10
    while True:
        found = Counter({one.kind: one.count for one in ledger.effects(path)})
        if set(wanted) <= set(found) or time.monotonic() > end:
            return found
        time.sleep(0.05)


@contextmanager
def before(folder: Path, context: ssl.SSLContext) -> Iterator[tuple[Proxy, Path]]:
    with serving(context) as port:
        (folder / "x").mkdir()
        reroute = json.dumps({"plex.tv": ["127.0.0.1", port]})
        authority = str(folder / "demo-ca.pem")
        with recorded(
            folder / "x", small, ssl_verify_upstream_trusted_ca=authority, phonehome_reroute=reroute
        ) as found:
            yield found


def test_an_older_tls_of_the_server_that_the_device_does_not_see_is_counted(tmp_path: Path) -> None:
    _, old = make(tmp_path, ("plex.tv",))
    old.maximum_version = TLS12
    with before(tmp_path, old) as (proxy, path):
        for _ in range(2):
            with connect(proxy, trust(tmp_path / "x"), "plex.tv") as connection:
                connection.request("GET", "/")
                assert connection.sock.version() == "TLSv1.3"
                assert connection.getresponse().status == 200
        found = told(path, "older-tls")
    assert found == {"way:regular": 2, "older-tls": 2}


def test_who_accepts_no_older_tls_gets_none_by_our_presence(tmp_path: Path) -> None:
    _, old = make(tmp_path, ("plex.tv",))
    old.maximum_version = TLS12
    with before(tmp_path, old) as (proxy, path):
        careful = trust(tmp_path / "x")
        careful.minimum_version = TLS13
        with connect(proxy, careful, "plex.tv") as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == 502
        assert set(told(path, "refused-tls", "failed-once")) == {"way:regular", "refused-tls", "failed-once"}


def test_who_accepts_no_weaker_cipher_gets_none_by_our_presence(tmp_path: Path) -> None:
    _, weak = make(tmp_path, ("plex.tv",))
    weak.maximum_version = TLS12
    weak.set_ciphers("AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA")
    with before(tmp_path, weak) as (proxy, path):
        careful = trust(tmp_path / "x")
        careful.set_ciphers("ECDHE+AESGCM")
        with connect(proxy, careful, "plex.tv") as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == 502
        # What is learned holds for the device; from another address the next one comes.
        careless = trust(tmp_path / "x")
        careless.maximum_version = TLS12
        careless.set_ciphers("ECDHE+AESGCM:AES128-SHA")
        there = http.client.HTTPSConnection(
            *proxy.listening[0], timeout=20, context=careless, source_address=("127.0.0.2", 0)
        )
        there.set_tunnel("plex.tv", 443)
        with contextlib.closing(there):
            there.request("GET", "/")
            assert there.getresponse().status == 200
        told(path, "weaker-cipher")
        found = [(one.kind, one.device, one.host) for one in ledger.effects(path) if not one.kind.startswith("way")]
    assert found == [
        ("failed-once", "127.0.0.1", "plex.tv"),
        ("refused-tls", "127.0.0.1", "plex.tv"),
        ("weaker-cipher", "127.0.0.2", "plex.tv"),
    ]


def hello(body: bytes, *ciphers: int, versions: tuple[int, ...] = ()) -> Offer:
    listed = b"".join(version.to_bytes(2) for version in versions)
    return offered(body, {43: bytes([len(listed)]) + listed} if versions else {}, list(ciphers))


def test_what_a_device_offers_is_read_from_its_hello() -> None:
    gcm, cbc, rsa, tls13, odd = 0xC02F, 0xC013, 0x002F, 0x1301, 0x0A0A
    assert hello(b"\3\3", tls13, odd, versions=(0x2A2A, 0x304)) == Offer(0x304, 0x304, 0)
    assert hello(b"\3\3", tls13, gcm, cbc, versions=(0x304, 0x303)) == Offer(0x303, 0x304, 1)
    assert hello(b"\3\3", gcm, rsa) == Offer(0x300, 0x303, 2)
    assert hello(b"\3\1", cbc) == Offer(0x300, 0x301, 1)
    # Odd ones are taken for one that accepts anything, so that nothing changes for it.
    assert offered(b"", {43: b"\3\3"}, []) == Offer(0x000, 0x300, 2)


def test_a_device_that_gets_what_it_would_get_without_us_is_not_counted(tmp_path: Path) -> None:
    with recorded(tmp_path, small) as (proxy, path):
        with connect(proxy, trust(tmp_path), "plex.tv") as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
        old = trust(tmp_path)
        old.maximum_version = TLS12
        with connect(proxy, old, "plex.tv") as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
        time.sleep(1.3)
        assert told(path, "way:regular") == {"way:regular": 2}


def kept(path: Path, *effects: Effect) -> Path:
    writer = Writer(path, None)
    for effect in effects:
        writer.effect(effect)
    writer.close()
    return path


def test_effects_add_up_over_sessions_and_go_with_their_time(tmp_path: Path) -> None:
    path, now = tmp_path / "a.ledger", time.time()
    kept(path, Effect("ech", "a.example", "tv", 2, now - 9, now - 8), Effect("ech", "a.example", "tv", 1, now, now))
    kept(path, Effect("ech", "a.example", "tv", 1, now - 20, now - 20), Effect("mended", "", "pc", 1, 9.0, 9.0))
    assert ledger.effects(path) == (
        Effect("ech", "a.example", "tv", 4, now - 20, now), Effect("mended", "", "pc", 1, 9.0, 9.0),
    )  # fmt: skip
    ledger.prune(path, 1)
    assert [effect.kind for effect in ledger.effects(path)] == ["ech"]


def test_of_too_many_only_what_they_are_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_MOST_EFFECTS", 3)
    path = tmp_path / "a.ledger"
    for n in range(4):
        kept(path, Effect("ech", f"{n}.example", "tv", 1, 1.0, 1.0))
    assert [(x.host, x.device, x.count) for x in ledger.effects(path)] == [
        ("", "", 1), ("0.example", "tv", 1), ("1.example", "tv", 1), ("2.example", "tv", 1),
    ]  # fmt: skip


def test_a_ledger_from_before_says_nothing_of_effects(tmp_path: Path) -> None:
    path = kept(tmp_path / "a.ledger", Effect("ech", "a.example", "tv", 1, 1.0, 1.0))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE effect")
        connection.execute("PRAGMA user_version = 3")
    assert ledger.effects(path) == read(path).effects == ()
    kept(path, Effect("ech", "a.example", "tv", 5, 1.0, 1.0))
    assert [effect.count for effect in read(path).effects] == [5]


@pytest.mark.parametrize(("way", "offers"), [("regular", True), ("wireguard", False), ("tun", False)])
def test_an_offer_of_http3_counts_where_no_udp_passes(way: str, offers: bool) -> None:
    state = {
        "type": "http", "websocket": None,
        "request": mitm.Request.make("GET", "https://plex.tv/").get_state(),
        "response": mitm.Response.make(200, b"", {"Alt-Svc": 'h3=":443"; ma=86400'}).get_state(),
        "client_conn": {"peername": ("192.0.2.7", 40_000), "sni": "plex.tv", "proxy_mode": way},
        "server_conn": {"peername": ("203.0.113.1", 443), "address": ("plex.tv", 443)},
    }  # fmt: skip
    plain = {**state, "response": mitm.Response.make(200).get_state()}
    rows = [packed(Raw(one, number, "", None, None)) for number, one in enumerate((state, plain))]
    pipe = io.BytesIO(frame(rows, 0))
    seen = [one for _, found in frames(pipe) for one in found if isinstance(one, Effect)]
    assert [(x.kind, x.host, x.device, x.count) for x in seen] == [("http3", "plex.tv", "192.0.2.7", 1)] * offers


def test_the_report_lists_what_was_changed_and_what_always_is(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.ledger",
        Effect("way:transparent", "", "tv", 40, 1.0, 2.0),
        Effect("older-tls", "old.example", "tv", 2, 1.0, 2.0),
        Effect("older-tls", "b.example", "pc", 1, 1.0, 2.0),
        Effect("lower-tls", "\x1b[31mc.example", "pc", 1, 1.0, 2.0),
    )
    knowledge = KNOWLEDGE
    result = run([read(path)], knowledge)
    said = render(private(result), width=300)
    section = said.partition(words.HEADING)[2].split("\n\n\n")[0]
    rows = [line for line in section.splitlines() if "old.example" in line]
    assert len(rows) == 1
    assert "b.example, old.example" in rows[0]
    assert rows[0].rstrip(" │|").endswith("3")
    assert "by router" in section
    assert words.FACTS["http3"] in section
    assert words.FACTS["visitors"] not in section
    assert "\x1b" not in section
    told = msgspec.json.decode(as_json.render(result))["presence"]
    assert told["ways"] == {"transparent": 40}
    assert told["always"] == ["certificate", "revoked", "tls", "address", "http3", "silence"]
    assert [(x["kind"], x["count"]) for x in told["effects"]] == [("lower-tls", 1), ("older-tls", 1), ("older-tls", 2)]
    with Index(path) as index:
        brief = summed(read(path), path, knowledge, index, named=NO_SERVERS)
    assert brief is not None
    assert private(brief) == private(result)


def test_a_capture_that_no_proxy_made_has_no_such_part(tmp_path: Path) -> None:
    path = kept(tmp_path / "a.ledger")
    said = render(private(run([read(path)], KNOWLEDGE)))
    assert words.HEADING not in said


def test_every_effect_that_is_counted_has_words() -> None:
    said = {
        kind
        for file in (Path(__file__).parents[1] / "addons").glob("*.py")
        for kind in re.findall(r'\.effect\("([a-z0-9-]+)"', file.read_text("utf-8"))
    }
    assert len(said) > 8
    assert said <= set(words.EFFECTS)


def changed(tmp_path: Path) -> Result:
    """What a proxy recorded that changed something, of a kind that nobody knows among it."""
    path = kept(
        tmp_path / "alice.ledger",
        Effect("way:transparent", "", "alices-tv", 40, 1.0, 2.0),
        Effect("passed", "bank.example", "alices-tv", 3, 1.0, 2.0),
        Effect("older-tls", "old.example", "alices-tv", 1, 1.0, 2.0),
        Effect("older-tls", "b.example", "pc", 1, 1.0, 2.0),
        Effect("alice-secret", "b.example", "pc", 1, 1.0, 2.0),
    )
    result = run([read(path)], KNOWLEDGE)
    short = dataclasses.replace(result.captures[0], first=1.7e9, last=1.7e9 + 1_800)
    return dataclasses.replace(result, captures=(short,))


@pytest.mark.parametrize("form", post.FORMS)
def test_a_post_tells_what_was_changed_and_neither_where_nor_for_whom_nor_how_often(tmp_path: Path, form: str) -> None:
    result = changed(tmp_path)
    made = redact.redact(result)
    assert made.presence == (SharedEffect("passed"), SharedEffect("older-tls"))
    text = post.post(result, made, form)
    assert shared_report.read(shared_report.embedded(text.encode())) == made
    assert "alice" not in text
    assert "example" not in text
    if form == "markdown":
        said = "Where the presence of phonehome changed something for a device: passed without being looked into; "
        assert said + "older TLS between proxy and server." in text
    assert shared_report.without(made, ["presence"]).presence == ()


def test_a_post_from_before_is_read_and_one_of_something_unknown_is_refused(tmp_path: Path) -> None:
    made = shared_report.json(redact.redact(changed(tmp_path)))
    before = json.loads(made)
    del before["presence"]
    assert shared_report.read(json.dumps(before).encode()).presence == ()
    with pytest.raises(ValueError, match="none of the words that may stand there"):
        shared_report.read(made.replace('"older-tls"', '"old-tls"').encode())


def test_all_that_can_be_changed_can_be_told() -> None:
    assert set(texts.SHARED_EFFECTS) == set(words.EFFECTS)


def test_the_dashboard_tells_what_was_changed(tmp_path: Path) -> None:
    with served(changed(tmp_path)) as client:
        client.enter()
        page = client.ask("/").text
    section = re.sub(r"\s+", " ", page.partition(words.HEADING)[2])
    assert "old.example" in section
    assert "by router" in section
    with served(run([], KNOWLEDGE)) as client:
        client.enter()
        assert words.HEADING not in client.ask("/").text
