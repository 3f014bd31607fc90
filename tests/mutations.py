"""Damages captures at random, and reads them under a budget; for the small run in the tests and `make fuzz`.

    python tests/mutations.py [--seconds N] [--seed N] [FILE...]

Without files it takes the captures of `tests/data` and made-up ones.  The reader has a process of its own, so that a
hang or a lack of memory costs one file.  What escapes, hangs or takes too much is kept in `fuzz-found/` and told; then
the exit status is 1.
"""

from __future__ import annotations

import argparse
import gzip
import multiprocessing
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from captures.formats import read
from captures.ledger import Writer
from captures.model import CaptureError, Unreadable

SECONDS, MEMORY = 10.0, 500_000_000
"""What one file may cost."""

_LARGEST = 3_000_000
"""Bytes of a capture that is damaged: a larger one is cut."""

_EDGES = (b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x80", b"999999999:", b"[" * 40)


def mutated(chance: random.Random, content: bytes) -> bytes:
    """A capture -> the same with one to eight damages."""
    data = bytearray(content[:_LARGEST])
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        if not data:
            break
        at = chance.randrange(len(data))
        size = min(chance.choice((1, 2, 4, 16, 300, 5000)), len(data) - at)
        match chance.randrange(8):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at : at + size] = chance.randbytes(size)
            case 2:
                edge = chance.choice(_EDGES)
                data[at : at + len(edge)] = edge
            case 3:
                del data[at : at + size]
            case 4:
                data[at:at] = data[at : at + size]
            case 5:
                del data[at:]
            case 6:
                other = chance.randrange(len(data))
                data[at : at + size] = data[other : other + size]
            case _:
                # Beginnings hold what all depends on.
                data[chance.randrange(min(len(data), 400))] = chance.randrange(256)
    return bytes(data)


def seeds(files: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Captures to begin with: name, content (unpacked)."""
    for file in files:
        content = file.read_bytes()
        yield file.name.removesuffix(".gz"), gzip.decompress(content) if file.suffix == ".gz" else content


def reads(path: Path) -> str:
    """Reads a capture whole -> what escaped; empty when nothing did."""
    try:
        for seen in read(path).observations():
            if isinstance(seen, Unreadable) and not seen.reason:
                return "an Unreadable without a reason"
    except CaptureError as error:
        return "" if str(error) and "\n" not in str(error) else f"a CaptureError of more than a sentence: {error!r}"
    except Exception:
        # Whatever escapes is what is looked for.
        return traceback.format_exc(limit=-4)
    return ""


def _worker(pipe: Connection) -> None:
    """Reads what it is told to, until it is told nothing."""
    resource.setrlimit(resource.RLIMIT_DATA, (4 * MEMORY, 4 * MEMORY))
    while name := pipe.recv():
        before = _anonymous()
        problem = reads(Path(name))
        grown = _anonymous() - before
        pipe.send(problem or (f"{grown / 1e6:.0f} MB more" if grown > MEMORY else ""))


def _anonymous() -> int:
    """Highest resident memory of this process so far, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Reader:
    """A process that reads, started anew when it hangs or dies."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("fork")
        self._start()

    def _start(self) -> None:
        self._pipe, other = self._context.Pipe()
        self._process = self._context.Process(target=_worker, args=(other,), daemon=True)
        self._process.start()
        other.close()

    def __call__(self, path: Path) -> str:
        """Reads a file -> what went wrong; empty when nothing did."""
        self._pipe.send(str(path))
        problem = "its process died"
        try:
            if self._pipe.poll(SECONDS):
                return str(self._pipe.recv())
            problem = f"hangs for more than {SECONDS:.0f} s"
        except EOFError:
            pass
        self.close()
        self._start()
        return problem

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def fuzz(
    start: list[tuple[str, bytes]], chance: random.Random, until: float, most: int
) -> list[tuple[str, bytes, str]]:
    """Damages captures until a time or so many files -> what went wrong: name, content, problem."""
    found: list[tuple[str, bytes, str]] = []
    reader = Reader()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(most):
            if time.monotonic() > until:
                break
            name, content = start[number % len(start)]
            path = Path(folder) / name
            path.write_bytes(damaged := mutated(chance, content))
            if problem := reader(path):
                found.append((name, damaged, problem))
    reader.close()
    return found


def made_up() -> list[tuple[str, bytes]]:
    """One capture of each packet container and link, one HAR, and a ledger of what they hold."""
    from packets import containers

    har = b'{"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "pages": [], "entries": [%s]}}'
    entry = (
        b'{"startedDateTime": "2024-01-01T00:00:00Z", "time": 1, "request": {"method": "GET", "url": "https://a.tv/x?y=1",'
        b'"httpVersion": "HTTP/2", "headers": [{"name": "A", "value": "b"}], "queryString": [], "cookies": [],'
        b'"headersSize": 1, "bodySize": 0}, "response": {"status": 200, "statusText": "", "httpVersion": "HTTP/2",'
        b'"headers": [], "cookies": [], "content": {"size": 2, "mimeType": "text/plain", "text": "aGk=", '
        b'"encoding": "base64"}, "redirectURL": "", "headersSize": 1, "bodySize": 2}, "cache": {}, "timings": {}}'
    )
    made = [*containers().items(), ("made-up.har", har % b",".join([entry] * 5))]
    return [*made, ("made-up.ledger", ledger(made))]


def ledger(files: list[tuple[str, bytes]]) -> bytes:
    """Captures -> a ledger that holds what was observed in them."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.ledger"
        writer = Writer(whole, None)
        for name, content in files:
            path = Path(folder) / name
            path.write_bytes(content)
            for seen in read(path).observations():
                writer.put(seen)
        writer.close(60)
        return whole.read_bytes()


def main() -> None:
    """Runs for the seconds that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args()
    data = Path(__file__).parent / "data"
    files = options.files or sorted(x for x in data.rglob("*") if x.name.removesuffix(".gz").endswith(KINDS))
    start = [*seeds(files), *([] if options.files else made_up())]
    print(f"seed {options.seed}: {len(start)} captures, {options.seconds:.0f} s")
    found = fuzz(start, random.Random(options.seed), time.monotonic() + options.seconds, 1 << 60)
    kept = Path("fuzz-found")
    for number, (name, content, problem) in enumerate(found):
        kept.mkdir(exist_ok=True)
        (kept / f"{options.seed}-{number}-{name}").write_bytes(content)
        print(f"{number}-{name}: {problem}")
    print(f"{len(found)} problems")
    sys.exit(1 if found else 0)


KINDS = (".flow", ".har", ".pcap", ".pcapng", ".ledger", ".sqlite", ".db", ".log", ".json.log")
"""Names of files in `tests/data` that are captures."""


if __name__ == "__main__":
    main()
