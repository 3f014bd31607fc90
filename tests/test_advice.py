"""What the user is told to do about what was sent, and what that breaks."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from analysis.advice import Advice, advice
from analysis.model import Category, Classified, Comparison, Party, Verdict
from analysis.pack import Statement
from analysis.report.advised import advice_section
from analysis.report.document import Commands, Table
from analysis.texts import advice as words
from captures.model import Endpoint
from reporting import call, comparison, contact, evening, exchange, known, result


def advised(calls: list[Classified], comparisons: list[Comparison]) -> tuple[Advice, ...]:
    return advice(result(calls, (), comparisons))


def commands(calls: list[Classified], comparisons: list[Comparison]) -> list[str]:
    found = result(calls, (), comparisons)
    blocks = advice_section(advice(found), found)
    return [line for block in blocks if isinstance(block, Commands) for line in block.lines]


def test_a_name_that_only_takes_statistics_can_be_blocked_with_a_rule_for_each_tool() -> None:
    assert commands([call(exchange("analytics.plex.tv"))], [comparison("media.duration", Verdict.UNDECLARED)]) == [
        "pihole deny analytics.plex.tv",
        "||analytics.plex.tv^",
        "nft add rule inet filter forward ip daddr { 198.51.100.7 } reject",
    ]


def test_a_rule_for_addresses_holds_none_of_the_household_and_none_that_serves_other_names() -> None:
    def answered(name: str, address: str) -> Classified:
        return call(replace(exchange(name, index=len(made)), server=Endpoint(address, 443)))

    made: list[Classified] = []
    for address in (
        "198.51.100.7",
        "192.168.7.1",
        "::1",
        "fe80::1",
        "0.0.0.0",  # noqa: S104  an answer of a name server that blocks
        "224.0.0.251",
        "203.0.113.9",
        "rubbish",
    ):
        made.append(answered("analytics.plex.tv", address))
    made.append(answered("plex.tv", "203.0.113.9"))
    sent = [comparison("media.duration", Verdict.UNDECLARED, tuple(range(len(made) - 1)))]
    assert [line for line in commands(made, sent) if line.startswith("nft")] == [
        "nft add rule inet filter forward ip daddr { 198.51.100.7 } reject"
    ]


def test_a_name_on_which_sign_in_is_gets_no_rule_and_says_what_would_break() -> None:
    [found] = advised([call(exchange("plex.tv"))], [comparison("media.duration", Verdict.UNDECLARED)])
    assert (found.effect, found.blockable) == ("keep", False)
    assert found.breaks.startswith("nobody can sign in")
    assert commands([call(exchange("plex.tv"))], [comparison("media.duration", Verdict.UNDECLARED)]) == []


def test_without_a_pack_s_word_what_was_seen_decides() -> None:
    statistics = call(exchange("t.example"), party=Party.UNKNOWN, entity="t.example", service="")
    sign_in = call(exchange("t.example", index=1), Category.ACCOUNT_AUTH, party=Party.UNKNOWN, service="")
    unread = call(contact("t.example", index=1), party=Party.UNKNOWN, service="")
    unknown = call(exchange("t.example", index=1), Category.UNKNOWN, party=Party.UNKNOWN, service="")
    sent = [comparison("client.id", Verdict.UNDECLARED)]
    assert [(a.effect, a.breaks) for a in advised([statistics], sent)] == [
        ("block", "only usage statistics were seen there; what else it is for is not known")
    ]
    assert [(a.effect, a.breaks.partition(" (")[0]) for a in advised([statistics, sign_in], sent)] == [
        ("weigh", "nobody can sign in")
    ]
    assert [a.effect for a in advised([statistics, unread], sent)] == ["weigh"]
    assert [(a.effect, a.breaks) for a in advised([statistics, unknown], sent)] == [("weigh", words.NOT_KNOWN)]


def test_the_switch_of_the_statement_that_decided_is_named_and_whether_it_was_off() -> None:
    statement: Statement = next(s for s in known().lists_of("plex")[-1].statements if s.switch == "send-playback-data")
    declared = known().lists_of("plex")[-1].id
    sent = comparison("media.duration", Verdict.OPTIONAL, statement=statement.id, declared=declared)
    [found] = advised([call(exchange("analytics.plex.tv"))], [sent])
    assert [(switch.id, on) for switch, on in found.switches] == [("send-playback-data", None)]
    [off] = advice(result([call(exchange("analytics.plex.tv"))], (), [sent], evidence=evening().evidence))
    assert [on for _, on in off.switches] == [False]


def test_what_could_not_be_read_is_not_said_to_carry_nothing() -> None:
    found = result([call(contact("metrics.plex.tv"))])
    table = next(block for block in advice_section(advice(found), found) if isinstance(block, Table))
    assert [cell.text for cell in table.rows[0]][:4] == [
        "metrics.plex.tv (Plex)",
        "could not be read",
        "none is known",
        "yes",
    ]


def test_covered_and_own_traffic_needs_no_advice() -> None:
    own = call(exchange("192.168.7.40"), Category.SERVER_API, party=Party.OWN, entity="")
    declared = call(exchange("plex.tv", index=1), Category.ACCOUNT_AUTH)
    assert advised([own, declared], [comparison("auth.token", Verdict.DECLARED, (1,))]) == ()


@pytest.mark.parametrize(
    "host", ["x.example;reboot", "$(reboot).example", "-rf.example", "a\nb.example", "10.0.0.1", "||^"]
)
def test_captured_text_that_is_no_name_never_gets_into_a_rule(host: str) -> None:
    seen = call(exchange(host), party=Party.UNKNOWN, entity="", service="")
    assert [a.blockable for a in advised([seen], [comparison("client.id", Verdict.UNDECLARED)])] == [False]
    assert commands([seen], [comparison("client.id", Verdict.UNDECLARED)]) == []
