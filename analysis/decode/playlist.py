"""m3u8 playlists (RFC 8216) -> leaves."""

from __future__ import annotations

import re

from analysis.decode.walk import Walk, step

_TAG = re.compile(r"#(EXT[A-Z0-9-]*)(?::(.*))?\Z")
_ATTRIBUTE = re.compile(r'([A-Z0-9-]{1,60})=("[^"]*"|[^,]*)(?:,|\Z)')


def playlist(walk: Walk, at: str, text: str, encodings: tuple[str, ...]) -> None:
    """Adds `<at>[m3u8].EXT-X-KEY.0.URI` of attributes, `<at>[m3u8].EXTINF.0` of other tags, `<at>[m3u8].uri.0`.

    Each name is numbered by itself.
    """
    inner = (*encodings, "m3u8")
    counts: dict[str, int] = {}

    def place(name: str) -> str:
        counts[name] = counts.get(name, -1) + 1
        return f"{at}[m3u8].{name}.{counts[name]}"

    start = 0
    while start < len(text) and walk.more():
        end = text.find("\n", start)
        line = text[start : end if end >= 0 else len(text)].strip()
        start = end + 1 if end >= 0 else len(text)
        tag = _TAG.match(line)
        if tag and tag[2]:
            here = place(tag[1])
            attributes = _ATTRIBUTE.findall(tag[2])
            if attributes and tag[2].startswith(attributes[0][0] + "="):
                for name, value in attributes:
                    walk.text(step(here, name), value.strip('"'), inner)
            else:
                walk.text(here, tag[2], inner)
        elif line and not line.startswith("#"):
            walk.text(place("uri"), line, inner)
