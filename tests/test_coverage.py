"""What a log tells and a capture lacks is told; what both have, what is at home, and what came before is not."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from analysis.cli import commands
from analysis.coverage import beside_logs
from analysis.example import exchange_of
from analysis.model import Attribution, Category, Classified, Party
from analysis.pack import ExampleCall
from captures.formats.serverlog import LoggedCall, ServerLog
from captures.model import Contact, Endpoint, Observation, Source

START = 1_700_000_000.0


def read(url: str, time: float) -> Observation:
    return replace(exchange_of(ExampleCall(f"GET {url}"), "test"), time=time)


def closed(host: str, time: float, reason: str = "client rejected the certificate") -> Observation:
    end = Endpoint("192.0.2.1", 443)
    return Contact(Source(0, 0), time, time, "nas", end, end, host, "sni", "tls", 10, 10, 1, 1, reason)


def classified(*seen: Observation, party: Party = Party.VENDOR) -> list[Classified]:
    return [
        Classified(n, one, "plex", "plex", Attribution.PINNED_HOST, "server", Category.UNKNOWN, party, "Plex", "")
        for n, one in enumerate(seen)
    ]


def log(*calls: tuple[float | None, str, str], zone: bool = True) -> ServerLog:
    made = tuple(
        LoggedCall(time, "plex", "GET", "https", host, 443, path, True, n) for n, (time, host, path) in enumerate(calls)
    )
    return ServerLog("server.log", "plex", made, zone, None, None, ())


CAPTURE = classified(
    read("https://plex.tv/api/v2/ping", START),
    read("https://plex.tv/api/v2/ping", START + 300),
    closed("analytics.plex.tv", START + 100),
    read("https://plex.tv/api/v2/user", START + 600),
)


def test_a_log_that_the_capture_holds_in_full_lacks_nothing() -> None:
    told = beside_logs(CAPTURE, [log((START + 2, "plex.tv", "/api/v2/ping"), (START + 299, "plex.tv", "/api/v2/ping"))])
    assert (told.calls, told.seen, told.hosts, told.missed, told.hours) == (2, 2, 1, (), 0)


def test_each_kind_of_gap_is_told_apart() -> None:
    told = beside_logs(
        CAPTURE,
        [
            log(
                (START, "plex.tv", "/api/v2/ping"),
                (START + 200, "plex.tv", "/api/v2/ping"),
                (START + 100, "analytics.plex.tv", "/collect/event"),
                (START + 100, "sentry.example", "/api/1/envelope/"),
                (START + 101, "sentry.example", "/api/1/envelope/"),
                (START + 120, "", ""),
            )
        ],
    )
    assert [(h.host, h.logged, h.seen, h.verdict, h.reason, h.paths) for h in told.missed] == [
        ("sentry.example", 2, 0, "not-in-capture", "", ("/api/1/envelope/",)),
        ("", 1, 0, "not-in-capture", "", ()),
        ("analytics.plex.tv", 1, 0, "not-readable", "client rejected the certificate", ("/collect/event",)),
        ("plex.tv", 2, 1, "partly", "", ("/api/v2/ping",)),
    ]
    assert (told.calls, told.seen, told.hosts) == (6, 1, 4)


def test_one_call_stands_for_one_only_and_a_line_without_a_path_fits_any() -> None:
    told = beside_logs(CAPTURE, [log(*[(START + n, "plex.tv", "/api/v2/ping") for n in range(3)])])
    assert [(h.logged, h.seen) for h in told.missed] == [(3, 1)]
    assert beside_logs(CAPTURE, [log((START + 301, "plex.tv", ""))]).missed == ()


def test_own_machines_and_other_times_are_left_out() -> None:
    own = classified(read("https://nas.example/library", START), party=Party.OWN)
    told = beside_logs(
        [*CAPTURE, *own],
        [
            log(
                (START, "nas.example", "/x"),
                (START, "192.168.1.5", "/x"),
                (START, "192-168-1-5.0123456789abcdef0123456789abcdef.plex.direct", "/x"),
                (START, "named.example", "/x"),
                (START - 3600, "plex.tv", "/api/v2/ping"),
            )
        ],
        ["named.example"],
    )
    assert (told.calls, told.missed, told.outside_time) == (0, (), 1)


def test_a_log_in_another_zone_is_moved_by_whole_hours_when_calls_show_it() -> None:
    away = [(START - 7200, "plex.tv", "/api/v2/ping"), (START - 6900, "plex.tv", "/api/v2/ping")]
    few = beside_logs(CAPTURE, [log(*away, zone=False)])
    assert (few.hours, few.outside_time) == (0, 2)
    enough = beside_logs(CAPTURE, [log(*away, (START - 6600, "plex.tv", "/api/v2/user"), zone=False)])
    assert (enough.hours, enough.calls, enough.seen) == (2, 3, 3)
    said = beside_logs(CAPTURE, [log(*away, (START - 6600, "plex.tv", "/api/v2/user"))])
    assert (said.hours, said.outside_time) == (0, 3)


@pytest.mark.parametrize("order", ["capture --log a b", "--log a --log b capture", "--log a b capture"])
def test_the_command_holds_logs_beside_captures_in_any_order(tmp_path: Path, order: str) -> None:
    capture = Path(__file__).parent / "data" / "plexapi.flow.gz"
    first = json.loads(CliRunner().invoke(commands, ["inspect", "--format", "json", str(capture)]).stdout)
    when = time.localtime(first["captures"][0]["first"])
    stamp = f"{time.strftime('%b', when)} {time.strftime('%d, %Y %H:%M:%S', when)}.000"
    for name, host in (("a", "sentry.example"), ("b", "quiet.example")):
        (tmp_path / name).write_text(f"{stamp} [1] DEBUG - [HttpClient/HCl#1] HTTP requesting GET https://{host}/x\n")
    places = {"capture": str(capture), "a": str(tmp_path / "a"), "b": str(tmp_path / "b")}
    done = CliRunner().invoke(commands, ["inspect", "--format", "json", *(places.get(x, x) for x in order.split())])
    told = json.loads(done.stdout)["coverage"]["log"]
    assert told["logs"] == ["a", "b"]
    assert [(host["host"], host["verdict"]) for host in told["missed"]] == [
        ("quiet.example", "not-in-capture"),
        ("sentry.example", "not-in-capture"),
    ]
    assert json.loads(done.stdout)["calls"] == first["calls"]


def test_a_log_alone_is_no_capture(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("2026-11-24 20:15:31 - INFO :: x\n")
    done = CliRunner().invoke(commands, ["inspect", "--log", str(tmp_path / "a"), str(tmp_path / "a")])
    assert done.exit_code == 2
    assert "give captures too" in done.stderr
