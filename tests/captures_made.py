"""Made-up captures by the thousand, for the corpus: small HAR, flow and pcap files that all differ, and bad ones."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import packets
from sessions import START, entry, har, plex_headers, plex_web, statistics

CANARY = "alice-canary"
"""Stands in every capture, within values that must not leave the house."""

STRANGER = f"t.{CANARY}.example"
"""A host that no pack knows."""


def write(folder: Path, n: int, *, events: int = 4) -> Path:
    """The capture of this number, of each kind in turn; one in five also calls a stranger."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = ("har", "flow", "pcap")[n % 3]
    path = folder / f"{CANARY}-{n:05}.{kind}"
    path.write_bytes({"har": har, "flow": _flows, "pcap": _packets}[kind](_entries(n, events)))
    return path


def _entries(n: int, events: int) -> list[dict[str, Any]]:
    film = {"duration": 660, "bitrate": 4608 + n, "title": f"{CANARY} {n}"}
    entries = [
        entry(0, "GET", f"https://www.plex.tv/{n}"),
        *plex_web(),
        *(statistics(100 + k, "playback:itemstart", client=f"{CANARY}-{n}", **film, latency=k) for k in range(events)),
    ]
    if n % 5 == 0:
        stranger = statistics(200, "seen", client=f"{CANARY}-{n}")
        stranger["request"]["url"] = f"https://{STRANGER}/collect"
        entries.append(stranger)
    headers = {**plex_headers(), "X-Plex-Version": f"4.11{n % 2}.1"}
    for made in entries:
        made["request"]["headers"] += [{"name": name, "value": value} for name, value in headers.items()]
    return entries


def _flows(entries: Sequence[Mapping[str, Any]]) -> bytes:
    from mitmproxy import http, io
    from mitmproxy.test import tflow

    out = BytesIO()
    writer = io.FlowWriter(out)
    for one in entries:
        request = one["request"]
        headers = {h["name"]: h["value"] for h in request["headers"]}
        body = request.get("postData", {}).get("text", "")
        made = http.Request.make(request["method"], request["url"], body, headers)
        made.timestamp_start, made.timestamp_end = START, START + 0.01
        flow = tflow.tflow(req=made, resp=http.Response.make(200, b"{}"))
        flow.server_conn.address, flow.server_conn.sni = (made.host, made.port), made.host
        flow.client_conn.sni = made.host
        writer.add(flow)
    return out.getvalue()


def _packets(entries: Sequence[Mapping[str, Any]]) -> bytes:
    """The names that would be asked for, and the first bytes of a connection to each."""
    frames = []
    for k, one in enumerate(entries):
        url = urlsplit(one["request"]["url"])
        host = (url.hostname or "").replace("www.", f"n{url.path[1:]}.")
        frames.append(packets.udp(("192.168.7.23", 40000 + k), ("192.168.7.1", 53), packets.dns(k + 1, host)))
        hello = packets.record(packets.hello(host))
        frames += packets.connection(("192.168.7.23", 50000 + k), ("198.51.100.7", 443), [hello])
    return packets.pcap([packets.ethernet(frame) for frame in frames])


DAMAGED: dict[str, Callable[[Path], object]] = {
    "empty.har": lambda path: path.write_bytes(b""),
    "text.har": lambda path: path.write_text("this is no capture"),
    "cut.har.gz": lambda path: path.write_bytes(gzip.compress(b"x")[:8]),
}
"""Files that give nothing, each in its own way."""


def hanging(folder: Path) -> Path:
    """A capture at which a naive reader waits for ever."""
    path = folder / "hanging.har"
    # A terminal at which nobody types; it lasts as long as the test's process.
    _, terminal = os.openpty()
    path.symlink_to(os.ttyname(terminal))
    return path


def bomb(folder: Path, megabytes: int) -> Path:
    """A small file that becomes a large one."""
    path = folder / "bomb.har.gz"
    begin = json.dumps({"log": {"version": "1.2", "entries": []}})[:-2]
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(begin.encode())
        for _ in range(megabytes):
            file.write(b" " * (1 << 20))
    return path
