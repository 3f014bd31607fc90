"""Addresses: which belong to a household, and which device has which."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache

from captures.packets.conversations import Conversation

_HOUSEHOLD = tuple(
    (network.max_prefixlen // 8, int(network.netmask), int(network.network_address))
    for network in (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("172.16.0.0/12"),
        ipaddress.ip_network("192.168.0.0/16"),
        ipaddress.ip_network("169.254.0.0/16"),
        ipaddress.ip_network("127.0.0.0/8"),
        ipaddress.ip_network("fe80::/10"),
        ipaddress.ip_network("fc00::/7"),
        ipaddress.ip_network("::1/128"),
    )
)
"""Bytes of an address, mask, first address."""

_MOST_OF_ONE = 16
"""IPv6 addresses of one device: it makes a new one each day."""


@lru_cache(maxsize=4096)
def household(address: bytes) -> bool:
    """Whether an address is one of loopback, link-local, RFC 1918 or ULA."""
    number, size = int.from_bytes(address), len(address)
    return any(size == width and number & mask == first for width, mask, first in _HOUSEHOLD)


@lru_cache(maxsize=4096)
def local(client: bytes, server: bytes) -> bool:
    """Whether what one address sends to another stays in the local network.

    Multicast and broadcast do; of IPv6 addresses those with the same first 64 bits.
    """
    if household(server) or ipaddress.ip_address(server).is_multicast or server == b"\xff" * 4:
        return True
    return len(server) == 16 and server[:8] == client[:8]


def devices(conversations: Iterable[Conversation]) -> Mapping[bytes, str]:
    """Address -> MAC address of its device, as text, where the packets show it.

    A MAC address that sends for several machines (a router, an access point in router mode) is nobody's.
    """
    addresses: dict[bytes, set[bytes]] = {}
    senders(conversations, addresses)
    return owners(addresses)


def senders(conversations: Iterable[Conversation], addresses: dict[bytes, set[bytes]]) -> None:
    """Adds to `addresses` from which ones each MAC address sends."""
    for conversation in conversations:
        for end, mac in zip(conversation.ends, conversation.macs, strict=True):
            if mac and any(end.address):
                its = addresses.setdefault(mac, set())
                if len(its) <= 2 * _MOST_OF_ONE:
                    its.add(end.address)


def owners(addresses: Mapping[bytes, set[bytes]]) -> Mapping[bytes, str]:
    """MAC address -> addresses that it sends from, as `senders` collects them -> as `devices`."""
    found: dict[bytes, str] = {}
    taken: set[bytes] = set()
    for mac, its in addresses.items():
        if any(mac) and not mac[0] & 1 and _one_device(its):
            # An address that two MAC addresses send from belongs to neither for certain.
            for address in its:
                if address in found:
                    taken.add(address)
                found[address] = mac.hex(":")
    return {address: mac for address, mac in found.items() if address not in taken}


def _one_device(addresses: set[bytes]) -> bool:
    short = [address for address in addresses if len(address) == 4]
    wide = [address for address in addresses if len(address) == 16 and not household(address)]
    networks = {address[:8] for address in wide}
    if len(short) > 1 or len(wide) > _MOST_OF_ONE or len(networks) > 1:
        return False
    # A machine that is known by a public IPv6 address alone may be anywhere behind a router.
    return all(household(address) for address in short) and len(wide) < len(addresses)
