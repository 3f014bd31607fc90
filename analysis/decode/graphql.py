"""GraphQL documents (specification of October 2021) -> leaves: the values that stand in the arguments."""

from __future__ import annotations

import json
import re

from analysis.decode.walk import Walk, step

_BEGINS = re.compile(r"\s*(?:(?:query|mutation|subscription)\b[^{]{0,2000}\{|\{\s*[A-Za-z_]\w*\s*[({:\s])")
_TOKEN = re.compile(
    r'[\s,]*(?:#[^\n]*|(?P<block>"""(?s:.*?)""")|(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)'
    r"|(?P<variable>\$\w+)|(?P<name>[A-Za-z_]\w*)|(?P<mark>\.\.\.|[!$&()\[\]{}:=@|]))"
)


_VARIABLES = "$"

_COLON = re.compile(r"\s*:")


def graphql(walk: Walk, at: str, text: str, encodings: tuple[str, ...]) -> bool:
    """Adds `<at>[graphql].<field>.<argument>` of each argument with a value of its own; whether it is a document.

    Of tables in arguments each entry: `<at>[graphql].login.input.email`; of lists with its position.  Variables come
    out where they are given, beside the document.
    """
    if not _BEGINS.match(text):
        return False
    found: list[tuple[str, str]] = []
    whole = _read(text, walk, found)
    if not whole:
        return False
    inner = (*encodings, "graphql")
    for place, value in found:
        walk.text(f"{at}[graphql]{place}", value, inner)
    return bool(found)


def _read(text: str, walk: Walk, found: list[tuple[str, str]]) -> bool:
    """Adds place and value of each argument to `found`; whether all of the text was read."""
    places: list[str] = [""]
    """Places of the arguments, tables and lists that are open; the first stands for the selections."""
    positions: list[int] = [-1]
    """In a list the position of its next value, else -1."""
    field, name, selected = "", "", 0
    end = 0
    while end < len(text):
        match = _TOKEN.match(text, end)
        if not match or match.end() == end:
            return not text[end:].strip(" \t\r\n,")
        end = match.end()
        kind, part = match.lastgroup, match[match.lastgroup or 0]
        inside = len(places) > 1
        if not walk.open(places[-1], len(places) - 1) or len(found) >= walk.budget.leaves or walk.late():
            return False
        if kind == "mark":
            if part == "(" and not inside:
                # Before the first selection stand the variables of the operation.
                places.append(step("", field) if selected else _VARIABLES)
                positions.append(-1)
            elif part in "{[" and inside:
                places.append(_value_place(places, positions, name))
                positions.append(0 if part == "[" else -1)
            elif part in ")}]" and inside:
                places.pop()
                positions.pop()
            elif part in "{}":
                selected += 1 if part == "{" else -1
            continue
        if kind is None:
            continue
        if kind == "name" and (not inside or (positions[-1] < 0 and _COLON.match(text, end))):
            if inside:
                name = part
            else:
                field = part
        elif (
            inside
            and kind != "variable"
            and places[1] != _VARIABLES
            and len(places) <= walk.budget.depth
            and len(found) < walk.budget.leaves
        ):
            found.append((_value_place(places, positions, name), _plain(kind, part)))
    return selected == 0


def _value_place(places: list[str], positions: list[int], name: str) -> str:
    if positions[-1] < 0:
        return step(places[-1], name)
    positions[-1] += 1
    return step(places[-1], positions[-1] - 1)


def _plain(kind: str, token: str) -> str:
    if kind == "block":
        return token[3:-3]
    if kind == "text":
        try:
            return str(json.loads(token))
        except ValueError:
            return token[1:-1]
    return token
