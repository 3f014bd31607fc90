"""Answers -> a folder that any static host can serve: pages, a feed, files for programs, texts for a forum.

Nothing on it is loaded from anywhere, and nothing runs but the search, which works without a server; without scripts
the list that it searches is simply there.  The folder is made beside its place and then exchanged as a whole.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import posixpath
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from analysis import language, texts
from analysis.community import sentences
from analysis.community.answers import Answers, json
from analysis.community.dataset import DatasetError
from analysis.community.pages import Page, pages
from analysis.report import bbcode, markdown
from analysis.report.community import community
from analysis.report.document import printable
from analysis.report.html import TEMPLATES as REPORT
from analysis.texts import community as words
from analysis.texts import page as page_words

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")
"""The page, its style, its script and the feed."""

MARK = "phonehome-site.json"
"""File by which a folder is known as a site that may be replaced."""


def site(found: Answers, folder: Path, url: str = "") -> int:
    """Answers -> a folder of pages, which is made or replaced as a whole; how many files it holds.

    `url` is where it will be served, for the feed; empty: the feed's links are relative.
    Raises `DatasetError` for a folder that holds something else.
    """
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise DatasetError(f"{folder}: is a file; choose a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise DatasetError(f"{folder}: holds other things than a site of phonehome; choose an empty folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as aside:
        made = Path(aside) / "new"
        count = 0
        for path, text in _files(found, url):
            target = made / path
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
            target.write_text(text, "utf-8")
            count += 1
        if folder.exists():
            folder.rename(Path(aside) / "old")
        made.rename(folder)
    return count


def published_before(folder: Path) -> str:
    """The last month of the site that stands in a folder; empty when there is none."""
    try:
        mark = msgspec.json.decode((folder / MARK).read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError):
        return ""
    return mark.get("month", "")


def _files(found: Answers, url: str) -> Iterator[tuple[str, str]]:
    """Path and content of each file."""
    templates = _templates()
    for page in pages(found):
        yield page.path, _render(templates, page)
    yield "feed.xml", _feed(templates, found, url)
    yield "data/answers.json", json(found)
    for product in sorted({one.what.product for one in found.statements}):
        yield f"data/products/{product}.json", json(_of_product(found, product))
    document = community(found)
    yield "forum-post.md", markdown.render(document, "any")
    yield "forum-post.bbcode.txt", bbcode.render(document)
    yield MARK, msgspec.json.encode({"tool": found.tool, "month": found.counts.last}).decode() + "\n"


def _render(templates: Environment, page: Page) -> str:
    style, script = _style(), _script() if page.searched else ""
    policy = f"default-src 'none'; style-src '{_hash(style)}'; " + (f"script-src '{_hash(script)}'; " if script else "")
    depth = page.path.count("/")

    def link(to: str) -> str:
        return posixpath.relpath(to, posixpath.dirname(page.path) or ".")

    return templates.get_template("site.html").render(
        page=page,
        link=link,
        root="../" * depth,
        policy=policy + "base-uri 'none'; form-action 'none'",
        style=style,
        script=script,
    )


def _feed(templates: Environment, found: Answers, url: str) -> str:
    """Changes of versions and of lists as an Atom feed (RFC 4287)."""
    entries = []
    for change in found.changes:
        path = f"changes/{change.what.product}-{change.version}.html"
        key = f"{change.what} {change.version} {change.appeared}"
        entries.append((_urn(key), sentences.change(change), _instant(change.month), url + path))
    for revision in found.revisions:
        key = f"{revision.what} {revision.old} {revision.new}"
        entries.append((_urn(key), sentences.revision(revision), f"{revision.new}T00:00:00Z", url + "changes.html"))
    entries.sort(key=lambda entry: entry[2], reverse=True)
    updated = max((entry[2] for entry in entries), default=_instant(found.counts.last))
    name = _urn(url or words.TITLE)
    return templates.get_template("feed.xml").render(entries=entries, updated=updated, url=url, id=name)


def _instant(month: str) -> str:
    return f"{month or '2026-01'}-01T00:00:00Z"


def _urn(key: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, key).urn


def _of_product(found: Answers, product: str) -> Answers:
    return msgspec.structs.replace(
        found,
        statements=tuple(one for one in found.statements if one.what.product == product),
        changes=tuple(one for one in found.changes if one.what.product == product),
        revisions=tuple(one for one in found.revisions if one.what.product == product),
        disagreements=tuple(one for one in found.disagreements if one.what.product == product),
        gaps=tuple(gap for gap in found.gaps if gap.product == product),
    )


@functools.cache
def _style() -> str:
    return (REPORT / "page.css").read_text("utf-8") + (TEMPLATES / "site.css").read_text("utf-8")


@functools.cache
def _script() -> str:
    return (TEMPLATES / "search.js").read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # 0.1 s
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=lambda value: printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["ours"] = Markup  # a file of ours, or a policy made of hashes
    made.globals.update(texts=texts, words=words, search=page_words, language=language.current())
    return made
