"""Headers that hold several values."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote

from analysis.decode.walk import Walk, step

_PARAMETER = re.compile(r'(?:\A|[\s,])([A-Za-z][A-Za-z0-9_-]*)=(?:"([^"]*)"|([^\s",]+))')
_CREDENTIALS = frozenset({"authorization", "x-emby-authorization", "proxy-authorization", "x-sentry-auth"})


def header(walk: Walk, at: str, name: str, value: str) -> None:
    """Adds one header: whole, and if it holds credentials, what they consist of.

    `Basic` gives `[base64].username` and `.password` (RFC 7617), `Bearer` gives `[bearer]` (RFC 6750), Emby's and
    Jellyfin's scheme gives `[mediabrowser].<parameter>`, any other with parameters (Digest, OAuth, Sentry's) likewise.
    """
    if name not in _CREDENTIALS:
        walk.text(at, value)
        return
    walk.text(at, value, peel=False)
    scheme, _, rest = value.partition(" ")
    kind = scheme.lower()
    if kind == "basic":
        _basic(walk, at, rest.strip())
    elif kind in ("bearer", "token"):
        walk.text(f"{at}[bearer]", rest.strip())
    elif kind.isidentifier() or "-" in kind:
        name = "mediabrowser" if kind == "emby" else kind[:40]
        for parameter, quoted, bare in _PARAMETER.findall(rest):
            walk.text(step(f"{at}[{name}]", parameter), quoted or unquote(bare))


def _basic(walk: Walk, at: str, encoded: str) -> None:
    try:
        plain = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    except ValueError:
        return
    username, colon, password = plain.partition(":")
    walk.text(f"{at}[base64].username", username, ("base64",))
    if colon:
        walk.text(f"{at}[base64].password", password, ("base64",))
