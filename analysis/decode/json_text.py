"""JSON -> leaves: at once where the text is small and right, piece by piece where it is large, damaged or too deep."""

from __future__ import annotations

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]  # the scanner that json itself uses, in C

from analysis.decode.walk import Walk, step

LOADS = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False).decode
"""JSON text -> nested lists and tables; numbers stay the texts that were sent."""

AT_ONCE = 256 * 1024
"""Longest text that is parsed at once: nothing can stop the parser, which takes up to 0.2 µs a character."""

_TOKEN = re.compile(r'[ \t\r\n]*(?:([{}\[\],"])|(-?(?:[0-9][0-9.eE+-]*|Infinity)|NaN|true|false|null))')
_COLON = re.compile(r"[ \t\r\n]*:")


def pieces(walk: Walk, at: str, text: str, encodings: tuple[str, ...]) -> int:
    """Adds the values of a JSON text one by one; gives the number of characters that were read.

    That is less than the whole where the text breaks off, is no JSON, is nested too deeply, or a budget ran out.
    """
    places: list[str] = []
    positions: list[int] = []  # in a list the position of its next value; in a table -1, or -2 after a name
    place, end = at, 0
    while match := _TOKEN.match(text, end):
        mark = match[1]
        table = bool(positions) and positions[-1] == -1
        if (table and mark in (None, "{", "[")) or (mark in ("{", "[") and not walk.open(place, len(places))):
            break
        if not walk.more():
            break
        if mark is None:
            end = match.end()
            if match[2] != "null":
                walk.text(place, match[2], encodings)
        elif mark == '"':
            try:
                content, after = scanstring(text, match.end(), False)
            except ValueError:
                break
            if table:
                colon = _COLON.match(text, after)
                if not colon:
                    break
                end, place, positions[-1] = colon.end(), step(places[-1], content), -2
                continue
            end = after
            walk.text(place, content, encodings)
        elif mark in "{[":
            end = match.end()
            places.append(place)
            positions.append(-1 if mark == "{" else 0)
            place = place if mark == "{" else step(place, 0)
            continue
        elif mark == ",":
            if not positions:
                break
            end = match.end()
            if positions[-1] >= 0:
                positions[-1] += 1
                place = step(places[-1], positions[-1])
            continue
        else:
            if not places:
                break
            end = match.end()
            places.pop()
            positions.pop()
        if not places:
            break
        if positions[-1] == -2:
            positions[-1] = -1
    return end
