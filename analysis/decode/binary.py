"""Bytes that are no text -> leaves: gRPC, Protocol Buffers, MessagePack, CBOR.

Told by the content type, else by the content: then only what chance does not make.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from analysis.decode.protobuf import holds_text, protobuf
from analysis.decode.walk import Walk

_KINDS = (("grpc", "grpc"), ("protobuf", "protobuf"), ("msgpack", "msgpack"), ("cbor", "cbor"))
"""Part of a content type -> what the body is."""


_AT_ONCE = 1024 * 1024
"""Longest content that is given to a decoder that nothing can stop."""


def binary(walk: Walk, at: str, content: bytes, kind: str, encodings: tuple[str, ...]) -> bool:
    """Adds what bytes hold; `kind` is their content type in lower case, or empty.  Whether they were anything known.

    Places: `<at>[protobuf].1.2`, `<at>[msgpack].user.email`, `<at>[cbor].0.name`, `<at>[grpc].0[protobuf].1` (a number
    for each frame).
    """
    declared = next((name for part, name in _KINDS if part in kind), "")
    if declared == "protobuf":
        return protobuf(walk, f"{at}[protobuf]", content, (*encodings, "protobuf"))
    if declared == "grpc" or (not declared and _is_grpc(content)):
        return _grpc(walk, at, content, encodings)
    if len(content) > _AT_ONCE and declared in ("msgpack", "cbor"):
        walk.note("A body is larger than is looked at")
        return True
    for name, decoded in (("msgpack", _msgpack), ("cbor", _cbor)) if len(content) <= _AT_ONCE else ():
        if declared in ("", name) and (declared or _begins_table(name, content)):
            tree = decoded(content)
            if tree is not None and (declared or _is_table(tree)):
                walk.tree(f"{at}[{name}]", _readable(tree), (*encodings, name))
                return True
    if not declared and len(content) <= walk.budget.size and holds_text(content):
        return protobuf(walk, f"{at}[protobuf]", content, (*encodings, "protobuf"))
    return False


def looks_binary(content: bytes) -> bool:
    """Whether bytes hold what no text holds."""
    return bool(content[:4096].translate(None, _WRITTEN))


_WRITTEN = bytes([9, 10, 12, 13, 27, *range(32, 127), *range(128, 256)])
"""Bytes that stand in texts."""


def _frames(content: bytes) -> list[tuple[int, bytes]]:
    """Flag and message of each frame (grpc.io, PROTOCOL-HTTP2); a last one that breaks off as far as it goes."""
    frames: list[tuple[int, bytes]] = []
    position = 0
    while position + 5 <= len(content) and content[position] in (0, 1, 0x80):
        length = int.from_bytes(content[position + 1 : position + 5])
        frames.append((content[position], content[position + 5 : position + 5 + length]))
        position += 5 + length
    return frames if position >= len(content) else []


def _is_grpc(content: bytes) -> bool:
    if content[:1] not in (b"\0", b"\1") or len(content) < 10:
        return False
    frames = _frames(content)
    whole = sum(5 + len(message) for _, message in frames) == len(content)
    return whole and any(flag == 0 and holds_text(message) for flag, message in frames)


def _grpc(walk: Walk, at: str, content: bytes, encodings: tuple[str, ...]) -> bool:
    frames = _frames(content)
    for position, (flag, message) in enumerate(frames):
        if not walk.more():
            break
        place, inner = f"{at}[grpc].{position}", (*encodings, "grpc")
        if flag == 0x80:
            walk.text(place, message.decode("utf-8", "replace"), inner)
        elif flag == 1 or not protobuf(walk, f"{place}[protobuf]", message, (*inner, "protobuf")):
            # A flag says that it is compressed.
            walk.raw(place, message, inner)
    return bool(frames)


def _begins_table(name: str, content: bytes) -> bool:
    """Whether the first byte begins a table or list that is not empty."""
    first = content[0]
    if name == "msgpack":
        return 0x81 <= first <= 0x8F or 0x91 <= first <= 0x9F or first in (0xDC, 0xDD, 0xDE, 0xDF)
    return 0x81 <= first <= 0x9B or 0xA1 <= first <= 0xBB or first in (0x9F, 0xBF) or content[:3] == b"\xd9\xd9\xf7"


def _is_table(tree: object) -> bool:
    """Whether it is a table whose keys are names, or a list of such: other bytes are no MessagePack by chance."""
    if isinstance(tree, Mapping):
        return bool(tree) and all(isinstance(key, str) and _NAME.match(key) for key in tree)
    return isinstance(tree, Sequence) and not isinstance(tree, str | bytes) and any(map(_is_table, tree))


_NAME = re.compile(r"[A-Za-z_$][\w.$ /-]{1,99}\Z")


def _msgpack(content: bytes) -> object:
    try:
        return msgspec.msgpack.decode(content, ext_hook=lambda _, data: bytes(data), strict=False)
    except (msgspec.MsgspecError, RecursionError, ValueError, TypeError):
        return None


def _cbor(content: bytes) -> object:
    # cbor2 is loaded when the first such body is met.
    import cbor2

    try:
        return cbor2.loads(content, tag_hook=_tagged, semantic_decoders=_plain_tags(), max_depth=200)
    except (cbor2.CBORError, RecursionError, ValueError, TypeError, OverflowError, MemoryError):
        return None


def _tagged(tag: Any, _: bool) -> object:
    return tag.value


@functools.cache
def _plain_tags() -> dict[int, Any]:
    """Tags that a decoder would turn into dates, fractions, references: taken as what stands in them.

    A reference could make a tree without an end, a fraction a number of a gigabyte.
    """
    tags = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 43, 100, 256, 258, 260, 261, 1004, 43000, 55799)
    return dict.fromkeys(tags, lambda value, _: value)


def _readable(tree: object, depth: int = 200) -> object:
    """What a decoder gave -> nested lists and tables of texts and bytes, as `Walk.tree` takes them."""
    if depth == 0:
        return None
    if isinstance(tree, Mapping):
        return {_name(key): _readable(value, depth - 1) for key, value in tree.items()}
    if isinstance(tree, str | bytes | bool) or tree is None:
        return tree
    if isinstance(tree, Sequence | frozenset | set):
        return [_readable(value, depth - 1) for value in tree]
    return str(tree)


def _name(key: object) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
