"""How many posts are refused by mistake, because of names that people choose.

    python bench/refusals.py [FILE_OR_FOLDER...]

For each capture (default: those of the tests) 20 random sets of names, half of them from our own vocabulary, each with
a device "Plex" and a user "Home", are put among its private values; then it is posted in each form.  At most one post
in a hundred may be refused.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

if TYPE_CHECKING:
    from analysis.model import Finding

SETS = 20
_SEED = 8

WORDS = (
    "Plex", "Home", "media", "server", "Living Room", "tv", "1080", "usage", "alice", "The Film", "nas", "en", "house",
    "smith", "garden", "blue", "star", "kitchen", "box", "data", "play", "night", "42", "x",
)  # fmt: skip
"""What devices, servers, libraries, users and films are called."""

ITEMS = ("server.name", "media.title", "library.name", "net.hostname", "account.name", "account.pin")
"""What gets a name, beside the device and the user."""

FORMATS = (".flow", ".pcap", ".har", ".ledger", ".gz", ".pcapng")


def names(chance: random.Random, own: list[str], call: int) -> Iterator[Finding]:
    """A household's names, as findings of a call."""
    from reporting import finding

    yield finding(call, "client.device_name", "Plex")
    yield finding(call, "account.username", "Home")
    for item in ITEMS:
        pool = chance.choice((WORDS, own))
        yield finding(call, item, " ".join(chance.choices(pool, k=chance.choice((1, 1, 2, 3)))))


def refused(path: Path) -> tuple[int, list[str]]:
    """A capture -> posts that were tried, and why some were refused."""
    from analysis import pipeline, redact
    from analysis.post import FORMS, post
    from analysis.proof import LeakError
    from analysis.vocabulary import vocabulary
    from captures import formats
    from reporting import known

    found = pipeline.run([formats.read(path)], known())
    if not found.calls:
        return 0, []
    made, chance = redact.redact(found), random.Random(_SEED)
    own = sorted({word for phrase in vocabulary().phrases() for word in phrase.split()})
    tried, why = 0, []
    for _ in range(SETS):
        with_names = replace(found, findings=(*found.findings, *names(chance, own, found.calls[0].n)))
        for form in FORMS:
            tried += 1
            try:
                post(with_names, made, form)
            except LeakError as error:
                why.append(f"{form}: {error}")
    return tried, why


def main() -> None:
    """Prints a line for each capture, and the sum."""
    places = [Path(place) for place in sys.argv[1:]] or [ROOT / "tests/data"]
    files = [file for place in places for file in (sorted(place.iterdir()) if place.is_dir() else [place])]
    tried, failed = 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["PHONEHOME_HOME"] = temporary
        for file in files:
            if not file.name.endswith(FORMATS) or not file.stat().st_size:
                continue
            posts, why = refused(file)
            tried, failed = tried + posts, failed + len(why)
            print(f"{file.name:40}{posts:>6} posts{len(why):>5} refused", *dict.fromkeys(why), sep="\n  ", flush=True)
    print(f"{'all':40}{tried:>6} posts{failed:>5} refused: {100 * failed / max(tried, 1):.2f} % (wanted: at most 1)")


if __name__ == "__main__":
    main()
