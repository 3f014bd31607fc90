"""The whole way over captures that are made by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from analysis.example import exchange_of
from analysis.model import Category, Party
from analysis.pack import ExampleCall
from analysis.pipeline import CaptureInfo, Coverage, run
from captures.model import (
    Body,
    Capture,
    CaptureError,
    Contact,
    Endpoint,
    Exchange,
    Lookup,
    Observation,
    Source,
    Unreadable,
)
from shipped import KNOWLEDGE

NOW = 1_750_000_000.0


def exchange(index: int, request: str, response: str = "", *, size: int = 100) -> Exchange:
    seen = exchange_of(ExampleCall(request, response), "test")
    return replace(seen, source=Source(0, index), time=NOW + index, end=NOW + index, bytes_out=size)


def contact(index: int, host: str, reason: str, *, size: int = 50) -> Contact:
    return Contact(
        Source(0, index), NOW + index, NOW + index + 1, "tv", Endpoint("192.168.1.20", 50_000 + index),
        Endpoint("198.51.100.1", 443), host, "sni", "tls", size, 10, 1, 1, reason,
    )  # fmt: skip


def capture(*observations: Observation, name: str = "a.flow", remarks: tuple[str, ...] = ()) -> Capture:
    return Capture(name, "flow", lambda: iter(observations), lambda: f"hash of {name}", remarks)


DNS = Lookup(Source(0, 7), NOW + 7, "tv", None, Endpoint("8.8.8.8", 53), "dns", "plex.tv", "A", (), "", True, 40)
HOUR = (
    exchange(0, "GET https://plex.tv/api/v2/user\nx-plex-product: Plex Web\nx-plex-token: made-up"),
    exchange(1, "GET https://nobody.example/x", size=30),
    exchange(2, "GET http://192.168.1.5:32400/library/sections"),
    contact(3, "analytics.plex.tv", "pinned"),
    contact(4, "nobody.example", "pinned"),
    contact(5, "192.168.1.5", "not HTTP"),
    Unreadable(Source(0, 6), None, "flow 6", "is damaged"),
    DNS,
)


def test_coverage_counts_what_left_the_house() -> None:
    result = run([capture(*HOUR)], KNOWLEDGE)
    assert result.coverage == Coverage(
        calls=8,
        readable=4,
        unreadable=4,
        unknown_category=1,
        bytes_out=100 + 30 + 50 + 50,
        bytes_out_readable=100 + 30,
        recipients=3,
        recipients_unreadable=2,
        unreadable_hosts=("analytics.plex.tv", "nobody.example"),
        reasons={"pinned": 2, "is damaged": 1},
    )


def test_a_visitor_of_the_own_server_counts_in_no_share() -> None:
    visit = replace(exchange(0, "GET https://visited.example/library", size=70), initiator="outside")
    inside = replace(visit, initiator="inside")
    counts = [run([capture(seen)], KNOWLEDGE).coverage for seen in (visit, inside)]
    assert [(c.calls, c.recipients, c.bytes_out) for c in counts] == [(1, 0, 0), (1, 1, 70)]


def test_nothing_gives_an_empty_result() -> None:
    result = run([capture()], KNOWLEDGE)
    assert (result.calls, result.findings, result.comparisons, result.remarks) == ((), (), (), ())
    assert result.captures == (CaptureInfo("a.flow", "hash of a.flow", "flow", None, None, 0, ()),)
    assert result.coverage == Coverage(0, 0, 0, 0, 0, 0, 0, 0, (), {})


def test_every_observation_comes_out_once_in_order() -> None:
    result = run([capture(*HOUR)], KNOWLEDGE)
    assert [(call.n, call.observation) for call in result.calls] == list(enumerate(HOUR))
    assert [(call.party, call.category) for call in result.calls[:3]] == [
        (Party.VENDOR, Category.ACCOUNT_AUTH),
        (Party.UNKNOWN, Category.UNKNOWN),
        (Party.OWN, Category.SERVER_API),
    ]
    assert [finding.call for finding in result.findings] == sorted(finding.call for finding in result.findings)


def test_of_chosen_calls_the_numbers_stay() -> None:
    whole = run([capture(*HOUR)], KNOWLEDGE)
    some = run([capture(*HOUR)], KNOWLEDGE, keep=lambda call: call.observation.host == "nobody.example")
    assert [call.n for call in some.calls] == [1, 4]
    assert some.calls == (whole.calls[1], whole.calls[4])
    assert some.findings == tuple(finding for finding in whole.findings if finding.call in (1, 4))
    assert {call for comparison in some.comparisons for call in comparison.calls} == {1, 4}
    assert (some.coverage.calls, some.coverage.recipients, some.coverage.reasons) == (2, 1, {"pinned": 1})
    assert some.captures == whole.captures


PUBLIC = exchange(0, "GET https://plex.tv/pms/:/ip", "200\n\n198.51.100.7")


def test_what_left_out_calls_prove_still_holds() -> None:
    some = run([capture(PUBLIC, *HOUR[1:])], KNOWLEDGE, keep=lambda call: call.n == 1)
    assert some.evidence.public_addresses == {"198.51.100.7"}
    assert [(finding.item, finding.value) for finding in some.findings] == [("net.public_ip", "198.51.100.7")]


def test_each_file_is_named_with_its_times_and_counts() -> None:
    first = capture(HOUR[0], HOUR[6], name="a.flow", remarks=("A remark.",))
    shared = replace(HOUR[0], source=Source(1, 0))
    later = replace(HOUR[1], source=Source(1, 1), time=NOW + 90)
    result = run([first, capture(shared, later, name="b.flow")], KNOWLEDGE)
    assert result.captures == (
        CaptureInfo("a.flow", "hash of a.flow", "flow", NOW, NOW, 2, ("A remark.",)),
        CaptureInfo("b.flow", "hash of b.flow", "flow", NOW, NOW + 90, 2, ()),
    )
    assert (len(result.calls), result.remarks) == (3, ("A remark.",))


def test_what_was_not_looked_at_is_said_with_the_number_of_calls() -> None:
    cut = [replace(exchange(n, "POST https://plex.tv/x"), body=Body(b"a", 9, cut=True)) for n in range(2)]
    result = run([capture(*cut, HOUR[1])], KNOWLEDGE)
    assert result.remarks == ("The content of a body was not kept whole (in 2 calls)",)


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    many = [replace(HOUR[1], source=Source(0, n)) for n in range(501)]
    run([capture(*many)], KNOWLEDGE, progress=lambda done, of: told.append((done, of)))
    assert told == [(0, 501), (500, 501)]


def test_a_capture_that_cannot_be_read_is_not_passed_over() -> None:
    def observations() -> Iterator[Observation]:
        raise CaptureError("a.flow: is no flow file; give another")
        yield

    with pytest.raises(CaptureError, match="is no flow file"):
        run([replace(capture(), observations=observations)], KNOWLEDGE)
