"""Fields that can be read in two ways, before and after a body.  What is refused on the wire: test_smuggling*.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mitmproxy import http
from mitmproxy.test.tflow import tclient_conn, tflow

from addons.observe import Observe
from addons.wellformed import Wellformed

HOOKS: dict[str, tuple[Callable[[Wellformed], Callable[[http.HTTPFlow], None]], str, str]] = {
    "before the body of a request": (lambda addon: addon.requestheaders, "request", "headers"),
    "after the body of a request": (lambda addon: addon.request, "request", "trailers"),
    "before the body of an answer": (lambda addon: addon.responseheaders, "response", "headers"),
    "after the body of an answer": (lambda addon: addon.response, "response", "trailers"),
}
"""Where fields stand -> the hook that sees them, and where they are kept."""


@pytest.mark.parametrize(
    ("sent", "handed_on"),
    [(b"b\r\n\r\nGET /smuggled", b"b GET /smuggled"), (b"b\0c", b"b c"), (b"b c", b"b c")],
)
@pytest.mark.parametrize("place", HOOKS)
def test_what_ends_a_line_becomes_a_space_and_is_counted(
    monkeypatch: pytest.MonkeyPatch, place: str, sent: bytes, handed_on: bytes
) -> None:
    hook, message, fields = HOOKS[place]
    counted: list[str] = []
    observe = Observe()
    monkeypatch.setattr(observe, "effect", lambda kind, *_: counted.append(kind))
    flow = tflow(client_conn=tclient_conn(), resp=True)
    setattr(getattr(flow, message), fields, http.Headers(((b"x-a", sent),)))
    hook(Wellformed(observe))(flow)
    assert getattr(getattr(flow, message), fields).fields == ((b"x-a", handed_on),)
    assert counted == (["mended"] if sent != handed_on else [])
