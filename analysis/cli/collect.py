"""`phonehome collect`: shared reports of many people, taken into a dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis.cli import Failure, options

if TYPE_CHECKING:
    from analysis.community.collect import Collected


def default_dataset() -> Path:
    """Where the dataset is unless somebody says otherwise."""
    from captures import home

    return home.root() / "community"


def needs_parquet() -> None:
    """Raises `Failure` when pyarrow is not installed."""
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        raise Failure("this command needs Parquet: pip install 'phonehome[scale]'", 2)


@click.command()
@click.argument("posts", nargs=-1, required=True, metavar="DIR|FILE...", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    "-o",
    "--into",
    "dataset",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DATASET",
    help="Folder of the dataset [default: community in $PHONEHOME_HOME].",
)
@click.option("--by", default="", metavar="HANDLE", help="Who posted them all; kept as a keyed hash only.")
@click.option(
    "--maintainer", default="", metavar="NAME", help="Of one report: who made it and can repeat it; is published."
)
@click.option(
    "--capture",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --maintainer: the capture of that report; its hash is published.",
)
@click.option("--format", "form", type=click.Choice(("terminal", "json")), default="terminal", show_default=True)
def collect(
    posts: tuple[Path, ...], dataset: Path | None, by: str, maintainer: str, capture: Path | None, form: str
) -> None:
    """Take shared reports of many people into a dataset.

    A post is JSON, Markdown, BBCode or HTML as phonehome share wrote it, or what a forum made of it; a file may hold a
    whole thread. Each is checked; the same report is taken once, however often it is given; what is refused is listed
    with the reason. Who posted is the folder below a given one (DIR/alice/post.md), or --by; reports without a name
    count together as one person. Names are kept as keyed hashes only.

    \b
    Example:
      phonehome collect posts/
      phonehome collect --by alice post.md --out reports
      phonehome collect report.json --maintainer "A. Keeper" --capture lab.flow
    """
    needs_parquet()
    from analysis.community.collect import collect as collected
    from analysis.community.dataset import Dataset, Reproduced
    from captures import formats

    if bool(maintainer) != (capture is not None):
        raise click.UsageError("--maintainer and --capture: give both, so that others can repeat the report")
    folder = dataset or default_dataset()
    opened = Dataset(folder, make=True)
    with options.progress("posts") as progress:
        found = collected(posts, opened, by=by or maintainer, progress=progress)
    if maintainer and capture:
        if len(found.ids) != 1:
            raise click.UsageError(f"--maintainer: takes one report, and here are {len(found.ids)}")
        entry = Reproduced(found.ids[0], _public_name(maintainer), f"sha256:{formats.read(capture).digest()}")
        opened.add_reproduced(entry)
    click.echo(_as_json(found) if form == "json" else _as_text(found, folder))
    if not found.ids:
        raise click.exceptions.Exit(3)


def _public_name(name: str) -> str:
    """Raises `click.UsageError` for a name that cannot be shown on one line."""
    from analysis.report.document import printable

    if printable(name) != name or len(name) > 80:
        raise click.UsageError("--maintainer: must be a name of at most 80 letters on one line")
    return name


def _as_json(found: Collected) -> str:
    return json.dumps(
        {
            "schema": "phonehome/collect/1",
            "new": found.taken,
            "known": found.known,
            "rejected": [{"file": file, "reason": reason} for file, reason in found.rejected],
            "left_out": dict(found.unknown),
        }
    )


def _as_text(found: Collected, folder: Path) -> str:
    from analysis.report.document import printable
    from analysis.texts import community as texts
    from analysis.texts import plural

    lines = [f"{printable(file)}: {printable(reason)}" for file, reason in found.rejected]
    counts = {
        "taken": plural(found.taken, texts.TAKEN),
        "known": plural(found.known, texts.KNOWN),
        "rejected": plural(len(found.rejected), texts.REJECTED),
    }
    lines.append(texts.COLLECTED.format(**counts))
    if left := sum(found.unknown.values()):
        lines.append(plural(left, texts.LEFT_OUT) + ".")
    if found.ids:
        lines.append(texts.NEXT.format(dataset=printable(str(folder))))
    return "\n".join(lines)
