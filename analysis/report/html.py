"""Document -> one HTML page that loads nothing, and runs nothing but its own script, whatever was captured.

The page works from a file, with and without scripts.  What it looks like stands in `templates/`; every text is escaped
by jinja2 on its way into a template, and made printable by `_printable` before that.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup
from markupsafe import escape as escaped

from analysis import language, texts
from analysis.commands import COMMANDS
from analysis.report import plot, svg
from analysis.report.document import Bars, Block, Data, Document, Heading, Kind, Listing, Plot, printable
from analysis.texts import page as words

if TYPE_CHECKING:
    from jinja2 import Environment, Template

TEMPLATES = Path(__file__).with_name("templates")
"""The page, its blocks, its style and its script."""

ROWS = 40
"""A longer table begins with so many rows; the others are folded."""

MARKUP = re.compile(r"<style>.*?</style>|<script>.*?</script>|<!?/?[a-z][^<>]*>", re.DOTALL | re.IGNORECASE)
"""What this output writes around texts.  No text of a document stands in an attribute, so none is taken out with it."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the second level and what follows it."""

    id: str
    """Its anchor."""
    heading: str
    """Empty before the first heading."""
    blocks: tuple[Block, ...]
    """What stands under it."""


def render(document: Document) -> str:
    """Document -> HTML."""
    style, script = _file("page.css"), _file("page.js")
    live = any(isinstance(block, Listing) for block in document.blocks)
    policy = f"default-src 'none'; style-src '{_hash(style)}'; " + (f"script-src '{_hash(script)}'; " if live else "")
    policy += "base-uri 'none'; form-action 'none'"
    # What is posted is proven word by word, so its sentences stay as they are.
    posted = any(isinstance(block, Data) for block in document.blocks)
    return _page(language.current(), posted).render(
        title=document.title,
        policy=Markup(policy),  # noqa: S704  our own words and two hashes
        style=Markup(style),  # noqa: S704  a file of ours
        script=Markup(script) if live else "",  # noqa: S704  a file of ours
        sections=tuple(sections_of(document)),
    )


def escape(text: str) -> str:
    """Text -> the same text as character data or attribute value."""
    return str(escaped(printable(text)))


def sections_of(document: Document) -> Iterator[Section]:
    """The blocks of a document under their headings of the second level."""
    heading, blocks, n = "", list[Block](), 0
    for block in document.blocks:
        if isinstance(block, Heading) and block.level == 2:
            yield Section(f"s{n}", heading, tuple(blocks))
            heading, blocks, n = block.text, [], n + 1
        else:
            blocks.append(block)
    yield Section(f"s{n}", heading, tuple(blocks))


@functools.cache
def _file(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@functools.cache
def _page(language: str, posted: bool) -> Template:  # noqa: ARG001  the environment knows the language
    made = environment()
    if posted:
        made.filters["prose"] = str
    return made.get_template("page.html")


def environment(*folders: Path) -> Environment:
    """What templates are rendered with: ours, and those in further folders; every text is escaped and printable."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # 0.1 s, and only this output needs it

    made = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        finalize=_printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(
        kind=lambda block: type(block).__name__.lower(),
        inert=_inert,
        plot=_plot,
        prose=prose,
        flows=svg.flows,
        stacks=svg.stacks,
        lanes=svg.lanes,
        choices=_choices,
        longest=_longest,
        plural=texts.plural,
        number=texts.number,
    )
    made.globals.update(texts=texts, words=words, rows=ROWS, language=language.current())
    return made


def _printable(value: object) -> object:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def lines(text: str) -> Markup:
    """Text of several lines -> the same, escaped and printable, with its line breaks."""
    return Markup("\n").join(printable(line) for line in text.split("\n"))


_COMMANDS = "|".join(f"{name} [a-z]+" if entry.group else name for name, entry in COMMANDS.items())

_COMMAND = re.compile(
    rf"`([a-zA-Z][a-zA-Z -]{{1,60}})`|(phonehome (?:{_COMMANDS})(?![\w-])"
    r"(?: --kind server \S+| --[a-z-]+(?: [a-z]+[.-][a-z_-]+)?| [A-Z]{4}(?:\.\.\.)?)*)"
)
"""A command in a sentence: between two backticks, or one of ours with what belongs to it."""

_UNIT = re.compile(r"(?<=\d) (?=(?:%|[smh]|ms|min|B|[kMG]B|[kM]bps)(?!\w))")
"""What stands between a number and its unit, of which a line must not end."""

_SHORT = 30
"""A longer word of a command may be broken, since it would not fit in the width of a phone."""


def prose(text: str) -> Markup:
    """A sentence -> the same, escaped and printable, with commands that break between their words only, and no unit
    without its number."""
    made, end = Markup(), 0
    for found in _COMMAND.finditer(text):
        made += _sentence(text[end : found.start()])
        made += Markup(" ").join(map(_word, (found[1] or found[2]).split(" ")))
        end = found.end()
    return made + _sentence(text[end:])


def _sentence(text: str) -> Markup:
    return escaped(_UNIT.sub("\N{NO-BREAK SPACE}", printable(text)))


def _word(word: str) -> Markup:
    shown = printable(word)
    kind = Markup(' class="short"') if len(shown) <= _SHORT else ""
    return Markup("<code{}>{}</code>").format(kind, shown)


def _inert(json: str) -> Markup:
    """JSON -> the same within a script element, which only `</` can end and in which only `<!` opens a comment."""
    return Markup(json.replace("</", "<\\/").replace("<!", "\\u003c!"))  # noqa: S704  nothing else ends a script


def _plot(block: Plot) -> Markup:
    return Markup(plot.svg(block))  # noqa: S704  escaped where it is made


def _choices(kinds: tuple[Kind, ...], field: str) -> dict[str, int]:
    """What the calls can be filtered by -> its number, by name."""
    return {name: n for n, name in enumerate(sorted({getattr(kind, field) for kind in kinds}))}


def _longest(block: Bars) -> int:
    """Bars -> the greatest count, at least 1."""
    return max((first + second for _, first, second in block.rows), default=1) or 1
