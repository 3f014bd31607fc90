"""Who posted: kept only as a keyed hash, so that a dataset names nobody even if it gets away."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from pathlib import Path

from captures import home

NOBODY = ""
"""Stands for everybody whose name was not told: together they count as one person."""


def key(folder: Path) -> bytes:
    """The private folder of a dataset -> its key, made when there is none; a file for the owner alone (0600)."""
    path = folder / "poster.key"
    home.private_file(path)
    if found := path.read_bytes():
        return found
    made = secrets.token_bytes(32)
    path.write_bytes(made)
    return made


def poster(handle: str, secret: bytes) -> str:
    """A name in a forum -> 32 hex digits that nobody can compute without the key; `NOBODY` for no name.

    Case, width and spaces around it do not make another person.
    """
    name = unicodedata.normalize("NFKC", handle).strip().casefold()
    return hmac.new(secret, name.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32] if name else NOBODY
