"""Numbers at many places of a mapped file at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import mmap

    import numpy as np

type Ints = np.ndarray[Any, np.dtype[np.int64]]
"""A column of numbers."""

type Mask = np.ndarray[Any, np.dtype[np.bool_]]
"""A column of truths."""

type Mapped = bytes | mmap.mmap
"""A whole file."""


class Bytes:
    """A mapped file of at least four bytes -> numbers at any of its places, in columns.

    A place beyond the file gives some number of the file's end and never an error: whoever asks checks against the
    packet's end in any case, in one comparison for all packets.
    """

    def __init__(self, mapped: Mapped, order: str = ">") -> None:
        import numpy as np  # 0.08 s

        self.mapped = mapped
        size = len(mapped)
        self._last = size - 4
        self._u8 = np.frombuffer(mapped, np.uint8)
        # Views that begin at every byte, so that one look-up gives a number that stands at an odd place.
        self._u16 = np.ndarray((size - 3,), order + "u2", mapped, strides=(1,))
        self._u32 = np.ndarray((size - 3,), order + "u4", mapped, strides=(1,))

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
