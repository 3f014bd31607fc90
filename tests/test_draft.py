"""A pack that is begun from a capture passes the check, and says what is left to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import hostile
from analysis import draft, pipeline, trial
from analysis.knowledge import inspect
from analysis.model import Category
from analysis.pipeline import Result
from captures.model import Capture, Observation
from reporting import contact, exchange
from shipped import KNOWLEDGE

TRIED = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without shrinking: one attempt reads all packs."""
EVENTS = (
    b'{"email": "alice@home.example.net", "device": {"mac": "aa:bb:cc:11:22:33", "os_version": "12.1"}, '
    b'"install_id": "9f8e7d6c-5b4a-4c3d-8e7f-001122334455"}'
)


def result(*seen: Observation) -> Result:
    return pipeline.run([Capture("made-up.har", "har", lambda: iter(seen), lambda: "00")], KNOWLEDGE)


def checked(made: draft.Draft, folder: Path) -> list[str]:
    """The files, written and checked as `packs check` does."""
    for name, text in made.files.items():
        path = folder / made.id / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    known, errors = inspect([folder / made.id])
    own = [rule for rule in known.rules.values() if rule.id.startswith(made.id + "/")]
    assert len(own) == len(made.files) - 1
    return errors + [fault for rule in own for fault in trial.faults(rule, known)]


def drafted(found: Result, category: Category = Category.USAGE_STATISTICS) -> draft.Draft:
    ((name, calls),) = draft.recipients(found).items()
    kinds = draft.kinds(calls, found.findings)
    return draft.draft(name, kinds, [category] * len(kinds), found)


def test_a_pack_is_rule_items_made_up_example_and_near_miss(tmp_path: Path) -> None:
    found = result(
        exchange("t.acme-tv.example", "/v2/users/48213/events", body=EVENTS),
        exchange("t.acme-tv.example", "/v2/users/77001/events", index=1, body=EVENTS),
    )
    made = drafted(found)
    assert made.files["product.toml"] == (
        'name = "acme-tv.example"\nkind = "service"\nentity = "acme-tv.example"\ndomains = ["acme-tv.example"]\n'
        'recipient = "other"\n'
    )
    assert (
        made.files["calls/post-v2-users-events.toml"]
        == """category = "usage-statistics"
evidence = "captured"
source = "own capture"
seen-date = "2023-11"

items = [
  { id = "account.email", at = "body.email", why = "name of the field" },
  { id = "client.id", at = "body.install_id", why = "name of the field" },
  { id = "client.os", at = "body.device.os_version", why = "name of the field" },
  { id = "net.mac", at = "body.device.mac", why = "name of the field" },
]

[match]
host = "t.acme-tv.example"
path = "/v2/users/*/events"
method = "POST"

[[example]]
request = \"\"\"
POST https://t.acme-tv.example/v2/users/12345/events

{"email": "somebody@example.org", "device": {"mac": "02:00:5e:10:00:01", "os_version": "1.2"}, \
"install_id": "aa1bbc2d-ca3b-da4b-ea5b-f60789a1b2c3"}
\"\"\"
items = { "account.email" = "somebody@example.org", "net.mac" = "02:00:5e:10:00:01", "client.os" = "1.2", \
"client.id" = "aa1bbc2d-ca3b-da4b-ea5b-f60789a1b2c3" }

[[near-miss]]
request = "POST https://t.acme-tv.example/v2/users/12345/events/other"
"""
    )
    assert made.left == (
        "acme-tv-example/product.toml: name, entity: write the name of the company behind acme-tv.example",
    )
    assert checked(made, tmp_path) == []


def test_no_value_that_was_recognised_stands_in_it_unsaid() -> None:
    found = result(exchange("t.acme.example", "/v1/ip=192.168.7.40/x", body=EVENTS))
    text = "".join(drafted(found).files.values())
    assert [f.value for f in found.findings if len(f.value) >= 4 and f.direction == "sent" and f.value in text] == []
    named = result(exchange("t.acme.example", "/v1/living-room", body=b'{"device_name": "living-room"}'))
    assert drafted(named).left[-1] == (
        "acme-example/calls/post-v1-living-room.toml: holds a value that was sent (client.device_name): "
        "replace it before you pass the pack on"
    )


def test_what_is_not_chosen_is_said_and_fails_the_check(tmp_path: Path) -> None:
    made = drafted(result(exchange("t.acme.example", "/v1", body=b"\x00\x01binary")), Category.UNKNOWN)
    assert made.left[:2] == (
        "acme-example/calls/post-v1.toml: category: choose what the call is for",
        "acme-example/calls/post-v1.toml: example: the body is left out, since it is no short JSON or form; "
        "write one of its shape",
    )
    assert checked(made, tmp_path) == [
        "acme-example/calls/post-v1.toml: category: choose what the call is for, or leave the call to nobody and "
        "remove the file"
    ]


def test_steps_that_are_ids_or_vary_are_no_part_of_the_path() -> None:
    paths = ("/a/1337/x", "/a/9f8e7d6c5b4a/x", "/p/alpha", "/p/beta", "/p/gamma", "/p/delta", "/q/one", "/q/two",
             "/s/12345.png", "/v1/b", "/t/Big Film.mkv")  # fmt: skip
    found = result(*(exchange("t.acme.example", path, index=n) for n, path in enumerate(paths)))
    ((_, calls),) = draft.recipients(found).items()
    assert {(kind.path, len(kind.calls)) for kind in draft.kinds(calls, found.findings)} == {
        ("/a/*/x", 2), ("/p/*", 4), ("/q/one", 1), ("/q/two", 1), ("/s/*.png", 1), ("/v1/b", 1), ("/t/*.mkv", 1),
    }  # fmt: skip


def test_hosts_that_begin_with_an_id_are_one_and_the_most_called_recipient_is_first() -> None:
    found = result(
        exchange("once.example"),
        exchange("o48213.in.acme.example", index=1),
        exchange("o77001.in.acme.example", index=2),
    )
    recipients = draft.recipients(found)
    assert [(name, len(calls)) for name, calls in recipients.items()] == [("acme.example", 2), ("once.example", 1)]
    assert [kind.host for kind in draft.kinds(recipients["acme.example"], found.findings)] == ["*.in.acme.example"]


def test_a_connection_that_could_not_be_read_becomes_a_rule_about_the_host(tmp_path: Path) -> None:
    made = drafted(result(contact("t.acme.example")))
    assert list(made.files) == ["product.toml", "calls/host.toml"]
    assert checked(made, tmp_path) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6, deadline=None, phases=TRIED)
@given(
    host=st.sampled_from(
        ["t.acme.example", "203.0.113.7", "2001:db8::7", "nas", "plex.tv", "a1b2c3d4e5.s3.amazonaws.com"]
    ),
    path=st.text(st.characters(max_codepoint=300), max_size=30),
    body=st.binary(max_size=30) | st.just(EVENTS),
    query=st.lists(st.tuples(st.text(max_size=8), st.text(max_size=20)), max_size=3),
)
def test_whatever_was_called_becomes_a_pack_that_passes(
    tmp_path_factory: pytest.TempPathFactory, host: str, path: str, body: bytes, query: list[tuple[str, str]]
) -> None:
    call = replace(exchange(host, "/no-such-call/" + path, body=body), query=tuple(query))
    found = result(call)
    for name, calls in draft.recipients(found).items():
        kinds = draft.kinds(calls, found.findings)
        made = draft.draft(name, kinds, [Category.SEARCH] * len(kinds), found)
        assert checked(made, tmp_path_factory.mktemp("packs")) == []


@pytest.mark.parametrize("text", hostile.SHORTER)
def test_what_is_no_name_of_a_host_begins_no_pack_and_any_path_may(text: str) -> None:
    found = result(exchange(text, "/a"), exchange("t.acme-tv.example", f"/{text}", index=1))
    names = draft.recipients(found)
    assert set(names) <= {"acme-tv.example", text}
    for name, calls in names.items():
        kinds = draft.kinds(calls, found.findings)
        assert draft.draft(name, kinds, [Category.UNKNOWN] * len(kinds), found).files
