"""Replaces secrets in observations by keyed pseudonyms, before they are stored."""

from __future__ import annotations

import base64
import functools
import hmac
import re
import secrets
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from captures import home
from captures.model import Body, Exchange, Observation, Pairs

_PLACES = Path(__file__).with_name("secrets.toml")

MARK = "ps:"
"""A pseudonym begins with this."""

_SHORTEST = 8
"""A shorter secret is replaced only at its own place: elsewhere the same letters may mean something else."""


def key() -> bytes:
    """The installation's key (32 bytes in `$PHONEHOME_HOME/pseudonym.key`, mode 0600), made at the first call."""
    path = home.root() / "pseudonym.key"
    if len(kept := home.private_file(path).read_bytes()) == 32:
        return kept
    made = secrets.token_bytes(32)
    home.write(path, made)
    return made


def pseudonym_of(value: str, secret: bytes) -> str:
    """Value -> its pseudonym under a key: `ps:` and 22 letters; the same value always has the same (HMAC-SHA-256)."""
    digest = hmac.digest(secret, value.encode("utf-8", "surrogatepass"), "sha256")
    return MARK + base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def conceal(observation: Observation, secret: bytes) -> Observation:
    """Observation -> the same with pseudonyms at the places of `secrets.toml`, in the request and in the answer.

    A secret of eight letters or more that stands again elsewhere in the same exchange is replaced there too.  Other
    secrets stay: what no name announces is not recognised.  Only exchanges hold any.  Never raises.
    """
    if not isinstance(observation, Exchange):
        return observation
    found: dict[str, str] = {}

    def hide(value: str) -> str:
        if not value or value.startswith(MARK):
            return value
        return found.setdefault(value, pseudonym_of(value, secret))

    names = _names()
    changed: dict[str, Any] = {}
    for field in ("headers", "response_headers"):
        pairs = getattr(observation, field)
        if any(name in names.secret_headers for name, _ in pairs):
            changed[field] = tuple((name, _header(name, value, names, hide)) for name, value in pairs)
    if any(name.lower() in names.query for name, _ in observation.query):
        changed["query"] = _pairs(observation.query, names.query, hide)
    if observation.cookies:
        changed["cookies"] = tuple((name, hide(value)) for name, value in observation.cookies)
    for field in ("body", "response_body"):
        body = getattr(observation, field)
        if body.content and (concealed := _body(body, names, hide)) is not body:
            changed[field] = concealed
    if not changed:
        return observation
    return _everywhere(replace(observation, **changed), [pair for pair in found.items() if len(pair[0]) >= _SHORTEST])


@dataclass(frozen=True, slots=True)
class _Names:
    headers: frozenset[str]
    fields: tuple[bytes, ...]
    secret_headers: frozenset[str]
    query: frozenset[str]
    json: re.Pattern[bytes]
    form: re.Pattern[bytes]
    attribute: re.Pattern[bytes]
    element: re.Pattern[bytes]
    part: re.Pattern[bytes]


@functools.cache
def _names() -> _Names:
    table = tomllib.loads(_PLACES.read_text("utf-8"))
    names = b"|".join(re.escape(name.encode()) for name in sorted(table["fields"], key=len, reverse=True))
    flags = re.IGNORECASE
    return _Names(
        headers=frozenset(table["headers"]),
        # Who looks for `token` finds `accesstoken` as well.
        fields=tuple(n.encode() for n in table["fields"] if not any(m != n and m in n for m in table["fields"])),
        secret_headers=frozenset(table["headers"]) | {"cookie", "set-cookie"},
        query=frozenset(table["query"]),
        json=re.compile(rb'("(?:' + names + rb')"\s*:\s*")((?:[^"\\]|\\.)*)', flags),
        form=re.compile(rb"((?:\A|&)(?:" + names + rb")=)([^&\s]*)", flags),
        attribute=re.compile(rb"(\s(?:" + names + rb")=[\"'])([^\"'<>]*)", flags),
        element=re.compile(rb"(<(?:" + names + rb")>)([^<]*)", flags),
        part=re.compile(rb'(name="(?:' + names + rb')"\r?\n(?:[^\r\n]+\r?\n)*\r?\n)([^\r\n]*)', flags),
    )


type _Hide = Callable[[str], str]


def _pairs(pairs: Pairs, names: frozenset[str], hide: _Hide) -> Pairs:
    return tuple((name, hide(value) if name.lower() in names else value) for name, value in pairs)


_QUOTED_TOKEN = re.compile(r'(\bToken=")([^"]*)', re.IGNORECASE)


def _header(name: str, value: str, names: _Names, hide: _Hide) -> str:
    if name in ("cookie", "set-cookie"):
        first, *rest = value.split(";") if name == "set-cookie" else ["", *value.split(";")]
        parts = [_cookie(first, hide), *rest] if name == "set-cookie" else [_cookie(part, hide) for part in rest]
        return ";".join(parts)
    if name not in names.headers:
        return value
    scheme, space, rest_of = value.partition(" ")
    if not space:
        return hide(value)
    if _QUOTED_TOKEN.search(rest_of):
        return f"{scheme} " + _QUOTED_TOKEN.sub(lambda match: match[1] + hide(match[2]), rest_of)
    return value if scheme.lower() in ("mediabrowser", "emby") else f"{scheme} {hide(rest_of)}"


def _cookie(text: str, hide: _Hide) -> str:
    name, equals, value = text.partition("=")
    return f"{name}={hide(value)}" if equals else text


def _body(body: Body, names: _Names, hide: _Hide) -> Body:
    content = body.content or b""
    # Most bodies hold no such name, and looking for plain texts is much faster than the patterns below.
    lower = content.lower()
    if not any(name in lower for name in names.fields):
        return body

    def hidden(match: re.Match[bytes]) -> bytes:
        group: bytes = match[1]
        return group + hide(match[2].decode("utf-8", "replace")).encode()

    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"["):
        changed = names.json.sub(hidden, content)
    elif start == b"<":
        changed = names.element.sub(hidden, names.attribute.sub(hidden, content))
    elif content[:2] == b"--":
        changed = names.part.sub(hidden, content)
    else:
        changed = names.form.sub(hidden, content)
    return body if changed == content else replace(body, content=changed)


def _everywhere(exchange: Exchange, found: Iterable[tuple[str, str]]) -> Exchange:
    """The same secrets, wherever else they stand in the exchange, also percent-encoded."""
    pairs = [
        (form, name)
        for value, name in found
        for form in dict.fromkeys((value, quote(value, safe="", errors="surrogatepass")))
    ]
    if not pairs:
        return exchange

    def text(value: str) -> str:
        for old, new in pairs:
            if old in value:
                value = value.replace(old, new)
        return value

    def many(values: Pairs) -> Pairs:
        if any(old in value for old, _ in pairs for _, value in values):
            return tuple((name, text(value)) for name, value in values)
        return values

    def content(body: Body) -> Body:
        raw = body.content
        if not raw:
            return body
        for old, new in pairs:
            raw = raw.replace(old.encode("utf-8", "surrogatepass"), new.encode())
        return body if raw == body.content else replace(body, content=raw)

    return replace(
        exchange,
        path=text(exchange.path),
        query=many(exchange.query),
        headers=many(exchange.headers),
        body=content(exchange.body),
        response_headers=many(exchange.response_headers),
        response_body=content(exchange.response_body),
    )
