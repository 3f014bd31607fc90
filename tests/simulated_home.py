"""A made-up household, as the pipeline sees it, for tests and the benchmark of what a switch stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from analysis.compare import compare
from analysis.evidence import Evidence, SwitchState
from analysis.model import Attribution, Category, Classified, Finding, Party
from analysis.pipeline import CaptureInfo, Result, coverage
from captures.model import Body, Contact, Endpoint, Lookup, Observation, Source, Unreadable
from reporting import exchange
from shipped import KNOWLEDGE

HOUR, DAY = 3600.0, 86400.0
START = 1_720_000_000.0
"""3 July 2024."""
SERVER, VENDOR, STATISTICS = "192.168.7.2", "plex.tv", "analytics.plex.tv"


@dataclass
class Home:
    """Calls and what stands in them, in captures that are numbered from 0."""

    calls: list[Classified] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    switches: list[SwitchState] = field(default_factory=list)
    dropped: dict[int, int] = field(default_factory=dict)

    def add(
        self,
        time: float,
        rule: str,
        items: dict[str, str] | None = None,
        *,
        capture: int = 0,
        host: str = STATISTICS,
        device: str = "192.168.7.23",
        role: str = "app",
        product: str = "plex",
        category: Category = Category.USAGE_STATISTICS,
        body: Body | None = None,
    ) -> int:
        """One call of the vendor's product to the vendor, or to the own server -> its number."""
        n = len(self.calls)
        known = KNOWLEDGE.rules.get(rule)
        seen = replace(
            exchange(host),
            source=Source(capture, n),
            time=time,
            end=time,
            device=device,
            client=Endpoint(device, 50_000),
            body=body or Body(b"{}", 2),
        )
        party = Party.OWN if host == SERVER else Party.VENDOR
        what = known.category if known else category
        self.calls.append(
            Classified(
                n, seen, product, "plex", Attribution.PRODUCT_HEADER, role, what, party,
                "Plex" if party is Party.VENDOR else "", rule,
            )
        )  # fmt: skip
        self.findings.extend(
            Finding(n, "sent", item, f"body.{item}", v, (), "rule") for item, v in (items or {}).items()
        )
        return n

    def observe(self, seen: Observation, category: Category = Category.UNKNOWN) -> None:
        """Something else that was seen, as nobody's."""
        n = len(self.calls)
        party = Party.OWN if isinstance(seen, Lookup) else Party.VENDOR
        self.calls.append(Classified(n, seen, "", "", Attribution.UNKNOWN, "", category, party, "", ""))

    def play(
        self, time: float, film: str, *, capture: int = 0, device: str = "192.168.7.23", minutes: float = 5
    ) -> None:
        """A film is played on the own server, which is told so."""
        for state, at in (("playing", 0.0), ("playing", minutes * 30), ("stopped", minutes * 60)):
            said = {"media.library_key": film, "play.position_time": f"{at:.0f}", "play.watched_state": state}
            self.add(time + at, "plex/own-timeline", said, capture=capture, host=SERVER, device=device)

    def contact(self, time: float, host: str, *, capture: int = 0) -> None:
        """A connection that could not be read."""
        end = Endpoint("198.51.100.9", 443)
        self.observe(
            Contact(
                Source(capture, len(self.calls)), time, time + 1, "tv", None, end, host, "sni", "tls", 517, 1400, 4, 5,
                "client rejected the certificate",
            )
        )  # fmt: skip

    def lookup(self, time: float, host: str, rcode: str, answers: tuple[str, ...] = (), *, capture: int = 0) -> None:
        """A question for a name."""
        source = Source(capture, len(self.calls))
        seen = Lookup(source, time, "tv", None, None, "dns", host, "A", answers, rcode, True)
        self.observe(seen, Category.NAME_LOOKUP)

    def damage(self, *, capture: int = 0) -> None:
        """A place in a capture that cannot be read."""
        self.observe(Unreadable(Source(capture, len(self.calls)), None, "flow 7", "is damaged"))

    def switch(self, time: float, on: bool, *, capture: int = 0, name: str = "send-playback-data") -> None:
        """The switch is changed."""
        self.switches.append(SwitchState(time, "plex", name, on, 0, True, capture))

    def shows(self, time: float, on: bool, *, capture: int = 0, name: str = "send-playback-data") -> None:
        """An answer shows how the switch stands."""
        self.switches.append(SwitchState(time, "plex", name, on, 0, False, capture))

    def result(self) -> Result:
        """Everything, as the pipeline hands it out."""
        numbers = sorted({call.observation.source.capture for call in self.calls})
        evidence = Evidence(switches=tuple(sorted(self.switches, key=lambda s: s.time)))
        return Result(
            captures=tuple(self._info(number) for number in range(numbers[-1] + 1 if numbers else 1)),
            calls=tuple(self.calls),
            findings=tuple(self.findings),
            comparisons=compare(self.calls, self.findings, KNOWLEDGE, evidence),
            coverage=coverage(self.calls),
            evidence=evidence,
            knowledge=KNOWLEDGE,
        )

    def _info(self, number: int) -> CaptureInfo:
        times = [
            call.observation.time
            for call in self.calls
            if call.observation.source.capture == number and call.observation.time is not None
        ]
        first, last = min(times, default=None), max(times, default=None)
        return CaptureInfo(
            f"{number}.flow", "ab" * 32, "flow", first, last, len(times), (), self.dropped.get(number, 0)
        )


STATISTIC = {"media.duration": "5460", "media.bitrate": "8000", "media.codec_container": "mkv", "client.id": "made-up"}
"""What the statistics of a play carry."""


def evenings(before: int, after: int, *, stops: Sequence[str] = tuple(STATISTIC), gap: float = HOUR) -> Home:
    """Two captures: plays with statistics, and plays without some items of them (or, by default, without any)."""
    home = Home()
    left = {item: value for item, value in STATISTIC.items() if item not in stops}
    for i in range(before + after):
        capture = int(i >= before)
        time = START + i * gap + capture * DAY
        home.play(time, f"film-{i}", capture=capture)
        if carried := (left if capture else STATISTIC):
            home.add(time + 301, "plex/usage-statistics-web", carried, capture=capture)
    return home
