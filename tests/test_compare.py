"""Each verdict: the case it is made for, and one that only looks alike."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from analysis.classify import classify
from analysis.compare import compare, promised
from analysis.evidence import Evidence, SwitchState
from analysis.example import exchange_of
from analysis.extract import extract
from analysis.knowledge import Knowledge
from analysis.model import Attribution, Category, Classified, Comparison, Finding, Party, Verdict
from analysis.pack import DeclaredList, ExampleCall, Item, ItemPlace, Match, Product, Rule, Statement, Switch
from captures.model import Exchange, Lookup, Source
from shipped import KNOWLEDGE

DAY = 1_704_067_200.0  # 2024-01-01
STATISTICS, CRASH, SIGN_IN = Category.USAGE_STATISTICS, Category.CRASH_REPORT, Category.ACCOUNT_AUTH

ITEMS = {
    name: Item(name, "", "", "", "user", id=name)
    for name in (
        "account.email", "auth.token", "client.app", "client.id", "client.session_id", "geo.city_region", "geo.latlon",
        "geo.postal_code", "library.settings",
        "media.bitrate", "media.title", "net.public_ip", "server.config", "server.machine_id",
    )
}  # fmt: skip
PRODUCTS = {
    "acme": Product("Acme", "media-product", "Acme Inc", ("acme.example",), id="acme",
                    switches=(Switch("stats", "Send statistics", "Settings"), Switch("crash", "Crashes", "Settings"))),
    "tool": Product("Tool", "tool", "Tool makers", id="tool"),
    "crashes": Product("Crashes", "service", "Crashes Ltd", ("crash.example",), "processor-crash", id="crashes"),
    "ads": Product("Ads", "service", "Ads Ltd", ("ads.example",), "advertiser", id="ads"),
    "hook": Product("Hook", "service", "Hook Ltd", ("hook.example",), "other", id="hook"),
}  # fmt: skip


def rule(name: str, **how: object) -> Rule:
    example = (ExampleCall("GET https://x/"),)
    return Rule(STATISTICS, Match(host=("x",)), "captured", "a test", example, example, id=name, **how)  # type: ignore[arg-type]


RULES = {x.id: x for x in (
    rule("acme/plain"), rule("acme/described", documented="https://acme.example/docs"),
    rule("hook/fired", set_up_by_user=True),
    rule("acme/carrier", when="on play", items=(ItemPlace("client.app", ("query.v",), "obvious"),)),
)}  # fmt: skip


NOTHING = Evidence()
PLAIN: Mapping[str, str] = {}


def says(name: str, *items: str, status: str = "required", **how: object) -> Statement:
    return Statement(name, items or ("media.title",), status, f"wording of {name}", "1", **how)  # type: ignore[arg-type]


def policy(*statements: Statement, day: str = "2023-01-01", **how: object) -> DeclaredList:
    return DeclaredList("Policy", "policy", day, "https://acme.example", statements, product="acme", id=day, **how)  # type: ignore[arg-type]


def knowledge(*lists: DeclaredList) -> Knowledge:
    return Knowledge(ITEMS, PRODUCTS, RULES, lists, {}, frozenset(PRODUCTS), ontology=KNOWLEDGE.ontology)


def sent(
    n: int = 0,
    *,
    to: str = "acme",
    product: str = "acme",
    category: Category = STATISTICS,
    role: str = "app",
    attribution: Attribution = Attribution.PRODUCT_HEADER,
    party: Party | None = None,
    time: float | None = DAY,
    rule: str = "acme/plain",
    host: str = "",
) -> Classified:
    service = PRODUCTS.get(to)
    entity = service.entity if service else ""
    host = host or f"{to}.example"
    party = party or (Party.VENDOR if to == "acme" else Party.THIRD_PARTY if service else Party.UNKNOWN)
    seen = replace(exchange_of(ExampleCall(f"GET https://{host}/"), "test"), time=time)
    return Classified(
        n, seen, product, to if service else "", attribution, role, category, party, entity, rule
    )  # fmt: skip


def carries(call: int = 0, /, **items: str) -> list[Finding]:
    """`media_title="Dune"` -> findings at `body.<item>`."""
    names = {name.replace("_", ".", 1): value for name, value in items.items()}
    return [
        Finding(call, "sent", name, f"body.{name.partition('.')[2]}", value, (), "rule")
        for name, value in names.items()
    ]


def verdicts(comparisons: tuple[Comparison, ...], item: str = "media.title") -> list[tuple[str, ...]]:
    """Verdict, the others, statement of the comparisons about one item."""
    return [
        (str(c.verdict), *map(str, c.also), c.statement)
        for c in comparisons
        if c.item == item and c.verdict is not Verdict.NOT_SEEN
    ]


def judged(
    *statements: Statement,
    call: Classified | None = None,
    evidence: Evidence = NOTHING,
    beside: Mapping[str, str] = PLAIN,
) -> list[tuple[str, ...]]:
    """What a list of these statements says of a title that an app of Acme's sends to Acme in statistics."""
    known = knowledge(policy(*statements, recipients=("processor-crash",)))
    call = call or sent()
    return verdicts(compare([call], carries(call.n, media_title="Dune", **beside), known, evidence))


def switched(*states: tuple[float, bool], switch: str = "stats") -> Evidence:
    return Evidence(switches=tuple(SwitchState(time, "acme", switch, on, 0) for time, on in states))


PERSONAL = {"server_config": "owned"}
NEVER = says("never", status="never")
NAMED = says("named")
OPTIONAL = says("optional", status="optional", switch="stats")


def test_a_comparison_says_everything() -> None:
    calls = [sent(3), sent(5)]
    findings = [*carries(3, media_title="Dune"), *carries(5, media_title="Dune"), *carries(5, media_title="Alien")]
    assert compare(calls, findings, knowledge(policy(NAMED)), Evidence()) == (
        Comparison(
            product="acme",
            declared="2023-01-01",
            item="media.title",
            recipient="vendor",
            entity="Acme Inc",
            category=STATISTICS,
            verdict=Verdict.DECLARED,
            also=(),
            reason="Policy of 1 January 2023 names ‘media.title’ (“wording of named”, 1).",
            statement="named",
            count=3,
            calls=(3, 5),
            sure=True,
            rule="acme/plain",
            look=(3, "body.title"),
        ),
    )


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([NEVER], [("denied", "never")]),
        ([replace(NEVER, blanket=True)], [("undeclared", "")]),
        ([replace(NEVER, derived=True)], [("undeclared", "")]),
        ([replace(NEVER, sender="server")], [("undeclared", "")]),
        ([replace(NEVER, sender="app")], [("denied", "never")]),
        ([replace(NEVER, categories=(CRASH,))], [("undeclared", "")]),
        ([replace(NEVER, except_categories=(STATISTICS,))], [("undeclared", "")]),
        ([replace(NEVER, content="personal")], [("denied", "never")]),
        ([replace(NEVER, content="vendor-provided")], [("undeclared", "")]),
        ([replace(NEVER, recipients=("advertiser",))], [("undeclared", "")]),
        ([replace(NEVER, items=("client.id",))], [("undeclared", "")]),
        ([NEVER, NAMED], [("contradictory", "declared", "named")]),
        ([replace(NEVER, categories=(STATISTICS,)), NAMED], [("denied", "never")]),
        ([NEVER, replace(NAMED, categories=(STATISTICS,))], [("declared", "named")]),
        ([NEVER, replace(NAMED, broad=True)], [("denied", "never")]),
        ([NEVER, replace(OPTIONAL, categories=(STATISTICS,))], [("optional", "optional")]),
        ([replace(NEVER, content="personal"), replace(OPTIONAL, categories=(STATISTICS,))], [("optional", "optional")]),
        (
            [replace(NEVER, categories=(STATISTICS,)), replace(OPTIONAL, categories=(STATISTICS,))],
            [("contradictory", "optional", "optional")],
        ),
        ([NEVER, OPTIONAL], [("contradictory", "optional", "optional")]),
    ],
)
def test_what_is_denied(statements: list[Statement], expected: list[tuple[str, ...]]) -> None:
    assert judged(*statements, beside=PERSONAL) == expected


def test_a_denial_about_the_own_library_needs_proof_that_it_is_about_that() -> None:
    denial = replace(NEVER, content="personal")
    assert judged(denial) == [("undeclared", "")]
    assert judged(denial, beside={"library_settings": "com.plexapp.plugins.library"}) == [("denied", "never")]
    assert judged(denial, beside={"library_settings": "tv.plex.provider.vod"}) == [("undeclared", "")]


@pytest.mark.parametrize(
    ("statements", "states", "expected"),
    [
        ([OPTIONAL], [(DAY - 1, False)], [("opted-out", "optional")]),
        ([OPTIONAL], [(DAY - 1, True)], [("optional", "optional")]),
        ([OPTIONAL], [], [("optional", "optional")]),
        ([OPTIONAL], [(DAY + 1, False)], [("optional", "optional")]),
        ([OPTIONAL], [(DAY - 2, False), (DAY - 1, True)], [("optional", "optional")]),
        ([OPTIONAL, NAMED], [(DAY - 1, False)], [("declared", "optional", "named")]),
        ([OPTIONAL, replace(NAMED, switch="stats")], [(DAY - 1, False)], [("declared", "optional", "named")]),
        ([OPTIONAL, replace(NAMED, broad=True)], [(DAY - 1, False)], [("optional", "optional")]),
        ([OPTIONAL, says("other", status="optional", switch="crash")], [(DAY - 1, False)], [("optional", "optional")]),
        ([replace(OPTIONAL, switch="")], [(DAY - 1, False)], [("optional", "optional")]),
        ([replace(OPTIONAL, broad=True)], [(DAY - 1, False)], [("opted-out", "optional")]),
        ([OPTIONAL, NEVER], [(DAY - 1, False)], [("opted-out", "contradictory", "optional")]),
    ],
)
def test_what_is_switched_off_is_not_to_be_sent(
    statements: list[Statement], states: list[tuple[float, bool]], expected: list[tuple[str, ...]]
) -> None:
    assert judged(*statements, evidence=switched(*states)) == expected


def test_of_a_call_without_a_time_no_switch_is_known() -> None:
    assert judged(OPTIONAL, call=sent(time=None), evidence=switched((DAY, False))) == [("optional", "optional")]


@pytest.mark.parametrize(
    ("to", "statements", "expected"),
    [
        ("ads", [replace(NAMED, only_recipients=True)], [("wrong-recipient", "named")]),
        ("ads", [NAMED], [("undeclared", "")]),
        ("ads", [replace(NAMED, recipients=("vendor", "advertiser"), only_recipients=True)], [("declared", "named")]),
        ("ads", [replace(NAMED, only_recipients=True), says("ads", recipients=("advertiser",))], [("declared", "ads")]),
        ("acme", [replace(NAMED, only_recipients=True)], [("declared", "named")]),
        ("crashes", [replace(NAMED, only_recipients=True)], [("wrong-recipient", "named")]),
        ("crashes", [NAMED], [("declared-vaguely", "named")]),
        ("crashes", [replace(NAMED, recipients=("processor-crash",))], [("declared", "named")]),
        ("nobody", [NAMED], [("undeclared", "")]),
        ("nobody", [replace(NAMED, only_recipients=True)], [("wrong-recipient", "named")]),
        ("ads", [replace(NEVER, recipients=("advertiser",))], [("denied", "never")]),
        ("ads", [replace(NEVER, recipients=("other",))], [("undeclared", "")]),
        ("ads", [replace(NAMED, only_recipients=True), NEVER], [("denied", "wrong-recipient", "never")]),
    ],
)
def test_who_may_receive_it(to: str, statements: list[Statement], expected: list[tuple[str, ...]]) -> None:
    assert judged(*statements, call=sent(to=to)) == expected


ANONYMOUS = replace(NAMED, anonymous=True)


@pytest.mark.parametrize(
    ("statements", "items", "expected"),
    [
        ([ANONYMOUS], {"auth_token": "t"}, [("identifiable", "declared", "named")]),
        ([ANONYMOUS], {"account_email": "a@example.org"}, [("identifiable", "declared", "named")]),
        ([ANONYMOUS], {"net_public_ip": "198.51.100.7"}, [("declared", "named")]),
        ([ANONYMOUS], {"client_id": "c"}, [("declared", "named")]),
        ([NAMED], {"auth_token": "t"}, [("declared", "named")]),
        ([ANONYMOUS, says("too")], {"auth_token": "t"}, [("declared", "named")]),
        (
            [says("named", "media.title", "auth.token", anonymous=True)],
            {"auth_token": "t"},
            [("identifiable", "declared", "named")],
        ),
    ],
)
def test_what_is_declared_anonymous_travels_without_a_name(
    statements: list[Statement], items: dict[str, str], expected: list[tuple[str, ...]]
) -> None:
    assert judged(*statements, beside=items) == expected


def both(first: Classified, second: Classified, *statements: Statement, **items: str) -> list[tuple[str, ...]]:
    """An anonymous title with the id `c`, and a second call with that id and `items`."""
    findings = [
        *carries(first.n, media_title="Dune", client_id="c", client_session_id="1"),
        *carries(second.n, **({"client_id": "c"} | items)),
    ]
    known = knowledge(policy(ANONYMOUS, *statements))
    return verdicts(compare([first, second], findings, known, Evidence()))


def test_an_id_that_leads_to_a_name_elsewhere_is_not_anonymous() -> None:
    sign_in = sent(1, category=SIGN_IN)
    expected = [("identifiable", "declared", "named")]
    assert both(sent(), sign_in, account_email="a@example.org") == expected
    assert both(sent(), sign_in, says("id", "client.id"), account_email="a@example.org") == expected
    assert (
        both(sent(), sign_in, says("mail", "account.email", anonymous=True), account_email="a@example.org") == expected
    )
    assert both(sent(), sign_in, client_id="d", account_email="a@example.org") == [("declared", "named")]
    assert both(sent(), sign_in, client_app="Acme TV") == [("declared", "named")]


def test_what_another_recipient_knows_does_not_identify() -> None:
    named = {"account_email": "a@example.org"}
    assert both(sent(), sent(1, to="crashes", category=CRASH), **named) == [("declared", "named")]
    assert both(sent(), sent(1, party=Party.OWN, category=Category.SERVER_API), **named) == [("declared", "named")]


def test_an_id_that_no_list_names_and_that_recurs_is_not_anonymous() -> None:
    second = sent(1, category=SIGN_IN)
    assert both(sent(), second, client_session_id="2") == [("identifiable", "declared", "named")]
    assert both(sent(), second, client_session_id="1") == [("declared", "named")]
    assert both(sent(), second, says("id", "client.id"), client_session_id="2") == [("declared", "named")]


@pytest.mark.parametrize(
    ("value", "rounding", "expected"),
    [
        ("48.2082", "truncated", ("too-precise", "declared", "place")),
        ("48.20,16.3738", "truncated", ("too-precise", "declared", "place")),
        ("48.20", "truncated", ("declared", "place")),
        ("48.2000", "truncated", ("declared", "place")),
        ("48.20,16.37", "truncated", ("declared", "place")),
        ("48", "truncated", ("declared", "place")),
        ("48.2082", "", ("declared", "place")),
    ],
)
def test_coordinates_that_are_to_be_truncated(value: str, rounding: str, expected: tuple[str, ...]) -> None:
    known = knowledge(policy(says("place", "geo.latlon", rounding=rounding)))
    findings = carries(geo_latlon=value)
    assert verdicts(compare([sent()], findings, known, Evidence()), "geo.latlon") == [expected]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], ("undeclared", "")),
        ([says("id", "client.id")], ("undeclared", "")),
        ([replace(NAMED, categories=(CRASH,))], ("undeclared", "")),
        ([replace(NAMED, except_categories=(STATISTICS,))], ("undeclared", "")),
        ([replace(NAMED, sender="website")], ("undeclared", "")),
        ([replace(NAMED, content="vendor-provided")], ("undeclared", "")),
        ([replace(NAMED, derived=True)], ("undeclared", "")),
        ([replace(NAMED, content="personal", sender="app", categories=(STATISTICS,))], ("declared", "named")),
        ([replace(NAMED, broad=True)], ("declared-vaguely", "named")),
        ([replace(NAMED, broad=True), replace(NAMED, id="exact")], ("declared", "exact")),
    ],
)
def test_a_statement_applies_only_where_all_fits(statements: list[Statement], expected: tuple[str, ...]) -> None:
    assert judged(*statements, beside=PERSONAL) == [expected]


def test_one_part_of_the_product_does_not_excuse_the_other() -> None:
    app, server = sent(0, role="app"), sent(1, role="server")
    findings = [*carries(0, media_title="Dune"), *carries(1, media_title="Dune")]
    for calls in ([app, server], [replace(server, n=0), replace(app, n=1)]):
        found = compare(calls, findings, knowledge(policy(replace(NAMED, sender="app"))), Evidence())
        assert verdicts(found) == [("undeclared", "declared", "")]


BITRATES = (
    says("video", "media.bitrate", fields=("*video*bitrate*",)),
    says("any", "media.bitrate", status="optional", switch="stats", fields=("bitrate",)),
)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("body.bitrate", ("optional", "any")),
        ("body.videoBitrate", ("declared", "video")),
        ("body.videoBitrate.0[json]", ("declared", "video")),
        ("body.rate", ("declared", "optional", "video")),
    ],
)
def test_the_name_of_the_field_tells_which_statement_means_it(place: str, expected: tuple[str, ...]) -> None:
    finding = Finding(0, "sent", "media.bitrate", place, "8192", (), "rule")
    found = compare([sent()], [finding], knowledge(policy(*BITRATES)), Evidence())
    assert verdicts(found, "media.bitrate") == [expected]


def test_two_fields_of_one_item_are_judged_apart() -> None:
    findings = [
        Finding(0, "sent", "media.bitrate", at, "8192", (), "rule") for at in ("body.videoBitrate", "body.bitrate")
    ]
    found = compare([sent()], findings, knowledge(policy(*BITRATES)), switched((DAY - 1, False)))
    assert verdicts(found, "media.bitrate") == [("opted-out", "declared", "any")]


def test_documentation_counts_where_no_item_list_covers_it() -> None:
    described = sent(rule="acme/described")
    assert judged(call=described) == [("documented", "")]
    assert judged(NAMED, call=described) == [("declared", "named")]
    assert judged(NEVER, call=described) == [("denied", "never")]
    assert judged() == [("undeclared", "")]


def test_what_the_user_set_up_is_no_matter_of_the_list() -> None:
    assert judged(NEVER, call=sent(to="hook", rule="hook/fired")) == [("documented", "")]
    assert judged(NEVER, call=sent(to="hook")) == [("denied", "never")]


def test_the_list_in_force_at_the_time_of_the_call_applies() -> None:
    known = knowledge(policy(NEVER, day="2022-01-01"), policy(NAMED, day="2024-01-02"))
    findings = carries(media_title="Dune")
    assert verdicts(compare([sent()], findings, known, Evidence())) == [("denied", "never")]
    assert verdicts(compare([sent(time=DAY + 86_400)], findings, known, Evidence())) == [("declared", "named")]
    assert verdicts(compare([sent()], findings, known, Evidence(), "2024-01-02")) == [("declared", "named")]
    assert verdicts(compare([sent(time=1e300)], findings, known, Evidence())) == [("declared", "named")]


def test_a_sender_without_a_list() -> None:
    call = sent(product="tool")
    (found,) = compare([call], carries(media_title="Dune"), knowledge(policy(NEVER)), Evidence())
    assert (found.verdict, found.declared, found.sure) == (Verdict.NO_LIST, "", True)
    assert found.reason == (
        "Tool publishes no list of what it sends, and it sent ‘media.title’. "
        "Policy of 1 January 2023, the recipient's own list, does not name it."
    )
    named = compare([call], carries(media_title="Dune"), knowledge(policy(NAMED)), Evidence())
    assert named[0].reason.endswith("the recipient's own list, names it.")


def test_a_general_denial_is_quoted() -> None:
    promise = DeclaredList(
        "Page", "documentation", "2023-01-01", "https://x", (replace(NEVER, blanket=True),), product="tool", id="page"
    )
    (found,) = compare([sent(product="tool", to="hook")], carries(media_title="Dune"), knowledge(promise), Evidence())
    assert (found.verdict, found.reason) == (
        Verdict.NO_LIST,
        "Tool publishes no list of what it sends, and it sent ‘media.title’. It says in general: “wording of never”.",
    )


@pytest.mark.parametrize("attribution", [Attribution.DEVICE, Attribution.NEIGHBOUR, Attribution.UNKNOWN])
@pytest.mark.parametrize("product", ["acme", ""])
def test_nobody_is_accused_who_only_probably_sent_it(attribution: Attribution, product: str) -> None:
    call = sent(product=product, attribution=attribution)
    known = knowledge(policy(NEVER))
    (found,) = compare([call], carries(media_title="Dune"), known, Evidence())
    assert (found.verdict, found.also, found.sure, found.declared) == (Verdict.NO_LIST, (), False, "")
    who = "Acme probably sent" if product else "It is not known which program sent"
    assert found.reason.startswith(f"{who} ‘media.title’")
    pinned = replace(call, product="acme", attribution=Attribution.PINNED_HOST)
    assert verdicts(compare([pinned], carries(media_title="Dune"), known, Evidence())) == [("denied", "never")]


def test_a_sure_call_decides_over_a_probable_one() -> None:
    calls = [sent(0, attribution=Attribution.NEIGHBOUR), sent(1)]
    findings = [*carries(0, media_title="Dune"), *carries(1, media_title="Dune")]
    (found,) = compare(calls, findings, knowledge(policy(NAMED)), Evidence())
    assert (found.verdict, found.sure, found.count, found.calls) == (Verdict.DECLARED, True, 2, (0, 1))


@pytest.mark.parametrize("party", [Party.OWN, Party.OTHER_HOME, Party.OWN_VIA_RELAY])
def test_what_goes_to_a_household_gets_no_comparison(party: Party) -> None:
    assert compare([sent(party=party)], carries(media_title="Dune"), knowledge(policy(NEVER)), Evidence()) == ()


def test_hosts_that_may_be_own_servers_answers_and_lookups_get_no_comparison() -> None:
    known = knowledge(policy(NEVER))
    findings = carries(media_title="Dune")
    call = sent(host="media.example.org", to="nobody")
    assert compare([call], findings, known, Evidence(asks=frozenset({"media.example.org"}))) == ()
    assert verdicts(compare([call], findings, known, Evidence())) == [("denied", "never")]
    received = [replace(findings[0], direction="received")]
    assert verdicts(compare([call], received, known, Evidence())) == []
    lookup = Lookup(Source(0, 0), DAY, "tv", None, None, "dns", "acme.example", "A", (), "", True)
    asked = replace(call, observation=lookup, category=Category.NAME_LOOKUP)
    assert compare([asked], findings, known, Evidence()) == ()


def test_recipients_and_purposes_are_told_apart_and_the_worst_comes_first() -> None:
    calls = [sent(0), sent(1, category=SIGN_IN), sent(2, to="ads"), sent(3, to="nobody")]
    findings = [finding for n in range(4) for finding in carries(n, media_title="Dune")]
    found = compare(calls, findings, knowledge(policy(replace(NAMED, categories=(SIGN_IN,)))), Evidence())
    assert [(str(c.verdict), c.entity, str(c.category), c.recipient, c.calls) for c in found] == [
        ("undeclared", "Acme Inc", "usage-statistics", "vendor", (0,)),
        ("undeclared", "Ads Ltd", "usage-statistics", "advertiser", (2,)),
        ("undeclared", "nobody.example", "usage-statistics", "other", (3,)),
        ("declared", "Acme Inc", "account-auth", "vendor", (1,)),
    ]


NONE = "it was not seen: there was no occasion for it in this capture"


def test_what_is_declared_and_not_seen_says_why() -> None:
    known = knowledge(policy(NAMED, says("app", "client.app"), says("worked-out", "geo.latlon", derived=True), NEVER))
    found = compare([sent()], carries(client_id="c"), known, Evidence())
    assert [
        (c.item, c.count, c.calls, c.reason.partition("; ")[2]) for c in found if c.verdict is Verdict.NOT_SEEN
    ] == [
        ("client.app", 0, (), f"{NONE} (such calls are made on play)."),
        ("geo.latlon", 0, (), "it was not seen: the recipient works it out, which cannot be seen from here."),
        ("media.title", 0, (), f"{NONE}."),
    ]
    assert compare([sent(attribution=Attribution.NEIGHBOUR)], [], known, Evidence()) == ()


# Broader words.

DEVICE, PARTNERS = "device-information", "service-provider"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([says("device", DEVICE)], [("declared-vaguely", "device")]),
        ([says("ids", "device-identifiers")], [("declared-vaguely", "ids")]),
        ([says("technical", "technical-information")], [("declared-vaguely", "technical")]),
        ([says("location", "location")], [("undeclared", "")]),
        ([says("device", DEVICE), says("id", "client.id")], [("declared", "id")]),
        (
            [says("device", DEVICE, status="optional", switch="stats")],
            [("optional", "declared-vaguely", "device")],
        ),
        # what is narrower counts, whichever of the two denies
        ([says("device", DEVICE, status="never")], [("denied", "device")]),
        ([says("device", DEVICE, status="never"), says("id", "client.id")], [("declared", "id")]),
        ([says("device", DEVICE), says("id", "client.id", status="never")], [("denied", "id")]),
        (
            [says("technical", "technical-information", status="never"), says("device", DEVICE)],
            [("declared-vaguely", "device")],
        ),
        ([says("technical", "technical-information"), says("device", DEVICE, status="never")], [("denied", "device")]),
        # of two words of which neither is narrower, neither counts more
        (
            [says("ids", "identifiers", status="never"), says("technical", "app-information", DEVICE)],
            [("contradictory", "declared-vaguely", "technical")],
        ),
    ],
)
def test_a_broader_word_covers_what_is_below_it(statements: list[Statement], expected: list[tuple[str, ...]]) -> None:
    found = compare([sent()], carries(client_id="c"), knowledge(policy(*statements)), Evidence())
    assert verdicts(found, "client.id") == expected


@pytest.mark.parametrize(
    ("to", "statement", "expected"),
    [
        ("crashes", replace(NAMED, recipients=(PARTNERS,)), ("declared-vaguely", "named")),
        ("ads", replace(NAMED, recipients=(PARTNERS,)), ("undeclared", "")),
        ("ads", replace(NAMED, recipients=("third-party",)), ("declared-vaguely", "named")),
        ("ads", replace(NAMED, recipients=("anybody",)), ("declared-vaguely", "named")),
        ("ads", replace(NEVER, recipients=("third-party",)), ("denied", "never")),
        ("crashes", replace(NEVER, recipients=("third-party",)), ("undeclared", "")),
        ("crashes", replace(NAMED, recipients=(PARTNERS,), only_recipients=True), ("declared-vaguely", "named")),
        ("ads", replace(NAMED, recipients=(PARTNERS,), only_recipients=True), ("wrong-recipient", "named")),
    ],
)
def test_a_broader_word_for_recipients(to: str, statement: Statement, expected: tuple[str, ...]) -> None:
    assert judged(statement, call=sent(to=to)) == [expected]


def test_whom_only_the_list_of_third_parties_knows_is_covered_vaguely_at_best() -> None:
    advertiser = sent(to="nobody", host="ad.doubleclick.net", party=Party.THIRD_PARTY)
    assert judged(replace(NAMED, recipients=("advertiser",)), call=advertiser) == [("declared-vaguely", "named")]
    assert judged(NAMED, call=advertiser) == [("undeclared", "")]


# Promises, documentation, and lists that are about some calls only.


def promise(*statements: Statement, **how: object) -> DeclaredList:
    made = replace(policy(*statements, day="2020-01-01"), kind="promise", title="Blog")
    return replace(made, **how)


def kept(*lists: DeclaredList, call: Classified | None = None) -> list[tuple[str, str, str]]:
    call = call or sent()
    found = promised([call], carries(call.n, media_title="Dune"), knowledge(*lists), switched((DAY - 1, False)))
    return [(str(c.verdict), c.declared, c.statement) for c in found]


def test_a_promise_holds_whatever_policies_say_since() -> None:
    both = (promise(NEVER), policy(NAMED))
    assert kept(*both) == [("denied", "2020-01-01", "never")]
    assert judged(NAMED) == [("declared", "named")]
    assert verdicts(compare([sent()], carries(media_title="Dune"), knowledge(*both), Evidence())) == [
        ("declared", "named")
    ]
    (found,) = promised([sent()], carries(media_title="Dune"), knowledge(*both), Evidence())
    assert found.reason == (
        "Blog of 1 January 2020 says that ‘media.title’ is never collected (“wording of never”, 1), but it was sent. "
        "Policy of 1 January 2023 does not repeat this promise."
    )


@pytest.mark.parametrize(
    ("promises", "expected"),
    [
        (promise(OPTIONAL), [("opted-out", "2020-01-01", "optional")]),
        (promise(NAMED), [("declared", "2020-01-01", "named")]),
        (promise(replace(NEVER, items=("client.id",))), []),
        (promise(replace(NEVER, derived=True)), []),
        (promise(replace(NEVER, categories=(CRASH,))), []),
        (promise(NEVER, withdrawn="2023-12-31"), []),
        (promise(NEVER, withdrawn="2024-01-02"), [("denied", "2020-01-01", "never")]),
        (promise(NEVER, effective="2024-01-02"), []),
    ],
)
def test_when_a_promise_is_broken(promises: DeclaredList, expected: list[tuple[str, str, str]]) -> None:
    assert kept(promises, policy(NAMED)) == expected
    assert kept(promises, call=sent(attribution=Attribution.NEIGHBOUR)) == []
    assert kept(promises, call=sent(party=Party.OWN)) == []


def test_a_policy_that_repeats_a_promise_is_said_to() -> None:
    (found,) = promised([sent()], carries(media_title="Dune"), knowledge(promise(NEVER), policy(NEVER)), Evidence())
    assert found.reason.endswith("Policy of 1 January 2023 repeats this promise.")


FILMS = says("films", "content-information")
DOCS = DeclaredList("Manual", "documentation", "2023-01-01", "https://x", (FILMS,), product="acme", id="m")


def test_documentation_covers_what_it_says_such_calls_carry() -> None:
    def said(document: DeclaredList, *lists: DeclaredList) -> list[tuple[str, ...]]:
        return verdicts(compare([sent()], carries(media_title="Dune"), knowledge(document, *lists), Evidence()))

    assert said(DOCS) == [("documented", "films")]
    assert said(replace(DOCS, statements=(says("films", "content-information", categories=(CRASH,)),))) == [
        ("no-list", "")
    ]
    assert said(replace(DOCS, statements=(says("id", "client.id"),))) == [("no-list", "")]
    assert said(DOCS, policy(NEVER)) == [("denied", "never")]
    assert said(DOCS, policy(NAMED)) == [("declared", "named")]


def test_documentation_of_a_call_does_not_cover_what_merely_shows_in_it() -> None:
    def said(source: str, item: str = "media.title") -> list[tuple[str, ...]]:
        call = sent(rule="acme/described")
        finding = Finding(0, "sent", item, "query.q", "Dune", (), source)  # type: ignore[arg-type]
        return verdicts(compare([call], [finding], knowledge(), Evidence()), item)

    assert said("name") == [("documented", "")]
    assert said("known") == [("no-list", "")]
    assert said("pattern", "account.email") == [("no-list", "")]


def test_a_list_says_nothing_of_calls_that_it_is_not_about() -> None:
    page = policy(NEVER, categories=(STATISTICS,))
    findings = carries(media_title="Dune")
    assert verdicts(compare([sent()], findings, knowledge(page), Evidence())) == [("denied", "never")]
    (found,) = compare([sent(category=SIGN_IN)], findings, knowledge(page), Evidence())
    assert (str(found.verdict), found.declared) == ("no-list", "")
    assert found.reason.startswith("Acme publishes no list of what calls of this kind send, and it sent ‘media.title’.")


@pytest.mark.parametrize(
    ("item", "value", "expected"),
    [
        ("geo.postal_code", "1010", ("too-precise", "declared-vaguely", "place")),
        ("geo.latlon", "48.2082", ("too-precise", "declared-vaguely", "place")),
        ("geo.latlon", "48.2", ("declared-vaguely", "place")),
        ("geo.city_region", "Vienna 48.2082", ("declared-vaguely", "place")),
    ],
)
def test_a_place_that_is_to_be_no_finer_than_the_city(item: str, value: str, expected: tuple[str, ...]) -> None:
    known = knowledge(policy(says("place", "location", rounding="city")))
    findings = carries(**{item.replace(".", "_", 1): value})
    assert verdicts(compare([sent()], findings, known, Evidence()), item) == [expected]


def test_a_run_in_which_a_name_was_told_to_the_same_recipient_is_not_anonymous() -> None:
    sign_in = sent(1, category=SIGN_IN)
    known = knowledge(policy(ANONYMOUS))

    def said(run: str) -> list[tuple[str, ...]]:
        findings = carries(0, media_title="Dune", client_session_id="1")
        findings += carries(1, account_email="a@example.org", client_session_id=run)
        return verdicts(compare([sent(), sign_in], findings, known, Evidence()))

    assert said("1") == [("identifiable", "declared", "named")]
    assert said("2") == [("declared", "named")]


def test_a_denial_that_a_special_statement_goes_before_is_quoted_all_the_same() -> None:
    known = knowledge(policy(NEVER, replace(OPTIONAL, categories=(STATISTICS,))))
    (found,) = [c for c in compare([sent()], carries(media_title="Dune"), known, Evidence()) if c.count]
    assert "as optional (“wording of optional”, 1)" in found.reason
    assert "It also denies ‘media.title’ in general (“wording of never”, 1)" in found.reason


def test_what_could_have_been_sent_and_was_not_is_counted() -> None:
    known = knowledge(policy(says("app", "client.app", categories=(STATISTICS,))))
    calls = [sent(0, rule="acme/carrier"), sent(1, rule="acme/carrier"), sent(2)]

    def why(calls: list[Classified]) -> str:
        (found,) = [c for c in compare(calls, [], known, Evidence()) if c.verdict is Verdict.NOT_SEEN]
        return found.reason.partition("it was not seen: ")[2]

    assert why(calls) == "2 calls that can carry it were made without it."
    assert why(calls[:1]) == "1 call that can carry it was made without it."
    assert why(calls[2:]) == "there was no occasion for it in this capture (such calls are made on play)."


# Plex's own list of 2024-06-28, over calls as text.

LATER = 1_750_000_000.0


def plex(text: str, *, evidence: Evidence | None = None, time: float = LATER) -> dict[tuple[str, str], Comparison]:
    exchange: Exchange = replace(exchange_of(ExampleCall(text.strip()), "test"), time=time, end=time)
    evidence = evidence or Evidence()
    call = classify(exchange, KNOWLEDGE, evidence)
    found = compare([call], extract(call, KNOWLEDGE, evidence), KNOWLEDGE, evidence)
    return {(c.item, str(c.category)): c for c in found if c.verdict is not Verdict.NOT_SEEN}


def web(properties: str) -> str:
    return f"""
POST https://analytics.plex.tv/collect/event
content-type: text/plain;charset=UTF-8

{{"deviceIdentifier": "browser-0001", "context": {{"device": {{"product": "Plex Web"}}}}, "event": "playback:itemend",
"properties": {{"serverType": "owned", "identifier": "com.plexapp.plugins.library", {properties}}}}}"""


def off(time: float) -> SwitchState:
    return SwitchState(time, "plex", "send-playback-data", False, 0)


@pytest.mark.parametrize(
    ("states", "verdict", "word"),
    [
        ((), "optional", "its state is not known from this capture"),
        ((off(LATER - 60),), "opted-out", "was off"),
        ((off(LATER - 60)._replace(on=True),), "optional", "it was on"),
        ((off(LATER + 60),), "optional", "its state is not known from this capture"),
    ],
)
def test_plex_the_length_of_an_own_film_in_statistics(states: tuple[SwitchState, ...], verdict: str, word: str) -> None:
    found = plex(web('"duration": 5460'), evidence=Evidence(switches=states))["media.duration", "usage-statistics"]
    assert (str(found.verdict), found.declared, found.statement) == (
        verdict, "2024-06-28", "optional-server-library.duration"
    )  # fmt: skip
    assert word in found.reason


def test_plex_bit_rate_and_video_bit_rate() -> None:
    plain = plex(web('"bitrate": 8192'))["media.bitrate", "usage-statistics"]
    video = plex(web('"videoBitrate": 8192'))["media.bitrate", "usage-statistics"]
    assert (str(plain.verdict), plain.statement) == ("optional", "optional-server-library.bit-rate")
    assert (str(video.verdict), video.statement) == ("declared", "playback-all-content.video-bitrate")


def test_plex_a_title_in_statistics_about_the_own_library_is_denied() -> None:
    found = plex(web('"title": "Dune"'))["media.title", "usage-statistics"]
    assert (str(found.verdict), found.statement) == ("denied", "never.titles")


FILE = "media.file_path_or_name"
PLEX_CALLS = [
    # sign-in with the e-mail address
    (Category.ACCOUNT_AUTH, "app", "plex", "account.email", {}, ("declared", "account.email")),
    # titles: matching is the named exception
    (Category.METADATA_LOOKUP, "server", "plex", "media.title", PERSONAL, ("optional", "matching.library-metadata")),
    (Category.USAGE_STATISTICS, "server", "plex", "media.title", PERSONAL, ("denied", "never.titles")),
    # file names: crash reports are the named exception
    (Category.CRASH_REPORT, "server", "plex", FILE, PERSONAL, ("optional", "diagnostics.crash-file-names")),
    (Category.USAGE_STATISTICS, "server", "plex", FILE, PERSONAL, ("denied", "never.file-names")),
    # a device id is shared with advertisers, an e-mail address is not
    (Category.ADVERTISING, "app", "google-ads", "client.id", {}, ("declared", "device.device-id")),
    (Category.ADVERTISING, "app", "google-ads", "account.email", {}, ("undeclared", "")),
]  # fmt: skip


@pytest.mark.parametrize(("category", "role", "service", "item", "beside", "expected"), PLEX_CALLS)
def test_plex_list_by_purpose_and_recipient(
    category: Category, role: str, service: str, item: str, beside: dict[str, str], expected: tuple[str, str]
) -> None:
    receiver = KNOWLEDGE.products[service]
    party = Party.VENDOR if service == "plex" else Party.THIRD_PARTY
    seen = exchange_of(ExampleCall(f"POST https://{receiver.domains[0]}/"), "test")
    seen = replace(seen, time=LATER)
    call = Classified(0, seen, "plex", service, Attribution.PRODUCT_HEADER, role, category, party, receiver.entity, "")
    findings = [Finding(0, "sent", item, "body.x", "v", (), "rule"), *carries(**beside)]
    found = [c for c in compare([call], findings, KNOWLEDGE, Evidence()) if c.item == item and c.count]
    assert [(str(c.verdict), c.statement) for c in found] == [expected]


def test_plex_a_tool_is_not_held_to_plexs_list() -> None:
    found = plex("""
GET https://plex.tv/api/v2/user
x-plex-product: PlexAPI
x-plex-token: made-up-token
""")["auth.token", "account-auth"]
    assert (str(found.verdict), found.product) == ("no-list", "python-plexapi")
    assert "Plex Privacy Policy of 28 June 2024, the recipient's own list," in found.reason


def test_plex_a_webhook_that_the_user_set_up() -> None:
    rule = next(x for x in KNOWLEDGE.rules.values() if x.set_up_by_user)
    found = plex(rule.example[0].request)
    assert {str(c.verdict) for c in found.values()} == {"documented"}
