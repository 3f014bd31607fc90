"""What the traffic proves about the household."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from analysis.evidence import Evidence, Servers, SwitchState, address_of, household, state_at
from analysis.example import exchange_of
from analysis.gather import gather
from analysis.pack import ExampleCall
from captures.model import Endpoint, Exchange, Lookup, Source
from shipped import KNOWLEDGE

HASH = "ab" * 16
OTHER = "cd" * 16


def call(request: str, response: str = "", time: float = 0.0, client: Endpoint | None = None) -> Exchange:
    return replace(exchange_of(ExampleCall(request, response), "test"), time=time, client=client)


def resource(owned: int, number: str, connections: str) -> str:
    return (
        f'<resource owned="{owned}" clientIdentifier="{number}" publicAddress="203.0.113.{owned}">'
        f"<connections>{connections}</connections></resource>"
    )


def connection(address: str, host: str, port: int = 32400, relay: int = 0) -> str:
    return f'<connection address="{address}" port="{port}" uri="https://{host}:{port}" local="0" relay="{relay}"/>'


XML = (
    "200\ncontent-type: application/xml\n\n<resources>"
    + resource(
        1,
        "mine",
        connection("192.168.1.5", f"192-168-1-5.{HASH}.plex.direct")
        + connection("198.51.100.7", f"198-51-100-7.{HASH}.plex.direct")
        + connection("198.51.100.9", f"198-51-100-9.{HASH}.plex.direct", 8443, 1),
    )
    + resource(0, "friends", connection("192.168.1.6", f"192-168-1-6.{OTHER}.plex.direct"))
    + "</resources>"
)

JSON = """200
content-type: application/json

[{"owned": true, "clientIdentifier": "mine", "publicAddress": "203.0.113.1", "connections": [
  {"address": "198.51.100.7", "port": 32400, "uri": "https://media.example.org:32400", "relay": false}]}]
"""


def test_a_list_of_servers_proves_the_owned_ones_and_names_the_others() -> None:
    evidence = gather([call("GET https://plex.tv/api/v2/resources", XML)], KNOWLEDGE)
    assert evidence.own == Servers(
        frozenset(
            {
                "192.168.1.5",
                f"192-168-1-5.{HASH}.plex.direct",
                "198.51.100.7",
                f"198-51-100-7.{HASH}.plex.direct",
                "203.0.113.1",
            }
        ),
        frozenset({HASH}),
        frozenset({"mine"}),
    )
    assert evidence.others.hashes == {OTHER}
    assert evidence.others.ids == {"friends"}
    assert evidence.relays == {("198.51.100.9", 8443), (f"198-51-100-9.{HASH}.plex.direct", 8443)}


def test_a_private_address_of_somebody_elses_server_is_not_called_theirs() -> None:
    evidence = gather([call("GET https://plex.tv/api/v2/resources", XML)], KNOWLEDGE)
    assert "192.168.1.6" not in evidence.others.hosts


def test_json_answers_prove_the_same() -> None:
    evidence = gather([call("GET https://plex.tv/api/v2/resources", JSON)], KNOWLEDGE)
    assert evidence.own.ids == {"mine"}
    assert evidence.own.hosts == {"198.51.100.7", "media.example.org", "203.0.113.1"}


def test_an_address_that_is_none_costs_that_connection_alone() -> None:
    broken = XML.replace(f"https://192-168-1-5.{HASH}.plex.direct", "https://[x](http://192.168.1.5")
    found = gather([call("GET https://plex.tv/api/v2/resources", broken)], KNOWLEDGE).own
    assert "198.51.100.7" in found.hosts
    assert "192.168.1.5" not in found.hosts


def test_the_same_answer_from_elsewhere_proves_nothing() -> None:
    evidence = gather([call("GET https://example.org/api/v2/resources", XML)], KNOWLEDGE)
    assert evidence == Evidence()


def test_the_public_address_is_the_answer_of_the_vendors_address_call() -> None:
    asked = call("GET https://plex.tv/pms/:/ip", "200\ncontent-type: text/plain\n\n203.0.113.24\n")
    assert gather([asked], KNOWLEDGE).public_addresses == {"203.0.113.24"}


@pytest.mark.parametrize(
    ("url", "answer", "addresses"),
    [
        ("https://api.ipify.org/", "203.0.113.24\n", {"203.0.113.24"}),
        ("https://api.ipify.org/?format=json", '{"ip": "203.0.113.24"}', {"203.0.113.24"}),
        ("https://api.ipify.org/", "<html>try again later</html>", set()),
        ("https://ip.example.org/", "203.0.113.24", set()),
    ],
)
def test_a_service_that_only_tells_addresses_proves_the_public_one(url: str, answer: str, addresses: set[str]) -> None:
    assert gather([call(f"GET {url}", f"200\n\n{answer}")], KNOWLEDGE).public_addresses == addresses


IDENTITY = '200\nx-plex-protocol: 1.0\n\n<MediaContainer machineIdentifier="{}" version="1.41"/>'


@pytest.mark.parametrize(("number", "own", "asks"), [("mine", True, False), ("stranger", False, True)])
def test_a_server_is_own_if_its_id_is(number: str, own: bool, asks: bool) -> None:
    calls = [
        call("GET https://media2.example.org:32400/identity", IDENTITY.format(number)),
        call("GET https://plex.tv/api/v2/resources", JSON),
    ]
    evidence = gather(calls, KNOWLEDGE)
    assert ("media2.example.org" in evidence.own.hosts, "media2.example.org" in evidence.asks) == (own, asks)
    assert evidence.server_of["media2.example.org"] == "plex"


def test_a_server_that_the_user_named_is_own() -> None:
    named = Servers(hosts=frozenset({"media2.example.org"}))
    evidence = gather([call("GET https://media2.example.org:32400/identity", IDENTITY.format("x"))], KNOWLEDGE, named)
    assert ("media2.example.org" in evidence.own.hosts, evidence.asks) == (True, frozenset())


def test_a_connection_belongs_to_the_one_product_that_showed_itself_on_it() -> None:
    end, shared = Endpoint("192.168.1.20", 50000), Endpoint("192.168.1.20", 50001)
    calls = [
        call("GET https://plex.tv/a\nx-plex-product: Plex Web", client=end),
        call("GET https://plex.tv/b", client=end),
        call("GET https://plex.tv/a\nx-plex-product: Plex Web", client=shared),
        call("GET https://plex.tv/a\nx-plex-product: Tautulli", client=shared),
    ]
    assert gather(calls, KNOWLEDGE).senders == {end: "plex"}


def test_switches_are_seen_in_the_order_of_time() -> None:
    form = (
        "PUT https://plex.tv/api/v2/user/privacy\ncontent-type: application/x-www-form-urlencoded\n\noptOutPlayback={}"
    )
    calls = [call(form.format(0), "200", 20.0), call(form.format(1), "200", 10.0), call(form.format(1), "500", 30.0)]
    evidence = gather(calls, KNOWLEDGE)
    assert evidence.switches == (
        SwitchState(10.0, "plex", "send-playback-data", False, 1),
        SwitchState(20.0, "plex", "send-playback-data", True, 0),
    )
    changes = evidence.changes("plex", "send-playback-data")
    assert [state_at(changes, time) for time in (5.0, 10.0, 15.0, 25.0, None)] == [None, False, False, True, None]
    assert (evidence.changes("plex", "send-crash-reports"), state_at([], 5.0)) == ([], None)


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("127.0.0.1", True),
        ("169.254.1.1", True),
        ("172.16.0.1", True),
        ("172.32.0.1", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("100.64.0.1", False),
        ("::ffff:192.168.1.5", True),
        ("fe80::1%eth0", True),
        ("2001:db8::1", False),
        ("localhost", True),
        ("192.168.1.5.example.org", False),
        ("", False),
    ],
)
def test_which_addresses_are_of_the_household(host: str, inside: bool) -> None:
    assert household(host) is inside


def test_a_dashed_address_is_read_in_both_families() -> None:
    assert [address_of(x) for x in ("10-0-0-1", "fd00-0-0-0-0-0-0-1", "nonsense")] == [
        "10.0.0.1",
        "fd00::1",
        "nonsense",
    ]


def answered(host: str, *answers: str, kind: str = "A", protocol: str = "dns") -> Lookup:
    return Lookup(Source(0, 0), 0.0, "tv", None, None, protocol, host, kind, answers, "NOERROR", True)


def test_the_last_name_of_a_chain_of_cnames_is_who_answers() -> None:
    seen = [
        answered("metrics.plex.tv", "Plex.Edge.example.", "d111.cloudfront.net", "203.0.113.7"),
        answered("plain.example", "203.0.113.7", "2001:db8::7"),
        answered("mail.example", "mx.mailer.example", kind="MX"),
        answered("tv.local", "other.local", protocol="mdns"),
        answered("svcb.example", "00010000", kind="HTTPS"),
    ]
    assert gather(seen, KNOWLEDGE).aliases == {"metrics.plex.tv": "d111.cloudfront.net"}


def test_a_media_server_at_a_hoster_is_asked_about() -> None:
    """The list of third parties names the hoster; the machine is still somebody's own."""
    host = "ec2-203-0-113-7.compute.amazonaws.com"
    answer = '200\nx-plex-protocol: 1.0\n\n<MediaContainer machineIdentifier="somebody"/>'
    assert gather([call(f"GET http://{host}:32400/identity", answer)], KNOWLEDGE).asks == frozenset({host})


def test_an_address_that_the_user_named_is_that_of_his_line_unless_it_is_one_at_home() -> None:
    assert gather((), KNOWLEDGE, addresses=("203.0.113.7", "192.168.1.9")).public_addresses == {"203.0.113.7"}


def test_an_answer_shows_a_switch_without_changing_it() -> None:
    """All settings of a server stand in one list alike; only the one beside its name counts."""
    settings = "<Setting id='collectUsageData' value='0'/><Setting id='sendCrashReports' value='1'/>"
    answer = f"200\ncontent-type: text/xml\n\n<MediaContainer><Setting id='x' value='0'/>{settings}</MediaContainer>"
    calls = [
        call("GET http://192.168.1.5:32400/:/prefs\nx-plex-product: Plex Web", "200\nx-plex-protocol: 1.0\n\n", 5.0),
        call("GET http://192.168.1.5:32400/:/prefs", answer.replace("200\n", "200\nx-plex-protocol: 1.0\n", 1), 10.0),
        call("PUT http://192.168.1.5:32400/:/prefs?sendCrashReports=0", "200\nx-plex-protocol: 1.0\n\n", 20.0),
        call("GET https://plex.tv/api/v2/user/privacy", "200\n\n<privacy optOutPlayback='1'/>", 30.0),
    ]
    assert gather(calls, KNOWLEDGE).switches == (
        SwitchState(10.0, "plex", "usage-data", False, 1, changed=False),
        SwitchState(10.0, "plex", "crash-reports", True, 1, changed=False),
        SwitchState(20.0, "plex", "crash-reports", False, 2),
        SwitchState(30.0, "plex", "send-playback-data", False, 3, changed=False),
    )


@pytest.mark.parametrize(
    ("said", "on"), [("disabled", False), ("2026-01-04 12:30:00", True), ("0001-01-01 00:00:00", True), ("soon", None)]
)
def test_navidrome_says_whether_its_statistics_are_disabled(said: str, on: bool | None) -> None:
    said_so = f'{{"id": "insights_status", "lastRun": "{said}", "success": false}}'
    answer = f"200\ncontent-type: application/json\n\n{said_so}"
    found = gather([call("GET http://192.168.1.7:4533/api/insights/insights_status", answer, 5.0)], KNOWLEDGE).switches
    assert [(state.product, state.switch, state.on) for state in found] == (
        [] if on is None else [("navidrome", "insights", on)]
    )
