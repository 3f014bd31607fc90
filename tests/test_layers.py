"""Imports go one way, and each third-party package has its home."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAYERS = ("captures", "analysis", "addons")

HOMES = {
    "mitmproxy": ("captures/formats/flows.py", "captures/gateway/", "addons/"),
    "OpenSSL": ("addons/client_certificate.py",),  # mitmproxy brings it and shows its connections to addons
    "h11": ("addons/http1.py",),  # mitmproxy brings it and reads HTTP/1.1 with it
    "numpy": (
        "captures/packets/",
        "captures/gateway/ring.py",
        "analysis/grid.py",
        "analysis/film_model.py",
    ),
    "scapy": ("captures/gateway/ring.py",),
    "pandas": ("analysis/table.py", "analysis/corpus/query.py", "analysis/cli/corpus.py"),  # the last for a type
    "dask": ("analysis/corpus/engine.py",),
    "fsspec": ("analysis/corpus/places.py", "analysis/corpus/child.py"),
    "pyarrow": ("analysis/community/dataset.py", "analysis/corpus/store.py", "analysis/corpus/tables.py"),
    "hpack": ("captures/packets/http2.py",),
    "scipy": ("analysis/rates.py",),
    "click": ("analysis/cli/",),
    "rich": ("analysis/cli/", "analysis/report/"),
    "tornado": ("analysis/demo/", "analysis/web/"),
    "cryptography": ("analysis/demo/", "captures/gateway/", "captures/packets/quic.py"),
    "jinja2": ("analysis/report/", "analysis/community/site.py", "analysis/web/", "captures/gateway/scripts.py"),
    "segno": ("captures/gateway/wireguard.py",),
    "markupsafe": ("analysis/report/html.py", "analysis/community/site.py"),
    "msgspec": ("captures/", "analysis/", "addons/observe.py"),
    "plexapi": ("analysis/importers/plex.py",),
    "requests": ("analysis/importers/plex.py",),
    "platformdirs": ("captures/home.py",),
    "tomli": ("analysis/knowledge.py",),
    "publicsuffixlist": ("analysis/entities.py",),
    "ahocorasick_rs": ("analysis/known/automaton.py",),
    "xxhash": ("analysis/known/forms.py",),
    "Crypto": ("analysis/known/file_hashes.py",),
    "polib": ("analysis/language.py", "analysis/translation_update.py"),
    "cbor2": ("analysis/decode/binary.py",),
    "zstandard": ("captures/content.py", "analysis/decode", "analysis/corpus/store.py"),
    "brotli": ("captures/content.py", "analysis/decode"),
}
"""Third-party package -> files and folders that may import it."""


@functools.cache
def imports() -> tuple[tuple[str, str], ...]:
    """Place of each module of ours, and the name of a module that it imports."""
    return tuple(
        (path.relative_to(ROOT).as_posix(), name)
        for layer in LAYERS
        for path in sorted((ROOT / layer).rglob("*.py"))
        for name in imported(ast.parse(path.read_text("utf-8")))
    )


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_no_layer_imports_one_above_it() -> None:
    wrong = [
        f"{place} imports {name}"
        for place, name in imports()
        if name.partition(".")[0] in LAYERS[LAYERS.index(place.partition("/")[0]) + 1 :]
    ]
    assert wrong == []


def test_each_third_party_package_stays_in_its_home() -> None:
    wrong = []
    for place, name in imports():
        package = name.partition(".")[0]
        if package in sys.stdlib_module_names or package in LAYERS:
            continue
        if not place.startswith(HOMES.get(package, ())):
            wrong.append(f"{place} imports {package}")
    assert wrong == []


def test_a_home_that_nobody_lives_in_is_no_home() -> None:
    """A home listed above whose file exists must really use the package, so that the table stays true."""
    used = {(place, name.partition(".")[0]) for place, name in imports()}
    idle = [
        f"{home} does not import {package}"
        for package, homes in HOMES.items()
        for home in homes
        if home.endswith(".py") and (ROOT / home).exists() and (home, package) not in used
    ]
    assert idle == []


HEAVY = (
    "mitmproxy",
    "numpy",
    "scapy",
    "pandas",
    "rich",
    "tornado",
    "msgspec",
    "pyarrow",
    "dask",
    "distributed",
    "fsspec",
)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import atexit, sys\n"
        "from analysis.cli import main\n"
        f"atexit.register(lambda: print(*sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr))\n"
        "main(['--help'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, b"")
