"""How a server of the user is asked: by its address, with his secrets, and never anybody else."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from captures.model import Sentence

_MOST = 64 * 1024 * 1024
"""Bytes of one answer."""

TIMEOUT = 60.0
"""Seconds that one answer may take to begin."""


class ImportProblem(ValueError):
    """A library cannot be read.  One sentence: place, what is wrong, what to do; without secrets."""


class RefusedError(ImportProblem):
    """A server answers, but not what was asked."""


@dataclass(frozen=True, slots=True)
class Access:
    """The user's secrets for a server of his, for one reading.  Private; shown by no `repr`."""

    token: str = field(default="", repr=False)
    """Token or API key; empty when there is none."""
    user: str = field(default="", repr=False)
    """Name to sign in with instead; empty when there is none."""
    password: str = field(default="", repr=False)
    """The password for it."""
    authority: Path | None = None
    """An authority (PEM) of the user's own that signed the server's certificate; `None`: the system's."""

    @staticmethod
    def base(source: str) -> str:
        """An address -> scheme, host, port and path alone.  Raises `ImportProblem` for none.

        >>> Access.base("HTTP://[fd00::7]:8096/jellyfin/?api_key=x")
        'http://[fd00::7]:8096/jellyfin'
        """
        try:
            parts = urlsplit(source)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host:
            raise ImportProblem("the address of the server is none; write it as http://HOST:PORT") from None
        shown = f"[{host}]" if ":" in host else host
        return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path}".rstrip("/")

    def get(self, url: str, headers: Mapping[str, str] | None = None, data: bytes | None = None) -> bytes:
        """The answer of the server to GET (or POST, with data).  Raises `ImportProblem`.

        No redirect is followed and no proxy asked: a token goes to nobody but the server.
        """
        request = urllib.request.Request(url, data, dict(headers or {}))  # noqa: S310 - `base` lets http(s) pass
        place = self.base(url)
        try:
            with self._opener().open(request, timeout=TIMEOUT) as answer:
                content: bytes = answer.read(_MOST + 1)
        except urllib.error.HTTPError as error:
            error.close()
            raise RefusedError(refused(place, error.code)) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ImportProblem(unreachable(place, error)) from None
        if len(content) > _MOST:
            raise ImportProblem(f"{place}: an answer is larger than {_MOST >> 20} MiB; is this a media server?")
        return content

    def _opener(self) -> urllib.request.OpenerDirector:
        context = ssl.create_default_context(cafile=self.authority)
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), _NoRedirect
        )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Makes an error of a redirect."""

    def redirect_request(self, *_: object) -> None:
        return None


def refused(place: str, status: int) -> Sentence:
    """Address and HTTP status -> a sentence."""
    if status in (401, 403):
        return f"{place}: does not accept this token or password; phonehome known import -h says where to find it"
    if 300 <= status < 400:
        return f"{place}: sends us elsewhere, which is not followed; give the address that it really has"
    return f"{place}: answers with status {status}; check the address, and whether the server is running"


def unreachable(place: str, error: Exception) -> Sentence:
    """Address and error -> a sentence."""
    text = f"{error} {getattr(error, 'reason', '')}".lower()
    if "certificate" in text:
        return f"{place}: its certificate is signed by nobody who is trusted; name its authority with --ca FILE"
    if "timed out" in text:
        return f"{place}: does not answer; check address and port"
    if any(
        words in text for words in ("refused", "unreachable", "no route", "name or service", "not known", "resolve")
    ):
        return f"{place}: cannot be reached; check address and port, and whether the server is running"
    return f"{place}: breaks off or answers with something else than HTTP; check address and port"
