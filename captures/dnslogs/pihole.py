"""Pi-hole's long-term database (`pihole-FTL.db`, SQLite): every question of months, without the answers.

Source: docs.pi-hole.net, "Query database": the view `queries` and its numbers.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from captures.dnslogs.question import BLOCKED, Question
from captures.model import CaptureError

_KINDS = (
    "", "A", "AAAA", "ANY", "SRV", "SOA", "PTR", "TXT",
    "NAPTR", "MX", "DS", "RRSIG", "DNSKEY", "NS", "", "SVCB", "HTTPS",
)  # fmt: skip
_OTHER_KINDS = 100
"""Numbers above it are a record type plus it."""

_REFUSED = frozenset({1, 4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 18})
"""Status of a question that was not answered with what its name really is."""
_ASKED_OUTSIDE = frozenset({2, 6, 7, 8, 9, 10, 11, 12, 13, 14, 18})

_RCODES = {1: "NOERROR", 2: "NXDOMAIN", 3: "NOERROR", 4: "NOERROR", 7: "SERVFAIL", 8: "REFUSED", 9: "NOTIMP"}

_SECONDS_A_ROW = 10.0
"""A view is a program; one that gives no row for so long is stopped."""

_LONGEST_NAME = 255


def sniff(head: bytes) -> bool:
    """Beginning of a file -> whether it is such a database."""
    return head.startswith(b"SQLite format 3\0") and any(
        name in head for name in (b"query_storage", b"domain_by_id", b"CREATE TABLE queries")
    )


def questions(path: Path) -> Iterator[Question]:
    """Database -> the questions in the order in which they were stored.  Raises `CaptureError` when it is none.

    Nothing is written, and nothing that stands in the file but its view is run.
    """
    begun = time.monotonic()
    connection = sqlite3.connect(f"file:{_quoted(path)}?mode=ro&immutable=1", uri=True)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.set_progress_handler(lambda: int(time.monotonic() - begun > _SECONDS_A_ROW), 100_000)
        rows = connection.execute("SELECT timestamp, type, status, domain, client, reply_type FROM queries ORDER BY id")
        for row in rows:
            begun = time.monotonic()
            yield _question(*row)
    except sqlite3.Error as error:
        raise CaptureError(
            f"{path.name}: is no whole Pi-hole database ({error}); copy it while Pi-hole is stopped, or with "
            f"sqlite3 pihole-FTL.db '.backup copy.db'"
        ) from None
    finally:
        connection.close()


def _question(when: object, kind: object, status: object, domain: object, client: object, reply: object) -> Question:
    number = kind if isinstance(kind, int) else 0
    if number > _OTHER_KINDS:
        text = f"TYPE{number - _OTHER_KINDS}"
    else:
        text = _KINDS[number] if 0 <= number < len(_KINDS) else ""
    refused = status in _REFUSED
    return Question(
        name=str(domain or "")[:_LONGEST_NAME].lower().rstrip("."),
        kind=text,
        time=float(when) if isinstance(when, int | float) else None,
        client=str(client or "")[:_LONGEST_NAME],
        rcode=BLOCKED if refused else _RCODES.get(reply, "") if isinstance(reply, int) else "",
        forwarded=None if status in (0, None) else status in _ASKED_OUTSIDE,
    )


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path.resolve()))
