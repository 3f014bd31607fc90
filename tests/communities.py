"""Builders of shared reports as people post them, and a made-up community with everything that goes wrong in one."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from analysis.redact import count_class, withheld
from analysis.shared_report import SharedSetting
from analysis.texts import Length
from analysis.vocabulary import vocabulary
from simulated_vendor import LENGTHS

type Report = dict[str, Any]


def report(rows: Sequence[Mapping[str, Any]] = (), /, **changed: Any) -> Report:
    """A report of Plex, as JSON; its id is random unless one is given."""
    made: Report = {
        "schema": "phonehome/share/1",
        "report": f"{random.getrandbits(128):032x}",
        "tool": "0.1.0",
        "packs": [{"pack": "plex", "hash": "sha256:" + "0" * 64}],
        "lists": [{"product": "plex", "declared": "2024-06-28"}],
        "versions": [{"product": "plex", "version": "1.40"}],
        "platforms": ["Linux"],
        "settings": [],
        "month": "2026-03",
        "length": "1-6h",
        "occasions": ["film"],
        "rows": [dict(entry) for entry in rows] or [row()],
        "received": [],
        "calls": [],
        "coverage": {
            "calls": "101-1000",
            "readable": "101-1000",
            "unreadable": "0",
            "unknown_category": "0",
            "recipients": "2-5",
            "recipients_unreadable": "0",
        },
    }
    return made | changed


def row(item: str = "media.duration", **changed: Any) -> dict[str, Any]:
    made = {
        "product": "plex",
        "declared": "2024-06-28",
        "item": item,
        "recipient": "vendor",
        "entity": "Plex",
        "category": "usage-statistics",
        "verdict": "optional",
        "also": [],
        "sure": True,
        "count": "2-5",
    }
    return made | changed


def setting(switch: str, state: str, product: str = "plex") -> dict[str, str]:
    return {"product": product, "switch": switch, "state": state}


def version(number: str, product: str = "plex") -> dict[str, str]:
    return {"product": product, "version": number}


def save(folder: Path, poster: str, made: Report) -> Path:
    """A post in the folder of who posted it, or without one."""
    place = folder / poster if poster else folder
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{made['report']}.json"
    path.write_text(json.dumps(made), "utf-8")
    return path


VERSIONS = tuple(f"1.{n}" for n in range(30, 42))
"""Twelve versions, one after the other."""

CHANGED = "1.37"
"""The version with which the planted item begins."""

PLANTED = row("library.name", entity="Google", recipient="processor-analytics", verdict="undeclared")
"""Sent since `CHANGED`."""

BY_SETTING = row("play.position_time")
"""Sent by those whose switch is on."""

SWITCH = "send-playback-data"
"""The switch."""

FORGED = row("account.email", entity="Google", recipient="advertiser", category="advertising", verdict="denied")
"""What forgers say."""

COLLUDED = row("account.uuid", entity="Google", recipient="advertiser", category="advertising", verdict="denied")
"""What five people who agreed say, beside an earlier beginning of the planted item."""

_COUNTS = ("1", "2-5", "6-20", "21-100", "101-1000")


def simulate(folder: Path, seed: int, people: int = 300, reports: int = 2_000) -> None:
    """Writes the posts of a community: honest people with habits of their own, and every kind of forger."""
    chance = random.Random(seed)  # noqa: S311  made up again from its seed
    for n, (person, made) in enumerate(_honest(chance, people, reports)):
        path = save(folder, person, made)
        if n % 80 == 0:  # somebody else posts it again, as his own
            (folder / f"copier-{n}").mkdir()
            (folder / f"copier-{n}" / path.name).write_text(json.dumps(made, indent=2), "utf-8")
    for n, (person, made) in enumerate(_forged(chance, reports // 20)):
        save(folder, person, made).rename(folder / person / f"forged-{n}.json")


class _Habit(NamedTuple):
    platform: str
    state: str
    heavy: float


def _state(chance: random.Random) -> str:
    return "on" if chance.random() < 0.55 else "off"


def _honest(chance: random.Random, people: int, reports: int) -> Iterator[tuple[str, Report]]:
    known = sorted(vocabulary().shipped.items)
    items = [item for item in known if item.partition(".")[0] in ("client", "server", "media")][:24]
    usual = {item: chance.choice((0.97, 0.9, 0.9, 0.6)) for item in items}
    verdicts = {item: chance.choice(("declared", "optional", "declared-vaguely")) for item in items}
    habits = [
        _Habit(chance.choice(("Linux", "Linux", "Windows", "Android")), _state(chance), chance.random())
        for _ in range(people)
    ]
    for n in range(reports):
        who = n % people if n < people else chance.randrange(people)
        habit = habits[who]
        at = chance.randrange(len(VERSIONS))
        rows = [
            row(item, verdict=verdicts[item], count=_count(chance, habit.heavy))
            for item in items
            if chance.random() < usual[item]
        ]
        if VERSIONS.index(CHANGED) <= at and chance.random() < 0.85:
            rows.append(PLANTED | {"count": _count(chance, habit.heavy)})
        if chance.random() < (0.9 if habit.state == "on" else 0.03):
            rows.append(BY_SETTING | {"count": _count(chance, habit.heavy)})
        made = _dated(chance, at, rows, habit.platform, habit.state)
        # One in twenty-five does not say who posts it.
        yield ("" if chance.random() < 0.04 else f"person-{who}"), made


def _dated(chance: random.Random, at: int, rows: list[dict[str, Any]], platform: str, state: str) -> Report:
    """A report of that version's month, of a capture of any length, without what is not told of one so long."""
    length = chance.choices([name for name, _ in LENGTHS], [share for _, share in LENGTHS])[0]
    made = _whole(chance, at, rows, platform, state) | {"length": length}
    hidden = withheld(length, [SharedSetting("plex", SWITCH, "on")])
    told: Report = {name: [] for name in ("versions", "platforms", "settings") if name in hidden}
    return made | told | {"rows": [entry | {"count": _wider(entry["count"], length)} for entry in made["rows"]]}


def _wider(count: str, length: Length) -> str:
    """A class of counts -> the one that it is of in a capture so long."""
    return count_class({"1": 1, "2-5": 2, "6-20": 6, "21-100": 21}.get(count, 101), length)


def _whole(chance: random.Random, at: int, rows: list[dict[str, Any]], platform: str, state: str) -> Report:
    month = f"2025-{at + 1:02}"
    return report(
        rows,
        report=f"{chance.getrandbits(128):032x}",
        versions=[version(VERSIONS[at])],
        platforms=[platform],
        settings=[setting(SWITCH, state), setting("library-stats", chance.choice(("on", "off")))],
        occasions=chance.choice((["film"], ["film", "scan"], ["restart", "film"])),
        month=month,
    )


def _count(chance: random.Random, heavy: float) -> str:
    return _COUNTS[min(int(chance.triangular(0, 5, 5 * heavy)), 4)]


def _forged(chance: random.Random, number: int) -> Iterator[tuple[str, Report]]:
    """Forgeries of each kind in turn, then one who posts 200 times, and five who agreed."""
    script = "<script>canary()</script>"
    for n in range(number):
        at = chance.randrange(len(VERSIONS))
        made = _dated(chance, at, [row(), FORGED], "Linux", "on")
        match n % 4:
            case 0:
                made["rows"][1]["count"] = "9" * 400
            case 1:
                made["rows"] += [row("account.soul"), row(entity="Evil Corp"), row(product="nosuchthing")]
            case 2:
                made |= {k: script for k, v in made.items() if isinstance(v, str) and k not in ("schema", "report")}
                made["rows"] = [{k: script if isinstance(v, str) else v for k, v in r.items()} for r in made["rows"]]
            case _:
                made["versions"] = [version("9.99")]
        yield f"forger-{n}" if n % 4 != 1 else f"forger-{n % 3}", made
    for _ in range(200):
        at = chance.randrange(len(VERSIONS))
        rows = [row(count=_count(chance, chance.random())), FORGED | {"count": _count(chance, chance.random())}]
        yield "flooder", _dated(chance, at, rows, "Linux", "on")
    for n in range(5):
        for at in range(VERSIONS.index(CHANGED)):
            rows = [row(count=_count(chance, 0.5)), COLLUDED, PLANTED | {"count": _count(chance, 0.5)}]
            yield f"colluder-{n}", _dated(chance, at, rows, "Linux", "off")
