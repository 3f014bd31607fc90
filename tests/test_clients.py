"""Real clients recorded against a cloud of our own: telemetry libraries, media tools' libraries, a browser's page.

What was planted is invented; `*.truth.json` says, by hand, what each call may be taken for and which values were given
to whom: `unknown` stands there where an honest answer is that nobody can know.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from analysis.pipeline import Result, run
from captures.formats import read
from captures.model import Exchange
from shipped import KNOWLEDGE

DATA = Path(__file__).with_name("data")
NAMES = ("media-tools", "telemetry-node", "telemetry-python", "web-session")

RECALL = 0.9
"""Share of planted values, each at each recipient, that must come out under a right name."""


@functools.cache
def result(name: str) -> Result:
    return run([read(DATA / f"{name}.flow.gz")], KNOWLEDGE)


@functools.cache
def truth(name: str) -> Any:
    return json.loads((DATA / f"{name}.truth.json").read_text("utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_each_call_is_what_a_careful_person_says_or_honestly_unknown(name: str) -> None:
    wrong, met = [], set()
    for call in result(name).calls:
        seen = call.observation
        assert isinstance(seen, Exchange)
        asked = f"{seen.host} {seen.path}"
        met.add(asked)
        if call.category not in truth(name)["calls"][asked]:
            wrong.append((asked, call.category.value))
    assert wrong == []
    assert met == set(truth(name)["calls"])


@pytest.mark.parametrize("name", NAMES)
def test_planted_values_come_out_under_their_names(name: str) -> None:
    found: dict[tuple[str, str], set[str]] = {}
    for finding in result(name).findings:
        host = result(name).calls[finding.call].observation.host
        if finding.direction == "sent":
            found.setdefault((host, finding.value.casefold()), set()).add(finding.item)
    wanted = [(host, value["value"], set(value["items"])) for value in truth(name)["values"] for host in value["hosts"]]
    missed = [
        (host, text)
        for host, text, items in wanted
        if not any(
            host == where and text.casefold() in value and items & seen for (where, value), seen in found.items()
        )
    ]
    assert len(missed) <= (1 - RECALL) * len(wanted), missed


PERSONAL = (
    "account.email", "account.name", "account.username", "account.password", "net.mac", "net.lan_ip",
    "client.advertising_id", "geo.latlon",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_named_as_personal_that_was_not_planted(name: str) -> None:
    planted = [value["value"] for other in NAMES for value in truth(other)["values"]]
    invented = {
        (finding.item, finding.at, finding.value)
        for finding in result(name).findings
        if finding.item in PERSONAL and finding.direction == "sent"
        and not any(text in finding.value for text in planted)
    }  # fmt: skip
    assert sorted(invented) == []
