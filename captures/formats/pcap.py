"""pcap and pcapng files: who called whom, by which name, and what was said in clear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from captures.model import CaptureError, Observation, Source, Unreadable
from captures.packets.containers import Damage, Secrets, batches, is_packets

if TYPE_CHECKING:
    from captures.packets.conversations import Table
    from captures.packets.fragments import Reassembly
    from captures.packets.payloads import Payloads

NAME = "pcap"

REMARKS = (
    "Packets show whom a device called, when and how much; what was encrypted could not be read.",
    "Bytes of connections are counted on the wire, with all headers and with what was sent twice.",
)

NO_TSHARK = "hold keys to decrypt others, which takes tshark; install it (Debian: apt install tshark)"
"""Problem of a file with keys where tshark is missing."""

_MOST_DAMAGES = 1000
"""Damaged places that are told one by one."""


def sniff(head: bytes) -> bool:
    """Beginning of a file -> whether it is a pcap or pcapng file."""
    return is_packets(head)


def read(path: Path, number: int, tls_keys: Path | None = None) -> Iterator[Observation]:
    """pcap or pcapng file -> its observations, by the first packet of their conversation; then what was unreadable.

    Memory holds one batch of packets, and the conversations.  A file that is cut off loses its end only; after a
    damaged place reading goes on at the next good record.  With a log of TLS keys, or keys in the file itself, the HTTP
    of these connections is decrypted.  Raises `CaptureError` for a file without a whole header, and when keys were
    given and tshark, which decrypts, is not installed.
    """
    from captures.packets.observations import observations
    from captures.packets.places import devices

    if path.stat().st_size < 24:
        raise CaptureError(f"{path.name}: is cut off within its header; record or copy it again")
    scan = _scanned(path)
    table, payloads, problems = scan.table, scan.payloads, scan.problems
    if tls_keys or scan.secrets:
        from captures.packets.decrypted import available, decrypt

        if tls_keys or available():
            decrypt(path, tls_keys, table.all)
        else:
            problems[NO_TSHARK] += 1
    yield from observations(table.all, payloads.names, devices(table.all), number)
    problems["is of a conversation too many"] += table.left_out
    problems["is a question too many"] += payloads.left_out
    yield from _unreadable(scan.damages, +problems, Source(number, len(table.all)))


@dataclass(slots=True)
class _Scan:
    """What one pass over a file found."""

    table: Table
    payloads: Payloads
    pieces: Reassembly
    damages: list[Damage] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    secrets: bool = False
    """Whether the file holds TLS keys."""


def _scanned(path: Path) -> _Scan:
    import mmap

    from captures.packets.columns import columns
    from captures.packets.conversations import Table
    from captures.packets.fragments import Reassembly
    from captures.packets.payloads import Payloads

    scan = _Scan(Table(), Payloads(), Reassembly())
    with path.open("rb") as file:
        # It is unmapped when the last column that looks into it is gone.
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    for batch in batches(mapped):
        if isinstance(batch, Damage):
            scan.damages.append(batch)
            continue
        if isinstance(batch, Secrets):
            scan.secrets = True
            continue
        seen = columns(batch)
        scan.problems.update(seen.problems)
        if len(seen.packets) or len(seen.fragments.row):
            groups = scan.table.add(mapped, seen.data, seen.packets)
            scan.payloads.take(mapped, seen.data, seen.packets, groups)
            if len(seen.fragments.row):
                says = scan.payloads.says(seen.data, seen.packets)
                for packet in scan.pieces.add(mapped, seen.fragments, seen.packets, groups, says):
                    scan.payloads.whole(packet)
    scan.payloads.finish(scan.table.all)
    return scan


def _unreadable(damages: list[Damage], problems: Counter[str], source: Source) -> Iterator[Unreadable]:
    """What could not be read: each damaged place, and packets by reason."""
    told = damages[:_MOST_DAMAGES]
    for part, damage in enumerate(told):
        place = f"packet {damage.packet} at byte {damage.at}"
        yield Unreadable(source._replace(part=part), None, place, f"{damage.reason}; {damage.size} bytes were skipped")
    if more := len(damages) - len(told):
        yield Unreadable(source._replace(part=len(told)), None, "packets", f"{more} further places are damaged")
    for part, (reason, count) in enumerate(sorted(problems.items()), len(told) + 1):
        yield Unreadable(source._replace(part=part), None, f"{count} packets", reason)
