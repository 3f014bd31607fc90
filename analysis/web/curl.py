"""One request as a command for curl, in which secrets are masked.  It is shown, and never run."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from urllib.parse import quote, urlencode

from analysis.model import Finding
from captures.model import Exchange
from captures.pseudonym import MARK, conceal

MASK = "MASKED"
"""Stands for a secret."""

_SECRET = ("auth.", "account.pin", "account.email", "account.phone", "licence.")
"""Data items that are keys to something, or tell at once whose the call is."""

_LEFT_OUT = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
"""Headers that curl writes itself."""

_LONGEST = 4000


def curl(exchange: Exchange, findings: Iterable[Finding]) -> str:
    """Request and findings -> one command line.  Control characters are written as escapes, so that pasting it can
    run nothing."""
    found = [f.value for f in findings if f.item.startswith(_SECRET) and len(f.value) >= 4]
    hidden = conceal(exchange, secrets.token_bytes(32))
    assert isinstance(hidden, Exchange)  # noqa: S101 - an exchange stays one
    host = f"[{hidden.host}]" if ":" in hidden.host else hidden.host
    port = "" if hidden.port in (80, 443) else f":{hidden.port}"
    query = urlencode(hidden.query, errors="backslashreplace")
    address = f"{hidden.scheme}://{host}{port}{hidden.path}" + (f"?{query}" if query else "")
    parts = ["curl", *(["--request", hidden.method] if hidden.method != "GET" else []), address]
    for name, value in hidden.headers:
        if name not in _LEFT_OUT and not name.startswith(":"):
            parts += ["--header", f"{name}: {value}"]
    content = hidden.body.content
    if content:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = ""
        if text and len(text) <= _LONGEST:
            parts += ["--data-raw", text]
        else:
            parts += ["--data-binary", "@BODY"]
    return " ".join(_quoted(_masked(part, found)) for part in parts)


def _masked(text: str, found: Iterable[str]) -> str:
    for value in sorted(found, key=len, reverse=True):
        quoted = (quote(value, safe=safe, errors="surrogatepass") for safe in ("", "/"))
        for form in dict.fromkeys((value, *quoted)):
            text = text.replace(form, MASK)
    return re.sub(re.escape(MARK) + r"[\w-]{22}|" + re.escape(quote(MARK)) + r"[\w-]{22}", MASK, text)


def _quoted(text: str) -> str:
    """A word of a POSIX shell; with characters that move the cursor as an escape of `$'…'`, else in plain quotes."""
    if re.fullmatch(r"[\w@%+=:,./-]+", text, re.ASCII):
        return text
    if text.isprintable():
        return "'" + text.replace("'", "'\\''") + "'"
    return "$'" + "".join(_escaped(character) for character in text) + "'"


def _escaped(character: str) -> str:
    if character in "\\'":
        return "\\" + character
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "backslashreplace"))
