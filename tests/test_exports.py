"""What other programs take: HAR and OpenAPI without values, names to block with what that breaks."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace
from openapi_spec_validator import validate

from analysis import outline as outlines
from analysis import pipeline, redact
from analysis.model import Category, Party
from analysis.outline import Outline, OutlineCall, outline
from analysis.post import EXPORTS, export_words, post
from analysis.proof import masked
from analysis.report import as_har
from captures import formats
from reporting import call, contact, evening, exchange, finding, own_pack, result
from reporting import known as knowledge
from sessions import har, plex_web

DATA = Path(__file__).with_name("data")


def exported(form: str, show: set[str] | None = None) -> str:
    found = evening()
    return post(found, redact.redact(found, show=show or ()), form)


def test_a_host_has_the_name_that_a_pack_gives_it() -> None:
    names = ("analytics.plex.tv", "192-168-1-5.0123456789abcdef0123456789abcdef.plex.direct", "tracker.alice.example")
    assert [outlines.known_name(name) for name in names] == ["analytics.plex.tv", "*.plex.direct", ""]


def test_nothing_but_words_of_packs_fits_into_an_outline() -> None:
    fields = {"method": "GET", "rule": "", "entity": "Plex", "category": Category.UNKNOWN, "count": "1", "items": ()}
    assert OutlineCall(name="plex.tv", path="", **fields)  # type: ignore[arg-type]
    for wrong in ({"name": "alice.example", "path": ""}, {"name": "plex.tv", "path": "/alice"}):
        with pytest.raises(ValueError, match="is none of the words") as error:
            OutlineCall(**wrong, **fields)  # type: ignore[arg-type]
        assert "alice" not in str(error.value)


def test_a_har_file_tells_kinds_of_calls_and_no_values(tmp_path: Path) -> None:
    path = tmp_path / "session.har"
    path.write_bytes(har(plex_web()))
    found = pipeline.run([formats.read(path)], knowledge())
    text = post(found, redact.redact(found), "har")
    (entry,) = json.loads(text)["log"]["entries"]
    assert entry["request"]["url"] == "https://analytics.plex.tv/collect/event"
    assert entry["comment"].startswith("usage statistics to Plex, 2-5 calls")
    sent = json.loads(entry["request"]["postData"]["text"])
    assert sent["properties"]["duration"] == "(media.duration)"
    again = tmp_path / "again.har"
    again.write_text(text)
    read = pipeline.run([formats.read(again)], knowledge())
    assert [(c.category, c.entity) for c in read.calls] == [(Category.USAGE_STATISTICS, "Plex")]


@pytest.mark.parametrize("name", ["tautulli", "plexapi", "kodi", "media-tools"])
def test_what_was_seen_of_real_clients_is_valid_openapi(name: str) -> None:
    found = pipeline.run([formats.read(DATA / f"{name}.flow.gz")], knowledge())
    document = json.loads(post(found, redact.redact(found), "openapi"))
    validate(document)
    assert document["paths"]


def test_lists_of_names_say_what_goes_there_and_what_breaks() -> None:
    assert exported("hosts").splitlines() == [
        "# Made by phonehome 0.1.0 from a capture. Names to block, with what goes there and what breaks. A line "
        "that is active is missed by nobody; the others are comments: take the mark away from those that you want.",
        "# A switch is better than a block: phonehome inspect names it.",
        "# Hosts that no pack of phonehome names are left out (1); name one with --show HOST.",
        "",
        "# analytics.plex.tv (Plex): usage statistics",
        "# carried: device name, app or device id, length of the film",
        "# block it: yes; what breaks: only usage statistics stop; nothing that you see needs these names",
        "0.0.0.0 analytics.plex.tv",
        "",
        "# metrics.plex.tv (Plex): usage statistics",
        "# block it: yes; what breaks: only usage statistics stop; nothing that you see needs these names",
        "0.0.0.0 metrics.plex.tv",
        "",
        "# plex.tv (Plex): account sign-in, update check",
        "# carried: access token, app and version, app or device id, server's operating system, server version",
        "# block it: better not; what breaks: nobody can sign in, share or reach the server from elsewhere; statistics "
        "on this name cannot be told apart by name",
        "# 0.0.0.0 plex.tv",
    ]


@pytest.mark.parametrize(
    ("form", "active", "off"),
    [
        ("adblock", "||analytics.plex.tv^", "! ||plex.tv^"),
        (
            "unbound",
            '    local-zone: "analytics.plex.tv" always_nxdomain',
            '#     local-zone: "plex.tv" always_nxdomain',
        ),
        ("nft", "# nftset=/analytics.plex.tv/4#inet#phonehome#names4,6#inet#phonehome#names6", "# # nftset=/plex.tv/4"),
    ],
)
def test_each_list_blocks_what_nobody_misses_and_comments_the_rest(form: str, active: str, off: str) -> None:
    lines = exported(form).splitlines()
    assert active in lines
    assert any(line.startswith(off) for line in lines)


def test_a_name_that_the_user_shows_stands_in_the_lists() -> None:
    assert "# 0.0.0.0 tracker.alice-isp.example" in exported("hosts", {"tracker.alice-isp.example"})
    assert "alice" not in exported("hosts")


def test_nft_takes_its_table(tmp_path: Path) -> None:
    path = tmp_path / "block.nft"
    path.write_text(exported("nft"))
    checked = subprocess.run(["nft", "--check", "-f", str(path)], capture_output=True, text=True, check=False)
    if "not permitted" in checked.stderr:
        pytest.skip("nft may be used by root alone")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_an_access_policy_names_purpose_and_consequence() -> None:
    policy = json.loads(exported("iap"))
    assert set(policy) == {"ApplicationDescription", "Connections"}
    by_host = {c["Host"]: c for c in policy["Connections"]}
    assert by_host["plex.tv"]["Relevance"] == "Essential"
    assert by_host["analytics.plex.tv"]["Purpose"].startswith("usage statistics; carried: ")
    assert "nobody can sign in" in by_host["plex.tv"]["DenyConsequences"]


def test_what_an_own_pack_says_is_not_exported() -> None:
    from analysis.pack import Blocking

    pack = replace(own_pack("Alice Society"), blocking=(Blocking(("x.alice.example",), "block", "Alice says", "me"),))
    calls = [call(exchange("x.alice.example"), party=Party.THIRD_PARTY, entity=pack.entity, service=pack.id)]
    found = result(calls, [finding(0, "media.title", "Zorblax")], knowledge=knowledge(pack))
    for form in EXPORTS:
        assert "lice" not in post(found, redact.redact(found), form)


def test_a_capture_without_calls_exports_empty_files() -> None:
    found = result([call(contact("metrics.plex.tv"))])
    assert outline(found).calls == ()
    for form in EXPORTS:
        assert post(result(), redact.redact(result()), form)


def test_a_body_s_places_become_a_tree() -> None:
    places = ("body.properties.duration", "body.**.deviceIdentifier", "body.**.context.device.product")
    items = [("media.duration", at) for at in places]
    held = "(media.duration)"
    assert as_har.tree(items[:2]) == {"properties": {"duration": held}, "deviceIdentifier": held}
    assert as_har.tree(items[2:]) == {"context": {"device": {"product": held}}}
    assert as_har.tree([]) is None


def test_every_text_of_an_outline_is_among_its_words() -> None:
    made = outline(evening())
    assert isinstance(made, Outline)
    words = made.words()
    assert {"analytics.plex.tv", "Plex", "POST"} <= words
    assert not [word for word in words if re.search("alice", word)]


@pytest.mark.parametrize("form", ["har", "openapi"])
def test_each_rule_of_the_packs_can_be_told(form: str) -> None:
    calls = tuple(
        OutlineCall(name, "GET", rule.match.path, rule.id, "", rule.category, "1", ())
        for rule in knowledge().rules.values()
        for name in rule.match.host or ("host#1",)
    )
    made = Outline("2031-05", calls, (), "0", ())
    left = masked(EXPORTS[form](made), redact.redact(evening()), None, more=made.words() | export_words("en"))
    assert re.findall(r"\w{2,}", left) == []
