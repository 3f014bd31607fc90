"""pcap and pcapng files: who called whom, by which name, and what was said in clear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from captures.model import CaptureError, Observation, Source, Unreadable
from captures.packets.batch import Batch, Damage, Secrets
from captures.packets.containers import batches, is_packets

if TYPE_CHECKING:
    from captures.packets.scan import Scan

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
    scan, told = _scanned(path)
    everybody, problems = scan.table.all, scan.left_out()
    if tls_keys or any(isinstance(note, Secrets) for note in told):
        from captures.packets.decrypted import available, decrypt

        if tls_keys or available():
            decrypt(path, tls_keys, everybody)
        else:
            problems[NO_TSHARK] += 1
    yield from observations(everybody, scan.payloads.names, devices(everybody), number)
    damages = [note for note in told if isinstance(note, Damage)]
    yield from _unreadable(damages, problems, Source(number, len(everybody)))


def _scanned(path: Path) -> tuple[Scan, list[Damage | Secrets]]:
    """One pass over a file -> what was found, and what else stands in it."""
    import mmap

    from captures.packets.scan import Scan

    scan, told = Scan(), list[Damage | Secrets]()
    with path.open("rb") as file:
        # It is unmapped when the last column that looks into it is gone.
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    for batch in batches(mapped):
        if isinstance(batch, Batch):
            scan.take(batch)
        else:
            told.append(batch)
    scan.payloads.finish(scan.table.all)
    return scan, told


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
