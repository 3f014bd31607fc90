"""The dataset on disk: Parquet, one row for each report and product, partitioned by product and month.

```
DATASET/dataset.json                                    what it is
DATASET/reports/<batch>.parquet                         one row a report; a batch counts once this file stands there
DATASET/cells/product=<id>/month=<YYYY-MM>/<batch>.parquet   what each report says of each product
DATASET/private/poster.key, lock                        never to be given away
```

A batch is written aside and renamed, its list of reports last: what an interrupted run left is not read, and is
removed by the next.
"""

from __future__ import annotations

import fcntl
import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from analysis.community.post import Post
from analysis.shared_report import SharedReport
from captures import home

if TYPE_CHECKING:
    import pyarrow as pa

FORM = "phonehome/community/2"
"""Name and version of the dataset's form."""

UNKNOWN_SENDER = "-"
"""Partition of what nobody known sent, or an own pack of the poster."""

NO_MONTH = "unknown"
"""Partition of captures without times."""


class DatasetError(ValueError):
    """A folder that is no dataset: place, what is wrong, what to do."""


class Reproduced(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A report that a named maintainer made from a capture of his own."""

    report: str
    """Id of the report."""
    maintainer: str
    """Who, by a name that may be published."""
    capture: str
    """`sha256:…` of the capture."""


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `dataset.json` holds."""

    schema: str = FORM
    """Name and version of the form."""
    reproduced: tuple[Reproduced, ...] = ()
    """Reports that can be repeated."""


class Dataset:
    """A folder of collected reports."""

    def __init__(self, folder: Path, *, make: bool = False) -> None:
        """Opens it; `make` makes one where there is none.  Raises `DatasetError`."""
        self.folder = folder
        self.about = self._about(make)
        self.private = folder / "private"

    def _about(self, make: bool) -> About:
        path = self.folder / "dataset.json"
        try:
            about = msgspec.json.decode(path.read_bytes(), type=About)
        except FileNotFoundError:
            if not make:
                raise DatasetError(
                    f"{self.folder}: holds no collected reports; phonehome collect POST... --out {self.folder} does"
                ) from None
            if self.folder.is_dir() and any(self.folder.iterdir()):
                raise DatasetError(f"{self.folder}: holds other things; choose an empty folder") from None
            home.folder(self.folder)
            about = About()
            self._write_about(about)
        except (NotADirectoryError, msgspec.MsgspecError):
            raise DatasetError(f"{self.folder}: is no dataset of this version; choose another folder") from None
        if about.schema != FORM:
            raise DatasetError(f"{self.folder}: was made by another version of phonehome; update phonehome")
        return about

    def _write_about(self, about: About) -> None:
        path = self.folder / "dataset.json"
        part = home.private_file(path.with_suffix(".part"))
        part.write_bytes(msgspec.json.encode(about) + b"\n")
        part.replace(path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other writers out, and removes what an interrupted one left."""
        self.private.mkdir(mode=0o700, exist_ok=True)
        with home.private_file(self.private / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            batches = set(self._batches())
            for path in self.folder.glob("cells/*/*/*"):
                if path.stem not in batches:
                    path.unlink()
            for path in self.folder.glob("reports/*.part"):
                path.unlink()
            yield

    def add_reproduced(self, entry: Reproduced) -> None:
        """Notes that a report can be repeated."""
        others = tuple(kept for kept in self.about.reproduced if kept.report != entry.report)
        self.about = About(reproduced=(*others, entry))
        self._write_about(self.about)

    def append(self, taken: Sequence[tuple[Post, str]]) -> None:
        """Adds reports with their posters, all or none."""
        if not taken:
            return
        batch = secrets.token_hex(8)
        parts: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for post, who in taken:
            month = post.report.month or NO_MONTH
            for product, row in _rows(post.report, who).items():
                parts[product, month].append(row)
        for (product, month), rows in parts.items():
            folder = self.folder / "cells" / f"product={product}" / f"month={month}"
            self._write(rows, cells_schema(), folder / f"{batch}.parquet")
        heads = [
            {
                "report": post.report.report,
                "digest": post.digest,
                "poster": who,
                "month": post.report.month,
                "tool": post.report.tool,
                "unknown": sum(post.unknown.values()),
            }
            for post, who in taken
        ]
        self._write(heads, reports_schema(), self.folder / "reports" / f"{batch}.parquet")

    def reports(self) -> list[dict[str, Any]]:
        """One row for each report, as in `reports_schema`, in the order in which they were collected."""
        rows: list[dict[str, Any]] = []
        for batch in self._batches():
            rows += self._read(self.folder / "reports" / f"{batch}.parquet")
        return rows

    def cells(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Product (`UNKNOWN_SENDER` for none), and a row as in `cells_schema`."""
        batches = set(self._batches())
        for path in sorted(self.folder.glob("cells/product=*/month=*/*.parquet")):
            if path.stem in batches:
                product = path.parts[-3].partition("=")[2]
                for row in self._read(path):
                    yield product, row

    def _batches(self) -> list[str]:
        found = sorted(self.folder.glob("reports/*.parquet"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        return [path.stem for path in found]

    def _write(self, rows: list[dict[str, Any]], schema: pa.Schema, path: Path) -> None:
        import pyarrow as pa  # 0.2 s, as in all of this module
        import pyarrow.parquet as pq

        home.folder(path.parent)
        part = home.private_file(path.with_suffix(".part"))
        pq.write_table(pa.Table.from_pylist(rows, schema), part, compression="zstd")
        part.replace(path)

    def _read(self, path: Path) -> list[dict[str, Any]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with path.open("rb") as file:
                rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
        except (pa.ArrowException, OSError):
            raise DatasetError(f"{path}: is damaged; remove it and collect its posts again") from None
        return rows


def reports_schema() -> pa.Schema:
    """One row a report: id, digest of its content, poster (keyed hash), month, tool's version, entries left out."""
    import pyarrow as pa

    text = pa.string()
    return pa.schema(
        [("report", text), ("digest", text), ("poster", text), ("month", text), ("tool", text), ("unknown", pa.int32())]
    )


def cells_schema() -> pa.Schema:
    """One row for each report and product; `product` and `month` stand in the folders' names."""
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    cell = pa.struct(
        [
            ("item", text),
            ("entity", text),
            ("recipient", text),
            ("category", text),
            ("declared", text),
            ("verdict", text),
            ("also", texts),
            ("sure", pa.bool_()),
            ("count", text),
        ]
    )
    setting = pa.struct([("switch", text), ("state", text)])
    return pa.schema(
        [
            ("report", text),
            ("poster", text),
            ("versions", texts),
            ("platforms", texts),
            ("settings", pa.list_(setting)),
            ("length", text),
            ("occasions", texts),
            ("left_out", pa.bool_()),
            ("cells", pa.list_(cell)),
        ]
    )


def _rows(report: SharedReport, who: str) -> Mapping[str, dict[str, Any]]:
    """A report -> its row for each product that it speaks of."""
    products = {row.product for row in report.rows}
    products |= {v.product for v in report.versions} | {s.product for s in report.settings}
    rows: dict[str, dict[str, Any]] = {
        _partition(product): {
            "report": report.report,
            "poster": who,
            "versions": [v.version for v in report.versions if v.product == product],
            "platforms": list(report.platforms),
            "settings": [{"switch": s.switch, "state": s.state} for s in report.settings if s.product == product],
            "length": report.length,
            "occasions": list(report.occasions),
            "left_out": report.left_out,
            "cells": [],
        }
        for product in products or {""}
    }
    for row in report.rows:
        cell = msgspec.to_builtins(row)
        rows[_partition(row.product)]["cells"].append(cell)
    return rows


def _partition(product: str) -> str:
    return product if product and not product.startswith("own pack #") else UNKNOWN_SENDER
