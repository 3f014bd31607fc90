"""What devices shout at home: how often, and which ports they want opened."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from analysis.discovery import Shouted, discovered, period
from analysis.model import Attribution, Category, Classified, Party
from captures.model import Endpoint, Lookup, Observation, Source
from reporting import exchange

HELLO = Lookup(
    Source(0, 0),
    1_700_000_000.0,
    "02:00:00:00:00:20",
    Endpoint("192.168.1.20", 32_412),
    Endpoint("239.0.0.250", 32_413),
    "gdm",
    "",
    "HELLO",
    ("name: living room", "resource-identifier: 0123abcd"),
    "",
    left_house=False,
)


def classified(seen: Observation, n: int = 0) -> Classified:
    category = Category.LOCAL_DISCOVERY if isinstance(seen, Lookup) else Category.SERVER_API
    return Classified(n, seen, "", "", Attribution.UNKNOWN, "", category, Party.OWN, "", "")


def test_a_broadcast_that_comes_every_five_seconds_is_called_that() -> None:
    calls = [classified(replace(HELLO, time=1_700_000_000.0 + 5 * n), n) for n in range(6)]
    assert discovered(calls) == (Shouted(HELLO.device, "gdm", "HELLO", "", HELLO.answers, 6, 5.0),)


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        ([0, 5, 10, 15], 5.0),
        ([0, 5.02, 9.97, 15.01, 20], 5.005),
        # Each shout goes out on two interfaces.
        ([0, 0.01, 30, 30.02, 60, 60.01, 90, 90.01], 30.0),
        # One was missed.
        ([0, 5, 10, 20, 25, 30], 5.0),
        ([0, 0.5, 1.0, 1.5, 2.0], 0.5),
        # Too few, or irregular.
        ([0, 5, 10], None),
        ([0, 5, 11, 14, 30], None),
        ([0, 0, 0, 0, 0], None),
        ([], None),
    ],
)
def test_only_what_comes_regularly_has_a_period(times: Sequence[float], seconds: float | None) -> None:
    assert period(times) == seconds


@example([0.0, 0.0, 2.225073858507203e-309, 1.0])
@example([0.0, 0.0004, 0.0008, 0.0012, 0.0016])
@given(st.lists(st.floats(0, 1e9), max_size=40))
def test_a_period_is_positive_whatever_the_times_are(times: list[float]) -> None:
    found = period(times)
    assert found is None or found > 0


SOAP = (
    b'<s:Envelope><s:Body><u:AddPortMapping xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:1">'
    b"<NewRemoteHost></NewRemoteHost><NewExternalPort>25400</NewExternalPort><NewProtocol>TCP</NewProtocol>"
    b"<NewInternalPort>32400</NewInternalPort><NewInternalClient>192.168.1.9</NewInternalClient>"
    b"<NewPortMappingDescription>Plex Media Server</NewPortMappingDescription>"
    b"<NewLeaseDuration>0</NewLeaseDuration></u:AddPortMapping></s:Body></s:Envelope>"
)


def asked(action: str) -> Classified:
    made = exchange("192.168.1.1", "/ctl/IPConn", body=SOAP)
    service = "urn:schemas-upnp-org:service:WANIPConnection:1"
    return classified(replace(made, headers=(("soapaction", f'"{service}#{action}"'),)))


def test_a_port_that_the_router_is_asked_to_open_stands_first() -> None:
    found = discovered([classified(HELLO), asked("AddPortMapping")])
    assert [(row.protocol, row.kind, row.told, row.maps_a_port) for row in found] == [
        ("upnp", "map TCP 32400 as 25400", ("Plex Media Server", "192.168.1.9"), True),
        ("gdm", "HELLO", HELLO.answers, False),
    ]


def test_a_port_that_is_closed_and_other_requests_open_none() -> None:
    (row,) = discovered([asked("DeletePortMapping"), asked("GetExternalIPAddress")])
    assert (row.kind, row.maps_a_port) == ("unmap TCP 25400", False)
