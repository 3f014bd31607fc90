"""pcap and pcapng files: who called whom, by which name, and what was said in clear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from captures.formats.growing import is_being_written
from captures.formats.readahead import read_ahead
from captures.model import CaptureError, Observation, Source, Unreadable
from captures.packets.batch import Batch, Damage, Secrets
from captures.packets.containers import batches, is_packets, streamed

if TYPE_CHECKING:
    from captures.packets.bytes_at import Mapped
    from captures.packets.scan import Scan
    from captures.packets.summary import Summary

NAME = "pcap"

REMARKS = (
    "Packets show whom a device called, when and how much; what was encrypted could not be read.",
    "Bytes of connections are counted on the wire, with all headers and with what was sent twice.",
)

NO_TSHARK = "hold keys to decrypt others, which takes tshark; install it (Debian: apt install tshark)"
"""Problem of a file with keys where tshark is missing."""

GROWING = "is still being written; give it again when the recording has ended"
"""Reason why the last packet of a file is not whole."""

LATE_KEYS = "hold keys to decrypt others, which takes a plain file; unpack or save it first"
"""Problem of a stream with keys, where these do not come at its beginning."""

_HEADER = 24
"""Bytes without which a file says nothing."""

_WINDOW = 4 << 20
"""Bytes of a stream that are looked at together, and with what was left of those before."""

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
    import mmap

    from captures.packets.ahead import summaries

    if path.stat().st_size < _HEADER:
        raise CaptureError(f"{path.name}: is cut off within its header; record or copy it again")
    with path.open("rb") as file:
        # It is unmapped when the last column that looks into it is gone.
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        scan, told = _scanned((mapped, part) for part in summaries(mapped, path))
        last = told[-1] if told else None
        if isinstance(last, Damage) and last.at + last.size == len(mapped) and is_being_written(file, len(mapped)):
            told[-1] = replace(last, reason=GROWING)
    problems = scan.left_out()
    if tls_keys or any(isinstance(note, Secrets) for note in told):
        from captures.packets.decrypted import available, decrypt

        if tls_keys or available():
            decrypt(path, tls_keys, scan.table.all)
        else:
            problems[NO_TSHARK] += 1
    yield from _observed(scan, told, problems, number)


def streams(head: bytes) -> bool:
    """Beginning of a file -> whether `read_stream` finds all that `read` does: without keys, and with its header."""
    return len(head) >= _HEADER and not any(isinstance(part, Secrets) for part in batches(head))


def read_stream(blocks: Iterable[bytes], name: str, number: int) -> Iterator[Observation]:
    """The content of such a file in blocks, of which the first is its beginning -> as `read`.

    Memory holds a few megabytes and the conversations.  Raises what making the blocks raises, as `CaptureError` where
    the system says that they cannot be read.
    """
    try:
        scan, told = _scanned(_summed(streamed(read_ahead(blocks, _WINDOW))))
    except OSError as error:
        raise CaptureError(f"{name}: cannot be read: {error.strerror or error}") from None
    problems = scan.left_out()
    problems[LATE_KEYS] += sum(isinstance(note, Secrets) for note in told)
    yield from _observed(scan, told, +problems, number)


def _scanned(parts: Iterable[tuple[Mapped, Summary | Damage | Secrets]]) -> tuple[Scan, list[Damage | Secrets]]:
    """One pass over the parts of a file, each with the bytes it stands in -> what was found, and what else is told."""
    from captures.packets.scan import Scan

    scan, told = Scan(), list[Damage | Secrets]()
    for mapped, part in parts:
        if isinstance(part, Damage | Secrets):
            told.append(part)
        else:
            scan.take(mapped, part)
    scan.payloads.finish(scan.table.all)
    return scan, told


def _summed(parts: Iterable[Batch | Damage | Secrets]) -> Iterator[tuple[Mapped, Summary | Damage | Secrets]]:
    from captures.packets.summary import summary

    for part in parts:
        yield (part.mapped, summary(part)) if isinstance(part, Batch) else (b"", part)


def _observed(scan: Scan, told: list[Damage | Secrets], problems: Counter[str], number: int) -> Iterator[Observation]:
    from captures.packets.observations import observations
    from captures.packets.places import devices

    everybody = scan.table.all
    yield from observations(everybody, scan.payloads.names, devices(everybody), number)
    damages = [note for note in told if isinstance(note, Damage)]
    yield from _unreadable(damages, problems, Source(number, len(everybody)))


def _unreadable(damages: list[Damage], problems: Counter[str], source: Source) -> Iterator[Unreadable]:
    """What could not be read: each damaged place, and packets by reason."""
    told = damages[:_MOST_DAMAGES]
    for part, damage in enumerate(told):
        place = f"packet {damage.packet} at byte {damage.at}"
        skipped = "" if damage.reason == GROWING else f"; {damage.size} bytes were skipped"
        yield Unreadable(source._replace(part=part), None, place, damage.reason + skipped)
    if more := len(damages) - len(told):
        yield Unreadable(source._replace(part=len(told)), None, "packets", f"{more} further places are damaged")
    for part, (reason, count) in enumerate(sorted(problems.items()), len(told) + 1):
        yield Unreadable(source._replace(part=part), None, f"{count} packets", reason)
