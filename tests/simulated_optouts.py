"""Made-up households before and after a switch, with an effect that is known: none, or that something stops.

What makes wrong answers: statistics that come with some plays only, in batches or in bursts; calls at no occasion whose
rate drifts and that come in bursts; timers that skip; machines that are off; few plays, or none afterwards.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from analysis.optout import OptOut, optout
from simulated_home import DAY, HOUR, SERVER, START, VENDOR, Home

GROUPS = (
    {"media.duration": "5460", "media.bitrate": "8000"},
    {"media.codec_container": "mkv"},
    {"play.watched_time": "300"},
    {"play.decision": "directplay"},
    {"client.screen": "1680x920"},
)
"""Items of the statistics of a play that come together."""

STOPS = frozenset(GROUPS[0])
"""Items that stop, where something stops."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of one household."""

    false: bool
    """Whether something was said to have stopped that had not."""
    told: bool
    """Whether it was said of all that stopped."""
    plays: tuple[int, int]
    """Plays before and after."""


def simulate(seed: int, *, effect: bool) -> Outcome:
    """One household -> what was said of it."""
    rng = random.Random(seed)  # noqa: S311 - a simulation
    home = Home()
    often = [1.0, *(rng.choice((0.3, 0.6, 0.9, 1.0)) for _ in GROUPS[1:])]
    batch = rng.choice((1, 1, 1, 2, 4))
    present = rng.choice((0.7, 0.9, 1.0, 1.0))
    bursts = rng.lognormvariate(0.5, 0.7)
    drift = 2 ** rng.uniform(-1, 1)
    plays = (rng.randint(4, 20), rng.choice((0, 2, 4, 8, 12, 16, 20)))
    for capture in (0, 1):
        begin = START + capture * 20 * DAY
        days = rng.uniform(4, 10)
        _at_home(home, rng, begin, days, capture)
        _plays(home, rng, begin, days, capture, plays[capture], often, batch, present, stops=effect and capture == 1)
        _bursts(home, rng, begin, days, capture, bursts * (drift if capture else 1.0))
        _timer(home, rng, begin, days, capture)
    found = optout(home.result(), off=(1,), on=(0,))
    return _outcome(found, plays, effect)


def _outcome(found: OptOut, plays: tuple[int, int], effect: bool) -> Outcome:
    stopped = {row.item for row in found.items if row.verdict == "stopped"}
    calls = [row for row in found.calls if row.verdict == "stopped" and not (effect and set(row.items) <= STOPS)]
    return Outcome(bool(calls or stopped - (STOPS if effect else frozenset())), stopped >= STOPS, plays)


def _at_home(home: Home, rng: random.Random, begin: float, days: float, capture: int) -> None:
    """The server is asked for something now and then, but not by night."""
    for hour in range(int(days * 24)):
        if hour % 24 >= 7 and rng.random() < 0.8:
            for role in ("server", "app"):
                home.add(begin + hour * HOUR + 60, "plex/own-identity", capture=capture, host=SERVER, role=role)


def _plays(
    home: Home,
    rng: random.Random,
    begin: float,
    days: float,
    capture: int,
    count: int,
    often: list[float],
    batch: int,
    present: float,
    *,
    stops: bool,
) -> None:
    waiting: list[dict[str, str]] = []
    for i, hour in enumerate(sorted(rng.sample(range(int(days * 24)), min(count, int(days * 24))))):
        time = begin + hour * HOUR
        home.play(time, f"film-{capture}-{i}", capture=capture)
        if rng.random() < present:
            said: dict[str, str] = {"client.id": "made-up"}
            for group, chance in zip(GROUPS, often, strict=True):
                if rng.random() < chance and not (stops and group is GROUPS[0]):
                    said |= group
            waiting.append(said)
        if len(waiting) >= batch:
            for said in waiting:
                home.add(time + 301, "plex/usage-statistics-web", said, capture=capture)
            waiting = []


def _bursts(home: Home, rng: random.Random, begin: float, days: float, capture: int, rate: float) -> None:
    """Calls without an occasion: so many bursts a day, of one call or many, over a quarter of an hour or two."""
    time = begin
    while (time := time + rng.expovariate(rate) * DAY) < begin + days * DAY:
        for _ in range(rng.choice((1, 1, 3, 12))):
            at = time + rng.uniform(0, 1500)
            home.add(at, "", {"event.name": "x"}, capture=capture, host=VENDOR, role="app")


def _timer(home: Home, rng: random.Random, begin: float, days: float, capture: int) -> None:
    for day in range(int(days)):
        if rng.random() < 0.95:
            at = begin + (day + 0.5) * DAY + rng.gauss(0, HOUR)
            home.add(at, "plex/usage-statistics-server", {"library.counts": "3"}, capture=capture, role="server")
