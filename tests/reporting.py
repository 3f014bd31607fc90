"""Builders of results, as the pipeline makes them, for tests of what is said about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from msgspec import structs

from analysis.evidence import Evidence, Servers, SwitchState
from analysis.knowledge import Knowledge
from analysis.known import OwnValues
from analysis.model import Attribution, Category, Classified, Comparison, Finding, Party, Verdict
from analysis.pack import Product
from analysis.pipeline import CaptureInfo, Result, coverage
from analysis.vocabulary import vocabulary
from captures.model import Body, Contact, Endpoint, Exchange, Observation, Source, Unreadable

START = 1_700_000_000.0
"""Tuesday 2023-11-14 22:13:20 UTC."""

DEVICE = Endpoint("192.168.7.23", 50123)


def exchange(host: str, path: str = "/", *, index: int = 0, body: bytes = b"") -> Exchange:
    return Exchange(
        source=Source(0, index),
        time=START + index,
        end=START + index + 0.5,
        device=DEVICE.address,
        client=DEVICE,
        server_name=host,
        server=Endpoint("198.51.100.7", 443),
        method="POST",
        scheme="https",
        host=host,
        port=443,
        path=path,
        query=(),
        headers=(("user-agent", "made-up/1"),),
        cookies=(),
        body=Body(body, len(body)),
        status=200,
        response_headers=(),
        response_body=Body(b"{}", 2),
        http_version="HTTP/1.1",
        bytes_out=800 + len(body),
        bytes_in=120,
    )


def contact(host: str, *, index: int = 0, reason: str = "client rejected the certificate") -> Contact:
    end = Endpoint("198.51.100.9", 443)
    when = START + index
    return Contact(
        Source(0, index), when, when + 1, DEVICE.address, DEVICE, end, host, "sni", "tls", 517, 1400, 4, 5, reason
    )


def damaged(*, index: int = 0) -> Unreadable:
    return Unreadable(Source(0, index), None, "flow 7 at byte 4711", "the record is cut off")


def call(
    seen: Observation,
    category: Category = Category.USAGE_STATISTICS,
    *,
    party: Party = Party.VENDOR,
    entity: str = "Plex",
    product: str = "plex",
    service: str = "plex",
) -> Classified:
    return Classified(
        seen.source.index, seen, product, service, Attribution.PRODUCT_HEADER, "app", category, party, entity, ""
    )


def finding(n: int, item: str, value: str, **more: object) -> Finding:
    made = Finding(n, "sent", item, f"body.{item.partition('.')[2]}", value, (), "rule")
    return structs.replace(made, **more)


def comparison(item: str, verdict: Verdict, calls: tuple[int, ...] = (0,), **more: object) -> Comparison:
    made = Comparison(
        product="plex",
        declared="2024-06-28",
        item=item,
        recipient="vendor",
        entity="Plex",
        category=Category.USAGE_STATISTICS,
        verdict=verdict,
        also=(),
        reason="Plex's list of 2024-06-28 does not name it.",
        statement="",
        count=len(calls),
        calls=calls,
    )
    return structs.replace(made, **more)


def own_pack(entity: str) -> Product:
    return Product("My scrobbler", "service", entity, ("scrobbler.alice.example",), "other", id="alice-scrobbler")


def known(*own: Product) -> Knowledge:
    """What ships, and some packs of the user's own."""
    shipped = vocabulary().shipped
    return replace(
        shipped,
        products={**shipped.products, **{pack.id: pack for pack in own}},
        hashes={**shipped.hashes, **{pack.id: "sha256:" + "0" * 64 for pack in own}},
    )


def result(
    calls: Sequence[Classified] = (),
    findings: Sequence[Finding] = (),
    comparisons: Sequence[Comparison] = (),
    *,
    evidence: Evidence = Evidence(),  # noqa: B008  a frozen value
    knowledge: Knowledge | None = None,
    remarks: tuple[str, ...] = (),
    hours: float = 2.0,
    own: OwnValues | None = None,
) -> Result:
    info = CaptureInfo("alice-evening.flow", "ab" * 32, "flow", START, START + hours * 3600, len(calls), ())
    return Result(
        captures=(info,),
        calls=tuple(calls),
        findings=tuple(findings),
        comparisons=tuple(comparisons),
        coverage=coverage(calls),
        evidence=evidence,
        knowledge=knowledge or known(),
        own=own,
        remarks=remarks,
    )


def evening() -> Result:
    """A made-up evening: statistics, an unknown host, a refused certificate, an own server, a damaged place."""
    calls = (
        call(exchange("analytics.plex.tv", "/collect/event", index=0)),
        call(exchange("plex.tv", "/api/v2/user", index=1), Category.ACCOUNT_AUTH),
        call(exchange("tracker.alice-isp.example", "/t", index=2), Category.UNKNOWN, party=Party.UNKNOWN, entity=""),
        call(contact("metrics.plex.tv", index=3)),
        call(exchange("192.168.7.40", "/library", index=4), Category.SERVER_API, party=Party.OWN, entity=""),
        structs.replace(
            call(damaged(index=5), Category.UNKNOWN, party=Party.UNKNOWN, entity=""), product="", service=""
        ),
        call(exchange("plex.tv", "/updater", index=6), Category.UPDATE_CHECK),
    )
    findings = (
        finding(0, "media.duration", "5460"),
        finding(0, "client.device_name", "Alice's living-room TV"),
        finding(0, "client.id", "a11ce000-feed-4000-8000-000000000001"),
        finding(1, "auth.token", "tok-a11ce-0123456789"),
        finding(1, "account.email", "alice@example.org", direction="received", at="response.body.email"),
        finding(2, "client.user_agent", "made-up/1 (alice)"),
        finding(6, "server.version", "1.40.2.8395-c67dce28e", at="header.x-plex-version"),
        finding(6, "client.app", "156.0", at="header.x-plex-platform-version"),
        finding(6, "server.os", "Linux"),
        finding(6, "client.id", "a11ce000-feed-4000-8000-000000000001"),
    )
    comparisons = (
        comparison("client.device_name", Verdict.UNDECLARED),
        comparison(
            "client.user_agent",
            Verdict.NO_LIST,
            (2,),
            product="",
            declared="",
            recipient="other",
            entity="tracker.alice-isp.example",
            category=Category.UNKNOWN,
            reason="The sender is not known.",
            sure=False,
        ),
        comparison("media.duration", Verdict.OPTIONAL, reason="The list names it, and a switch stops it."),
        comparison("auth.token", Verdict.DECLARED, (1,), category=Category.ACCOUNT_AUTH, reason="The list names it."),
        comparison("account.pin", Verdict.NOT_SEEN, (), count=0, reason="No occasion for it in this capture."),
    )
    evidence = Evidence(
        own=Servers(hosts=frozenset({"192.168.7.40"}), ids=frozenset({"a11ce0000000000000000000000000000000beef"})),
        public_addresses=frozenset({"203.0.113.77"}),
        switches=(SwitchState(START, "plex", "send-playback-data", False, 0),),
        asks=frozenset({"media.alice.example"}),
    )
    return result(calls, findings, comparisons, evidence=evidence, remarks=("A flow file holds no failed handshakes.",))
