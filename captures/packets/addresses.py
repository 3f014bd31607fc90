"""Addresses as bytes -> text."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


@lru_cache(maxsize=4096)
def text(address: bytes) -> str:
    """Address of 4 or 16 bytes -> its usual text form."""
    return "{}.{}.{}.{}".format(*address) if len(address) == 4 else str(ipaddress.ip_address(address))
