"""What a call is for, whose machine answers, and who sent it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from analysis.classify import classify
from analysis.evidence import Evidence, Servers
from analysis.example import exchange_of
from analysis.knowledge import Knowledge
from analysis.model import Attribution, Category, Party
from analysis.pack import ExampleCall, Match, Product, Rule, SenderSign
from captures.model import Contact, Endpoint, Exchange, Lookup, Observation, Source, Unreadable

HASH = "ab" * 16


def call(request: str, client: Endpoint | None = None) -> Exchange:
    return structs.replace(exchange_of(ExampleCall(request), "test"), client=client)


def contact(host: str) -> Contact:
    return Contact(
        Source(0, 0), 0.0, 1.0, "tv", None, Endpoint("198.51.100.1", 443), host, "sni", "tls", 10, 20, 1, 1, "pinned"
    )


def rule(name: str, match: Match, category: Category, *, pinned: bool = False, sender: str = "any") -> Rule:
    example = (ExampleCall("GET https://x/"),)
    return Rule(category, match, "captured", "a test", example, example, pinned=pinned, sender=sender, id=name)  # type: ignore[arg-type]


def knowledge(*rules: Rule) -> Knowledge:
    products = {
        "plex": Product(
            "Plex",
            "media-product",
            "Plex",
            ("plex.tv",),
            senders=(
                SenderSign(("header.x-plex-product"), ("Plex Web", "Plex for *"), "app"),
                SenderSign(("header.user-agent"), ("PlexMediaServer/*",), "server"),
                SenderSign(("header.origin"), ("https://app.plex.tv",), "app"),
            ),
            id="plex",
        ),
        "sentry": Product("Sentry", "service", "Functional Software", ("sentry.io",), "processor-crash", id="sentry"),
    }
    return Knowledge({}, products, {r.id: r for r in rules}, (), {}, frozenset(products))


PATHS = (
    rule("plex/any", Match(host=("plex.tv",)), Category.UNKNOWN),
    rule("plex/exact", Match(host=("plex.tv",), path="/api/v2/user"), Category.ACCOUNT_AUTH),
    rule("plex/exact-put", Match(host=("plex.tv",), path="/api/v2/user", method=("PUT",)), Category.SETTINGS),
    rule("plex/long", Match(host=("plex.tv",), path="/api/v2/user/**"), Category.SOCIAL),
    rule("plex/short", Match(host=("plex.tv",), path="/api/**"), Category.SERVER_API),
    rule("plex/named", Match(host=("*.plex.tv",), path="/c/{id}/x"), Category.GUIDE),
    rule("plex/query", Match(host=("a.plex.tv",), path="/q", query=("code=4*",)), Category.SEARCH),
    rule("plex/open", Match(host=("a.plex.tv",), path="/{x}", method=("DELETE",)), Category.SOCIAL),
    rule("plex/contains", Match(host=("a.plex.tv",), path="/b", contains=('"crash"',)), Category.CRASH_REPORT),
)


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        ("GET https://plex.tv/api/v2/user", "plex/exact"),
        ("PUT https://plex.tv/api/v2/user", "plex/exact-put"),
        ("GET https://plex.tv/api/v2/user/1/friends", "plex/long"),
        ("GET https://plex.tv/api/v3", "plex/short"),
        ("GET https://plex.tv/", "plex/any"),
        ("GET https://a.plex.tv/c/17/x", "plex/named"),
        ("GET https://a.plex.tv/c/17/18/x", ""),
        ("GET https://a.plex.tv/q?code=41", "plex/query"),
        ("GET https://a.plex.tv/q?code=51", ""),
        ("DELETE https://a.plex.tv/q?code=51", "plex/open"),
        ("DELETE https://a.plex.tv/", ""),
        ('POST https://a.plex.tv/b\n\n{"crash":1}', "plex/contains"),
        ('POST https://a.plex.tv/b\n\n{"crush":1}', ""),
        ("GET https://explex.tv/api/v2/user", ""),
    ],
)
def test_the_most_specific_rule_decides(request_text: str, expected: str) -> None:
    assert classify(call(request_text), knowledge(*PATHS), Evidence()).rule == expected


def test_a_connection_without_content_fits_only_a_rule_without_a_path() -> None:
    known = knowledge(*PATHS)
    assert classify(contact("plex.tv"), known, Evidence()).rule == "plex/any"
    assert classify(contact("a.plex.tv"), known, Evidence()).rule == ""


OWN = Evidence(
    own=Servers(frozenset({"198.51.100.7"}), frozenset({HASH}), frozenset({"m1"})),
    others=Servers(frozenset({"198.51.100.8"}), frozenset({"cd" * 16}), frozenset({"m2"})),
    relays=frozenset({("198.51.100.9", 8443)}),
)


@pytest.mark.parametrize(
    ("host", "party"),
    [
        ("plex.tv", Party.VENDOR),
        ("notplex.tv", Party.UNKNOWN),
        ("o1.ingest.sentry.io", Party.THIRD_PARTY),
        ("198.51.100.7", Party.OWN),
        ("198.51.100.8", Party.OTHER_HOME),
        ("198.51.100.9:8443", Party.OWN_VIA_RELAY),
        ("198.51.100.9:443", Party.UNKNOWN),
        ("192.168.1.5", Party.OWN),
        ("[fd00::5]", Party.OWN),
        ("100.64.0.1", Party.UNKNOWN),
        ("192.0.2.1", Party.UNKNOWN),
        (f"192-168-1-5.{HASH}.plex.direct:32400", Party.OWN),
        (f"198-51-100-7.{HASH}.plex.direct:32400", Party.OWN),
        (f"198-51-100-9.{HASH}.plex.direct:8443", Party.OWN_VIA_RELAY),
        (f"198-51-100-77.{HASH}.plex.direct:32400", Party.OWN_VIA_RELAY),
        (f"192-168-1-5.{'cd' * 16}.plex.direct:32400", Party.OTHER_HOME),
        (f"192-168-1-5.{'ef' * 16}.plex.direct:32400", Party.UNKNOWN),
    ],
)
def test_whose_machine_answers(host: str, party: Party) -> None:
    assert classify(call(f"GET https://{host}/"), knowledge(), OWN).party is party


def test_a_host_that_answers_as_a_media_server_gets_the_servers_rules_but_stays_unknown() -> None:
    known = knowledge(rule("plex/own-timeline", Match(party="own", path="/:/timeline"), Category.PLAYBACK_REPORT))
    asked = Evidence(asks=frozenset({"media.example.org"}), server_of={"media.example.org": "plex"})
    seen = classify(call("GET https://media.example.org/:/timeline"), known, asked)
    assert (seen.party, seen.category, seen.service) == (Party.UNKNOWN, Category.PLAYBACK_REPORT, "plex")
    other = classify(call("GET https://other.example.org/:/timeline"), known, asked)
    assert (other.party, other.category, other.rule) == (Party.UNKNOWN, Category.UNKNOWN, "")


@pytest.mark.parametrize(
    ("host", "party", "entity"),
    [
        ("plex.tv", Party.VENDOR, "Plex"),
        ("o1.ingest.sentry.io", Party.THIRD_PARTY, "Functional Software"),  # the list says Sentry; packs come first
        ("pubads.g.doubleclick.net", Party.THIRD_PARTY, "Google"),
        ("notdoubleclick.net", Party.UNKNOWN, "notdoubleclick.net"),
        ("t.stats.shop.co.uk", Party.UNKNOWN, "shop.co.uk"),
        ("203.0.113.7", Party.UNKNOWN, ""),
        ("192.168.1.5", Party.OWN, ""),
        (f"192-168-1-5.{'ef' * 16}.plex.direct:32400", Party.UNKNOWN, ""),
    ],
)
def test_who_is_at_the_other_end(host: str, party: Party, entity: str) -> None:
    seen = classify(call(f"GET https://{host}/"), knowledge(), Evidence())
    assert (seen.party, seen.entity, seen.answered_by) == (party, entity, "")
    closed = classify(contact(host.partition(":")[0]), knowledge(), Evidence())
    assert (closed.party, closed.entity) == (party, entity)


def test_a_visitor_is_nobody_of_whom_the_name_called_says_anything() -> None:
    visit = structs.replace(call("GET https://media.alice.example/"), initiator="outside")
    assert classify(visit, knowledge(), Evidence()).entity == ""


def test_a_media_server_at_a_hoster_is_not_the_hosters() -> None:
    host = "media.cloudfront.net"
    assert classify(call(f"GET https://{host}/"), knowledge(), Evidence()).party is Party.THIRD_PARTY
    asked = Evidence(asks=frozenset({host}), server_of={host: "plex"})
    seen = classify(call(f"GET https://{host}/"), knowledge(), asked)
    assert (seen.party, seen.entity, seen.service) == (Party.UNKNOWN, "", "plex")


def test_a_host_that_a_rule_names_is_its_packs_though_it_stands_under_no_domain_of_it() -> None:
    known = knowledge(rule("plex/files", Match(host=("plex-files.cloudfront.net",), path="/x"), Category.SETTINGS))
    seen = classify(call("GET https://plex-files.cloudfront.net/x"), known, Evidence())
    assert (seen.party, seen.service, seen.entity) == (Party.VENDOR, "plex", "Plex")
    other = classify(call("GET https://plex-files.cloudfront.net/y"), known, Evidence())
    assert (other.party, other.service, other.entity) == (Party.THIRD_PARTY, "", "Amazon")


@pytest.mark.parametrize(
    ("host", "alias", "party", "answered_by"),
    [
        ("metrics.plex.tv", "d111.cloudfront.net", Party.VENDOR, "Amazon"),
        ("metrics.plex.tv", "o1.ingest.sentry.io", Party.VENDOR, "Functional Software"),
        ("metrics.plex.tv", "lb.plex.tv", Party.VENDOR, ""),
        ("metrics.plex.tv", "lb.elsewhere.example", Party.VENDOR, "elsewhere.example"),
        ("metrics.shop.example", "d111.cloudfront.net", Party.UNKNOWN, "Amazon"),
        ("metrics.shop.example", "lb.shop.example", Party.UNKNOWN, ""),
        ("192.168.1.5", "d111.cloudfront.net", Party.OWN, ""),
    ],
)
def test_a_name_answered_by_another_company_keeps_its_party_and_says_who_answered(
    host: str, alias: str, party: Party, answered_by: str
) -> None:
    seen = classify(call(f"GET https://{host}/"), knowledge(), Evidence(aliases={host: alias}))
    assert (seen.party, seen.answered_by) == (party, answered_by)


def test_what_could_not_be_read_is_told_apart_by_its_host() -> None:
    lost = Unreadable(Source(0, 2), None, "flow 2", "is damaged")
    seen = [
        classify(structs.replace(lost, host=host), knowledge(), Evidence()) for host in ("plex.tv", "192.168.1.5", "")
    ]
    assert [(c.party, c.service, c.entity, c.category) for c in seen] == [
        (Party.VENDOR, "plex", "Plex", Category.UNKNOWN),
        (Party.OWN, "", "", Category.UNKNOWN),
        (Party.UNKNOWN, "", "", Category.UNKNOWN),
    ]


def test_own_traffic_without_a_rule_is_server_api() -> None:
    seen = classify(call("GET https://192.168.1.5/x"), knowledge(), Evidence())
    assert (seen.category, seen.rule, seen.entity) == (Category.SERVER_API, "", "")


@pytest.mark.parametrize(
    ("headers", "product", "attribution", "role"),
    [
        ("x-plex-product: Plex Web", "plex", Attribution.PRODUCT_HEADER, "app"),
        ("X-Plex-Product: Plex for Roku", "plex", Attribution.PRODUCT_HEADER, "app"),
        ("user-agent: PlexMediaServer/1.41", "plex", Attribution.USER_AGENT, "server"),
        ("origin: https://app.plex.tv", "plex", Attribution.REFERER, "app"),
        ("origin: https://app.plex.tv.example.org", "", Attribution.UNKNOWN, ""),
        ("x-plex-product: Somebody's Tool", "", Attribution.UNKNOWN, ""),
        ("x-plex-product: Somebody's Tool\norigin: https://app.plex.tv", "", Attribution.UNKNOWN, ""),
        ("user-agent: curl/8", "", Attribution.UNKNOWN, ""),
    ],
)
def test_who_sent_it(headers: str, product: str, attribution: Attribution, role: str) -> None:
    seen = classify(call(f"GET https://plex.tv/x\n{headers}"), knowledge(), Evidence())
    assert (seen.product, seen.attribution, seen.role) == (product, attribution, role)


def test_a_pinned_host_tells_the_sender_unless_the_call_names_another() -> None:
    pinned = rule(
        "plex/stats", Match(host=("analytics.plex.tv",)), Category.USAGE_STATISTICS, pinned=True, sender="app"
    )
    known = knowledge(pinned)
    alone = classify(call("POST https://analytics.plex.tv/collect/event"), known, Evidence())
    assert (alone.product, alone.attribution, alone.role) == ("plex", Attribution.PINNED_HOST, "app")
    named = classify(call("POST https://analytics.plex.tv/collect/event\nx-plex-product: Own Tool"), known, Evidence())
    assert (named.product, named.attribution) == ("", Attribution.UNKNOWN)


def test_a_neighbour_on_the_same_connection_is_only_a_hint() -> None:
    end = Endpoint("192.168.1.20", 50000)
    evidence = Evidence(senders={end: "plex"})
    seen = classify(call("GET https://plex.tv/x", end), knowledge(), evidence)
    assert (seen.product, seen.attribution) == ("plex", Attribution.NEIGHBOUR)
    other = classify(call("GET https://plex.tv/x", Endpoint("192.168.1.20", 50001)), knowledge(), evidence)
    assert (other.product, other.attribution) == ("", Attribution.UNKNOWN)


def test_lookups_and_unreadable_places_come_out_too() -> None:
    dns = Lookup(Source(0, 1), 0.0, "tv", None, Endpoint("192.168.1.1", 53), "dns", "plex.tv", "A", (), "", None)
    ssdp = structs.replace(dns, protocol="ssdp", host="", left_house=False)
    broken = Unreadable(Source(0, 2), None, "flow 2", "is damaged")
    observations: tuple[Observation, ...] = (dns, ssdp, broken)
    seen = [classify(x, knowledge(), Evidence(), n) for n, x in enumerate(observations)]
    assert [(c.n, c.category, c.party) for c in seen] == [
        (0, Category.NAME_LOOKUP, Party.OWN),
        (1, Category.LOCAL_DISCOVERY, Party.OWN),
        (2, Category.UNKNOWN, Party.UNKNOWN),
    ]


MEDIA_BROWSER = Product(
    "Films",
    "media-product",
    "Films",
    ("films.example",),
    senders=(
        SenderSign("header.authorization", ('*Client="Films*',), "app", among=("MediaBrowser *",)),
        SenderSign("header.user-agent", ("Films/*",), "app"),
    ),
    id="films",
)


@pytest.mark.parametrize(
    ("value", "product", "attribution"),
    [
        ('MediaBrowser Client="Films TV", Token="x"', "films", Attribution.PRODUCT_HEADER),
        ('MediaBrowser Client="Other", Token="x"', "", Attribution.UNKNOWN),
        ("Bearer x", "films", Attribution.USER_AGENT),
    ],
)
def test_a_header_that_names_a_product_only_in_some_values_says_nothing_in_the_others(
    value: str, product: str, attribution: Attribution
) -> None:
    known = replace(knowledge(), products={"films": MEDIA_BROWSER})
    shown = classify(call(f"GET https://x.example/\nauthorization: {value}\nuser-agent: Films/1.0"), known, Evidence())
    assert (shown.product, shown.attribution) == (product, attribution)


def answered(request: str, kind: str, status: int = 200) -> Exchange:
    return exchange_of(ExampleCall(request, f"{status}\ncontent-type: {kind}\n\nx"), "test")


@pytest.mark.parametrize(
    ("exchange", "category"),
    [
        (answered("GET https://films.example/a.mp4", "video/mp4", 206), Category.MEDIA_STREAM),
        (answered("HEAD https://films.example/a.flac", "Audio/flac"), Category.MEDIA_STREAM),
        (answered("GET https://films.example/a.mp4?who=robin", "video/mp4"), Category.UNKNOWN),
        (answered("POST https://films.example/a.mp4\n\nrobin", "video/mp4"), Category.UNKNOWN),
        (answered("GET https://films.example/a.mp4", "text/html"), Category.UNKNOWN),
        (answered("GET https://films.example/a.mp4", "video/mp4", 404), Category.UNKNOWN),
        (answered("GET https://sentry.io/a.mp4", "video/mp4"), Category.UNKNOWN),
    ],
)
def test_a_film_that_is_asked_for_by_its_path_alone_is_a_stream(exchange: Exchange, category: Category) -> None:
    assert classify(exchange, knowledge(), Evidence()).category is category
