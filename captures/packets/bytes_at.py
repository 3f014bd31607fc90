"""Numbers at many places of the packets of a batch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import mmap

    import numpy as np

type Ints = np.ndarray[Any, np.dtype[np.int64]]
"""A column of numbers."""

type Mask = np.ndarray[Any, np.dtype[np.bool_]]
"""A column of truths."""

type Octets = np.ndarray[Any, np.dtype[np.uint8]]
"""A column of bytes."""

type Mapped = bytes | mmap.mmap
"""A whole file."""


def beginnings(mapped: Mapped, begin: Ints, width: int) -> Octets:
    """Places in a file -> the `width` bytes that stand at each, one after another; zeros beyond the file's end.

    Taken at once and close together they are read five times as fast as from all over the file.
    """
    import numpy as np  # 0.08 s

    last = len(mapped) - width
    found = np.zeros((len(begin), width), np.uint8)
    late = np.flatnonzero(begin > last)
    if last >= 0:
        places = np.ndarray((last + 1,), f"V{width}", mapped, strides=(1,))
        found = places[np.minimum(begin, last)].view(np.uint8).reshape(len(begin), width)
    for row in late.tolist():
        end = bytes(mapped[int(begin[row]) : int(begin[row]) + width])
        found[row] = np.frombuffer(end.ljust(width, b"\0"), np.uint8)
    return found.reshape(-1)


class Bytes:
    """Bytes, at least four of them -> numbers at any of their places, big end first, in columns.

    A place beyond the end gives some number of the end and never an error: whoever asks checks against the packet's
    end in any case, in one comparison for all packets.
    """

    def __init__(self, octets: Octets) -> None:
        import numpy as np

        self._last = len(octets) - 4
        self._u8 = octets
        # Views that begin at every byte, so that one look-up gives a number that stands at an odd place.
        self._u16 = np.ndarray((self._last + 1,), ">u2", octets.data, strides=(1,))
        self._u32 = np.ndarray((self._last + 1,), ">u4", octets.data, strides=(1,))

    def _within(self, at: Ints) -> Ints:
        import numpy as np

        return np.minimum(at, self._last)

    def u8(self, at: Ints) -> Ints:
        """Bytes."""
        import numpy as np

        return self._u8[self._within(at)].astype(np.int64)

    def u16(self, at: Ints) -> Ints:
        """Numbers of two bytes."""
        import numpy as np

        return self._u16[self._within(at)].astype(np.int64)

    def u32(self, at: Ints) -> Ints:
        """Numbers of four bytes."""
        import numpy as np

        return self._u32[self._within(at)].astype(np.int64)
