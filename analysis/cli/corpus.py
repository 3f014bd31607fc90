"""`phonehome corpus`: the pipeline over captures by the thousand, and questions to what it found."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from analysis.cli import Failure, Group, options

if TYPE_CHECKING:
    import pandas as pd

    from analysis.corpus.places import Found
    from analysis.corpus.run import Done


class Corpus(Group):
    """A group that reads captures when what is typed first is none of its commands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the name of the usual command before what was typed."""
        if args and args[0] not in ("query", "run", "-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """The one that has to be named."""
        return ["query"]

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """That of the usual command, and of the other."""
        formatter.write_usage(ctx.command_path, "CAPTURE|DIR... --out DATASET [OPTIONS]")
        formatter.write_usage(ctx.command_path, "query DATASET [OPTIONS]")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Those of the usual command."""
        run.format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(cls=Corpus)
def corpus() -> None:
    """Run the pipeline over thousands of captures.

    The work is spread over this machine's cores, or over a cluster of Dask. What was found is written as Parquet, for
    pandas, DuckDB or Polars (docs/scale.md). What is done is passed over the next time; a new pack does again only what
    it touches. A capture that fails, hangs or eats memory costs only itself: it is tried twice and then listed. The
    dataset holds values and is private, unless --shared.

    \b
    Example:
      phonehome corpus captures/ --out dataset
      phonehome corpus s3://bucket/captures --out /shared/dataset --scheduler tcp://192.0.2.10:8786
      phonehome corpus query dataset --item media.title
    """


def _needs() -> None:
    from importlib.util import find_spec

    if find_spec("distributed") is None or find_spec("pyarrow") is None:
        raise Failure("this command needs Dask and Parquet: pip install 'phonehome[scale]'", 2)


@corpus.command(hidden=True)
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE|DIR...", shell_complete=options.complete_files)
@click.option(
    "--out",
    "-o",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DATASET",
    help="Folder of the dataset; on a cluster one that all workers see under this path.",
)
@click.option("--scheduler", default="", metavar="ADDRESS", help="Scheduler of a Dask cluster: tcp://HOST:PORT.")
@click.option("--shared", is_flag=True, help="Keep only what phonehome share would: no values, counts in classes.")
@click.option(
    "--workers", type=click.IntRange(1), default=os.cpu_count() or 1, help="Captures at a time [default: cores]."
)
@click.option(
    "--memory", type=click.IntRange(256), default=2048, show_default=True, metavar="MB", help="Most for one capture."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=1),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Longest for one capture.",
)
@click.option("--retry-failed", is_flag=True, help="Try captures once more that failed in an earlier run.")
@click.option("--format", "form", type=click.Choice(("terminal", "json")), default="terminal", show_default=True)
def run(
    captures: tuple[str, ...],
    out: Path,
    scheduler: str,
    shared: bool,
    workers: int,
    memory: int,
    time_limit: float,
    retry_failed: bool,
    form: str,
) -> None:
    """Read captures into a dataset.

    \b
    Example:
      phonehome corpus captures/ --out dataset
    """
    _needs()
    from analysis.corpus.places import find
    from analysis.corpus.run import How
    from analysis.corpus.run import run as read
    from analysis.corpus.store import Store

    found = find(captures)
    if not found.captures:
        raise Failure(f"{captures[0]}: holds no captures; give files, or a folder with .flow, .har, .pcap …", 3)
    opened = Store(out, shared=shared)
    how = How(scheduler, workers, memory << 20, time_limit, retry_failed)
    with options.progress("captures") as progress:
        done = read(found.captures, opened, how, progress=progress, tell=lambda text: click.echo(text, err=True))
    click.echo(_as_json(done) if form == "json" else _as_text(done, found, out, opened.about.shared))
    if not done.read + done.known:
        from analysis.texts import corpus as texts

        raise Failure(texts.NONE.format(place=done.failed[0][0]), 3)


def _as_json(done: Done) -> str:
    failed = [{"capture": path, "reason": reason} for path, reason in done.failed]
    said = {"schema": "phonehome/corpus-run/1", "read": done.read, "known": done.known, "kept": done.kept}
    return json.dumps({**said, "failed": failed})


def _as_text(done: Done, found: Found, out: Path, shared: bool) -> str:
    from analysis.report.document import printable
    from analysis.texts import corpus as texts
    from analysis.texts import plural

    lines = [f"{printable(path)}: {printable(reason.removeprefix(path + ': '))}" for path, reason in done.failed]
    counts = {
        "read": plural(done.read, texts.READ),
        "known": plural(done.known, texts.KNOWN),
        "failed": plural(len(done.failed), texts.FAILED),
    }
    lines.append(texts.DONE.format(**counts))
    if done.kept:
        lines.append(plural(done.kept, texts.KEPT))
    if done.failed:
        lines.append(texts.AGAIN)
    if found.others:
        lines.append(plural(found.others, texts.OTHERS))
    if not done.read + done.known:
        return "\n".join(lines)
    folder = printable(str(out))
    lines.append((texts.IS_SHARED if shared else texts.IS_PRIVATE).format(dataset=folder))
    lines.append(texts.NEXT.format(dataset=folder))
    return "\n".join(lines)


@corpus.command()
@click.argument("dataset", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DATASET")
@click.option("--item", default="", metavar="ID", help="Who receives this data item?")
@click.option("--host", default="", metavar="NAME", help="Which products call this host, or one below it?")
@click.option("--product", default="", metavar="ID", help="With --version: what it sends before and since.")
@click.option("--version", default="", metavar="NUMBER", help="The version of --product that divides.")
@click.option("--format", "form", type=click.Choice(("terminal", "csv", "json")), default="terminal", show_default=True)
def query(dataset: Path, item: str, host: str, product: str, version: str, form: str) -> None:
    """Answer the usual questions from a dataset.

    Give one of --item, --host, or --product with --version.

    \b
    Example:
      phonehome corpus query dataset --item media.title
      phonehome corpus query dataset --host plex.tv
      phonehome corpus query dataset --product plex --version 1.41
    """
    _needs()
    from analysis.corpus import query as ask

    asked = [bool(item), bool(host), bool(product or version)]
    if sum(asked) != 1 or bool(product) != bool(version):
        raise click.UsageError("give one of --item ID, --host NAME, or --product ID with --version NUMBER")
    if item:
        found = ask.receives(dataset, item)
    elif host:
        found = ask.callers(dataset, host)
    else:
        found = ask.around(dataset, product, version)
    options.write(_table(found, form), "-")


def _table(found: pd.DataFrame, form: str) -> str:
    if form == "json":
        return cast("str", found.to_json(orient="records")) + "\n"
    if form == "csv":
        return cast("str", found.to_csv(index=False))
    from analysis.report.document import printable
    from analysis.texts import corpus as texts

    if found.empty:
        return texts.NOTHING + "\n"
    shown = found.copy()
    for column in shown.columns[: 2 if "before" in shown else -1]:
        shown[column] = shown[column].map(lambda text: printable(str(text)))
    return cast("str", shown.to_string(index=False, float_format="{:.0%}".format)) + "\n"
