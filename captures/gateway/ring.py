"""Packets of an interface, as the kernel puts them into memory that is shared with it.  Linux only.

Source: linux/if_packet.h; Documentation/networking/packet_mmap.rst.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import mmap
import select
import socket
import struct
import sys
from collections.abc import Iterator, Set
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from captures.gateway import bpf
from captures.model import CaptureError
from captures.packets.batch import Batch
from captures.packets.bytes_at import beginnings

if TYPE_CHECKING:
    import numpy as np

    from captures.packets.bytes_at import Ints

_SOL_PACKET, _RX_RING, _STATISTICS, _VERSION = 263, 5, 6, 10
_V3 = 2
_SO_ATTACH_FILTER = 26
_READY = 1

_BLOCK, _BLOCKS, _FRAME = 1 << 20, 32, 1 << 11
"""32 MB: at a gigabit, with what is of no use cut off, a second or more."""

_PATIENCE_MS = 100
"""Time after which the kernel hands over a block that is not full."""

_HEAD = 28
"""Bytes of a packet's header in the ring that are looked at."""

_ETHERNET, _IP = 1, 101
_LINKS = {1: _ETHERNET, 772: _ETHERNET, 512: _IP, 65534: _IP, 768: _IP, 769: _IP, 776: _IP, 778: _IP}
"""Kind of hardware (ARPHRD_…) -> link type: Ethernet, loopback; PPP and tunnels, of which the kernel shows the IP."""

_LOOPBACK = 772


class Ring:
    """What comes and goes on an interface; use as a context."""

    def __init__(self, interface: str) -> None:
        """Begins to listen.  Raises `CaptureError`, in a sentence, when that is not possible."""
        self.interface = interface
        self._socket = _socket(interface)
        self._clear = bpf.CLEAR
        try:
            self._memory = self._shared()
        except OSError as error:
            self._socket.close()
            raise CaptureError(f"{interface}: cannot be listened to: {error.strerror or error}") from None
        except BaseException:
            self._socket.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._socket.ins, select.POLLIN | select.POLLERR)
        self._next = 0
        self.gone = False
        """Whether the interface does not exist any more."""

    def _shared(self) -> mmap.mmap:
        ins = self._socket.ins
        hardware = ins.getsockname()[3]
        if hardware not in _LINKS:
            raise CaptureError(
                f"{self.interface}: is of a kind that cannot be read live ({hardware}); "
                "record it with tcpdump and use phonehome inspect"
            )
        self._link = _LINKS[hardware]
        self._loopback = hardware == _LOOPBACK
        self._attach()
        ins.setsockopt(_SOL_PACKET, _VERSION, _V3)
        frames = _BLOCK // _FRAME * _BLOCKS
        wanted = struct.pack("=7I", _BLOCK, _BLOCKS, _FRAME, frames, _PATIENCE_MS, 0, 0)
        ins.setsockopt(_SOL_PACKET, _RX_RING, wanted)
        return mmap.mmap(ins.fileno(), _BLOCK * _BLOCKS, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)

    def _attach(self) -> None:
        program = bpf.program(self._link, self._clear, loopback=self._loopback)
        code = ctypes.create_string_buffer(program, len(program))
        # struct sock_fprog: the number of instructions, and where they stand.
        attached = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
        self._socket.ins.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, attached)

    def speaks_clear(self, ports: Set[int]) -> None:
        """At these TCP ports HTTP is spoken in clear: from now on all of it is passed on, while there is room."""
        known = frozenset(sorted(self._clear | ports, key=lambda port: port not in self._clear)[: bpf.MOST_CLEAR])
        if known != self._clear:
            self._clear = known
            self._attach()

    def batches(self, timeout: float) -> Iterator[Batch]:
        """What has come since the last time, or comes within `timeout` seconds; a batch is valid until the next."""
        if not self._ready() and self._poll.poll(timeout * 1000):
            # An interface that is down may come up again.
            down = self._socket.ins.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ENETDOWN
            self.gone = down and self.interface not in {name for _, name in socket.if_nameindex()}
        for _ in range(_BLOCKS):
            if not self._ready():
                return
            begin = self._next * _BLOCK
            count, offset = struct.unpack_from("=II", self._memory, begin + 12)
            if count:
                yield self._batch(begin + offset, count)
            struct.pack_into("=I", self._memory, begin + 8, 0)
            self._next = (self._next + 1) % _BLOCKS

    def _ready(self) -> bool:
        return bool(struct.unpack_from("=I", self._memory, self._next * _BLOCK + 8)[0] & _READY)

    def _batch(self, at: int, count: int) -> Batch:
        import numpy as np

        starts, unpack = [at], struct.Struct("=I").unpack_from
        append = starts.append
        for _ in range(count - 1):
            at += unpack(self._memory, at)[0]
            append(at)
        begin: Ints = np.array(starts, np.int64)
        octets = beginnings(self._memory, begin, _HEAD)
        words = octets.view("=u4").reshape(-1, _HEAD // 4).astype(np.int64)
        place = octets.view("=u2").reshape(-1, _HEAD // 2)[:, 12].astype(np.int64)
        time: np.ndarray[Any, np.dtype[np.float64]] = words[:, 1] + words[:, 2] / 1e9
        captured, length = words[:, 3], words[:, 4]
        link = np.full(count, self._link)
        return Batch(self._memory, begin + place, captured, np.maximum(length, captured), time, link)

    def lost(self) -> int:
        """Packets since the last question that there was no room for."""
        size = struct.calcsize("=3I")
        dropped: int = struct.unpack("=3I", self._socket.ins.getsockopt(_SOL_PACKET, _STATISTICS, size))[1]
        return dropped

    def __enter__(self) -> Ring:
        """Listens already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it."""
        self._socket.close()
        # Else it goes when the last column that looks into it is gone.
        with suppress(BufferError):
            self._memory.close()


def _socket(interface: str) -> Any:
    """A socket of scapy's that hears all packets of an interface."""
    if sys.platform != "linux":
        raise CaptureError(f"{interface}: live only works on Linux; record with tcpdump and use phonehome inspect")
    names = [name for _, name in socket.if_nameindex()]
    if interface not in names:
        raise CaptureError(f"{interface}: there is no such interface; there are {', '.join(names)}")
    # 0.4 s.
    from scapy.arch.linux import L2ListenSocket

    # It would say on the terminal which kinds of interfaces it does not know.
    logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
    try:
        return L2ListenSocket(iface=interface, promisc=True)
    except PermissionError:
        raise CaptureError(
            f"{interface}: listening takes the right CAP_NET_RAW; try with sudo, or record with tcpdump as root"
        ) from None
    except OSError as error:
        raise CaptureError(f"{interface}: cannot be listened to: {error.strerror or error}") from None
