"""A capture is recognised by its content; what cannot be read is one sentence."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from captures.formats import read
from captures.model import CaptureError

ROOT = Path(__file__).parents[1]
HAR = json.dumps({"log": {"entries": [{"request": {"url": "https://plex.tv/"}}]}}).encode()


def write(tmp_path: Path, content: bytes, name: str = "capture") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_the_name_does_not_matter(tmp_path: Path) -> None:
    capture = read(write(tmp_path, HAR, "x.flow"), 2)
    assert (capture.name, capture.format, capture.digest()) == ("x.flow", "har", hashlib.sha256(HAR).hexdigest())
    assert [x.source.capture for x in capture.observations()] == [2]


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstandard.compress])
def test_a_compressed_file_is_opened_and_its_own_hash_kept(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(HAR)
    capture = read(write(tmp_path, packed))
    assert (capture.format, len(list(capture.observations()))) == ("har", 1)
    assert capture.digest() == hashlib.sha256(packed).hexdigest()


def test_standard_input_is_read_to_its_end() -> None:
    code = "from captures.formats import read; c = read('-'); print(c.name, c.format, len(list(c.observations())))"
    for content in (HAR, gzip.compress(HAR)):
        done = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=True, cwd=ROOT)
        assert done.stdout == b"- har 1\n"


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_the_damaged_end_of_a_compressed_file_loses_only_the_end(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    two = json.dumps({"log": {"entries": [{"request": {"url": f"https://plex.tv/{n}"}} for n in range(5000)]}}).encode()
    packed = pack(two)
    seen = list(read(write(tmp_path, packed[: len(packed) * 3 // 4])).observations())
    assert len(seen) > 1000


def test_an_empty_flow_file_is_what_mitmproxy_leaves_when_nothing_came(tmp_path: Path) -> None:
    assert list(read(write(tmp_path, b"", "quiet.flow")).observations()) == []


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "x.har", "x.har: is empty; record something first"),
        (
            b"Dear reader",
            "x",
            "x: is no capture that is known; known are flow, har, ledger, pcap, dns-log, each also as .gz or .zst",
        ),
        (b"\x1f\x8bnonsense", "x", "x: its gzip compression is damaged; record or copy it again"),
        (
            gzip.compress(b"Dear", mtime=0),
            "x",
            "x: is no capture that is known; known are flow, har, ledger, pcap, dns-log, each also as .gz or .zst",
        ),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes, name: str, sentence: str) -> None:
    with pytest.raises(CaptureError) as raised:
        read(write(tmp_path, content, name))
    assert str(raised.value) == sentence


def test_a_folder_and_a_missing_file_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r": is a folder; give the captures in it, e.g. .*/\*.flow$"):
        read(tmp_path)
    with pytest.raises(CaptureError, match=r"nothing: there is no such file; check the path$"):
        read(tmp_path / "nothing")
    with pytest.raises(CaptureError, match=r"^'': there is no such file; check the path$"):
        read("")


def test_a_pipe_to_which_nobody_writes_is_one_sentence_and_no_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.har")
    with pytest.raises(CaptureError, match=r"^x.har: is a pipe, .*; give it as standard input \(-\)$"):
        read(tmp_path / "x.har")
