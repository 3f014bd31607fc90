"""Real clients, recorded against made-up clouds: python-plexapi, three npm libraries, Tautulli.

What was done in each is known, and so are the invented values that were planted: `*.truth.json` says where they stand.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from analysis.cli import main
from analysis.knowledge import load
from analysis.model import Verdict
from analysis.pipeline import Result, run
from captures.formats import read
from captures.model import Exchange
from scanner import leaks

DATA = Path(__file__).with_name("data")
NAMES = ("plexapi", "npm-plex", "tautulli")

PLEX = {
    "POST /api/v2/users/signin": "account-auth",
    "POST /users/sign_in.json": "account-auth",
    "DELETE /api/v2/users/signout": "account-auth",
    "GET /api/v2/ping": "account-auth",
    "GET /users/account": "account-auth",
    "POST /api/v2/pins": "account-auth",
    "GET /api/v2/pins/777001": "account-auth",
    "PUT /api/v2/pins/link": "account-auth",
    "GET /api/v2/resources": "remote-discovery",
    "GET /api/resources": "remote-discovery",
    "GET /devices.xml": "remote-discovery",
    "GET /:/ip": "remote-discovery",
    "GET /": "remote-discovery",
    "GET /api/users/": "social",
    "GET /api/users": "social",
    "GET /api/servers/a11cea11cea11cea11cea11cea11cea11cea11ce/shared_servers": "social",
    "GET /api/v2/geoip": "geo-lookup",
    "PUT /api/v2/user/privacy": "settings",
    "GET /api/v2/user/a11ce0a11ce00001/settings/opt_outs": "settings",
    "GET /api/v2/user/view_state_sync": "settings",
    "GET /api/downloads/5.json": "update-check",
}
OTHERS = {
    ("discover.provider.plex.tv", "GET /library/search"): "search",
    ("discover.provider.plex.tv", "GET /library/sections/watchlist/all"): "watch-state-sync",
    ("metadata.provider.plex.tv", "GET /"): "metadata-lookup",
    ("www.google-analytics.com", "POST /mp/collect"): "usage-statistics",
    ("discord.com", "POST /api/webhooks/4242/alicehooksecret"): "webhooks",
    ("api.github.com", "GET /repos/Tautulli/Tautulli/commits/master"): "update-check",
}
"""What each call to somebody outside is for, written down by hand from what was done."""


@functools.cache
def result(name: str) -> Result:
    return run([read(DATA / f"{name}.flow.gz")], load())


@functools.cache
def truth(name: str) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = json.loads((DATA / f"{name}.truth.json").read_text("utf-8"))["values"]
    return values


@pytest.mark.parametrize("name", NAMES)
def test_every_call_to_the_outside_has_the_purpose_that_a_careful_person_gives_it(name: str) -> None:
    wrong = []
    for call in result(name).calls:
        seen = call.observation
        assert isinstance(seen, Exchange)
        asked = f"{seen.method} {seen.path}"
        expected = PLEX.get(asked) if seen.host == "plex.tv" else OTHERS.get((seen.host, asked))
        if call.party in ("vendor", "third-party") and call.category != expected:
            wrong.append((seen.host, asked, call.category.value, expected))
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_the_owned_server_is_own_and_its_relay_is_told_apart(name: str) -> None:
    seen = {(call.observation.host, call.party.value) for call in result(name).calls}
    own = {party for host, party in seen if host.endswith(".plex.direct") and host.startswith("198-18-200-7")}
    relay = {
        party for host, party in seen if host in ("198.18.200.9", f"198-18-200-9.{'a11cea11' * 3}a11cea11.plex.direct")
    }
    assert own == {"own"}
    assert relay <= {"own-via-relay"}


@pytest.mark.parametrize("name", NAMES)
def test_each_flow_comes_out_once(name: str) -> None:
    places = [c.observation.source for c in result(name).calls if c.observation.source.part == 0]
    assert [place.index for place in places] == list(range(len(places)))


ITEMS = {
    "kernel_version": {"client.os", "server.os"},
    "device_name": {"client.device_name", "notification.text"},
    "hostname": {"client.device_name"},
    "client_id": {"client.id"},
    "client_id_from_mac": {"client.id", "net.mac"},
    "email": {"account.email"},
    "password": {"account.password"},
    "token": {"auth.token"},
    "token_server": {"auth.token"},
    "viewer_ip": {"net.other_ip"},
    "public_ip": {"net.public_ip"},
    "server_ip": {"net.public_ip"},
    "movie_title": {"media.title", "ui.search_text", "notification.text"},
    "account_uuid": {"account.uuid"},
    "plex_direct_hash": {"server.cert_hash"},
    "server_host_dashed": {"net.public_ip"},
    "rating_key": {"media.library_key"},
    "position_ms": {"play.position_time"},
    "duration_ms": {"media.duration"},
    "server_id": {"server.machine_id", "media.library_key"},
    "username": {"account.username", "notification.text"},
    "country": {"geo.city_region"},
    "city": {"client.timezone"},
    "timezone": {"client.timezone"},
    "install_id": {"client.id"},
    "webhook_secret": {"auth.token"},
    "server_name": {"notification.text"},
    "webhook_bot_name": {"notification.text"},
}
"""Kind of planted value -> the items that it may rightly be."""


def place(where: str) -> str:
    """Where a value was planted -> the place as findings show it, with `*` for positions in lists."""
    kind, _, rest = where.partition(":")
    if kind == "body":
        return "body." + rest.removeprefix("form:").removeprefix("$.").replace("[]", ".*")
    return f"{kind}.{rest}".lower() if kind == "header" else f"{kind}.{rest}" if rest else kind


@pytest.mark.parametrize("name", NAMES)
def test_every_planted_value_that_is_an_item_is_found_at_its_place(name: str) -> None:
    found: dict[tuple[int, str], list[tuple[str, str]]] = {}
    shown = result(name)
    for finding in shown.findings:
        at = re.sub(r"\.\d+(?=\.|$)", ".*", re.sub(r"\[[a-z0-9]+\].*", "", finding.at))
        index = shown.calls[finding.call].observation.source.index
        found.setdefault((index, at), []).append((finding.item, finding.value))
    missed = [
        (planted["kind"], planted["where"], flow)
        for planted in truth(name)
        if planted["side"] == "request"
        for flow in planted["flows"]
        if not any(
            item in ITEMS[planted["kind"]] and planted["value"] in value
            for item, value in found.get((flow, place(planted["where"])), [])
        )
    ]
    assert missed == []


@pytest.mark.parametrize("name", NAMES)
def test_a_tool_without_a_list_is_accused_of_nothing(name: str) -> None:
    verdicts = {c.verdict for c in result(name).comparisons}
    assert verdicts <= {Verdict.NO_LIST, Verdict.DOCUMENTED}


@pytest.mark.parametrize("form", ["markdown", "bbcode", "html", "json"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_planted_stands_in_a_report_that_is_shared(
    name: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHONEHOME_HOME", str(tmp_path))
    out = tmp_path / "report"
    with pytest.raises(SystemExit) as ended:
        main(["share", str(DATA / f"{name}.flow.gz"), "--format", form, "-o", str(out)])
    assert ended.value.code == 0
    private = sorted({planted["value"] for planted in truth(name)})
    assert leaks(private, out.read_text("utf-8")) == []
