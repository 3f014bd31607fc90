"""`phonehome community`: what many people's reports say together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis.cli import options
from analysis.cli.collect import default_dataset, needs_parquet

if TYPE_CHECKING:
    from analysis.community.answers import Answers, What


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is asked for; empty: everything."""

    product: str
    item: str
    entity: str

    def fits(self, what: What) -> bool:
        """Whether something is asked for."""
        return (
            self.product in ("", what.product)
            and self.item in ("", what.item)
            and self.entity.casefold() in ("", what.entity.casefold())
        )


@click.command()
@click.argument(
    "dataset", required=False, metavar="[DATASET]", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--product", default="", metavar="ID", help="Only what this product sends.")
@click.option("--item", default="", metavar="ID", help="Only this data item.")
@click.option("--entity", default="", metavar="NAME", help="Only what this recipient gets.")
@click.option("--by-part", is_flag=True, help="Also by version, platform and setting (JSON has them always).")
@click.option(
    "--minimum",
    type=click.IntRange(min=3),
    default=5,
    show_default=True,
    metavar="N",
    help="Tell of no fewer people than that.",
)
@click.option("--until", default="", metavar="YYYY-MM", help="Only captures up to this month.")
@click.option(
    "--site",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write pages, a feed and files for programs, ready for any web server, instead of a report.",
)
@click.option("--url", default="", metavar="ADDRESS", help="With --site: where it will be served, for the feed.")
@options.forum
@options.output("terminal", "json", "markdown", "bbcode", "html", "csv")
def community(
    dataset: Path | None,
    product: str,
    item: str,
    entity: str,
    by_part: bool,
    minimum: int,
    until: str,
    folder: Path | None,
    url: str,
    forum: str,
    form: str,
    out: str,
) -> None:
    """Show what many people's shared reports say together.

    DATASET is what phonehome collect made, by default community in $PHONEHOME_HOME. Shares are those of people, not of
    reports, and only of those who looked; numbers are given in classes. What five people who lie together could have
    made up is no headline, and what accuses is none unless a named maintainer can repeat it.

    \b
    Example:
      phonehome community
      phonehome community reports --product plex --by-part
      phonehome community --format json -o answers.json
      phonehome community --site public --url https://reports.example.org/
    """
    needs_parquet()
    from analysis.community.answers import answers, json
    from analysis.community.dataset import Dataset
    from analysis.report.community import community as document

    if until and not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", until):
        raise click.UsageError(f"--until {until!r}: is no month; write 2026-03")
    found, few = answers(Dataset(dataset or default_dataset()), minimum=minimum, until=until)
    chosen = Chosen(product, item, entity)
    if any((product, item, entity)):
        _known(chosen)
        found, few = _only(found, chosen), ()
    if folder:
        _publish(found, folder, url)
    elif form == "json":
        options.write(json(found), out)
    else:
        options.show(document(found, few if form == "terminal" else (), parts=by_part), form, out, forum)


def _publish(found: Answers, folder: Path, url: str) -> None:
    """Writes the site, and says on standard error what to do with it."""
    from analysis.community.site import published_before, site
    from analysis.report.document import printable
    from analysis.texts import community as texts

    if url and not re.fullmatch(r"https?://[^\s<>\"']+", url):
        raise click.UsageError(f"--url {url!r}: is no address; write https://reports.example.org/")
    before = published_before(folder)
    count = site(found, folder, url.rstrip("/") + "/" if url else "")
    name = printable(str(folder))
    click.echo(texts.SITE_MADE.format(n=count, folder=name), err=True)
    if before and before == found.counts.last:
        click.echo(texts.SITE_TWICE.format(folder=name, month=before), err=True)


def _known(chosen: Chosen) -> None:
    """Raises `click.UsageError` for what this version does not know."""
    from analysis.vocabulary import vocabulary

    words = vocabulary()
    if chosen.product and chosen.product not in words.shipped.products:
        raise click.UsageError(f"--product {chosen.product!r}: is not known; docs/coverage.md lists what is")
    if chosen.item and chosen.item not in words.shipped.items:
        raise click.UsageError(f"--item {chosen.item!r}: is not known; analysis/items.toml lists the ids")
    if chosen.entity and chosen.entity.casefold() not in {name.casefold() for name in words.entities}:
        raise click.UsageError(f"--entity {chosen.entity!r}: is not known; write it as the reports do, e.g. Plex")


def _only(found: Answers, chosen: Chosen) -> Answers:
    """The part of the answers that is asked for."""
    from msgspec.structs import replace

    return replace(
        found,
        statements=tuple(one for one in found.statements if chosen.fits(one.what)),
        changes=tuple(one for one in found.changes if chosen.fits(one.what)),
        revisions=tuple(one for one in found.revisions if chosen.fits(one.what)),
        disagreements=tuple(one for one in found.disagreements if chosen.fits(one.what)),
        gaps=tuple(gap for gap in found.gaps if chosen.product in ("", gap.product)),
    )
