"""A shared report holds nothing of the capture: not by its types, not in its text, in no encoding."""

from __future__ import annotations

import json
import os
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from analysis import pipeline, redact, report, shared_report, texts
from analysis.model import Category, Finding, Party, Verdict
from analysis.pipeline import Result
from analysis.proof import LeakError, bits, held, masked, prove
from analysis.report.document import Paragraph
from analysis.report.shared import shared
from analysis.shared_report import SharedReport, SharedRow
from analysis.vocabulary import vocabulary
from captures import formats
from captures.model import Effect
from reporting import START, call, comparison, evening, exchange, finding, known, own_pack, result
from scanner import ENCODINGS, leaks
from sessions import har, plex_web

FORMS = ("markdown", "bbcode", "html", "json")

PRIVATE = [
    "Alice's living-room TV",
    "a11ce000-feed-4000-8000-000000000001",
    "tok-a11ce-0123456789",
    "alice@example.org",
    "made-up/1 (alice)",
    "1.40.2.8395-c67dce28e",
    "tracker.alice-isp.example",
    "192.168.7.23",
    "192.168.7.40",
    "198.51.100.7",
    "203.0.113.77",
    "media.alice.example",
    "a11ce0000000000000000000000000000000beef",
    "alice-evening.flow",
]


def written(made: SharedReport, form: str) -> str:
    return shared_report.json(made) if form == "json" else report.renderer(form).render(shared(made))


def proven(found: Result, made: SharedReport, form: str) -> None:
    prove(written(made, form), found, made, None if form == "json" else report.renderer(form))


def row(**changed: object) -> SharedRow:
    fields: dict[str, Any] = {
        "product": "plex",
        "declared": "2024-06-28",
        "item": "media.duration",
        "recipient": "vendor",
        "entity": "Plex",
        "category": Category.USAGE_STATISTICS,
        "verdict": Verdict.OPTIONAL,
        "also": (),
        "sure": True,
        "count": "1",
    }
    return SharedRow(**(fields | changed))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_scanner_finds_each_planted_value_in_each_encoding(encoding: str) -> None:
    planted = [*PRIVATE, "Zürich", "Ein Film – mit Ümlaut"]
    text = "\n".join(f"before {ENCODINGS[encoding](value)} after" for value in planted)
    assert leaks(planted, text) == planted


def test_the_scanner_finds_nothing_where_nothing_is() -> None:
    assert leaks(PRIVATE, "usage statistics to Plex, 2-5 calls, declared 2024-06-28") == []


def test_the_scanner_finds_what_stands_in_the_unredacted_report() -> None:
    from analysis.report import as_json

    assert leaks(PRIVATE[:5], as_json.render(evening())) == PRIVATE[:5]


@pytest.mark.parametrize("form", FORMS)
def test_no_private_value_stands_in_a_shared_report(form: str) -> None:
    found = evening()
    made = redact.redact(found)
    assert leaks(PRIVATE, written(made, form)) == []
    proven(found, made, form)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("product", "alice"),
        ("declared", "2024-06-29"),
        ("item", "media.alice"),
        ("recipient", "alice"),
        ("entity", "tracker.alice-isp.example"),
        ("entity", "host#1 alice"),
        ("category", "alice"),
        ("verdict", "alice"),
        ("also", ("alice",)),
        ("count", "3"),
    ],
)
def test_a_field_takes_no_word_that_is_not_its_own(field: str, wrong: object) -> None:
    with pytest.raises(ValueError, match=f"SharedRow.{field}: is none of the words") as error:
        row(**{field: wrong})
    assert "alice" not in str(error.value)


def test_a_field_takes_its_own_words() -> None:
    assert row(entity="host#3", count=">1000", also=(Verdict.OPTIONAL,), product="own pack #2").entity == "host#3"


def test_every_text_field_of_the_shared_types_has_its_words() -> None:
    """A field without an entry in the vocabulary would be checked by nobody."""
    import msgspec

    unchecked = [
        f"{cls.__name__}.{field.name}"
        for cls in shared_report.Closed.__subclasses__()
        for field in msgspec.structs.fields(cls)
        if field.name not in vocabulary().fields and field.type is not bool and "Shared" not in str(field.type)
    ]
    assert unchecked == []


def test_the_report_says_what_happened_in_classes() -> None:
    made = redact.redact(evening())
    assert (made.month, made.length, made.coverage.calls) == ("2023-11", "1-6h", ">5")
    assert [(r.item, r.entity, r.verdict.value) for r in made.rows] == [
        ("client.device_name", "Plex", "undeclared"),
        ("media.duration", "Plex", "optional"),
        ("auth.token", "Plex", "declared"),
        ("client.user_agent", "host#1", "no-list"),
    ]
    assert [(v.product, v.version) for v in made.versions] == [("plex", "1.40")]
    assert [(c.party.value, c.entity, c.category.value, c.count, c.unreadable) for c in made.calls] == [
        ("own", "", "server-api", "1", "0"),
        ("unknown", "", "unknown", "1", "1"),
        ("unknown", "host#1", "unknown", "1", "0"),
        ("vendor", "Plex", "account-auth", "1", "0"),
        ("vendor", "Plex", "update-check", "1", "0"),
        ("vendor", "Plex", "usage-statistics", "2-5", "1"),
    ]


LONGER = (
    "other settings, platform, what our presence changed, what recipients showed, "
    "how many films share what was told of them"
)
"""What is not told of a capture of an hour or more."""


@pytest.mark.parametrize(
    ("hours", "shows", "platforms", "settings", "withheld"),
    [
        (0.5, True, (), True, "platform"),
        (0.5, False, ("Linux",), False, ""),
        (3, True, (), False, LONGER),
        (20, False, (), False, LONGER),
        (48, False, (), False, f"versions, {LONGER}"),
    ],
)
def test_beside_the_versions_stand_settings_or_platform_of_a_short_capture_alone(
    hours: float, shows: bool, platforms: tuple[str, ...], settings: bool, withheld: str
) -> None:
    found = evening()
    times = replace(found.captures[0], last=START + hours * 3600)
    states = found.evidence.switches if shows else ()
    found = replace(found, captures=(times,), evidence=replace(found.evidence, switches=states))
    made = redact.redact(found)
    assert ([v.version for v in made.versions], made.platforms) == (["1.40"] * (hours < 24), platforms)
    assert [s.state for s in made.settings if s.switch == "send-playback-data" and s.state != "unknown"] == (
        ["off"] * settings
    )
    told = [block.text for block in shared(made).blocks if isinstance(block, Paragraph) and "Not told" in block.text]
    assert told == [texts.SHARED_WITHHELD.format(what=withheld)] * bool(withheld)


def test_whoever_asks_for_exact_versions_tells_them_of_a_long_capture_too() -> None:
    found = evening()
    long = replace(found, captures=(replace(found.captures[0], last=START + 48 * 3600),))
    made = redact.redact(long, exact_version=True)
    assert [v.version for v in made.versions] == ["1.40.2.8395"]
    told = [block.text for block in shared(made).blocks if isinstance(block, Paragraph) and "Not told" in block.text]
    assert told == [texts.SHARED_WITHHELD.format(what=LONGER)]


@pytest.mark.parametrize(
    ("hours", "calls", "others"),
    [(0.5, "6-20", {"1", "2-5"}), (3, ">5", {"1", "2-5"}), (48, ">0", set()), (0, ">0", set())],
)
def test_the_longer_a_capture_the_wider_are_its_counts(hours: float, calls: str, others: set[str]) -> None:
    found = evening()
    made = redact.redact(replace(found, captures=result(hours=hours).captures))
    assert made.coverage.calls == calls
    assert {row.count for row in made.rows} <= {*others, calls}


@pytest.mark.parametrize(
    ("hours", "told"), [(0.5, (True, True, True)), (3, (False, False, True)), (48, (False, False, True))]
)
def test_what_shows_whose_devices_were_there_is_told_of_short_captures_alone(
    hours: float, told: tuple[bool, ...]
) -> None:
    found = evening()
    capture = replace(result(hours=hours).captures[0], effects=(Effect("ech", "plex.tv", "tv", 3, START, START),))
    made = redact.redact(replace(found, captures=(capture,)))
    assert (bool(made.presence), bool(made.received), bool(made.calls)) == told


def test_a_switch_on_which_a_verdict_rests_is_always_told() -> None:
    found = evening()
    broken = comparison("media.duration", Verdict.OPTED_OUT)
    made = redact.redact(replace(found, comparisons=(*found.comparisons[:2], broken)))
    assert ("plex", "send-playback-data", "off") in {(s.product, s.switch, s.state) for s in made.settings}
    assert "crash-reports" not in {s.switch for s in made.settings}


def test_of_several_apps_no_version_is_told() -> None:
    """Which versions of which apps somebody has is as good as a name."""
    found = evening()
    app = finding(0, "client.app", "4.116.1", at="header.x-plex-version")
    others = [finding(n, "client.app", f"{n}.7.1", at="header.x-plex-version") for n in (0, 1)]
    without = tuple(f for f in found.findings if f.item != "server.version")

    def told(*more: Finding, exact: bool = False, base: tuple[Finding, ...] = found.findings) -> list[str]:
        made = redact.redact(replace(found, findings=(*base, *more)), exact_version=exact)
        return [v.version for v in made.versions]

    assert told(app, *others) == ["1.40"]
    assert told(app, base=without) == ["4.116"]
    assert told(*others, base=without) == []
    assert told(app, exact=True) == ["1.40.2.8395", "4.116.1"]


def test_two_reports_of_one_capture_differ_in_their_random_id_alone() -> None:
    import msgspec

    one, two = redact.redact(evening()), redact.redact(evening())
    assert one.report != two.report
    assert msgspec.structs.replace(one, report=two.report) == two


def test_a_whole_version_is_kept_only_when_asked_for() -> None:
    assert redact.redact(evening(), exact_version=True).versions[0].version == "1.40.2.8395"


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    "value", ["203.0.113.77", "48.208174,16.373819", "48.208174", "31.12.1997", "1.40.2@alice.example", "1.2.3 Home"]
)
def test_what_stands_in_the_place_of_a_version_is_told_only_if_the_whole_of_it_is_one(value: str, exact: bool) -> None:
    sent = [finding(0, "server.version", value, at="query.X-Plex-Version")]
    found = result([call(exchange("plex.tv"))], sent, hours=0.5)
    made = redact.redact(found, exact_version=exact)
    assert made.versions == ()
    with pytest.raises(LeakError, match=r"server\.version|the report's own"):
        prove(shared_report.json(made) + value, found, made, None)


def test_unknown_hosts_are_numbered_by_the_alphabet_and_not_by_time() -> None:
    hosts = ("zebra.example", "alpha.example")
    calls = [call(exchange(h, index=n), party=Party.UNKNOWN, entity="") for n, h in enumerate(hosts)]
    compared = [comparison("client.id", Verdict.NO_LIST, (0,), entity="zebra.example", recipient="other")]
    made = redact.redact(result(calls, (), compared))
    assert made.rows[0].entity == "host#2"


def test_an_own_pack_has_a_number_and_neither_name_nor_hash() -> None:
    pack = own_pack("Alice Scrobbler Society")
    found = result(
        [call(exchange("scrobbler.alice.example"), party=Party.THIRD_PARTY, entity=pack.entity, service=pack.id)],
        (),
        [comparison("media.title", Verdict.NO_LIST, entity=pack.entity, product=pack.id, declared="2020-01-01")],
        knowledge=known(pack),
    )
    made = redact.redact(found)
    assert (made.rows[0].entity, made.rows[0].product, made.rows[0].declared) == ("own pack #1", "own pack #1", "")
    assert [pack.pack for pack in made.packs] == ["plex"]
    for form in FORMS:
        assert leaks(["Alice Scrobbler Society", "alice-scrobbler"], written(made, form)) == []
        proven(found, made, form)


def test_a_host_is_named_only_when_it_was_ticked() -> None:
    made = redact.redact(evening(), show={"tracker.alice-isp.example", "192.168.7.40"})
    assert [(h.host, h.name) for h in made.shown] == [("host#1", "tracker.alice-isp.example")]
    assert "host#1` is `tracker.alice-isp.example" in written(made, "markdown")


@pytest.mark.parametrize("form", FORMS)
def test_a_company_that_no_pack_names_is_numbered_until_one_of_its_hosts_is_ticked(form: str) -> None:
    niche = call(exchange("t.niche.example"), party=Party.THIRD_PARTY, entity="Niche", service="")
    behind = structs.replace(call(exchange("plex.tv", index=1)), answered_by="Niche Edge")
    compared = comparison("client.id", Verdict.NO_LIST, (0,), entity="Niche", recipient="other")
    found = result([niche, behind], (), [compared])
    made = redact.redact(found)
    assert (made.rows[0].entity, made.shown) == ("host#1", ())
    assert leaks(["Niche", "Niche Edge", "t.niche.example"], written(made, form)) == []
    proven(found, made, form)
    ticked = redact.redact(found, show={"t.niche.example"})
    assert [(h.host, h.name) for h in ticked.shown] == [("host#1", "t.niche.example")]
    assert leaks(["Niche Edge"], written(ticked, form)) == []
    proven(found, ticked, form)


def test_the_proof_refuses_the_name_of_a_company_that_no_pack_names() -> None:
    niche = call(exchange("t.other.example"), party=Party.THIRD_PARTY, entity="Niche Ads", service="")
    found = result([niche])
    made = redact.redact(found)
    with pytest.raises(LeakError, match="the name of a recipient"):
        prove(written(made, "json") + "Niche Ads", found, made, None)


def test_a_ticked_host_that_holds_another_private_value_is_refused() -> None:
    found = evening()
    named = replace(found, findings=(*found.findings, finding(1, "account.username", "alice-isp")))
    made = redact.redact(named, show={"tracker.alice-isp.example"})
    prove(written(made, "markdown"), found, made, report.renderer("markdown"))
    with pytest.raises(LeakError, match=r"account\.username .* Leave out --show"):
        prove(written(made, "markdown"), named, made, report.renderer("markdown"))


@pytest.mark.parametrize(
    "encoding", ["raw", "percent, all bytes", "base64 after one byte", "base64url", "hex", "reversed"]
)
@pytest.mark.parametrize("form", FORMS)
def test_the_proof_refuses_a_text_with_a_private_value_and_does_not_repeat_it(form: str, encoding: str) -> None:
    found = evening()
    made = redact.redact(found)
    leaking = written(made, form) + ENCODINGS[encoding]("alice@example.org")
    with pytest.raises(LeakError, match=r"account\.email|the report's own") as error:
        prove(leaking, found, made, None if form == "json" else report.renderer(form))
    assert "alice" not in str(error.value)


def test_the_proof_refuses_a_short_secret_as_a_whole_word() -> None:
    found = evening()
    found = replace(found, findings=(*found.findings, finding(1, "account.pin", "77")))
    made = redact.redact(found)
    prove(shared_report.json(made), found, made, None)
    with pytest.raises(LeakError, match=r"account\.pin"):
        prove(shared_report.json(made) + " 77", found, made, None)


@pytest.mark.parametrize("encoding", ["raw", "hex", "base64 after one byte", "percent, all bytes"])
def test_the_beginning_of_a_long_value_is_known_again(encoding: str) -> None:
    found = evening()
    value = "".join(random.Random(3).choices("abcdefghij klmnop", k=3_000))  # noqa: S311  no secret
    found = replace(found, findings=(*found.findings, finding(1, "media.title", value)))
    made = redact.redact(found)
    told = f"a value of media.title ({vocabulary().shipped.items['media.title'].label})"
    for cut, wanted in ((value, told), (value[:240], told), (value[:100], "")):
        private = held(shared_report.json(made) + "\n" + ENCODINGS[encoding](cut), found, made)
        assert (private.what if private else "") == wanted


@pytest.mark.parametrize(
    ("beside", "leaks"), [("", False), (" statist", True), (" a Statist Plex", True), (" c3RhdGlzdA==", True)]
)
def test_a_value_that_stands_within_our_own_words_alone_is_no_leak(beside: str, leaks: bool) -> None:
    """`statist` stands in `usage statistics`."""
    found = evening()
    value = "statist Plex" if "Plex" in beside else "statist"
    found = replace(found, findings=(*found.findings, finding(1, "event.name", value)))
    made = redact.redact(found)
    text = report.renderer("markdown").render(shared(made)) + beside
    assert "statist" in text
    assert (held(text, found, made) is not None) is leaks


def test_the_proof_refuses_any_word_that_is_not_the_report_s_own() -> None:
    found = evening()
    made = redact.redact(found)
    with pytest.raises(LeakError, match="words that are not the report's own"):
        prove(shared_report.json(made) + " xylophone", found, made, None)


@pytest.mark.parametrize("name", ["Plex", "usage statistics", "2023-11", "declared", "1.40", "unknown", "td", "b"])
@pytest.mark.parametrize("form", FORMS)
def test_a_device_with_a_name_of_our_vocabulary_neither_leaks_nor_blocks(name: str, form: str) -> None:
    found = evening()
    found = replace(found, findings=(*found.findings, finding(0, "client.device_name", name)))
    proven(found, redact.redact(found), form)


@pytest.mark.parametrize("form", FORMS)
def test_the_vocabulary_covers_each_output_completely(form: str) -> None:
    found = evening()
    made = redact.redact(found)
    left = masked(written(made, form), made, None if form == "json" else report.renderer(form))
    assert re.findall(r"\w{2,}", left) == []


WORDS = ["the", "film", "house", "plex", "server", "home", "alice", "smith", "garden", "blue", "star", "kitchen", "tv"]


def test_at_most_one_household_in_a_hundred_is_refused_by_mistake() -> None:
    """Names as people choose them, many from our own vocabulary."""
    chance = random.Random(7)  # noqa: S311  a simulation that must come out the same each time
    labels = [word for phrase in vocabulary().phrases() for word in phrase.split()]
    made, found = redact.redact(evening()), evening()
    refused = 0
    for household in range(100):
        names = [
            " ".join(chance.choices(chance.choice((WORDS, labels)), k=chance.choice((1, 1, 2, 3)))) for _ in range(4)
        ]
        short = [
            str(chance.randrange(100)),
            chance.choice("abcdefgh"),
            chance.choice(("tv", "pc", "nas", "me", "1080")),
        ]
        items = ("client.device_name", "server.name", "account.username", "media.title")
        private = [finding(0, item, value) for item, value in zip(items, names, strict=True)]
        private += [
            finding(0, item, value)
            for item, value in zip(("account.pin", "account.name", "net.hostname"), short, strict=True)
        ]
        for form in ("markdown", "html")[: 1 if household % 4 else 2]:
            try:
                proven(replace(found, findings=(*found.findings, *private)), made, form)
            except LeakError:
                refused += 1
    assert refused <= 1


text = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=40).filter(lambda v: bits(v) >= 32)
"""Captured text of any kind."""


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    values=st.lists(text, min_size=1, max_size=6),
    host=text,
    item=st.sampled_from(sorted(vocabulary().shipped.items)),
    verdict=st.sampled_from(Verdict),
)
def test_no_captured_text_of_any_kind_stands_in_any_shared_output(
    values: list[str], host: str, item: str, verdict: Verdict
) -> None:
    seen = structs.replace(exchange(host, values[0]), device=values[-1])
    found = result(
        [call(seen, party=Party.UNKNOWN, entity="", product="", service="")],
        [finding(0, item, value, at=f"body.{value}") for value in values],
        [comparison(item, verdict, entity=host, product="", declared="", reason=values[0], statement=values[-1])],
        remarks=tuple(values),
    )
    made = redact.redact(found)
    for form in FORMS:
        output = written(made, form)
        proven(found, made, form)
        own = {phrase.casefold() for phrase in vocabulary().phrases()}
        sought = [v for v in (*values, host) if not any(v.casefold() in phrase for phrase in own)]
        assert leaks([v for v in sought if v.strip() == v], output) == []


def test_a_report_can_be_read_back_from_each_of_its_forms() -> None:
    made = redact.redact(evening())
    for form in FORMS:
        assert shared_report.read(shared_report.embedded(written(made, form).encode())) == made


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"more": 1}, "$: there is a field that this form does not have"),
        ({"rows": [{}]}, "$.rows[0]: `product` is missing"),
        ({"month": "2023-11-14"}, "$.month: something stands there that may not"),
        ({"report": "alice"}, "$.report: something stands there that may not"),
        ({"month": "2023-13"}, "SharedReport.month: is none of the words"),
        ({"shown": [{"host": "host#1", "name": "192.168.7.40"}]}, "SharedHost.name: is none of the words"),
        ({"platforms": ["Alice's Linux"]}, "SharedReport.platforms: is none of the words"),
        ({"schema": "phonehome/share/2"}, "$.schema: something stands there"),
    ],
)
def test_a_file_with_anything_else_in_it_is_no_shared_report(change: dict[str, object], complaint: str) -> None:
    fields = json.loads(shared_report.json(redact.redact(evening()))) | change
    with pytest.raises(ValueError, match=re.escape(complaint)):
        shared_report.read(json.dumps(fields).encode())


@pytest.mark.parametrize(
    "damaged", [b"", b"{}", b"hello", b'{"schema":"phonehome/share/1"', b"\xff\xfe", b"[" * 100_000]
)
def test_a_damaged_post_is_refused_in_one_sentence(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="is no valid shared report") as error:
        shared_report.read(shared_report.embedded(damaged))
    assert "\n" not in str(error.value)


def test_the_published_schema_is_that_of_the_types() -> None:
    page = Path(__file__).parents[1] / "docs/share-schema.json"
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(shared_report.schema(), "utf-8")
    assert page.read_text("utf-8") == shared_report.schema()


DATA = Path(__file__).parent / "data"


def test_a_machine_of_somebody_else_can_validate_a_report_by_the_schema() -> None:
    """What real clients sent, and near misses: a field more, a word that is none, a number for a text."""
    import jsonschema

    schema = json.loads((Path(__file__).parents[1] / "docs/share-schema.json").read_text("utf-8"))
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)
    found = [
        evening(),
        *(pipeline.run([formats.read(DATA / f"{name}.flow.gz")], known()) for name in ("tautulli", "npm-plex")),
    ]
    for one in found:
        whole = json.loads(shared_report.json(redact.redact(one)))
        assert list(validator.iter_errors(whole)) == []
        row = whole["rows"][0]
        for wrong in (
            {**whole, "owner": "x"},
            {**whole, "schema": "phonehome/share/2"},
            {**whole, "rows": [{**row, "value": "x"}]},
            {**whole, "rows": [{**row, "verdict": "guilty"}]},
            {**whole, "tool": 1},
        ):
            assert not validator.is_valid(wrong), wrong


def test_a_class_of_lengths_needs_times() -> None:
    assert redact.redact(result(hours=0)).length == "unknown"
    assert [redact.length_class(h * 3600) for h in (0.5, 1, 6, 24, 169)] == ["<1h", "1-6h", "6-24h", "1-7d", ">7d"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("hours", [0, 0.5, 3, 12, 48, 400])
def test_every_class_of_lengths_stands_in_every_form(hours: float, form: str) -> None:
    found = result(hours=hours)
    made = redact.redact(found)
    proven(found, made, form)
    assert shared_report.read(shared_report.embedded(written(made, form).encode())) == made


def test_the_result_may_be_empty() -> None:
    found = result()
    made = redact.redact(found)
    assert (made.rows, made.calls, made.packs) == ((), (), ())
    for form in FORMS:
        proven(found, made, form)


def test_of_rounding_stands_what_it_was_and_no_number_that_was_sent(tmp_path: Path) -> None:
    path = tmp_path / "session.har"
    path.write_bytes(har(plex_web()))
    found = pipeline.run([formats.read(path)], known())
    made = redact.redact(found)
    assert {(x.item, x.rounding, x.step, x.mode, x.pairs) for x in made.roundings if x.entity == "Plex"} == {
        ("play.position_time", "cannot-tell", "", "", "1"),
        ("media.duration", "rounded", "", "", "1"),
        ("play.watched_time", "rounded", "60", "nearest", "2-5"),
    }
    assert [(x.product, x.entity, x.share) for x in made.fingerprints] == [("plex", "Plex", "<10")]
    (capture,) = found.captures
    longer = redact.redact(replace(found, captures=(replace(capture, last=START + 3 * 3600, first=START),)))
    assert (longer.fingerprints, longer.roundings, longer.promises) == ((), made.roundings, made.promises)
    for form in FORMS:
        renderer = report.renderer(form) if form != "json" else None
        text = renderer.render(shared(made)) if renderer else shared_report.json(made)
        prove(text, found, made, renderer)
        assert not re.search(r"\b(634000|634|660|37844|11433|4608)\b", text)


@pytest.mark.parametrize(("step", "word"), [(60, "60"), (None, ""), (61, "other"), (0.5, "other")])
def test_a_step_that_nobody_would_choose_is_not_told(step: float | None, word: str) -> None:
    assert redact._step(step) == word
