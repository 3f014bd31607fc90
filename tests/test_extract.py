"""Which items a call carries, where, and how they were recognised."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from analysis.decode import decode
from analysis.evidence import Evidence
from analysis.example import exchange_of
from analysis.extract import extract
from analysis.knowledge import Knowledge
from analysis.known import Known, OwnValues, Sighting, search
from analysis.model import Attribution, Category, Classified, Finding, Party
from analysis.pack import ExampleCall, Field, Item, ItemPlace, Match, NamedField, Names, Product, Rule, ValuePattern
from captures.model import Body, Contact, Endpoint, Exchange, Initiator, Lookup, Observation, Pairs, Source, Unreadable

NAMES = {"client.user_agent": ("header.user-agent",), "auth.token": ("query.api_key", "header.authorization[bearer]")}
ITEMS = {
    name: Item(name, "", "", "", "content" if name.startswith("media.") else "user", names=NAMES.get(name, ()), id=name)
    for name in (
        "account.email", "auth.token", "client.app", "client.device_name", "client.id", "client.model", "client.os",
        "client.user_agent", "media.library_key", "media.title", "net.lan_ip", "net.mac", "net.other_ip",
        "net.public_ip", "server.cert_hash", "server.machine_id", "server.name", "server.version", "ui.search_text",
    )
}  # fmt: skip
PLEX = Product(
    "Plex",
    "media-product",
    "Plex",
    fields=(
        Field("X-Plex-Token", "auth.token"),
        Field("X-Plex-Client-Identifier", "client.id", "server.machine_id"),
        Field("X-Plex-Device", "client.model"),
        Field("X-Plex-Name", "server.name", only_if=("nas*",)),
        Field("X-Plex-Name", "client.device_name"),
        Field("q", "ui.search_text", when=("x-plex-product=Plex Web",)),
        Field("X-Plex-Version", "server.version"),
    ),
    id="plex",
)
RULE = Rule(
    Category.USAGE_STATISTICS,
    Match(host=("plex.tv",), path="/library/{id}/**"),
    "captured",
    "a test",
    (ExampleCall("GET https://plex.tv/"),),
    (ExampleCall("GET https://plex.tv/"),),
    items=(
        ItemPlace("media.library_key", ("path.id",), "a test", not_if=("0",)),
        ItemPlace("media.title", ("body.*.title", "response.body.title", "query.q"), "a test", not_if=("untitled",)),
        ItemPlace("client.os", ("body.os",), "a test", only_if=("Linux*", "Windows*")),
        ItemPlace("client.id", ("body.who",), "a test"),
        ItemPlace("account.email", ("header.x-plex-token",), "a test"),
    ),
    id="plex/stats",
)
KNOWLEDGE = Knowledge(ITEMS, {"plex": PLEX}, {RULE.id: RULE}, (), {}, frozenset({"plex"}))
HERE = Evidence(public_addresses=frozenset({"198.51.100.7"}))
HASH = "ab" * 16


def call(request: str, response: str = "") -> Exchange:
    return exchange_of(ExampleCall(request, response), "test")


def classified(
    seen: Observation, *, rule: str = RULE.id, role: str = "", party: Party = Party.OTHER_HOME
) -> Classified:
    category = Category.USAGE_STATISTICS
    return Classified(7, seen, "plex", "plex", Attribution.PINNED_HOST, role, category, party, "", rule)


def found(seen: Classified, evidence: Evidence = HERE) -> list[tuple[str, str, str, str]]:
    """Direction, item, place and value of each finding; the rule's party has no implied address."""
    return [(f.direction, f.item, f.at, f.value) for f in extract(seen, KNOWLEDGE, evidence)]


def sent(request: str, **how: object) -> list[tuple[str, str, str]]:
    findings = found(classified(call(request), **how))  # type: ignore[arg-type]
    assert {direction for direction, *_ in findings} <= {"sent"}
    return [(item, at, value) for _, item, at, value in findings]


def test_a_finding_says_everything() -> None:
    seen = classified(call("GET https://plex.tv/x?api_key=t1"), party=Party.VENDOR)
    assert extract(seen, KNOWLEDGE, HERE) == (
        Finding(7, "sent", "auth.token", "query.api_key", "t1", (), "name"),
        Finding(7, "sent", "net.public_ip", "", "198.51.100.7", (), "implied"),
    )


def test_a_rule_outranks_a_name_and_a_name_the_shape() -> None:
    request = "GET https://plex.tv/x\nx-plex-token: ann@example.org\nx-other: bob@example.org"
    by_rule = extract(classified(call(request)), KNOWLEDGE, HERE)
    assert [(f.item, f.at, f.source) for f in by_rule] == [
        ("account.email", "header.x-plex-token", "rule"),
        ("account.email", "header.x-other", "pattern"),
    ]
    by_name = extract(classified(call(request), rule=""), KNOWLEDGE, HERE)
    assert [(f.item, f.at, f.source) for f in by_name] == [
        ("auth.token", "header.x-plex-token", "name"),
        ("account.email", "header.x-other", "pattern"),
    ]


def test_an_id_that_is_a_mac_in_disguise_is_both() -> None:
    request = 'POST https://plex.tv/x\n\n{"who": "%s"}'
    assert sent(request % "0x2a11ce00002") == [
        ("client.id", "body.who", "0x2a11ce00002"),
        ("net.mac", "body.who", "0x2a11ce00002"),
    ]
    unknown = 'POST https://plex.tv/x\n\n{"NAME": "0x2a11ce00002"}'
    assert sent(unknown.replace("NAME", "deviceId")) == [("net.mac", "body.deviceId", "0x2a11ce00002")]
    assert sent(unknown.replace("NAME", "instruction_addr")) == []
    assert sent(request % "0x2a11ce") == [("client.id", "body.who", "0x2a11ce")]


@pytest.mark.parametrize(("role", "item"), [("server", "server.machine_id"), ("app", "client.id"), ("", "client.id")])
def test_the_role_of_the_sender_tells_a_servers_id_from_an_apps(role: str, item: str) -> None:
    assert sent("GET https://plex.tv/x?X-Plex-Client-Identifier=c1", role=role) == [
        (item, "query.X-Plex-Client-Identifier", "c1")
    ]


def test_of_several_entries_of_a_name_the_first_that_fits_counts() -> None:
    assert sent("GET https://plex.tv/x\nX-Plex-Name: nas 7") == [("server.name", "header.x-plex-name", "nas 7")]
    assert sent("GET https://plex.tv/x\nX-Plex-Name: Ann's TV") == [
        ("client.device_name", "header.x-plex-name", "Ann's TV")
    ]
    assert sent("GET https://plex.tv/x?q=dune\nx-plex-product: Plex Web", rule="") == [
        ("ui.search_text", "query.q", "dune")
    ]
    assert sent("GET https://plex.tv/x?q=dune\nx-plex-product: Other", rule="") == []


def test_a_text_is_looked_into_and_a_name_is_not() -> None:
    names = Names(
        values={"any": (".*",)},
        free_text=("ui.search_text",),
        field=(NamedField("ui.search_text", ("message",), "any"), NamedField("client.os", ("kernel",), "any")),
        pattern=(ValuePattern("media.title", ("Zorblax",)),),
    )
    known = replace(KNOWLEDGE, names=names)
    text = "Zorblax failed for ann@example.org"
    seen = classified(call(f'POST https://plex.tv/x\n\n{{"message": "{text}", "kernel": "{text}"}}'), rule="")
    assert [(f.item, f.at, f.value, f.source) for f in extract(seen, known, HERE)] == [
        ("ui.search_text", "body.message", text, "name"),
        ("media.title", "body.message", "Zorblax", "pattern"),
        ("account.email", "body.message", "ann@example.org", "pattern"),
        ("client.os", "body.kernel", text, "name"),
    ]


def test_a_rule_and_a_name_of_a_pack_outrank_a_name_that_anybody_uses() -> None:
    names = Names(field=(NamedField("media.title", ("x plex token", "os", "who", "other")),))
    known = replace(KNOWLEDGE, names=names)
    request = 'POST https://plex.tv/x\nx-plex-device: tv\n\n{"os": "Linux", "who": "c1", "other": "o"}'
    seen = classified(call(request))
    assert [(f.item, f.at, f.source) for f in extract(seen, known, HERE)] == [
        ("client.model", "header.x-plex-device", "name"),
        ("client.os", "body.os", "rule"),
        ("client.id", "body.who", "rule"),
        ("media.title", "body.other", "name"),
    ]


def test_a_value_is_called_what_it_is() -> None:
    assert sent("GET https://plex.tv/x\nX-Plex-Device: 6.1.0-17-amd64\nuser-agent: Plex/1.41.3.9314") == [
        ("client.os", "header.x-plex-device", "6.1.0-17-amd64"),
        ("client.user_agent", "header.user-agent", "Plex/1.41.3.9314"),
    ]


@pytest.mark.parametrize("filler", ["", "null", "undefined", "untitled", "UNTITLED"])
def test_a_filler_says_nothing(filler: str) -> None:
    assert sent('POST https://plex.tv/x\n\n[{"title": "FILLER"}]'.replace("FILLER", filler)) == []
    assert sent('POST https://plex.tv/x\n\n[{"title": "untitled 2"}]') == [
        ("media.title", "body.0.title", "untitled 2")
    ]


def test_an_item_is_there_only_if_its_value_fits() -> None:
    assert sent('POST https://plex.tv/x\n\n{"os": "linux 6"}') == [("client.os", "body.os", "linux 6")]
    assert sent('POST https://plex.tv/x\n\n{"os": "darwin"}') == []


def test_a_part_of_the_path_is_an_item() -> None:
    assert sent("GET https://plex.tv/library/a%20b/x") == [("media.library_key", "path", "a b")]
    assert sent("GET https://plex.tv/library/0/x") == []
    assert sent("GET https://plex.tv/collection/7/x") == []


def test_a_part_of_the_host_is_an_item() -> None:
    match = Match(host=("x.example", "{hash}.relay.example"))
    places = (ItemPlace("server.cert_hash", ("host.hash",), "a test"), ItemPlace("media.title", ("host",), "a test"))
    known = replace(KNOWLEDGE, rules={RULE.id: structs.replace(RULE, match=match, items=places)})
    seen = [classified(call(f"GET https://{host}/")) for host in ("ab12.relay.example", "x.example")]
    assert [(f.item, f.at, f.value) for one in seen for f in extract(one, known, HERE)] == [
        ("server.cert_hash", "host", "ab12"),
        ("media.title", "host", "ab12.relay.example"),
        ("media.title", "host", "x.example"),
    ]


def test_the_same_item_place_and_value_come_out_once() -> None:
    assert sent("GET https://plex.tv/x?q=dune&q=dune&q=alien") == [
        ("media.title", "query.q", "dune"),
        ("media.title", "query.q", "alien"),
    ]
    assert sent('POST https://plex.tv/x\n\n[{"title": "dune"}, {"title": "dune"}]') == [
        ("media.title", "body.0.title", "dune"),
        ("media.title", "body.1.title", "dune"),
    ]


def test_of_an_encoded_value_what_it_holds_comes_out() -> None:
    seen = classified(call("GET https://plex.tv/x?data=ann%2540example.org"), rule="")
    assert extract(seen, KNOWLEDGE, HERE) == (
        Finding(7, "sent", "account.email", "query.data[percent]", "ann@example.org", ("percent",), "pattern"),
    )
    assert sent('GET https://plex.tv/x?data={"u":"ann@example.org"}') == [
        ("account.email", "query.data[json].u", "ann@example.org")
    ]


def test_what_a_version_looks_like_is_no_address() -> None:
    assert sent("GET https://plex.tv/x?build=10.1.2.3&X-Plex-Version=10.1.2.3") == [
        ("server.version", "query.X-Plex-Version", "10.1.2.3")
    ]
    for name in ("sec-ch-ua-full", "x-firmware", "x-version-info"):
        assert sent(f"GET https://plex.tv/x\n{name}: 10.1.2.3") == []
    assert sent('POST https://plex.tv/x\n\n{"versions": ["10.1.2.3"]}') == []
    assert sent("GET https://plex.tv/x?a=10.1.2.3") == [("net.lan_ip", "query.a", "10.1.2.3")]


@pytest.mark.parametrize("name", ["mac", "deviceMac", "mac_address", "MACADDR"])
def test_a_mac_address_without_colons_is_one_where_the_field_says_so(name: str) -> None:
    assert sent(f"GET https://plex.tv/x?{name}=2A11CE000002") == [("net.mac", f"query.{name}", "2A11CE000002")]
    assert sent(f"GET https://plex.tv/x?{name}=2A11CE00000G") == []
    assert sent("GET https://plex.tv/x?hmac=2A11CE000002&id=2A11CE000002&machine=2A11CE000002") == []


def test_a_host_under_plex_direct_shows_hash_and_address() -> None:
    host = f"192-168-1-5.{HASH}.plex.direct"
    expected = [("sent", "server.cert_hash", "host", HASH), ("sent", "net.lan_ip", "host", "192-168-1-5")]
    assert found(classified(call(f"GET https://{host}/x"), party=Party.OWN)) == expected
    contact = Contact(Source(0, 0), 0.0, 0.0, "tv", None, None, host, "sni", "tls", 1, 1, 1, 1, "pinned")
    assert found(classified(contact, rule="", party=Party.OWN)) == expected
    lookup = Lookup(Source(0, 0), 0.0, "tv", None, None, "dns", host, "A", (), "", None)
    assert found(classified(lookup, rule="", party=Party.UNKNOWN)) == expected


def test_an_address_in_a_url_comes_out_once() -> None:
    asked = f"GET https://plex.tv/x\nx-url: https://192-168-1-5.{HASH}.plex.direct/ann@example.org?to=x"
    assert sent(asked, rule="") == [
        ("account.email", "header.x-url", "ann@example.org"),
        ("server.cert_hash", "header.x-url", HASH),
        ("net.lan_ip", "header.x-url", "192-168-1-5"),
    ]


ASKED = 'POST https://198.51.100.7/x?q=dune\n\n{"who": "c1"}'
ANSWERED = '200\n\n{"title": "Alien"}'


@pytest.mark.parametrize(
    ("initiator", "request_direction", "response_direction"),
    [("inside", "sent", "received"), ("outside", "received", "sent")],
)
@pytest.mark.parametrize("party", [Party.VENDOR, Party.OWN, Party.UNKNOWN])
def test_behind_a_reverse_proxy_the_answer_leaves_the_house(
    initiator: Initiator, request_direction: str, response_direction: str, party: Party
) -> None:
    exchange = structs.replace(call(ASKED, ANSWERED), initiator=initiator, host="x.example")
    assert [pair for pair in found(classified(exchange, party=party)) if pair[2]] == [
        (request_direction, "media.title", "query.q", "dune"),
        (request_direction, "client.id", "body.who", "c1"),
        (response_direction, "media.title", "response.body.title", "Alien"),
    ]


@pytest.mark.parametrize(
    ("party", "initiator", "expected"),
    [
        (Party.VENDOR, "inside", 1),
        (Party.THIRD_PARTY, "inside", 1),
        (Party.UNKNOWN, "inside", 1),
        (Party.OWN, "inside", 0),
        (Party.OTHER_HOME, "inside", 0),
        (Party.VENDOR, "outside", 0),
    ],
)
def test_the_public_address_reaches_every_recipient_outside(party: Party, initiator: Initiator, expected: int) -> None:
    exchange = structs.replace(call("GET https://x.example/x"), initiator=initiator)
    contact = Contact(Source(0, 0), 0.0, 0.0, "tv", None, Endpoint("203.0.113.1", 443), "x.example", "sni", "tls", 1, 1,
                      1, 1, "pinned", initiator=initiator)  # fmt: skip
    implied = [("sent", "net.public_ip", "", "198.51.100.7")] * expected
    assert found(classified(exchange, party=party)) == implied
    assert found(classified(contact, party=party)) == implied


@pytest.mark.parametrize("addresses", [(), ("198.51.100.7", "198.51.100.8")])
def test_an_implied_address_that_is_not_known_is_empty(addresses: tuple[str, ...]) -> None:
    evidence = Evidence(public_addresses=frozenset(addresses))
    assert found(classified(call("GET https://x.example/x"), party=Party.VENDOR), evidence) == [
        ("sent", "net.public_ip", "", "")
    ]


def test_what_could_not_be_read_carries_nothing() -> None:
    broken = Unreadable(Source(0, 0), None, "flow 0", "is damaged", host="plex.tv")
    assert found(classified(broken, party=Party.UNKNOWN)) == []


@pytest.mark.parametrize("party", [Party.VENDOR, Party.THIRD_PARTY, Party.UNKNOWN])
def test_the_recipients_own_address_tells_it_nothing(party: Party) -> None:
    seen = classified(call("GET https://203.0.113.1/x?from=203.0.113.2"), party=party)
    assert [pair for pair in found(seen) if pair[2]] == [("sent", "net.other_ip", "query.from", "203.0.113.2")]


def test_known_leaves_are_not_worked_out_again() -> None:
    seen = classified(call("GET https://plex.tv/x?api_key=t1"))
    known = decode(call("GET https://plex.tv/x?api_key=t2"))
    assert [f.value for f in extract(seen, KNOWLEDGE, HERE, known)] == ["t2"]


PAIRS = st.lists(st.tuples(st.text(max_size=20), st.text()), max_size=4).map(tuple)


@settings(deadline=None)
@given(st.binary(), st.binary(), PAIRS, PAIRS, st.text(), st.sampled_from(["server", "app", ""]))
def test_whatever_is_sent_nothing_is_raised(
    body: bytes, answer: bytes, query: Pairs, headers: Pairs, path: str, role: str
) -> None:
    exchange = structs.replace(
        call("POST https://plex.tv/x"), path="/library/" + path, query=query, headers=headers, cookies=query,
        body=Body(body, len(body)), response_headers=headers, response_body=Body(answer, len(answer)),
    )  # fmt: skip
    findings = extract(classified(exchange, role=role), KNOWLEDGE, HERE)
    assert {finding.item for finding in findings} <= set(ITEMS)


MINE = OwnValues([Known("title", "Zorblax Uprising", 0.0), Known("email", "ann@example.org", 0.0)])


def sightings(seen: Classified, own: OwnValues = MINE) -> tuple[Sighting, ...]:
    leaves = decode(seen.observation).leaves if isinstance(seen.observation, Exchange) else ()
    return search(seen.observation, leaves, own).sightings


def known(request: str, response: str = "") -> list[tuple[str, str, str, str]]:
    """Direction, item, place and source of each finding, with own values."""
    seen = classified(call(request, response))
    return [(f.direction, f.item, f.at, f.source) for f in extract(seen, KNOWLEDGE, HERE, None, sightings(seen))]


def test_own_values_are_found_where_nothing_else_recognises_them() -> None:
    request = 'POST https://plex.tv/x\n\n{"a": "5a6f72626c6178205570726973696e67"}'
    seen = classified(call(request))
    (found,) = extract(seen, KNOWLEDGE, HERE, None, sightings(seen))
    assert found == Finding(7, "sent", "media.title", "body.a[hex]", "Zorblax Uprising", ("hex",), "known", "title")
    assert known("GET https://plex.tv/x", '200\n\n{"a": "zorblax-uprising"}') == [
        ("received", "media.title", "response.body.a", "known")
    ]


def test_what_a_rule_says_of_an_own_value_stands_and_so_does_the_same_item() -> None:
    assert known('POST https://plex.tv/x\n\n{"who": "Zorblax Uprising"}') == [("sent", "client.id", "body.who", "rule")]
    assert known('POST https://plex.tv/x\n\n{"a": "ann@example.org"}') == [
        ("sent", "account.email", "body.a", "pattern")
    ]
    assert known('POST https://plex.tv/x\n\n{"who": "of Zorblax Uprising"}') == [
        ("sent", "client.id", "body.who", "rule"),
        ("sent", "media.title", "body.who", "known"),
    ]


def test_an_own_host_in_a_field_for_the_name_of_the_device_is_that() -> None:
    mine = OwnValues([Known("host", "exampleton-pc", 0.0), Known("title", "Zorblax Uprising", 0.0)])

    def items(value: str) -> list[str]:
        seen = classified(call(f"GET https://plex.tv/y\nx-plex-name: {value}\nx-plex-product: x"), rule="")
        return [f.item for f in extract(seen, known_items, HERE, None, sightings(seen, mine))]

    known_items = replace(KNOWLEDGE, items={**ITEMS, "net.hostname": ITEMS["client.device_name"]})
    assert items("exampleton-pc") == ["client.device_name"]
    assert items("Zorblax Uprising") == ["client.device_name", "media.title"]


def test_a_text_that_was_searched_for_is_no_title() -> None:
    request = "GET https://plex.tv/y?q=zorblax%20uprising&x-plex-product=Plex%20Web"
    seen = classified(call(request), rule="")
    assert [(f.item, f.at) for f in extract(seen, KNOWLEDGE, HERE, None, sightings(seen))] == [
        ("ui.search_text", "query.q")
    ]
    assert known("GET https://plex.tv/y?z=zorblax%20uprising") == [("sent", "media.title", "query.z", "known")]


def test_what_an_unknown_recipient_calls_a_search_may_hold_own_values() -> None:
    text = replace(KNOWLEDGE, names=structs.replace(KNOWLEDGE.names, free_text=("ui.search_text",)))
    mine = OwnValues([Known("title", "Zorblax Uprising", 0.0), Known("email", "ann@mail.example", 0.0)])

    def items(value: str, service: str) -> set[str]:
        request = f"GET https://x.example/y?q={value}&x-plex-product=Plex%20Web"
        seen = structs.replace(classified(call(request), rule=""), service=service)
        return {f.item for f in extract(seen, text, HERE, None, sightings(seen, mine)) if f.at == "query.q"}

    assert items("zorblax%20uprising", "") == {"ui.search_text", "media.title"}
    assert items("zorblax%20uprising", "plex") == {"ui.search_text"}
    assert items("ann@mail.example", "plex") == {"ui.search_text", "account.email"}


def test_the_name_of_who_is_called_is_no_finding_but_an_own_name_in_it_is() -> None:
    mine = OwnValues([Known("host", "nas.exampleton.example", 0.0)])

    def items(host: str) -> list[str]:
        lookup = Contact(Source(0, 0), 1.0, 2.0, "d", None, None, host, "sni", "tls", 1, 1, 1, 1, "closed")
        seen = classified(lookup, rule="")
        return [f.item for f in extract(seen, KNOWLEDGE, HERE, None, sightings(seen, mine))]

    assert items("nas.exampleton.example") == []
    assert items("nas.exampleton.example.tracker.test") == ["net.hostname"]
