"""Names that DNS answers gave to addresses."""

from __future__ import annotations

from bisect import bisect_right

_MOST = 200_000
_MOST_EACH = 64


class Names:
    """Address -> the names that it was called by, with when and for whom."""

    def __init__(self) -> None:
        self._table: dict[str, list[tuple[float, str, bytes]]] = {}

    def bind(self, address: str, name: str, client: bytes, time: float) -> None:
        """An answer: `client` was told that `name` has this address."""
        if len(self._table) >= _MOST and address not in self._table:
            return
        known = self._table.setdefault(address, [])
        if known and known[-1][1:] == (name, client):
            return
        known.append((time, name, client))
        if len(known) > _MOST_EACH:
            del known[0]

    def of(self, address: str, client: bytes, time: float) -> str:
        """Name that this client, else anybody, was last told for an address before this time; empty when none was."""
        known = self._table.get(address, ())
        # A packet may be recorded a little before the answer that led to it.
        before = known[: bisect_right([entry[0] for entry in known], time + 1.0)]
        return next((name for _, name, whose in reversed(before) if whose == client), before[-1][1] if before else "")
