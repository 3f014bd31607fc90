"""Sentences about a corpus of captures.  A pair is singular and plural; names in braces are filled in."""

from __future__ import annotations

READ = ("{n} capture read", "{n} captures read")
KNOWN = ("{n} done before", "{n} done before")
FAILED = ("{n} failed", "{n} failed")
DONE = "{read}, {known}, {failed}."
KEPT = (
    "{n} result of other packs is still right and was kept.",
    "{n} results of other packs are still right and were kept.",
)
OTHERS = (
    "{n} file with another ending than that of a capture was left alone.",
    "{n} files with other endings than those of captures were left alone.",
)
IS_PRIVATE = "{dataset} holds what was sent, word for word: keep it to yourself (--shared makes one to give away)."
IS_SHARED = "{dataset} holds no values: it may be given away."
NEXT = "phonehome corpus query {dataset} --item media.title asks it."
NOTHING = "Nothing of the kind is in the dataset."
NONE = "{place}: neither this nor any other capture could be read; phonehome inspect FILE tells more of one"
AGAIN = "What failed is passed over the next time, unless its file changes or --retry-failed is given."
