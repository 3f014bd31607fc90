"""The usual questions to a corpus, as tables of pandas; `docs/scale.md` shows each for one's own notebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analysis.corpus.store import CorpusError, Store

if TYPE_CHECKING:
    import pandas as pd


def receives(folder: Path, item: str) -> pd.DataFrame:
    """Who receives a data item: product, entity, category, verdict, captures (how many), the most frequent first."""
    verdicts = _table(folder, "verdicts")
    chosen = verdicts[(verdicts["item"] == item) & (verdicts["verdict"] != "not-seen")]
    return _counted(chosen, ["product", "entity", "category", "verdict"])


def callers(folder: Path, host: str) -> pd.DataFrame:
    """Which products call a host or anything below it: product, host, category, captures.

    Raises `CorpusError` for a corpus that may be given away: it holds no hosts.
    """
    calls = _table(folder, "calls")
    if "host" not in calls:
        raise CorpusError(f"{folder}: may be given away and holds no hosts; ask for an item")
    host = host.lower()
    chosen = calls[(calls["host"] == host) | calls["host"].str.endswith("." + host, na=False)]
    return _counted(chosen, ["product", "host", "category"])


def around(folder: Path, product: str, version: str) -> pd.DataFrame:
    """What a product sends before a version and since: item, entity, before, since (shares of captures)."""
    coverage = _table(folder, "coverage")[["capture", "versions"]].explode("versions").dropna()
    coverage["product"] = coverage["versions"].map(lambda entry: entry["product"])
    coverage = coverage[coverage["product"] == product]
    limit = _number(version)
    since = coverage["versions"].map(lambda entry: _number(entry["version"])[: len(limit)] >= limit)
    side = coverage.assign(since=since).drop_duplicates("capture").set_index("capture")["since"]
    verdicts = _table(folder, "verdicts")
    chosen = verdicts[(verdicts["product"] == product) & (verdicts["verdict"] != "not-seen")]
    chosen = chosen[["capture", "item", "entity"]].drop_duplicates()
    chosen = chosen.assign(since=chosen["capture"].map(side)).dropna(subset="since")
    counted = chosen.groupby(["item", "entity", "since"]).size().unstack(fill_value=0)
    totals = side.value_counts()
    shares = {
        name: counted.get(key, 0) / max(int(totals.get(key, 0)), 1)
        for name, key in (("before", False), ("since", True))
    }
    return counted.assign(**shares)[["before", "since"]].reset_index().rename_axis(columns=None)


def _table(folder: Path, name: str) -> pd.DataFrame:
    import pandas as pd  # 0.4 s

    Store(folder)
    if not any((folder / name).glob("part-*.parquet")):
        raise CorpusError(f"{folder}: holds no {name} yet; phonehome corpus CAPTURE... --out {folder} makes them")
    return pd.read_parquet(folder / name)


def _counted(chosen: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    counted = chosen.groupby(by, dropna=False)["capture"].nunique().rename("captures").reset_index()
    return counted.sort_values(["captures", *by], ascending=[False, *[True] * len(by)], ignore_index=True)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
