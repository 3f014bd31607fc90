"""The dashboard: who may ask, and what the pages say."""

from __future__ import annotations

import re
import select
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from analysis.web.gate import Gate
from analysis.web.server import Server
from dashboard import Client, served
from fake_cloud import ROOT, start
from reporting import evening


@pytest.fixture(scope="module")
def evenings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A dashboard over a made-up evening, entered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHONEHOME_HOME", str(tmp_path_factory.mktemp("home")))
        with served(evening()) as client:
            client.enter()
            yield client


def rows(text: str) -> list[str]:
    """What was called, row by row."""
    return re.findall(r'<a class="what" href="/call/\d+">([^<]*)</a>', text)


def test_nothing_is_shown_to_who_did_not_come_by_the_link() -> None:
    with served(evening()) as client:
        for path in ("/", "/calls", "/call/1", "/live", "/report", "/share", "/nothing"):
            answer = client.ask(path)
            assert answer.status == 403
            assert "link that phonehome shows" in answer.text
            assert "analytics" not in answer.text + str(answer.headers)
            assert "alice-evening" not in answer.text


def test_a_link_works_once_and_then_the_next_one_is_told() -> None:
    with served(evening()) as client:
        entered = client.enter()
        assert (entered.status, entered.headers["Location"]) == (303, "/")
        name, _, rest = entered.headers["Set-Cookie"].partition("=")
        assert name == f"phonehome-{client.port}"
        assert {part.strip() for part in rest.split(";")[1:]} == {"HttpOnly", "Path=/", "SameSite=Strict"}
        assert client.ask("/").status == 200
        assert client.ask(client.links[0].partition(str(client.port))[2], Cookie="").status == 403
        assert len(client.links) == 2
        assert client.enter().status == 303


def test_after_ten_wrong_tokens_nobody_is_let_in_for_a_while_but_who_is_in_stays() -> None:
    with served(evening()) as client:
        client.enter()
        wrong = [client.ask(f"/enter?token=wrong{n}", Cookie="").status for n in range(12)]
        assert wrong == [403] * 10 + [429] * 2
        assert client.ask(client.links[-1].partition(str(client.port))[2], Cookie="").status == 429
        assert client.ask("/").status == 200


def test_wrong_cookies_are_counted_likewise_and_lock_out_no_right_one() -> None:
    with served(evening()) as client:
        name = f"phonehome-{client.port}"
        assert [client.ask("/", Cookie=f"{name}=x{n}").status for n in range(11)] == [403] * 9 + [429] * 2
        assert client.enter().status == 303
        assert client.ask("/").status == 200


def test_the_lock_opens_after_a_minute() -> None:
    time = [0.0]
    gate = Gate(1, lambda: time[0])
    right = gate.link.partition("token=")[2]
    for _ in range(10):
        assert gate.enter("wrong") is None
    assert gate.enter(right) is None
    time[0] = 59.0
    assert gate.locked()
    time[0] = 60.0
    assert gate.enter(right)


def test_tokens_hold_128_bits_and_are_never_the_same() -> None:
    tokens = {Gate(1).link.partition("token=")[2] for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {22}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", ""])
def test_other_names_are_refused(evenings: Client, host: str) -> None:
    assert evenings.ask("/", Host=host.format(port=evenings.port)).status in (400, 403)


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_names_of_this_machine_are_served(evenings: Client, host: str) -> None:
    assert evenings.ask("/", Host=host.format(port=evenings.port)).status == 200


def test_it_listens_on_loopback_alone() -> None:
    server = Server()
    with server.socket:
        assert server.socket.getsockname() == ("127.0.0.1", server.port)
        with Server(0).socket as other:
            assert other.getsockname()[0] == "127.0.0.1"
        taken = Server()
        with taken.socket:
            assert taken.port != server.port
        with pytest.raises(OSError, match="in use"):
            Server(server.port)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec_Fetch_Site": ""}, 303),
        ({"Origin": ""}, 303),
        ({"Origin": "", "Sec_Fetch_Site": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "none"}, 403),
        ({"Cookie": ""}, 403),
    ],
)
def test_changes_come_from_our_own_pages_alone(headers: dict[str, str], status: int) -> None:
    with served(evening(), changes=True) as client:
        client.enter()
        assert client.ask("/device", form={"device": "192.168.7.23", "name": "armchair"}, **headers).status == status
        named = ["armchair" in client.ask(path).text for path in ("/settings", "/", "/calls", "/call/1")]
        assert named == [status == 303] * 4


def test_it_only_shows_unless_changes_are_allowed(evenings: Client) -> None:
    for path in ("/device", "/hidden", "/call/1/note"):
        assert evenings.ask(path, form={"device": "192.168.7.23", "name": "TV", "purpose": "settings"}).status == 403
    assert '<form method="post"' not in evenings.ask("/settings").text + evenings.ask("/call/1").text


@pytest.mark.parametrize("path", ["/", "/calls", "/call/1", "/nothing", "/static/dashboard.js", "/enter?token=x"])
def test_every_answer_forbids_what_no_page_of_ours_needs(evenings: Client, path: str) -> None:
    headers = evenings.ask(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "same-origin")
    assert headers["Server"] is None


def test_the_report_keeps_its_own_policy_without_inline_exceptions(evenings: Client) -> None:
    answer = evenings.ask("/report")
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert re.findall(r"script-src '(sha256-[^']+)'", policy)
    assert "unsafe" not in policy


def test_a_fault_says_nothing_of_what_was_captured(evenings: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("alice-secret")

    monkeypatch.setattr("analysis.web.pages.explore", fail)
    answer = evenings.ask("/calls")
    assert answer.status == 500
    assert "RuntimeError" in answer.text
    assert "alice" not in answer.text.partition("<main")[2]


def test_the_first_page_says_how_much_was_sent_and_how_much_of_it_could_be_read(evenings: Client) -> None:
    text = evenings.ask("/").text
    assert "6 calls outside; 67\N{NO-BREAK SPACE}% could be read." in text
    assert "517 B of these in connections that could not be read" in text
    assert "Live" not in re.sub(r"<[^>]*>", "", text)


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("", 6),
        ("noise=1", 7),
        ("device=192.168.7.23", 5),
        ("device=192.168.7.99", 0),
        ("product=plex", 5),
        ("product=-", 1),
        ("purpose=update-check", 1),
        ("item=client.device_name", 1),
        ("item=media.duration&verdict=optional", 1),
        ("verdict=undeclared", 1),
        ("verdict=unreadable", 2),
        ("verdict=received", 1),
        ("host=plex.tv", 4),
        ("host=metrics.plex.tv", 1),
        ("host=lex.tv", 0),
        ("text=analytics", 1),
        ("text=analy+coll", 1),
        ("text=ana+metrics", 0),
        ("text=living-room", 1),
        ("text=%00%27%22*()", 0),
        ("text=%22NEAR(plex+zzz)", 0),
        ("since=2023-11-14T00:00&until=2023-11-15T23:00", 5),
        ("since=2030-01-01T00:00", 0),
        ("since=rubbish", 6),
    ],
)
def test_calls_are_chosen_by_the_address(evenings: Client, asked: str, count: int) -> None:
    answer = evenings.ask(f"/calls?{asked}")
    assert answer.status == 200
    assert len(rows(answer.text)) == count
    assert f"{count} call{'' if count == 1 else 's'}\n" in re.sub(r"<[^>]*>", "", answer.text)


def test_what_was_chosen_stands_in_the_form_again(evenings: Client) -> None:
    text = evenings.ask("/calls?text=%22%3Ecollect&purpose=usage-statistics&noise=1").text
    assert 'value="&#34;&gt;collect"' in text
    assert '<option value="usage-statistics" selected>' in text
    assert 'value="1" checked>' in text


def test_a_page_of_a_call_shows_its_items_verdicts_and_reasons(evenings: Client) -> None:
    (number,) = re.findall(r'href="/call/(\d+)">POST analytics', evenings.ask("/calls?text=analytics").text)
    text = evenings.ask(f"/call/{number}").text
    assert f"<h1>Call {number}</h1>" in text
    assert 'device name: <span class="alarm">undeclared</span>' in text
    assert "Plex&#39;s list of 2024-06-28 does not name it." in text
    assert "curl --request POST https://analytics.plex.tv/collect/event" in text
    assert evenings.ask("/call/99").status == 404
    assert evenings.ask("/call/99999999999999999999").status == 404


def test_what_is_ticked_is_left_out_of_the_post_and_can_be_taken_back(evenings: Client) -> None:
    def post(page: str) -> str:
        found = re.search(r"<textarea[^>]*>(.*)</textarea>", page, re.DOTALL)
        assert found
        return found[1]

    whole = evenings.ask("/share").text
    assert "1.40" in post(whole)
    assert "device name" in post(whole)
    assert "Alice&#39;s living-room TV" in whole.partition("<textarea")[0]
    assert "living-room" not in post(whole)
    assert whole.count("checked") == 0
    less = evenings.ask("/share?without=versions&without=client.device_name&without=no-such-word").text
    assert "1.40" not in post(less)
    assert "device name" not in post(less)
    assert re.findall(r'value="([^"]*)" checked', less) == ["versions", "client.device_name"]
    assert "Its author left out a part" in post(less)


def test_the_command_prints_a_link_that_works_once_and_ends_on_ctrl_c(home: Path) -> None:
    process = start("open", str(ROOT / "tests/data/quic-bypass.flow.gz"), home=home)
    try:
        assert process.stderr is not None
        # A command that prints no link would keep us waiting for ever.
        assert select.select([process.stderr], (), (), 60)[0], "no link within a minute"
        link, hint = process.stderr.readline(), process.stderr.readline()
        assert hint == "Ctrl-C ends it\n"
        link = link.removeprefix("dashboard: ").strip()
        client = Client(urlsplit(link).port or 0, [link])
        assert client.enter().status in (302, 303)
        assert client.ask("/").status == 200
        assert process.stderr.readline().startswith("used; the next link: http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("", "")
    finally:
        process.kill()
    assert process.returncode == 0
