"""What nobody has looked at yet: products, versions and platforms that need a capture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.community.changes import number
from analysis.community.reports import View
from analysis.vocabulary import vocabulary


@dataclass(frozen=True, slots=True)
class Gap:
    """One product and version, and the platforms on which it needs a capture."""

    product: str
    """Id of the pack."""
    version: str
    """Major and minor number; empty: no version of this product was reported by enough people."""
    looked: tuple[str, ...]
    """Platforms on which enough people looked."""
    missing: tuple[str, ...]
    """Platforms on which fewer did, or nobody."""


def gaps(views: Mapping[str, Sequence[View]], minimum: int) -> list[Gap]:
    """Product -> what was said of it -> what needs a capture, for every media product that is known.

    A report of which something was left out is no look at everything.  Platforms are all those on which any product was
    looked at, so that nobody is sent to look for what there is not.
    """
    words = vocabulary()
    media = [pack for pack, product in words.shipped.products.items() if product.kind == "media-product"]
    voices: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for product, said in views.items():
        for view in said:
            if view.left_out:
                continue
            for platform in ("", *view.platforms):
                voices[product, view.version, platform].add(view.voice)
                voices["", "", platform].add(view.voice)
    used = [family for family in words.platforms if len(voices["", "", family]) >= minimum] or list(words.platforms)
    found = []
    for product in sorted({*media, *views}, key=lambda pack: words.shipped.products[pack].name.casefold()):
        versions = {view.version for view in views.get(product, ()) if view.version}
        enough = sorted((v for v in versions if len(voices[product, v, ""]) >= minimum), key=number, reverse=True)
        for version in enough or [""]:
            looked = tuple(p for p in used if version and len(voices[product, version, p]) >= minimum)
            if missing := tuple(p for p in used if p not in looked):
                found.append(Gap(product, version, looked, missing))
    return found
