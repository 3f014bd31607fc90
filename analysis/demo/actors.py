"""The demo's media server and app: what they send out, through the proxy, as the real ones do."""

from __future__ import annotations

import http.client
import json
import secrets
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from analysis.demo import household as home
from analysis.demo.household import Film


class Caller:
    """Sends requests through the proxy, over one connection a host, trusting the proxy's authority alone."""

    def __init__(self, proxy: tuple[str, int], authority: Path, headers: Mapping[str, str]) -> None:
        self._proxy = proxy
        self._trust = ssl.create_default_context(cafile=str(authority))
        # An authority that is made for one installation carries no key usage; verification stays otherwise strict.
        self._trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self._headers = headers
        self._connections: dict[str, http.client.HTTPSConnection] = {}

    def send(
        self, method: str, host: str, target: str, *, body: str = "", headers: Mapping[str, str] | None = None
    ) -> bytes:
        """One request -> the answer's body.  Raises `OSError` or `http.client.HTTPException` when none comes."""
        name, _, port = host.partition(":")
        connection = self._connections.get(host)
        if connection is None:
            connection = http.client.HTTPSConnection(*self._proxy, timeout=10, context=self._trust)
            connection.set_tunnel(name, int(port or 443))
            self._connections[host] = connection
        connection.request(method, target, body=body.encode() or None, headers={**self._headers, **(headers or {})})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise http.client.HTTPException(f"{host} answered {answer.status}")
        return content

    def close(self) -> None:
        """Closes all connections."""
        for connection in self._connections.values():
            connection.close()


def media_server(proxy: tuple[str, int], authority: Path) -> Caller:
    """The household's media server as a sender."""
    return Caller(
        proxy,
        authority,
        {
            "User-Agent": "PlexMediaServer/1.41.0.8994",
            "X-Plex-Product": "Plex Media Server",
            "X-Plex-Version": "1.41.0.8994",
            "X-Plex-Client-Identifier": home.MACHINE_ID,
            "X-Plex-Platform": "Linux",
            "X-Plex-Platform-Version": "12 (bookworm)",
            "X-Plex-Device-Name": home.SERVER_NAME,
            "X-Plex-Token": home.TOKEN,
        },
    )


def app(proxy: tuple[str, int], authority: Path) -> Caller:
    """The household's web app as a sender."""
    return Caller(
        proxy,
        authority,
        {
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36",
            "Origin": "https://app.plex.tv",
            "Accept-Language": "en",
        },
    )


_APP_QUERY = {
    "X-Plex-Product": "Plex Web",
    "X-Plex-Version": "4.145.1",
    "X-Plex-Client-Identifier": home.CLIENT_ID,
    "X-Plex-Platform": "Chrome",
    "X-Plex-Device": "Linux",
    "X-Plex-Device-Screen-Resolution": "1680x920,1920x1080",
    "X-Plex-Language": "en",
}


def _target(path: str, **parameters: object) -> str:
    return f"{path}?{urlencode({**parameters, **_APP_QUERY})}"


def check_for_update(server: Caller) -> None:
    """The server asks whether there is a newer version of itself."""
    query = urlencode({"build": "linux-x86_64", "channel": "16", "distribution": "debian", "version": "1.41.0.8994"})
    server.send("GET", "plex.tv", f"/updater/products/1/check.xml?{query}")


def publish_connections(server: Caller) -> None:
    """The server learns its public address and tells the vendor how it can be reached."""
    server.send("GET", "plex.tv", "/pms/:/ip")
    query = urlencode(
        [
            ("Connection[][uri]", f"http://{home.LAN_ADDRESS}:{home.SERVER_PORT}"),
            ("httpsEnabled", "1"),
            ("httpsRequired", "0"),
            ("X-Plex-Token", home.TOKEN),
        ]
    )
    server.send("PUT", "plex.tv", f"/devices/{home.MACHINE_ID}?{query}")


def match_film(server: Caller, film: Film) -> None:
    """The server asks the vendor which film a new file is."""
    query = urlencode({"type": 1, "title": film.title, "year": film.year})
    server.send("GET", "metadata.provider.plex.tv", f"/library/metadata/matches?{query}")


def sign_in(client: Caller) -> None:
    """The user signs in with e-mail and password."""
    form = urlencode({"login": home.EMAIL, "password": home.PASSWORD, "rememberMe": "true"})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    client.send("POST", "plex.tv", _target("/api/v2/users/signin"), body=form, headers=kind)


def find_servers(client: Caller) -> None:
    """The app asks the vendor for the user's servers, and knocks at the one that it is told."""
    signed_in = {"X-Plex-Token": home.TOKEN}
    client.send("GET", "plex.tv", _target("/api/v2/resources", includeHttps=1, includeRelay=1, **signed_in))
    client.send("GET", f"{home.SERVER_HOST}:{home.SERVER_PORT}", _target("/identity"))


def turn_off_statistics(client: Caller) -> None:
    """The user turns off in his account what the vendor calls optional."""
    client.send("PUT", "plex.tv", _target("/api/v2/user/privacy", optOutPlayback=1, **{"X-Plex-Token": home.TOKEN}))


def play(client: Caller, film: Film, *, optional: bool = True) -> None:
    """The app plays a film: exact times to the own server, rounded ones to the vendor.

    With `optional` false it obeys the switch, and leaves out what the vendor's list calls optional.
    """
    own = f"{home.SERVER_HOST}:{home.SERVER_PORT}"
    token = {"X-Plex-Token": home.SERVER_TOKEN}
    # Plays follow each other within milliseconds here: only their number tells which report is about which.
    session = {"X-Plex-Playback-Session-Id": secrets.token_hex(12)}
    client.send("GET", own, _target(f"/library/metadata/{film.key}", **token))
    statistics = {**_PLAYBACK, **(_optional(film) if optional else {})}
    for state, time in (("playing", 0), ("playing", film.watched // 2), ("stopped", film.watched)):
        timeline = {"ratingKey": film.key, "key": f"/library/metadata/{film.key}", "state": state, "time": time}
        lengths = {"duration": film.duration, "playbackTime": time}
        client.send("GET", own, _target("/:/timeline", **timeline, **lengths, **session, **token))
        if time == 0:
            _report(client, "playback:itemstart", statistics | ({"offset": 0} if optional else {}), session)
    ended = {"playbackTime": home.to_minute(film.watched), "playbackCount": 1}
    _report(client, "playback:itemend", statistics | ended, session)


def _optional(film: Film) -> dict[str, object]:
    return {"type": "movie", "duration": home.to_minute(film.duration), "bitrate": round(film.bitrate / 512) * 512}


_PLAYBACK: Mapping[str, object] = {
    "serverType": "owned",
    "connectionType": "local",
    "identifier": "com.plexapp.plugins.library",
    "container": "mkv",
    "audioCodec": "aac",
    "audioDecision": "directplay",
    "videoCodec": "h264",
    "videoDecision": "directplay",
}
"""What the app says of every play."""


def _report(client: Caller, event: str, properties: Mapping[str, object], session: Mapping[str, str]) -> None:
    statistics = {
        "deviceIdentifier": home.CLIENT_ID,
        "context": {
            "device": {
                "product": "Plex Web",
                "version": "4.145.1",
                "platform": "Chrome",
                "platformVersion": "131.0",
                "device": "Linux",
                "model": "bundled",
                "screenResolution": "1680x920,1920x1080",
                "layout": "desktop",
            },
            "user": {"anonymous": False},
        },
        "userId": int(home.ACCOUNT_ID),
        "event": event,
        "interaction": False,
        "sessionIdentifier": home.SESSION_ID,
        "properties": dict(properties),
    }
    headers = {"Content-Type": "text/plain;charset=UTF-8", **session}
    client.send("POST", "analytics.plex.tv", "/collect/event", body=json.dumps(statistics), headers=headers)


def show_advert(client: Caller) -> None:
    """The app asks an advertiser for something to show before the vendor's own content."""
    query = urlencode({"iu": "/demo/preroll", "output": "vast", "ppid": home.CLIENT_ID, "sz": "640x480"})
    client.send("GET", "pubads.g.doubleclick.net", f"/gampad/ads?{query}")


def crash(client: Caller) -> None:
    """The app tells a third party that it crashed."""
    event = {
        "event_id": "d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3",
        "platform": "javascript",
        "release": "plex-web@4.145.1",
        "user": {"id": home.ACCOUNT_ID},
        "exception": {"values": [{"type": "TypeError", "value": "player is undefined"}]},
        "contexts": {"os": {"name": "Linux"}, "browser": {"name": "Chrome", "version": "131.0"}},
    }
    lines = ({"event_id": event["event_id"], "sent_at": "2031-01-01T00:00:00Z"}, {"type": "event"}, event)
    envelope = "\n".join(json.dumps(line) for line in lines)
    host = next(name for name in home.CLOUD_HOSTS if name.endswith("sentry.io"))
    client.send("POST", host, "/api/4500000000000001/envelope/?sentry_version=7", body=envelope)


def send_server_statistics(server: Caller) -> None:
    """The server reports its library's counts."""
    counts = {"numVideos": 1248, "numTracks": 9312, "usersInvited": 2}
    statistics = {"event": "server:library", "uuid": home.MACHINE_ID, "properties": counts}
    kind = {"Content-Type": "application/json"}
    server.send("POST", "metrics.plex.tv", "/collect/event", body=json.dumps(statistics), headers=kind)
