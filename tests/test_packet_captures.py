"""Recorded packets of real programs in front of a made-up cloud, and the flows of the same traffic."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from captures.formats import read
from captures.join import join
from captures.model import Contact, Exchange, Lookup, Observation, Unreadable

DATA = Path(__file__).parent / "data"


def observed(name: str, number: int = 0) -> list[Observation]:
    return list(read(DATA / "packets" / name, number).observations())


def hosts(observations: list[Observation]) -> set[str]:
    return {x.host for x in observations if isinstance(x, Exchange | Contact)}


def test_packets_show_the_hosts_of_the_flows_and_what_went_round_the_proxy() -> None:
    flows, packets = observed("quic-bypass.flow.gz"), observed("quic-bypass.pcap.gz")
    assert hosts(packets) - hosts(flows) == {"h3.alice.example.org"}
    assert hosts(flows) <= hosts(packets)
    (around,) = (x for x in packets if isinstance(x, Contact) and x.host == "h3.alice.example.org")
    assert (around.protocol, around.name_source, around.alpn) == ("quic", "quic", ("h3",))


def test_flows_and_packets_together_count_each_connection_once() -> None:
    captures = [read(DATA / "packets" / f"quic-bypass.{kind}.gz", n) for n, kind in enumerate(("flow", "pcap"))]
    joined = join(captures)
    assert [x.host for x in joined if isinstance(x, Contact)] == ["h3.alice.example.org"]
    exchanges = [x for x in joined if isinstance(x, Exchange)]
    assert len(exchanges) == len(observed("quic-bypass.flow.gz"))
    assert all([source.capture for source in x.sources] == [1] for x in exchanges)


REJECTED = {"curl.alice.example.org", "plex.tv", "httpx.alice.example.org"}
"""Those that say so in clear; the alerts of the others are encrypted, or there are none."""


def test_who_does_not_trust_the_proxy_is_named_and_rejected_only_where_it_says_so() -> None:
    contacts = [x for x in observed("untrusted-ca.pcap.gz") if isinstance(x, Contact) and x.protocol == "tls"]
    assert {x.host for x in contacts} == REJECTED | {
        *(f"{name}.alice.example.org" for name in ("wget", "gnutls", "node", "java", "chromium")),
        *("media.alice.example.org", "ffmpeg.media.alice.example.org"),
        *("accounts.google.com", "update.googleapis.com", "redirector.gvt1.com"),
    }
    assert {x.host for x in contacts if x.reason == "client rejected the certificate"} == REJECTED
    assert {x.name_source for x in contacts} == {"sni"}


def test_discovery_in_the_local_network_is_shown_as_what_it_is() -> None:
    seen = observed("lan-upnp-gdm.pcap.gz")
    lookups = [x for x in seen if isinstance(x, Lookup)]
    assert not [x for x in seen if isinstance(x, Contact | Unreadable)]
    assert Counter((x.protocol, x.kind) for x in lookups) == {
        ("ssdp", "NOTIFY ssdp:alive"): 48,
        ("ssdp", "answer"): 38,
        ("ssdp", "NOTIFY ssdp:byebye"): 12,
        ("ssdp", "M-SEARCH"): 4,
        ("gdm", "M-SEARCH"): 3,
        ("gdm", "HELLO"): 1,
    }
    (hello,) = (x for x in lookups if x.kind == "HELLO")
    assert hello.answers[:2] == (
        "name: alice-livingroom-tv",
        "resource-identifier: a11ce000-feed-4000-8000-plexmpvshim1",
    )
    assert {x.left_house for x in lookups} == {False}
    assert {x.path for x in seen if isinstance(x, Exchange)} >= {"/rootDesc.xml", "/ctl/ContentDir", "/description.xml"}


@pytest.mark.parametrize("name", ["quic-bypass.pcap.gz", "untrusted-ca.pcap.gz", "lan-upnp-gdm.pcap.gz"])
def test_recorded_packets_have_nothing_that_cannot_be_read(name: str) -> None:
    assert [x for x in observed(name) if isinstance(x, Unreadable)] == []
