"""The log that a media server writes itself -> the calls that it says it made.

No capture: a log tells that a call was made, not what was in it, and may leave calls out.  Known are the lines of Plex
Media Server, Jellyfin and Emby, Tautulli and Kodi.  Of an address only scheme, host, port and path are taken: what
stands behind may be a token.  All text is hostile.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from captures.model import CaptureError

_LONGEST = 16 * 1024
"""Bytes of a line that are looked at."""

_LOOKED_AT = 50
"""Lines of a file that tell whether it is a log."""

_MOST = 1_000_000
"""Calls that are taken from one log."""


class LoggedCall(NamedTuple):
    """One call of which a log tells.  Private."""

    time: float | None
    """When, seconds since the epoch (UTC); a log without a zone is taken as local time.  `None` when not said."""
    product: str
    """Pack id of the program that writes the log."""
    method: str
    """`GET`, …; empty when the line does not say."""
    scheme: str
    """`http` or `https`; empty for what names no address."""
    host: str
    """Lower case; empty when the line tells of a call and not to whom (a crash report)."""
    port: int
    """0 when the line does not say."""
    path: str
    """Without the query."""
    made: bool
    """Whether the line says that the call was made; else it only names an address."""
    line: int
    """Number of the line, from 1."""


@dataclass(frozen=True, slots=True)
class ServerLog:
    """One log.  Private."""

    name: str
    """File name without its folders."""
    product: str
    """Pack id of the program that most lines are of; empty when it is not known."""
    calls: tuple[LoggedCall, ...]
    """In the order of the file."""
    zone: bool
    """Whether its times say their zone."""
    first: float | None
    """Time of the first line that has one."""
    last: float | None
    """Time of the last one."""
    remarks: tuple[str, ...]
    """What was not read."""


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_HEADS = {
    "plex": re.compile(
        r"(?P<month>[A-Z][a-z]{2}) (?P<day>\d{1,2}), (?P<year>\d{4}) (?P<clock>\d{2}:\d{2}:\d{2})(?:\.\d+)? "
        r"\[[^\]]{1,40}\] (?:VERBOSE|DEBUG|INFO|WARN|ERROR|FATAL) - "
    ),
    "jellyfin": re.compile(
        r"\[(?P<date>\d{4}-\d{2}-\d{2}) (?P<clock>\d{2}:\d{2}:\d{2})(?:\.\d+)?(?: (?P<zone>[+-]\d{2}:\d{2}))?\] "
        r"\[[A-Z]{3}\] "
    ),
    "emby": re.compile(
        r"(?P<date>\d{4}-\d{2}-\d{2}) (?P<clock>\d{2}:\d{2}:\d{2})\.\d+ (?:Info|Debug|Warn|Error|Fatal) [A-Za-z]"
    ),
    "tautulli": re.compile(
        r"(?P<date>\d{4}-\d{2}-\d{2}) (?P<clock>\d{2}:\d{2}:\d{2}) - (?:DEBUG|INFO|WARNING|ERROR) {1,3}:: "
    ),
    "kodi": re.compile(
        r"(?P<date>\d{4}-\d{2}-\d{2}) (?P<clock>\d{2}:\d{2}:\d{2})\.\d+ T:\d+ +"
        r"(?:debug|info|warning|error|fatal|notice|DEBUG|INFO|NOTICE|WARNING|ERROR)"
    ),
}
"""Pack -> how its lines begin."""

_MADE = re.compile(
    r"HTTP requesting|HTTP/[0-9.]+ \([0-9.]+s\) [0-9]{3} response|HTTP error requesting|HTTP simulating|"
    r"Error issuing curl|Sending HTTP request|Received HTTP response|HTTP Response \d{3} from|HttpClient.*(?:GET|POST)|"
    r"C?CurlFile::|urllib3|Starting new HTTPS? connection|:: Requesting|Crash Upload|CrashUpload",
)
"""What says that a call was made."""

_ANSWER = re.compile(
    r"HTTP/[0-9.]+ \([0-9.]+s\) [0-9]{3} response|HTTP error requesting|Received HTTP response|HTTP Response \d{3} from"
)
"""What tells of the end of a call, of which the beginning may be told too."""

_COMING_IN = re.compile(r"\b(?:Request: \[|Completed: \[|Beginning processing of request|WebSocket .* from)")
"""What tells of somebody who calls the server."""

_URL = re.compile(
    r"(?:\b(?P<method>GET|POST|PUT|DELETE|HEAD|PATCH|OPTIONS) +)?(?P<scheme>https?)://(?:[^\s/@\"'<>]{0,200}@)?"
    r"(?P<host>\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::(?P<port>\d{1,5}))?(?P<path>/[^\s?#\"'<>|]{0,2000})?"
)
_CONNECTION = re.compile(
    r"Starting new HTTPS? connection \(\d+\): (?P<host>[A-Za-z0-9._-]{1,253})(?::(?P<port>\d{1,5}))?"
)
_CRASH = re.compile(r"\bCrash ?Upload(?:er|ing)?\b", re.IGNORECASE)


def is_log(path: str) -> bool:
    """Whether a file begins like the log of a media server."""
    try:
        with Path(path).open("rb") as file:
            lines = [text for _, text in zip(range(_LOOKED_AT), (text for _, text in _lines(file)), strict=False)]
    except OSError:
        return False
    return any(_head(text)[1] for text in lines)


def read_log(path: Path) -> ServerLog:
    """A log file -> the calls it tells of; lines of no known form are left out.

    Raises `CaptureError` when it cannot be read, or no line is of a known form.
    """
    calls: list[LoggedCall] = []
    times: list[float] = []
    counts: dict[str, int] = {}
    begun: Counter[tuple[str, str]] = Counter()
    zone = False
    remarks: tuple[str, ...] = ()
    try:
        with path.open("rb") as file:
            for number, text in _lines(file):
                product, head = _head(text)
                if not head:
                    continue
                counts[product] = counts.get(product, 0) + 1
                zone = zone or bool(head.groupdict().get("zone"))
                when = _time(head)
                if when is not None:
                    times.append(when)
                said = text[head.end() :]
                calls.extend(_once(_calls(said, when, product, number), begun, ended=bool(_ANSWER.search(said))))
                if len(calls) > _MOST:
                    remarks = (f"{path.name}: only its first {_MOST:,} calls were read",)
                    break
    except OSError as error:
        raise CaptureError(f"{path}: cannot be read: {error.strerror or error}") from None
    if not counts:
        raise CaptureError(
            f"{path.name}: is no log that is known; known are Plex's, Jellyfin's, Emby's, Tautulli's, Kodi's"
        )
    return ServerLog(
        name=path.name,
        product=max(counts, key=lambda product: counts[product]),
        calls=tuple(calls),
        zone=zone,
        first=min(times, default=None),
        last=max(times, default=None),
        remarks=remarks,
    )


def _once(calls: Iterable[LoggedCall], begun: Counter[tuple[str, str]], *, ended: bool) -> Iterator[LoggedCall]:
    """Calls without those that end here and were told of when they began; `begun` are these."""
    for call in calls:
        key = (call.host, call.path)
        if ended and begun[key]:
            begun[key] -= 1
            continue
        if call.made and not ended:
            begun[key] += 1
        yield call


def _lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, each cut."""
    number = 0
    while line := file.readline(_LONGEST):
        number += 1
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(_LONGEST)
        yield number, line.decode("utf-8", "replace").lstrip("\ufeff")


def _head(text: str) -> tuple[str, re.Match[str] | None]:
    for product, pattern in _HEADS.items():
        if match := pattern.match(text):
            return product, match
    return "", None


def _time(head: re.Match[str]) -> float | None:
    found = head.groupdict()
    date = found.get("date")
    if not date:
        if found["month"] not in _MONTHS:
            return None
        date = f"{found['year']}-{_MONTHS.index(found['month']) + 1:02}-{int(found['day']):02}"
    try:
        return dt.datetime.fromisoformat(f"{date}T{found['clock']}{found.get('zone') or ''}").timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _calls(text: str, when: float | None, product: str, line: int) -> Iterator[LoggedCall]:
    """The calls of one line; what comes in is none."""
    if _COMING_IN.search(text):
        return
    made = bool(_MADE.search(text))
    found = False
    if connection := _CONNECTION.search(text):
        found = True
        yield _call(connection, when, product, line, made=True)
    for match in _URL.finditer(text):
        found = True
        yield _call(match, when, product, line, made=made)
    if not found and _CRASH.search(text):
        yield LoggedCall(when, product, "", "", "", 0, "", made, line)


def _call(match: re.Match[str], when: float | None, product: str, line: int, *, made: bool) -> LoggedCall:
    told = match.groupdict()
    scheme = told.get("scheme") or "https"
    port = int(told["port"] or 0)
    return LoggedCall(
        time=when,
        product=product,
        method=told.get("method") or "",
        scheme=scheme,
        host=told["host"].lower().strip("[]").rstrip("."),
        port=(port if port < 65536 else 0) or (443 if scheme == "https" else 80),
        path=told.get("path") or "",
        made=made,
        line=line,
    )
