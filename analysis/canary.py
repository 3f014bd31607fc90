"""An invented film: a small file that plays, and a title that stands nowhere else in the world.

Put into a library, any sight of its title or of its hash outside proves that titles or hashes of the library leave.
The picture is grey and stands still: H.264 (ITU-T H.264, 7.3) with one frame of samples as they are (`I_PCM`) and
frames that repeat it, in MP4 (ISO/IEC 14496-12 and -15).
"""

from __future__ import annotations

import secrets
import struct
from pathlib import Path
from typing import NamedTuple

_WIDTH, _HEIGHT = 320, 240
_BLOCKS = (_WIDTH // 16) * (_HEIGHT // 16)

_ONSETS = ["b", "br", "d", "dr", "f", "fl", "g", "gl", "k", "kr", "l", "m", "n", "p", "pr", "qu", "sk", "sp", "t", "tr"]
_ONSETS += ["v", "vl", "w", "y", "z", "zh"]
_MIDDLES = ["a", "e", "i", "o", "u", "au", "ei", "oo"]
_ENDS = ["x", "nk", "rv", "lb", "mp", "st", "rg", "ld", "bz", "ft"]
_SHAPES = ["The {} of {} {}", "{} {} and the {}", "{} {} at {}"]


class Canary(NamedTuple):
    """An invented film."""

    title: str
    """Its title: three words that no language has, about 70 bits."""
    year: int
    """Of its release, invented too."""
    seconds: int
    """How long it plays, between two and nine minutes."""

    @property
    def file_name(self) -> str:
        """As media servers like to read it."""
        return f"{self.title} ({self.year}).mp4"


def invent() -> Canary:
    """A film that nobody made, another one at each call."""
    words = ["".join(map(secrets.choice, (_ONSETS, _MIDDLES, _ONSETS, _MIDDLES, _ENDS))).title() for _ in range(3)]
    return Canary(secrets.choice(_SHAPES).format(*words), 1950 + secrets.randbelow(70), 120 + secrets.randbelow(420))


def write(canary: Canary, folder: Path) -> Path:
    """Writes the film into a folder and gives its path; about 250 kB.  Raises `OSError`, also when it is there."""
    path = folder / canary.file_name
    with path.open("xb") as file:
        file.write(film(canary))
    return path


def film(canary: Canary) -> bytes:
    """The file.  Random bytes at its end, which nobody plays, make its hashes its own."""
    frames = [_first_frame(), *(_same_again(number) for number in range(1, canary.seconds))]
    samples = [struct.pack(">I", len(frame)) + frame for frame in frames]
    start = _box(b"ftyp", b"isom", bytes(4), b"isomiso2avc1mp41")
    # The index comes first, and holds where the samples begin; that number does not change its length.
    head = start + _index(canary, samples, 0)
    head = start + _index(canary, samples, len(head) + 8)
    return head + _box(b"mdat", *samples) + _box(b"free", secrets.token_bytes(128 * 1024))


class _Bits:
    """Bits in the order of the standard."""

    def __init__(self) -> None:
        self._bits: list[str] = []

    def fixed(self, value: int, count: int) -> _Bits:
        """`u(n)`."""
        self._bits.append(f"{value:0{count}b}")
        return self

    def ue(self, value: int) -> _Bits:
        """`ue(v)`, clause 9.1."""
        code = f"{value + 1:b}"
        self._bits.append("0" * (len(code) - 1) + code)
        return self

    def aligned(self) -> _Bits:
        """Zeros up to the next byte."""
        self._bits.append("0" * (-len("".join(self._bits)) % 8))
        return self

    def ended(self) -> bytes:
        """With the stop bit of clause 7.3.2.11."""
        self._bits.append("1")
        self.aligned()
        text = "".join(self._bits)
        return int(text, 2).to_bytes(len(text) // 8)

    def raw(self) -> bytes:
        """What ends at a byte."""
        text = "".join(self._bits)
        return int(text, 2).to_bytes(len(text) // 8)


def _escaped(payload: bytes) -> bytes:
    """With `emulation_prevention_three_byte`, clause 7.4.1."""
    found = bytearray()
    zeros = 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            found.append(3)
            zeros = 0
        found.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(found)


def _sequence() -> bytes:
    """Sequence parameters: constrained baseline, level 1.3, order of output as coded (`pic_order_cnt_type` 2)."""
    bits = _Bits().fixed(66, 8).fixed(0b11000000, 8).fixed(13, 8).ue(0)
    bits.ue(0).ue(2).ue(1).fixed(0, 1).ue(_WIDTH // 16 - 1).ue(_HEIGHT // 16 - 1)
    bits.fixed(1, 1).fixed(1, 1).fixed(0, 1).fixed(0, 1)
    return b"\x67" + _escaped(bits.ended())


def _picture() -> bytes:
    """Picture parameters: CAVLC, one slice group, no deblocking control."""
    bits = _Bits().ue(0).ue(0).fixed(0, 1).fixed(0, 1).ue(0).ue(0).ue(0).fixed(0, 1).fixed(0, 2)
    bits.ue(0).ue(0).ue(0).fixed(0, 1).fixed(0, 1).fixed(0, 1)
    return b"\x68" + _escaped(bits.ended())


def _first_frame() -> bytes:
    """An IDR slice whose blocks hold their samples as they are."""
    head = _Bits().ue(0).ue(7).ue(0).fixed(0, 4).ue(0).fixed(0, 1).fixed(0, 1).ue(0)
    payload = head.ue(25).aligned().raw()
    samples = bytes([96]) * 256 + bytes([128]) * 128
    block = _Bits().ue(25).aligned().raw() + samples
    return b"\x65" + _escaped(payload + samples + block * (_BLOCKS - 1) + b"\x80")


def _same_again(number: int) -> bytes:
    """A slice that skips all blocks: the picture before once more."""
    bits = _Bits().ue(0).ue(5).ue(0).fixed(number % 16, 4).fixed(0, 1).fixed(0, 1).fixed(0, 1).ue(0).ue(_BLOCKS)
    return b"\x41" + _escaped(bits.ended())


def _box(name: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I", len(content) + 8) + name + content


def _full(name: bytes, *parts: bytes, flags: int = 0) -> bytes:
    """A box with version 0 and flags."""
    return _box(name, struct.pack(">I", flags), *parts)


_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def _index(canary: Canary, samples: list[bytes], first: int) -> bytes:
    """`moov`; one frame a second, and time in thousandths."""
    length = canary.seconds * 1000
    movie = _full(b"mvhd", struct.pack(">4I", 0, 0, 1000, length), struct.pack(">IH10x", 0x10000, 0x100), _MATRIX,
                  bytes(24), struct.pack(">I", 2))  # fmt: skip
    track = _full(b"tkhd", struct.pack(">5I", 0, 0, 1, 0, length), bytes(16), _MATRIX,
                  struct.pack(">2I", _WIDTH << 16, _HEIGHT << 16), flags=3)  # fmt: skip
    media = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">4I2H", 0, 0, 1000, length, 0x55C4, 0)),
        _full(b"hdlr", bytes(4), b"vide", bytes(12), b"video\0"),
        _box(
            b"minf",
            _full(b"vmhd", bytes(8), flags=1),
            _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1))),
            _samples(samples, first),
        ),
    )
    return _box(b"moov", movie, _box(b"trak", track, media), _named(canary))


def _samples(samples: list[bytes], first: int) -> bytes:
    """`stbl`: how they are coded, how long each lasts, how large it is, where they stand."""
    sequence, picture = _sequence(), _picture()
    configuration = _box(
        b"avcC", bytes([1, *sequence[1:4], 0xFF, 0xE1]), struct.pack(">H", len(sequence)), sequence, b"\1",
        struct.pack(">H", len(picture)), picture,
    )  # fmt: skip
    entry = _box(b"avc1", struct.pack(">6xH16x2H", 1, _WIDTH, _HEIGHT), struct.pack(">3IH", 0x480000, 0x480000, 0, 1),
                 bytes(32), struct.pack(">Hh", 0x18, -1), configuration)  # fmt: skip
    sizes = b"".join(struct.pack(">I", len(sample)) for sample in samples)
    return _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), entry),
        _full(b"stts", struct.pack(">3I", 1, len(samples), 1000)),
        _full(b"stss", struct.pack(">2I", 1, 1)),
        _full(b"stsc", struct.pack(">4I", 1, 1, len(samples), 1)),
        _full(b"stsz", struct.pack(">2I", 0, len(samples)), sizes),
        _full(b"stco", struct.pack(">2I", 1, first)),
    )


def _named(canary: Canary) -> bytes:
    """`udta`: title and year, as iTunes writes them."""

    def entry(name: bytes, text: str) -> bytes:
        return _box(name, _box(b"data", struct.pack(">2I", 1, 0), text.encode()))

    listed = _box(b"ilst", entry(b"\xa9nam", canary.title), entry(b"\xa9day", str(canary.year)))
    return _box(b"udta", _full(b"meta", _full(b"hdlr", bytes(4), b"mdirappl", bytes(9)), listed))
