"""npm's `third-party-web` -> `entities.tsv` and its licence: `python -m analysis.entities_update PACKAGE.tgz`.

For who maintains the tool (`make entities`).  Nothing is fetched here; the package is what `npm pack` brought.
"""

from __future__ import annotations

import html
import ipaddress
import sys
import tarfile
from pathlib import Path

import msgspec

from analysis.entities import LIST

LICENCE = LIST.with_name("entities.licence.txt")
"""Licence of the list, as it stands in the package."""


class _Package(msgspec.Struct):
    name: str
    version: str
    license: str


class _Entity(msgspec.Struct):
    name: str
    category: str
    domains: list[str]
    company: str = ""


def table(entities: bytes, package: bytes) -> str:
    """`entities-nostats.json` and `package.json` -> the text of `entities.tsv`, sorted.

    A domain stands for itself and all names below it, whether the package writes `*.` before it or not.  Addresses are
    left out: they change hands.  Raises `msgspec.MsgspecError` for other files, `ValueError` for a name or domain that
    would break the table.
    """
    about = msgspec.json.decode(package, type=_Package)
    lines = set()
    for one in msgspec.json.decode(entities, type=list[_Entity]):
        name = html.unescape(one.company or one.name).strip()
        domains = sorted({domain.lower().removeprefix("*.") for domain in one.domains if not _is_address(domain)})
        if set(name) & set("#\t\n\r") or any(set(domain) & set(" \t\n\r*") or "." not in domain for domain in domains):
            raise ValueError(f"{one.name}: cannot be written as a line of the table")
        if domains:
            lines.add(f"{name}\t{one.category}\t{' '.join(domains)}\n")
    return f"# {about.name} {about.version} (npm), licence {about.license}: {LICENCE.name}\n" + "".join(sorted(lines))


def _is_address(domain: str) -> bool:
    try:
        ipaddress.ip_address(domain)
    except ValueError:
        return False
    return True


def update(archive: Path) -> None:
    """Archive of the package -> writes the list and its licence.  Raises `KeyError` when a file is missing in it."""
    with tarfile.open(archive) as tar:

        def read(name: str) -> bytes:
            file = tar.extractfile(f"package/{name}")
            return file.read() if file else b""

        text, licence = table(read("dist/entities-nostats.json"), read("package.json")), read("LICENSE")
    LIST.write_text(text, "utf-8")
    LICENCE.write_bytes(licence)


if __name__ == "__main__":
    update(Path(sys.argv[1]))
