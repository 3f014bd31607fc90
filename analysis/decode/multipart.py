"""Multipart forms (RFC 7578) -> leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BOUNDARY = re.compile(r'boundary="?([^";,]{1,200})"?')
_SNIFFED = re.compile(rb"--[\w'()+,./:=?-]{1,200}(?=\r?\n)")
_NAME = re.compile(r'[;\s]name="?([^";\r\n]*)"?', re.IGNORECASE)
_FILE_NAME = re.compile(r'[;\s]filename="?([^";\r\n]*)"?', re.IGNORECASE)


def parts(content: bytes, kind: str) -> Iterator[tuple[str, str, bytes]]:
    """Body and its content type (lower case, or empty) -> name, file name (or empty), content of each part.

    Parts without a name have their number for one.  Empty when the body is no multipart form.
    """
    declared = _BOUNDARY.search(kind)
    sniffed = _SNIFFED.match(content)
    boundary = b"--" + declared[1].strip().encode() if declared else sniffed[0] if sniffed else b""
    # The header was folded to lower case to be recognised; the boundary in the body was not.
    if not boundary or content[: len(boundary)].lower() != boundary.lower():
        return
    boundary = b"\n" + content[: len(boundary)]
    start = len(boundary) - 1
    number = 0
    while start < len(content):
        end = content.find(boundary, start)
        part = content[start : end if end >= 0 else len(content)]
        start = end + len(boundary) if end >= 0 else len(content)
        head, gap = part.partition(b"\r\n\r\n")[:2]
        if not gap:
            head, gap = part.partition(b"\n\n")[:2]
        text = head.decode("utf-8", "replace")
        name = _NAME.search(text)
        if gap:
            file_name = _FILE_NAME.search(text)
            number += 1
            value = part[len(head) + len(gap) :].removesuffix(b"\r")
            yield name[1] if name else str(number - 1), file_name[1] if file_name else "", value
