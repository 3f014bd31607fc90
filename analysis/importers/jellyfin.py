"""A Jellyfin or Emby server, through the HTTP API that both share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

from analysis import VERSION
from analysis.importers.access import Access, ImportProblem, RefusedError
from analysis.known import MediaFile, Work

ABOUT = "a Jellyfin or Emby server, by its address and an API key or your name and password"

_TICKS = 10_000_000
"""Units of time in a second."""

_PAGE = 500

_WANTED = {
    "Recursive": "true",
    "IncludeItemTypes": "Movie,Series,Episode,Video,MusicVideo,MusicAlbum,Audio,AudioBook,Photo",
    "Fields": "Path,ProviderIds,MediaSources,OriginalTitle,ProductionYear",
    "EnableUserData": "false",
    "Limit": str(_PAGE),
}

_KINDS = {"series": "show", "musicalbum": "album", "audio": "track"}
"""Types that have another name elsewhere."""

_WHO = f'MediaBrowser Client="phonehome", Device="phonehome", DeviceId="phonehome", Version="{VERSION}"'


def recognises(source: str, access: Access) -> bool:
    """Whether an address is that of such a server, which tells without a key what it is."""
    if not source.startswith(("http://", "https://")):
        return False
    try:
        about = _object(access.get(f"{Access.base(source)}/System/Info/Public"), source)
    except RefusedError:
        return False
    return "ServerName" in about or "Version" in about


def read(source: str, access: Access, expect: Callable[[int], None]) -> Iterator[Work]:
    """All films, series, episodes, videos, albums, tracks and pictures of a server.

    With a name and password the session that was opened for this is closed at the end.
    """
    base = Access.base(source)
    token, user = access.token, ""
    if access.user and not token:
        token, user = _sign_in(base, access)
    headers = _headers(token)
    try:
        yield from _items(base, access, headers, user, expect)
    finally:
        if user:
            # Else it ends by itself; the library was read.
            with suppress(ImportProblem):
                access.get(f"{base}/Sessions/Logout", headers, b"")


def _headers(token: str) -> dict[str, str]:
    """Jellyfin reads the first, Emby the others."""
    named = f'{_WHO}, Token="{quote(token, safe="")}"' if token else _WHO
    return {
        "Authorization": named,
        "X-Emby-Authorization": named,
        **({"X-Emby-Token": token} if token else {}),
        "Accept": "application/json",
        "Content-Type": "application/json",
    }


def _sign_in(base: str, access: Access) -> tuple[str, str]:
    """Token of a new session, and id of the user."""
    asked = json.dumps({"Username": access.user, "Pw": access.password}).encode()
    answer = _object(access.get(f"{base}/Users/AuthenticateByName", _headers(""), asked), base)
    token, user = answer.get("AccessToken"), answer.get("User")
    if not isinstance(token, str) or not isinstance(user, dict) or not isinstance(user.get("Id"), str):
        raise ImportProblem(f"{base}: signs us in without a token; is this a Jellyfin or Emby server?")
    return token, user["Id"]


def _items(
    base: str, access: Access, headers: Mapping[str, str], user: str, expect: Callable[[int], None]
) -> Iterator[Work]:
    where = f"{base}/Users/{quote(user, safe='')}/Items" if user else f"{base}/Items"
    start, total = 0, -1
    while total < 0 or start < total:
        page = _object(access.get(f"{where}?{urlencode(_WANTED | {'StartIndex': start})}", headers), base)
        items = page.get("Items")
        if not isinstance(items, list):
            raise ImportProblem(f"{base}: answers without a list of items; is this a Jellyfin or Emby server?")
        if total < 0:
            total = _whole(page.get("TotalRecordCount")) or len(items)
            expect(total)
        if not items:
            return
        yield from (_work(item) for item in items if isinstance(item, dict))
        start += len(items)


def _work(item: Mapping[str, Any]) -> Work:
    kind = _text(item.get("Type")).lower()
    providers, tags = item.get("ProviderIds"), item.get("ImageTags")
    backdrops, sources = item.get("BackdropImageTags"), item.get("MediaSources")
    files = [_file(source, item) for source in sources if isinstance(source, dict)] if isinstance(sources, list) else []
    if not files and kind not in ("series", "musicalbum") and item.get("Path"):
        files = [_file(item, item)]
    return Work(
        kind=_KINDS.get(kind, kind),
        title=_text(item.get("Name")),
        original=_text(item.get("OriginalTitle")),
        series=_text(item.get("SeriesName") or item.get("AlbumArtist")),
        season=_whole(item.get("ParentIndexNumber")),
        episode=_whole(item.get("IndexNumber")),
        year=_whole(item.get("ProductionYear")),
        ids=tuple(f"{name}://{value}" for name, value in providers.items() if value)
        if isinstance(providers, dict)
        else (),
        pictures=tuple(
            _text(tag)
            for tag in (
                *(tags.values() if isinstance(tags, dict) else ()),
                *(backdrops if isinstance(backdrops, list) else ()),
            )
        ),
        files=tuple(files),
    )


def _file(source: Mapping[str, Any], item: Mapping[str, Any]) -> MediaFile:
    ticks = _whole(source.get("RunTimeTicks") or item.get("RunTimeTicks"))
    bits = _whole(source.get("Bitrate"))
    listed = source.get("MediaStreams")
    streams = [stream for stream in listed if isinstance(stream, dict)] if isinstance(listed, list) else []
    video = next((stream for stream in streams if stream.get("Type") == "Video"), {})
    audio = next((stream for stream in streams if stream.get("Type") == "Audio"), {})
    return MediaFile(
        path=_text(source.get("Path")),
        duration=ticks / _TICKS if ticks else None,
        bitrate=round(bits / 1000) if bits else None,
        width=_whole(video.get("Width")),
        height=_whole(video.get("Height")),
        size=_whole(source.get("Size")),
        container=_text(source.get("Container")),
        video_codec=_text(video.get("Codec")),
        audio_codec=_text(audio.get("Codec")),
    )


def _object(content: bytes, source: str) -> Mapping[str, Any]:
    """JSON text -> its object.  Raises `ImportProblem`."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise RefusedError(f"{Access.base(source)}: answers with no JSON; is this a Jellyfin or Emby server?")
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int | None:
    """A number that SQLite can hold."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63 else None
