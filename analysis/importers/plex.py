"""A Plex server, through python-plexapi."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from xml.etree.ElementTree import Element

from analysis.importers.access import TIMEOUT, Access, ImportProblem, RefusedError, refused, unreachable
from analysis.known import MediaFile, Work

ABOUT = "a Plex server, by its address and your token"

_TYPES = {"movie": (1,), "show": (2, 4), "artist": (8, 9, 10), "photo": (13,)}
"""Type of a section -> numbers of the types of its items: film, series, episode, artist, album, track, picture."""

_NAMES = {2: "show", 4: "episode", 8: "artist", 9: "album", 10: "track", 13: "photo"}

_PAGE = 500
"""Items that are asked for at a time, so that memory stays flat."""


def recognises(source: str, access: Access) -> bool:
    """Whether an address is that of a Plex server, which tells without a token what it is."""
    if not source.startswith(("http://", "https://")):
        return False
    try:
        return b"machineIdentifier" in access.get(f"{Access.base(source)}/identity")
    except RefusedError:
        return False


def read(source: str, access: Access, expect: Callable[[int], None]) -> Iterator[Work]:
    """All films, series, episodes, artists, albums, tracks and pictures of a server."""
    from plexapi.exceptions import PlexApiException
    from plexapi.server import PlexServer
    from requests import RequestException

    base = Access.base(source)
    try:
        connect: Any = PlexServer  # plexapi has no types
        server = connect(base, access.token, session=_session(access), timeout=TIMEOUT)
        parts = [(section, number) for section in server.library.sections() for number in _TYPES.get(section.type, ())]
        for section, number in parts:
            expect(section.totalViewSize(libtype=_NAMES.get(number), includeCollections=False))
        for section, number in parts:
            yield from _items(server, section, number)
    except PlexApiException as error:
        # Its text holds the address with the token.
        digits = str(error)[1:4]
        raise ImportProblem(refused(base, int(digits) if digits.isdigit() else 500)) from None
    except (RequestException, SyntaxError, ValueError) as error:
        if isinstance(error, ImportProblem):
            raise
        raise ImportProblem(unreachable(base, error)) from None


def _session(access: Access) -> Any:
    """A session that follows no redirect, asks no proxy and takes no password from `.netrc`."""
    from requests import Session
    from requests.models import Response

    class Direct(Session):
        def request(self, *args: Any, **options: Any) -> Response:
            answer = super().request(*args, **(options | {"allow_redirects": False}))
            if answer.is_redirect:
                raise ImportProblem(refused(Access.base(answer.url), answer.status_code))
            return answer

    session = Direct()
    session.trust_env = False
    if access.authority:
        session.verify = str(access.authority)
    return session


def _items(server: Any, section: Any, number: int) -> Iterator[Work]:
    """A page at a time, as the XML that plexapi parsed: its objects of 50,000 films cost 95 s and 500 MB."""
    start, total = 0, 1
    path = f"/library/sections/{section.key}/all?type={number}&includeGuids=1"
    while start < total:
        headers = {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(_PAGE)}
        page = server.query(path, headers=headers)
        if page is None or not len(page):
            return
        yield from (_work(item) for item in page if item.get("title"))
        start += len(page)
        total = _whole(page.get("totalSize")) or 0


def _work(item: Element) -> Work:
    kind = item.get("type", "movie")
    pictures = (item.get("thumb"), item.get("art"), *(image.get("url") for image in item.iterfind("Image")))
    return Work(
        kind=kind,
        title=item.get("title", ""),
        original=item.get("originalTitle", ""),
        series=item.get("grandparentTitle") or (kind == "album" and item.get("parentTitle")) or "",
        season=_whole(item.get("parentIndex")),
        episode=_whole(item.get("index")),
        year=_whole(item.get("year")),
        ids=tuple(filter(None, (item.get("guid"), *(guid.get("id") for guid in item.iterfind("Guid"))))),
        pictures=tuple(filter(None, pictures)),
        files=tuple(_file(media, part) for media in item.iterfind("Media") for part in media.iterfind("Part")),
    )


def _file(media: Element, part: Element) -> MediaFile:
    milliseconds = _whole(part.get("duration")) or _whole(media.get("duration"))
    return MediaFile(
        path=part.get("file", ""),
        duration=milliseconds / 1000 if milliseconds else None,
        bitrate=_whole(media.get("bitrate")),
        width=_whole(media.get("width")),
        height=_whole(media.get("height")),
        size=_whole(part.get("size")),
        container=media.get("container", ""),
        video_codec=media.get("videoCodec", ""),
        audio_codec=media.get("audioCodec", ""),
    )


def _whole(text: str | None) -> int | None:
    """A number that SQLite can hold."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
