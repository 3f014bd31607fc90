"""Several captures of the same traffic are one."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from analysis.example import exchange_of
from analysis.pack import ExampleCall
from captures.join import join
from captures.model import Capture, Contact, Endpoint, Exchange, Lookup, Observation, Source

END = Endpoint("192.168.1.20", 50000)


def call(capture: int, index: int, time: float = 100.0, path: str = "/a", client: Endpoint | None = END) -> Exchange:
    seen = exchange_of(ExampleCall(f"GET https://plex.tv{path}"), "test")
    return replace(seen, source=Source(capture, index), time=time, client=client, device="tv")


def contact(
    capture: int, index: int, time: float = 100.0, end: float = 101.0, client: Endpoint | None = END
) -> Contact:
    server = Endpoint("198.51.100.1", 443)
    return Contact(
        Source(capture, index), time, end, "tv", client, server, "198.51.100.1", "address", "tls", 9, 9, 1, 1, "closed"
    )


def joined(*captures: list[Observation]) -> list[Observation]:
    return join([Capture("x", "flow", lambda found=found: iter(found), lambda: "") for found in captures])  # type: ignore[misc]


def test_one_capture_stays_as_it_is() -> None:
    found: list[Observation] = [call(0, 0), call(0, 1), call(0, 2, path="/b")]
    assert joined(found) == found


def test_the_same_call_in_two_files_is_one_with_two_sources() -> None:
    assert joined([call(0, 0)], [call(1, 4, time=101.0)]) == [replace(call(0, 0), sources=(Source(1, 4),))]


@pytest.mark.parametrize(
    "other",
    [
        call(1, 4, time=106.0),
        call(1, 4, path="/b"),
        call(1, 4, client=Endpoint("192.168.1.20", 50001)),
    ],
)
def test_another_call_stays_one_of_its_own(other: Exchange) -> None:
    assert joined([call(0, 0)], [other]) == [call(0, 0), other]


def test_a_contact_is_folded_into_what_it_carried() -> None:
    assert joined([call(0, 0)], [contact(1, 7, time=96.0, end=97.0)]) == [replace(call(0, 0), sources=(Source(1, 7),))]


@pytest.mark.parametrize(
    "other",
    [
        contact(1, 7, time=200.0, end=201.0),
        contact(1, 7, client=Endpoint("192.168.1.21", 50000)),
    ],
)
def test_another_contact_stays(other: Contact) -> None:
    assert joined([call(0, 0)], [other]) == [call(0, 0), other]


def test_the_answer_to_a_question_names_a_contact_in_another_file() -> None:
    question = Lookup(
        Source(0, 0), 99.0, "tv", END, None, "dns", "metrics.plex.tv", "A", ("198.51.100.1",), "NOERROR", True
    )
    seen = joined([question], [contact(1, 0)])
    assert isinstance(seen[1], Contact)
    assert (seen[1].host, seen[1].name_source) == ("metrics.plex.tv", "dns")


def test_files_keep_the_order_of_the_command_line() -> None:
    late, early = call(0, 0, time=500.0), call(1, 0, time=1.0, path="/b")
    assert joined([late], [early]) == [late, early]


def test_two_equal_calls_of_one_connection_are_two_in_each_file() -> None:
    first, second = call(0, 0), call(0, 1, time=102.0)
    also = [call(1, 0, time=100.1), call(1, 1, time=102.1)]
    assert joined([first, second], list(also)) == [
        replace(first, sources=(Source(1, 0),)),
        replace(second, sources=(Source(1, 1),)),
    ]
