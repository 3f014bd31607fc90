"""A DNS server for the lab, on 127.0.0.1 and UDP: names that mean this machine, or soon will."""

from __future__ import annotations

import ipaddress
import socket

OUTSIDE = "203.0.113.10"

NAMES: dict[str, list[list[str]]] = {
    "localhost": [["127.0.0.1"]],
    "inside.example": [["127.0.0.1"]],
    "mapped.example": [["::ffff:127.0.0.1"]],
    "router.example": [["192.168.50.1"]],
    "both.example": [["127.0.0.1", OUTSIDE]],
    "outside.example": [[OUTSIDE]],
    # The first answer is harmless, and holds for no time at all.
    "changes.example": [[OUTSIDE], ["127.0.0.1"]],
}
"""Name -> answers, given in turn."""

ALIASES = {"alias.example": "alias-of-alias.example", "alias-of-alias.example": "inside.example"}
"""Name -> another name of it (CNAME)."""


def answer(question: bytes, turns: dict[str, int]) -> bytes:
    """A question -> its answer."""
    labels, place = [], 12
    while length := question[place]:
        labels.append(question[place + 1 : place + 1 + length].decode())
        place += length + 1
    kind, end = int.from_bytes(question[place + 1 : place + 3]), place + 5
    name = ".".join(labels).lower()
    records, owner = [], b"\xc0\x0c"
    while target := ALIASES.get(name):
        records.append(_record(owner, 5, _labels(target)))
        name, owner = target, _labels(target)
    answers = NAMES.get(name, [[]])
    version = {1: 4, 28: 6}.get(kind)
    wanted = [ipaddress.ip_address(text) for text in answers[turns.get(name, 0) % len(answers)]]
    found = [address.packed for address in wanted if address.version == version]
    if found:
        turns[name] = turns.get(name, 0) + 1
    records += [_record(owner, kind, packed) for packed in found]
    head = question[:2] + b"\x81\x80\x00\x01" + len(records).to_bytes(2) + b"\x00\x00\x00\x00"
    return head + question[12:end] + b"".join(records)


def _labels(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\x00"


def _record(owner: bytes, kind: int, data: bytes) -> bytes:
    return owner + kind.to_bytes(2) + b"\x00\x01\x00\x00\x00\x00" + len(data).to_bytes(2) + data


def main() -> None:
    """Serves for ever."""
    turns: dict[str, int] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        print("serving", flush=True)
        while True:
            question, peer = server.recvfrom(2048)
            server.sendto(answer(question, turns), peer)


if __name__ == "__main__":
    main()
