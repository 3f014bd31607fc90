"""A server's own log tells which calls were made; what it says of others, of visitors and of tokens is left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captures.formats.serverlog import LoggedCall, is_log, read_log
from captures.model import CaptureError

# Lines as the programs write them, with made-up values.
# ruff: noqa: E501
PLEX = """\
Nov 24, 2026 20:15:31.123 [140213] DEBUG - [HttpClient/HCl#1a2] HTTP requesting GET https://plex.tv/api/v2/ping?X-Plex-Token=made-up-secret
Nov 24, 2026 20:15:31.423 [140213] DEBUG - [HttpClient/HCl#1a2] HTTP/1.1 (0.3s) 200 response from GET https://plex.tv/api/v2/ping?X-Plex-Token=made-up-secret (reused)
Nov 24, 2026 20:15:32.000 [140213] DEBUG - Request: [127.0.0.1:4711 (Loopback)] GET /library/sections (3 live) #1b http://127.0.0.1:32400/x
Nov 24, 2026 20:15:33.000 [140213] DEBUG - [HttpClient/HCl#1a3] HTTP/2.0 (0.1s) 204 response from POST https://analytics.plex.tv:443/collect/event
Nov 24, 2026 20:15:34.000 [140214] INFO - Crash Uploader - Platform: Linux Version: 1.40.0.1
Nov 24, 2026 20:15:35.000 [140214] INFO - see https://support.plex.tv/articles for more
this line belongs to the one before it: https://never.example/
"""
JELLYFIN = """\
[2026-11-24 20:15:31.123 +01:00] [INF] [12] System.Net.Http.HttpClient.Default.ClientHandler: Sending HTTP request GET https://repo.example/manifest.json
[2026-11-24 20:15:31.500 +01:00] [INF] [12] System.Net.Http.HttpClient.Default.ClientHandler: Received HTTP response headers after 188.6041ms - 200
[2026-11-24 20:15:33.000 +01:00] [INF] [12] Emby.Server.Implementations.HttpServer.WebSocketManager: WebSocket http request from 192.0.2.7
"""
TAUTULLI = """\
2026-11-24 20:15:31 - DEBUG :: Thread-7 : urllib3.connectionpool : Starting new HTTPS connection (1): plex.tv:443
2026-11-24 20:15:32 - INFO :: CP Server Thread-3 : Tautulli Notifiers :: sending
"""
KODI = """\
2026-11-24 20:15:31.123 T:140 debug <general>: CurlFile::Open(0x7f12) https://api.themoviedb.org/3/movie/17?api_key=made-up-secret
2026-11-24 20:15:32.123 T:140 error <general>: CCurlFile::Open failed with code 403 for https://mirrors.kodi.tv/addons.xml
"""


def calls(tmp_path: Path, text: str) -> list[tuple[str, str, str, int, str, bool, int]]:
    path = tmp_path / "server.log"
    path.write_text(text, "utf-8")
    assert is_log(str(path))
    return [(x.product, x.method, x.host, x.port, x.path, x.made, x.line) for x in read_log(path).calls]


def test_a_log_of_plex_tells_each_call_once_and_no_visitor(tmp_path: Path) -> None:
    assert calls(tmp_path, PLEX) == [
        ("plex", "GET", "plex.tv", 443, "/api/v2/ping", True, 1),
        ("plex", "POST", "analytics.plex.tv", 443, "/collect/event", True, 4),
        ("plex", "", "", 0, "", True, 5),
        ("plex", "", "support.plex.tv", 443, "/articles", False, 6),
    ]


def test_logs_of_jellyfin_tautulli_and_kodi_are_known(tmp_path: Path) -> None:
    assert calls(tmp_path, JELLYFIN) == [("jellyfin", "GET", "repo.example", 443, "/manifest.json", True, 1)]
    assert calls(tmp_path, TAUTULLI) == [("tautulli", "", "plex.tv", 443, "", True, 1)]
    assert calls(tmp_path, KODI) == [
        ("kodi", "", "api.themoviedb.org", 443, "/3/movie/17", True, 1),
        ("kodi", "", "mirrors.kodi.tv", 443, "/addons.xml", True, 2),
    ]


def test_no_token_is_taken_from_a_log(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(PLEX + KODI.replace("https://api", "https://user:made-up-secret@api"))
    assert "made-up-secret" not in repr(read_log(path))


def test_times_are_local_unless_the_log_says_its_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    try:
        path = tmp_path / "a.log"
        path.write_text(PLEX)
        plex = read_log(path)
        path.write_text(JELLYFIN)
        jellyfin = read_log(path)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (plex.first, plex.zone) == (1795551331.0, False)
    assert (jellyfin.first, jellyfin.zone) == (1795551331.0 - 3600, True)


def test_what_is_no_log_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"hello https://plex.tv/\n")
    assert not is_log(str(path))
    with pytest.raises(CaptureError, match=r"a\.log: is no log that is known"):
        read_log(path)
    with pytest.raises(CaptureError, match="cannot be read"):
        read_log(tmp_path / "none.log")


HEAD = "Nov 24, 2026 20:15:31.123 [1] DEBUG - HTTP requesting GET "


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.binary(max_size=300))
def test_hostile_lines_are_read_or_left_out(tmp_path_factory: pytest.TempPathFactory, text: str, data: bytes) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"
    path.write_bytes((HEAD + "https://a.example/x" + text.replace("\n", "")).encode("utf-8", "replace") + b"\n" + data)
    log = read_log(path)
    assert all(isinstance(call, LoggedCall) and call.port < 65536 for call in log.calls)


def test_a_line_without_end_takes_no_memory_and_costs_no_other_line(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(HEAD + "https://a.example/" + "x" * 5_000_000 + "\n" + HEAD + "https://b.example/y\n")
    assert [(call.host, len(call.path) <= 2001) for call in read_log(path).calls] == [
        ("a.example", True),
        ("b.example", True),
    ]
