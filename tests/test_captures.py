"""Real clients, recorded against made-up clouds: python-plexapi, three npm libraries, Tautulli, Kodi, Chromium,
jellyfin-mpv-shim, and programs that do not trust the proxy.  Films are cut out; the key of Kodi's scraper is all zeros.

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
from analysis.model import Verdict
from analysis.pipeline import Result, run
from captures.formats import read
from captures.model import Contact, Exchange
from scanner import leaks
from shipped import KNOWLEDGE

DATA = Path(__file__).with_name("data")
NAMES = ("plexapi", "npm-plex", "tautulli")
PLAYERS = ("kodi", "jellyfin-mpv-shim", "quic-bypass", "untrusted-ca")

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


JELLYFIN = {
    "GET /system/info/public": "server-api",
    "POST /Users/AuthenticateByName": "account-auth",
    "GET /system/info": "server-api",
    "GET /Sessions": "server-api",
    "POST /Sessions/Capabilities/Full": "server-api",
    "GET /Users/a11ce0000000000000000000000user1/Items/a11ce00000000000000000000000m101": "server-api",
    "POST /Items/a11ce00000000000000000000000m101/PlaybackInfo": "server-api",
    "GET /MediaSegments/a11ce00000000000000000000000m101": "server-api",
    "POST /Sessions/Playing": "playback-report",
    "POST /Sessions/Playing/Progress": "playback-report",
    "POST /Sessions/Playing/Stopped": "playback-report",
    "GET /socket": "notifications",
    "WEBSOCKET /socket": "notifications",
}
CHROMIUM = {
    ("clients2.google.com", "GET /time/1/current"): ("time-sync", "", "google"),
    ("update.googleapis.com", "POST /service/update2/json"): ("update-check", "", "google"),
}
CALLS = {
    "kodi": {
        ("mirrors.kodi.tv", "GET /addons/nexus/addons.xml.gz"): ("plugin-repository", "kodi", "kodi"),
        ("api.themoviedb.org", "GET /3/search/movie"): ("metadata-lookup", "kodi", "tmdb"),
        ("api.themoviedb.org", "GET /3/movie/9990101"): ("metadata-lookup", "kodi", "tmdb"),
        ("musicbrainz.org", "GET /ws/2/release/"): ("metadata-lookup", "kodi", "musicbrainz"),
        ("musicbrainz.org", "GET /ws/2/artist/"): ("metadata-lookup", "kodi", "musicbrainz"),
        ("media.alice.example.org", "HEAD /stream/zorblax.mp4"): ("media-stream", "", ""),
        ("media.alice.example.org", "GET /stream/zorblax.mp4"): ("media-stream", "", ""),
        ("media.alice.example.org", "HEAD /stream/zorblax.mp4/1.0"): ("media-stream", "", ""),
    },
    "jellyfin-mpv-shim": {
        ("github.com", "GET /jellyfin/jellyfin-mpv-shim/releases/latest"): ("update-check", "", "github"),
        # libmpv asks for the film itself, and names itself, not the program that it is in.
        ("jelly.alice.example.org", "GET /Videos/a11ce00000000000000000000000m101/stream"): (
            "media-stream", "", "jellyfin",
        ),
    } | {("jelly.alice.example.org", asked): (what, "jellyfin", "jellyfin") for asked, what in JELLYFIN.items()},
    "quic-bypass": CHROMIUM
    | {
        ("redirector.gvt1.com", "GET /edgedl/chrome/dict/en-us-10-2.bdic"): ("update-download", "", "google"),
        ("accounts.google.com", "POST /ListAccounts"): ("account-auth", "", "google"),
    },
    "untrusted-ca": CHROMIUM
    | {
        ("connectivitycheck.gstatic.com", "GET /generate_204"): ("connectivity-check", "", "google"),
        ("media.alice.example.org", "GET /mpv-untrusted.mp4"): ("media-stream", "", ""),
        # The answer was no film: what the call was for stays unknown.
        ("ffmpeg.media.alice.example.org", "GET /zorblax.mp4"): ("unknown", "", ""),
    },
}  # fmt: skip
"""Capture -> what each of its calls is for, who sent it and whose pack knows the receiver, written down by hand."""

CONTACTS = {
    "quic-bypass": {
        ("h3.alice.example.org", "quic"): ("unknown", ""),
        ("accounts.google.com", "tls"): ("account-auth", "Google"),
        ("redirector.gvt1.com", "tls"): ("update-download", "Google"),
        ("update.googleapis.com", "tls"): ("update-check", "Google"),
    },
    "untrusted-ca": {
        ("accounts.google.com", "tls"): ("account-auth", "Google"),
        ("redirector.gvt1.com", "tls"): ("update-download", "Google"),
        ("update.googleapis.com", "tls"): ("update-check", "Google"),
        ("connectivitycheck.gstatic.com", "tcp"): ("connectivity-check", "Google"),
        ("plex.tv", "tls"): ("unknown", "Plex"),
    }
    | {
        (f"{name}.alice.example.org", "tls"): ("unknown", "")
        for name in ("chromium", "curl", "ffmpeg.media", "gnutls", "httpx", "java", "media", "node", "wget")
    },
}
"""Capture of packets -> what a name alone tells of each connection that could not be read."""


@functools.cache
def result(name: str, ending: str = "flow") -> Result:
    return run([read(DATA / f"{name}.{ending}.gz")], KNOWLEDGE)


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


@pytest.mark.parametrize("name", PLAYERS)
def test_every_call_of_players_and_browsers_has_purpose_sender_and_receiver(name: str) -> None:
    seen = {}
    for call in result(name).calls:
        exchange = call.observation
        assert isinstance(exchange, Exchange)
        asked = (exchange.host, f"{exchange.method} {exchange.path}")
        seen[asked, call.category.value, call.product, call.service] = call
    assert set(seen) == {(asked, *rest) for asked, rest in CALLS[name].items()}


@pytest.mark.parametrize("name", CONTACTS)
def test_what_was_not_read_is_known_by_a_name_that_serves_one_purpose_or_not_at_all(name: str) -> None:
    seen = {
        ((call.observation.host, call.observation.protocol), call.category.value, call.entity)
        for call in result(name, "pcap").calls
        if isinstance(call.observation, Contact)
    }
    expected = {(who, what, entity or "example.org") for who, (what, entity) in CONTACTS[name].items()}
    assert seen == expected


def test_at_most_one_in_twenty_calls_to_the_outside_is_unknown() -> None:
    outside = [
        call
        for name in (*NAMES, *PLAYERS)
        for call in result(name).calls
        if call.party in ("vendor", "third-party", "unknown")
    ]
    unknown = [call.observation.host for call in outside if call.category == "unknown"]
    assert len(unknown) / len(outside) <= 0.05
    assert unknown == ["ffmpeg.media.alice.example.org"]


def test_what_stays_at_home_is_discovery_or_own_and_accuses_nobody() -> None:
    shown = result("lan-upnp-gdm", "pcap")
    seen = {(type(call.observation).__name__, call.category.value, call.party.value) for call in shown.calls}
    assert seen - {("Unreadable", "unknown", "own")} == {
        ("Exchange", "server-api", "own"),
        ("Lookup", "local-discovery", "own"),
    }
    assert shown.comparisons == ()


def test_traffic_with_a_server_whose_owner_is_not_proven_gets_no_verdict_and_a_question() -> None:
    shown = result("jellyfin-mpv-shim")
    assert shown.evidence.asks == {"jelly.alice.example.org"}
    judged = {n for comparison in shown.comparisons for n in comparison.calls}
    assert {shown.calls[n].observation.host for n in judged} == {"github.com"}


@pytest.mark.parametrize("name", NAMES)
def test_the_owned_server_is_own_and_its_relay_is_told_apart(name: str) -> None:
    seen = {(call.observation.host, call.party.value) for call in result(name).calls}
    own = {party for host, party in seen if host.endswith(".plex.direct") and host.startswith("198-18-200-7")}
    relay = {
        party for host, party in seen if host in ("198.18.200.9", f"198-18-200-9.{'a11cea11' * 3}a11cea11.plex.direct")
    }
    assert own == {"own"}
    assert relay <= {"own-via-relay"}


@pytest.mark.parametrize("name", [*NAMES, *PLAYERS])
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
    "external_id": {"media.external_id"},
    "artist": {"media.people"},
    "album": {"media.title"},
    "jellyfin_token": {"auth.token"},
    "jellyfin_user_id": {"account.uuid"},
    "jellyfin_item_id": {"media.library_key"},
    "play_session": {"play.session_id"},
}
"""Kind of planted value -> the items that it may rightly be."""


def place(where: str) -> str:
    """Where a value was planted -> the place as findings show it, with `*` for positions in lists."""
    kind, _, rest = where.partition(":")
    if kind == "body":
        return "body." + rest.removeprefix("form:").removeprefix("$.").replace("[]", ".*")
    return f"{kind}.{rest}".lower() if kind == "header" else f"{kind}.{rest}" if rest else kind


def is_name_of_the_recipient(planted: dict[str, Any]) -> bool:
    """Whether it is a part of the host name that is called: whom a call goes to, not what it carries."""
    hosts = ("username", "custom_server_host", "custom_media_host")
    return planted["kind"] in hosts and planted["where"] in ("host", "header:Origin")


@pytest.mark.parametrize("name", [*NAMES, *PLAYERS])
def test_every_planted_value_that_is_an_item_is_found_at_its_place(name: str) -> None:
    found: dict[tuple[int, str], list[tuple[str, str]]] = {}
    shown = result(name)
    for finding in shown.findings:
        at = re.sub(r"\.\d+(?=\.|$)", ".*", re.sub(r"\[[a-z0-9]+\].*", "", finding.at))
        index = shown.calls[finding.call].observation.source.index
        if finding.direction == "sent":
            found.setdefault((index, at), []).append((finding.item, finding.value))
    missed = [
        (planted["kind"], planted["where"], flow)
        for planted in truth(name)
        if planted["side"] == "request" and not is_name_of_the_recipient(planted)
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
@pytest.mark.parametrize("name", [*NAMES, *PLAYERS])
def test_nothing_planted_stands_in_a_report_that_is_shared(name: str, form: str, tmp_path: Path) -> None:
    out = tmp_path / "report"
    with pytest.raises(SystemExit) as ended:
        main(["share", str(DATA / f"{name}.flow.gz"), "--format", form, "-o", str(out)])
    assert ended.value.code == 0
    # Four digits stand by chance in the report's random id.
    private = sorted({planted["value"] for planted in truth(name) if len(planted["value"]) > 4})
    assert leaks(private, out.read_text("utf-8")) == []
