"""HTML -> leaves: what the fields of its forms hold, and the JSON that a page carries for its scripts."""

from __future__ import annotations

from html.parser import HTMLParser

from analysis.decode.walk import Walk, step

_PIECE = 64 * 1024
"""Characters that are parsed before it is asked whether there is time for more."""

_FIELDS = frozenset({"input", "textarea", "select", "button"})


def page(walk: Walk, at: str, text: str, encodings: tuple[str, ...]) -> None:
    """Adds `<at>[html].form.0.email` of each field with a name (without a form: `<at>[html].field.email`).

    Also `<at>[html].form.0.action`, `<at>[html].meta.description`, and `<at>[html].script.0` of scripts that are JSON.
    """
    reader = _Reader(walk, f"{at}[html]", (*encodings, "html"))
    for start in range(0, len(text), _PIECE):
        if not walk.more():
            return
        reader.feed(text[start : start + _PIECE])
    reader.close()


class _Reader(HTMLParser):
    """Turns the events of the parser into leaves."""

    def __init__(self, walk: Walk, at: str, encodings: tuple[str, ...]) -> None:
        super().__init__(convert_charrefs=True)
        self._walk = walk
        self._at = at
        self._encodings = encodings
        self._forms = 0
        self._scripts = 0
        self._form = ""
        self._wanted = ""
        """Place of the text that is being read; empty: none is wanted."""
        self._select = ""
        """Place of the list of which an entry is chosen."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = f"{self._at}.form.{self._forms}"
            self._forms += 1
            self._add(f"{self._form}.action", given.get("action", ""))
        elif tag in _FIELDS and given.get("name"):
            place = step(self._form or f"{self._at}.field", given["name"])
            if tag == "textarea":
                self._wanted = place
            elif tag == "select":
                self._select = place
            elif given.get("type", "").lower() not in ("checkbox", "radio") or "checked" in given:
                self._add(place, given.get("value", ""))
        elif tag == "option" and "selected" in given and self._select:
            self._add(self._select, given.get("value", ""))
        elif tag == "meta":
            name = given.get("name") or given.get("property", "")
            if name:
                self._add(step(f"{self._at}.meta", name), given.get("content", ""))
        elif tag == "script" and "json" in given.get("type", "").lower():
            self._wanted = f"{self._at}.script.{self._scripts}"
            self._scripts += 1

    def handle_data(self, data: str) -> None:
        if self._wanted:
            self._add(self._wanted, data.strip())

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = ""
        elif tag == "select":
            self._select = ""
        self._wanted = ""

    def _add(self, place: str, value: str) -> None:
        if value and self._walk.more():
            self._walk.text(place, value, self._encodings)
