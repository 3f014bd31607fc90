"""Who may ask for a page: who came by the link that only the user was shown.

The server listens on loopback, where every program of every user of this machine, and every page in a browser, can
reach it.  So nothing is answered without a cookie, which a one-time link with 128 random bits gives; names other than
those of loopback are refused, since a page elsewhere may let its own name point here (DNS rebinding); and what changes
something must come from a page of ours.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Mapping

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""Headers of every answer: pages load nothing from elsewhere, run our script alone, stand in no frame, and are not
kept on the disk."""

MOST_WRONG = 10
"""Wrong tokens until nobody is let in for a while."""

LOCKED = 60.0
"""Seconds of that while."""

_SAFE = frozenset({"GET", "HEAD"})


class Gate:
    """Knows the token of the next link and the cookies of those who came."""

    def __init__(self, port: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`port` is where the server listens."""
        self._clock = clock
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        self._token = secrets.token_urlsafe(16)
        self._cookies: set[str] = set()
        self._wrong = {"token": 0, "cookie": 0}
        self._since = {"token": 0.0, "cookie": 0.0}
        self.cookie = f"phonehome-{port}"
        """Name of the cookie: other ports of this machine see it too."""
        self.origin = f"http://127.0.0.1:{port}"
        """Where the pages are."""

    @property
    def link(self) -> str:
        """The link for the next browser; it works once."""
        return f"{self.origin}/enter?token={self._token}"

    def refusal(self, method: str, headers: Mapping[str, str]) -> str:
        """Why a request is refused whoever sends it; empty when it is not.

        `headers` have names as tornado's: any case.
        """
        if headers.get("Host", "").lower() not in self._hosts:
            return "this name does not belong here; use the address that phonehome shows"
        if method in _SAFE:
            return ""
        origin, site = headers.get("Origin"), headers.get("Sec-Fetch-Site")
        # Browsers send both with a form of ours; who sends neither is no browser.
        if origin is None and site is None:
            return "a change must come from a page of the dashboard"
        if origin is not None and origin != f"http://{headers['Host'].lower()}":
            return "this comes from a page elsewhere"
        return "" if site in (None, "same-origin") else "this comes from a page elsewhere"

    def locked(self, what: str = "token") -> bool:
        """Whether too many wrong ones were tried, so that none is looked at now."""
        if self._wrong[what] < MOST_WRONG:
            return False
        if self._clock() - self._since[what] < LOCKED:
            return True
        self._wrong[what] = 0
        return False

    def enter(self, token: str) -> str | None:
        """A token -> the value of a new cookie, or `None` when it is wrong or was used; then a new link is made."""
        if self.locked() or not _same(token, self._token):
            self._miss("token")
            return None
        self._token = secrets.token_urlsafe(16)
        made = secrets.token_urlsafe(32)
        self._cookies.add(made)
        return made

    def knows(self, cookie: str | None) -> bool:
        """Whether a cookie is one of ours."""
        if not cookie:
            return False
        if any(_same(cookie, known) for known in self._cookies):
            return True
        self._miss("cookie")
        return False

    def _miss(self, what: str) -> None:
        if not self.locked(what):
            self._wrong[what] += 1
            self._since[what] = self._clock()


def _same(given: str, known: str) -> bool:
    """Compared without telling by the time how much of it is right."""
    return hmac.compare_digest(given.encode("utf-8", "backslashreplace"), known.encode())
