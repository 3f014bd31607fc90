"""Times as logs write them -> seconds since the epoch."""

from __future__ import annotations

import datetime as dt
import re

_PREFIX = re.compile(
    r"\[(?P<bracket>\d{9,11})(?:\.\d+)?\]"
    r"|(?P<epoch>\d{9,11})(?P<part>\.\d{1,9})?(?=\s)"
    r"|(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?P<fraction>[.,]\d{1,9})?(?P<zone>Z|[+-]\d\d:?\d\d)?"
    r"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}) (?P<clock>\d\d:\d\d:\d\d)"
    r"(?:\.\d+)?(?: (?P<year>\d{4}))?"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_DAY = 86_400.0


class Clock:
    """Reads the time at the beginning of a line.

    Forms: epoch seconds, also in brackets (unbound), ISO 8601, the classic syslog form, and that with weekday and year
    (OpenWrt).  A time without a zone is local; one without a year is of the latest year in which it lies before the end
    of the log.
    """

    def __init__(self, end: float) -> None:
        """`end`: when the log was last written, seconds since the epoch (UTC)."""
        self._end = end
        self._met: tuple[str, float | None] = ("", None)

    def read(self, line: str) -> tuple[float | None, str]:
        """Line -> time, and the rest of the line; `None` and the whole line when it begins with no time."""
        match = _PREFIX.match(line)
        if match is None:
            return None, line
        rest = line[match.end() :].lstrip()
        # Lines of one second have the same text, and reading it costs more than the rest of the line.
        if match[0] != self._met[0]:
            self._met = (match[0], self._seconds(match))
        return self._met[1], rest

    def _seconds(self, match: re.Match[str]) -> float | None:
        try:
            if match["bracket"] or match["epoch"]:
                return float(match["bracket"] or match["epoch"]) + float(match["part"] or 0)
            if match["iso"]:
                zone = (match["zone"] or "").replace("Z", "+00:00")
                whole = dt.datetime.fromisoformat(match["iso"].replace(" ", "T") + zone).timestamp()
                return whole + float((match["fraction"] or ".0").replace(",", "."))
            return self._classic(match)
        except (ValueError, OverflowError, OSError):
            return None

    def _classic(self, match: re.Match[str]) -> float | None:
        if match["month"] not in _MONTHS:
            return None
        month, day = _MONTHS.index(match["month"]) + 1, int(match["day"])
        hour, minute, second = (int(part) for part in match["clock"].split(":"))
        latest = int(match["year"] or dt.datetime.fromtimestamp(self._end).year)
        # 29 February is only in a leap year, and a year that is told is the only one.
        for year in [latest] if match["year"] else range(latest, latest - 9, -1):
            try:
                time = dt.datetime(year, month, day, hour, minute, second).timestamp()
            except ValueError:
                continue
            if match["year"] or time <= self._end + _DAY:
                return time
        return None
