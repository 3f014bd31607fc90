"""Media servers on loopback: one that speaks the XML of Plex Media Server, one with the API of Jellyfin.

All films are made up.  `python tests/media_servers.py plex COUNT [HOST PORT]` runs one until it is ended, and prints
its address.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import quoteattr

TOKEN = "made-up-token-0001"
MACHINE = "0123456789abcdef0123456789abcdef01234567"


class Film(NamedTuple):
    """One made-up film."""

    number: int
    title: str
    original: str
    year: int
    milliseconds: int

    @property
    def path(self) -> str:
        return f"/films/{self.title} ({self.year})/{self.title.replace(' ', '.')}.{self.year}.mkv"


_FIRST = ["Quiet", "Copper", "Winter", "Hollow", "Amber", "Distant", "Crooked", "Silver", "Paper", "Northern"]
_SECOND = ["Harbour", "Lantern", "Meridian", "Orchard", "Signal", "Compass", "Ledger", "Causeway", "Thicket", "Almanac"]
_THIRD = ["of Zorblax", "in Quendale", "at Morrowby", "beyond Tarn", "under Velloch"]


def films(count: int) -> list[Film]:
    """Made-up films with distinct titles."""
    return [
        Film(
            n,
            f"{_FIRST[n % 10]} {_SECOND[n // 10 % 10]} {_THIRD[n // 100 % 5]}" + (f" {n // 500}" if n >= 500 else ""),
            f"Der {_SECOND[n // 10 % 10]} {n}" if n % 7 == 0 else "",
            1950 + n % 75,
            5_000_000 + 1_237 * n,
        )
        for n in range(count)
    ]


type Answer = tuple[int, str, bytes]
"""Status, content type, body."""

type Handler = Callable[[str, str, dict[str, str], dict[str, str], bytes], Answer]
"""Method, path, query, headers (lower case), body -> answer."""


@contextmanager
def serving(handler: Handler, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Such a server, on loopback unless told otherwise -> its address."""

    class Server(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            status, kind, content = handler(self.command, parts.path, query, headers, body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if 300 <= status < 400:
                self.send_header("Location", content.decode())
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer((host, port), Server)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def plex(library: list[Film], token: str = TOKEN) -> Handler:
    """A Plex server with one section of films and one of series (of one series with two episodes)."""

    def handler(_: str, path: str, query: dict[str, str], headers: dict[str, str], __: bytes) -> Answer:
        if path == "/identity":
            return xml(f'<MediaContainer size="0" claimed="1" machineIdentifier="{MACHINE}" version="1.40.0.1"/>')
        if headers.get("x-plex-token", query.get("X-Plex-Token")) != token:
            return 401, "text/html", b"<html><head><title>Unauthorized</title></head></html>"
        if path == "/":
            return xml(
                f'<MediaContainer size="2" friendlyName="Shelf" machineIdentifier="{MACHINE}" version="1.40.0.1"/>'
            )
        if path == "/library":
            return xml('<MediaContainer size="3" allowSync="0" identifier="com.plexapp.plugins.library"/>')
        if path == "/library/sections":
            return xml(
                '<MediaContainer size="2">'
                '<Directory key="1" type="movie" title="Films" agent="tv.plex.agents.movie" scanner="Plex Movie"'
                ' language="en" uuid="a1"><Location id="1" path="/films"/></Directory>'
                '<Directory key="2" type="show" title="Series" agent="tv.plex.agents.series" scanner="Plex TV Series"'
                ' language="en" uuid="a2"><Location id="2" path="/series"/></Directory></MediaContainer>'
            )
        parts = path.split("/")
        if parts[:3] == ["", "library", "sections"] and parts[-1] == "all":
            return xml(page(parts[3], query.get("type", "1"), query, headers))
        return 404, "text/html", b"<html><body>404</body></html>"

    def page(section: str, kind: str, query: dict[str, str], headers: dict[str, str]) -> str:
        start = int(headers.get("x-plex-container-start", query.get("X-Plex-Container-Start", "0")))
        size = int(headers.get("x-plex-container-size", query.get("X-Plex-Container-Size", "100")))
        if section == "1":
            total, made = len(library), [plex_film(film) for film in library[start : start + size]]
        else:
            items = [PLEX_SHOW] if kind == "2" else PLEX_EPISODES
            total, made = len(items), items[start : start + size]
        return (
            f'<MediaContainer size="{len(made)}" totalSize="{total}" offset="{start}" librarySectionID="{section}"'
            f' viewGroup="movie">{"".join(made)}</MediaContainer>'
        )

    return handler


def xml(text: str) -> Answer:
    return 200, "text/xml;charset=utf-8", b'<?xml version="1.0" encoding="UTF-8"?>\n' + text.encode()


def plex_film(film: Film) -> str:
    key = 1000 + film.number
    original = f" originalTitle={quoteattr(film.original)}" if film.original else ""
    return (
        f'<Video ratingKey="{key}" key="/library/metadata/{key}" guid="plex://movie/{film.number:024x}" type="movie"'
        f' title={quoteattr(film.title)}{original} year="{film.year}" thumb="/library/metadata/{key}/thumb/1700000000"'
        f' duration="{film.milliseconds}" addedAt="1700000000" updatedAt="1700000000">'
        f'<Media id="{key}" duration="{film.milliseconds}" bitrate="{4000 + film.number % 900}" width="1920"'
        f' height="800" container="mkv" videoCodec="h264" audioCodec="ac3" videoResolution="1080">'
        f'<Part id="{key}" key="/library/parts/{key}/1/file.mkv" duration="{film.milliseconds}"'
        f' file={quoteattr(film.path)} size="{1_000_000_000 + film.number}" container="mkv"/></Media>'
        f'<Image alt="x" type="coverPoster" url="https://images.example/posters/{film.number:032x}.jpg"/>'
        f'<Guid id="imdb://tt{film.number:07d}"/><Guid id="tmdb://{film.number}"/></Video>'
    )


PLEX_SHOW = (
    '<Directory ratingKey="7" key="/library/metadata/7/children" guid="plex://show/00000000000000000000aaaa"'
    ' type="show" title="The Unlikely Ferrymen" year="2011" childCount="1" leafCount="2"/>'
)
PLEX_EPISODES = [
    f'<Video ratingKey="{8 + n}" key="/library/metadata/{8 + n}" type="episode" title="{title}"'
    f' guid="plex://episode/00000000000000000000bbb{n}" grandparentTitle="The Unlikely Ferrymen" parentIndex="1"'
    f' index="{n}" duration="2700000"><Media id="{n}" duration="2700000" bitrate="2500" width="1280" height="720"'
    f' container="mp4" videoCodec="hevc" audioCodec="aac"><Part id="{n}" key="/x" file="/series/f.s01e0{n}.mp4"'
    f' size="{900_000_000 + n}" container="mp4"/></Media></Video>'
    for n, title in ((1, "A Toll Is Asked For"), (2, "Low Water Marks"))
]


USER = "00112233445566778899aabbccddeeff"


PASSWORD = "made-up-password"


def jellyfin(library: list[Film], token: str = TOKEN) -> Handler:
    """A Jellyfin server on which `anna` has an account, and `token` is an API key."""
    sessions: set[str] = set()

    def handler(method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
        if path == "/System/Info/Public":
            return as_json(
                {"ServerName": "shelf", "Version": "10.10.3", "ProductName": "Jellyfin Server", "Id": MACHINE}
            )
        if path == "/Users/AuthenticateByName" and method == "POST":
            asked = json.loads(body)
            if (asked.get("Username"), asked.get("Pw")) != ("anna", PASSWORD):
                return 401, "text/plain", b"Error processing request."
            sessions.add("session-token-0002")
            return as_json(
                {"User": {"Name": "anna", "Id": USER}, "AccessToken": "session-token-0002", "ServerId": MACHINE}
            )
        given = headers.get("authorization", "")
        if not any(f'Token="{known}"' in given for known in (token, *sessions)):
            return 401, "text/plain", b""
        if path == "/Sessions/Logout":
            sessions.clear()
            return 204, "text/plain", b""
        if path in ("/Items", f"/Users/{USER}/Items"):
            wanted = set(query.get("Fields", "").split(","))
            start, limit = int(query.get("StartIndex", 0)), int(query.get("Limit", 100))
            items = [jellyfin_film(film, wanted) for film in library[start : start + limit]]
            return as_json({"Items": items, "TotalRecordCount": len(library), "StartIndex": start})
        return 404, "text/plain", b""

    return handler


def as_json(value: object) -> Answer:
    return 200, "application/json; charset=utf-8", json.dumps(value).encode()


def jellyfin_film(film: Film, wanted: set[str]) -> dict[str, object]:
    item: dict[str, object] = {
        "Name": film.title,
        "ServerId": MACHINE,
        "Id": f"{film.number:032x}",
        "Type": "Movie",
        "ProductionYear": film.year,
        "RunTimeTicks": film.milliseconds * 10_000,
        "ImageTags": {"Primary": f"{film.number + 1:032x}"},
        "BackdropImageTags": [],
    }
    if "OriginalTitle" in wanted and film.original:
        item["OriginalTitle"] = film.original
    if "ProviderIds" in wanted:
        item["ProviderIds"] = {"Imdb": f"tt{film.number:07d}", "Tmdb": str(film.number)}
    if "MediaSources" in wanted:
        item["MediaSources"] = [
            {
                "Path": film.path,
                "Container": "mkv",
                "Size": 1_000_000_000 + film.number,
                "Bitrate": 4_000_000 + film.number,
                "RunTimeTicks": film.milliseconds * 10_000,
                "MediaStreams": [
                    {"Type": "Video", "Codec": "hevc", "Width": 1920, "Height": 800, "BitRate": 3_900_000},
                    {"Type": "Audio", "Codec": "aac", "Channels": 6},
                ],
            }
        ]
    return item


if __name__ == "__main__":
    made = films(int(sys.argv[2]))
    place = (sys.argv[3], int(sys.argv[4])) if len(sys.argv) > 3 else ()
    with serving(plex(made) if sys.argv[1] == "plex" else jellyfin(made), *place) as address:
        print(address, flush=True)  # noqa: T201 - the bench reads it
        threading.Event().wait()
