"""Texts that try to be more than text, and observations that hold each of them in every field of a capture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from captures.model import Body, Capture, Endpoint, Lookup, Observation, Source, Unreadable
from reporting import START, contact, exchange

TEXTS = (
    "<script>canary()</script>",
    "</script><script>canary()</script>",
    "</style></title></textarea></option></select><script>canary()</script>",
    "<img src=x onerror=canary()>",
    '"><svg onload=canary()>',
    "' onmouseover=canary() onfocus=canary() autofocus x='",
    "javascript:canary()",
    "<a href=javascript:canary()>x</a>",
    "<iframe srcdoc='<script>parent.canary()</script>'></iframe>",
    "{{ canary() }}{% raw %}${canary()}<%= canary() %>",
    "{{ ''.__class__.__mro__ }}",
    "<!-- --!><script>canary()</script>",
    "\x1b[31m\x1b]8;;http://evil.example\x07\u202e<b>\u200b\x00\ud800",
    "<details open ontoggle=canary()>",
    "&lt;script&gt;canary()&lt;/script&gt;",
    "<meta http-equiv=refresh content='0;url=javascript:canary()'>",
    "<base href=http://evil.example/><link rel=stylesheet href=//evil.example/x.css>",
    "=HYPERLINK(\"http://evil.example\")+cmd|' /C calc'!A0",
    "![x](http://evil.example/x.png)<http://evil.example>@everyone #1 ```",
    "[img]http://evil.example/x.png[/img][url=javascript:canary()]x[/url]",
    "a\r\nSet-Cookie: x=1\r\n\r\n<script>canary()</script>",
    "\x9b31m\u3164\u00ad\u034f\U000e0041\u2028;=1+1\t=1+1|=1+1",
    'a.example\n0.0.0.0 bank.example\n||bank.example^\n    local-zone: "bank.example" static',
    "[x](javascript:canary())\n\n[y]: http://evil.example\n\n# x\n~~~\n::: spoiler\n||x||",
    "x" * 1_000_000 + "<script>canary()</script>",
)
"""Script, event handlers, addresses that run, pictures, templates, escapes of terminals, characters that turn or hide
text, formulas, Markdown, BBCode, line breaks in headers and in lists of rules, letters that nobody sees, and a name of
a megabyte."""


SHORTER = (*TEXTS[:-1], TEXTS[-1][-20_000:])
"""The same with a name of 20,000 letters."""


def observations(texts: Sequence[str] = TEXTS) -> list[Observation]:
    """Each text in each field: of exchanges, connections, questions and damaged places."""
    return [observation for n, text in enumerate(texts) for observation in _with(text, 8 * n)]


def _with(text: str, n: int) -> Iterator[Observation]:
    pairs = ((text, text), ("title", text), ("token", text), (text, "x"))
    body = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs).encode()
    seen = replace(
        exchange("plex.tv", "/" + text, index=n),
        device=text, method=text[:40], query=pairs, cookies=pairs, server_name=text, process=text,
        headers=(*pairs, ("user-agent", text), ("x-plex-product", text), ("x-plex-device-name", text)),
        body=Body(body, len(body)), response_headers=pairs, response_body=Body(body, len(body)), http_version=text,
    )  # fmt: skip
    yield seen
    yield replace(seen, source=Source(0, n + 1), host=text, path="/", headers=(("content-type", text),))
    # Later, and from elsewhere: else it would be the connection of the call before it.
    closed = replace(contact(text, index=n + 2, reason=text), client=Endpoint("192.168.7.24", 50_000 + n))
    yield replace(closed, time=START + 90_000 + n, end=START + 90_001 + n, device=text, alpn=(text,), process=text)
    end = Endpoint(text, 53)
    for more, protocol in enumerate(("dns", "mdns", "gdm", "ssdp")):
        yield Lookup(
            Source(0, n + 3 + more), START + n, text, end, end, protocol, text, text, (text,), text, True
        )  # fmt: skip
    yield Unreadable(Source(0, n + 7), START + n, text, text, text, text)


def _quoted(text: str) -> str:
    """As a form writes it, but that everything stays readable."""
    return text.replace("%", "%25").replace("&", "%26").replace("=", "%3D").encode("utf-8", "replace").decode()


def capture(texts: Sequence[str] = TEXTS, name: str = TEXTS[0]) -> Capture:
    """A capture of these, under a hostile name."""
    found: Callable[[], Iterator[Observation]] = lambda: iter(observations(texts))  # noqa: E731
    return Capture(name, "flow", found, lambda: "ab" * 32, remarks=tuple(text[:100] for text in texts))
