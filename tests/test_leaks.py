"""Nothing of a capture full of canaries stands in anything that may leave the machine."""

from __future__ import annotations

import functools
import json
import random
import signal
import time
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import pytest

import canaries
from analysis import pipeline, redact, shared_report
from analysis.cli import main
from analysis.decode import decode
from analysis.model import Verdict
from analysis.pipeline import Result
from analysis.post import EXPORTS, FORMS, post
from analysis.shared_report import SharedReport
from analysis.vocabulary import vocabulary
from canaries import Canary
from canary_files import FORMATS, PLACES, _http, all_pairs, capture, planted, some_pairs
from canary_positions import FURTHER
from captures import formats
from captures.model import Exchange
from fake_cloud import spoken
from scanner import leaks
from test_watch import watching

SEED = 20_261


NOT_READ = {
    "har": {"comment", "creator", "fragment", "initiator", "received message", "server's address", "title of a page"}
    | {"reason of an answer", "user in the address"},
    "flow": {
        "comment",
        "mark",
        "message of an error",
        "note in the metadata",
        "reason of an answer",
        "received message",
    },
    "pcap": {"DHCP", "certificate", "chunk", "envelope", "line of syslog", "property list", "reason of an answer"},
}
"""Format -> positions that its reader does not take, so that what stands there gets no further."""


@functools.cache
def found(form: str, folder: Path) -> tuple[Result, SharedReport, list[Canary]]:
    """A small capture: each position with half of the kinds and encodings."""
    data, planted = capture(form, SEED, some_pairs(SEED), one_in=2)
    return *analysed(data, form, folder), planted


def analysed(data: bytes, form: str, folder: Path) -> tuple[Result, SharedReport]:
    path = folder / f"evening.{form}"
    path.write_bytes(data)
    result = pipeline.run([formats.read(path)], vocabulary().shipped)
    return result, redact.redact(result)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("canaries")


def leaked(planted: Sequence[Canary], text: str) -> list[tuple[str, str, str]]:
    """Kind, position and encoding of those that can be read out of a text."""
    values = {value for c in planted for value in (c.value, c.written) if len(value) > 8}
    hit = set(leaks(sorted(values), text))
    return [(c.kind, c.position, c.encoding) for c in planted if c.value in hit or c.written in hit]


def shown(text: str, result: Result, form: str) -> float:
    """Share of the items that were sent to others whose names stand in a text."""
    items = {c.item for c in result.comparisons if c.verdict is not Verdict.NOT_SEEN}
    names = [item if form == "json" else result.knowledge.label(item) for item in items]
    text = unescape(text)
    return sum(name in text for name in names) / len(names)


def test_there_are_as_many_kinds_places_and_encodings_as_promised() -> None:
    assert len(canaries.KINDS) >= 31
    assert len(PLACES) == sum(map(len, (*canaries.VARIANTS, *FURTHER))) >= 36
    assert len(canaries.ENCODINGS) >= 20


@pytest.mark.parametrize("encoding", canaries.ENCODINGS)
def test_the_scanner_reads_every_kind_of_value_in_every_encoding(encoding: str) -> None:
    chance = random.Random(SEED)
    values = [make(chance) for make in canaries.KINDS.values()]
    text = "\n".join(f"before {canaries.ENCODINGS[encoding](value)} after" for value in values)
    assert leaks(values, text) == values
    assert leaks(values, "usage statistics to Plex, 2-5 calls") == []


@pytest.mark.parametrize("form", FORMATS)
def test_every_canary_really_stands_where_it_was_put(form: str, folder: Path) -> None:
    data, planted = capture(form, SEED, [("claim token", "raw")])
    path = folder / f"whole.{form}"
    path.write_bytes(data)
    seen = list(formats.read(path).observations())
    leaves = [leaf.value for one in seen if isinstance(one, Exchange) for leaf in decode(one).leaves]
    text = (repr(seen) + "".join(leaves)).lower()
    lost = {c.position for c in planted if c.value.lower() not in text and c.written.lower() not in text}
    assert lost == NOT_READ[form]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("posted", FORMS)
def test_no_canary_stands_in_what_is_posted(posted: str, form: str, folder: Path) -> None:
    result, made, planted = found(form, folder)
    text = post(result, made, posted)
    assert leaked(planted, text) == []
    assert shown(text, result, posted) >= 0.95


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("export", EXPORTS)
def test_no_canary_stands_in_what_other_programs_take(export: str, form: str, folder: Path) -> None:
    result, made, planted = found(form, folder)
    assert leaked(planted, post(result, made, export)) == []


@pytest.mark.parametrize("form", FORMATS)
def test_no_canary_stands_in_what_the_command_says(
    form: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data, planted = capture(form, SEED, some_pairs(SEED)[:4])
    path = tmp_path / f"evening of {planted[0].value.replace('/', ' ')}.{form}"
    path.write_bytes(data)
    with pytest.raises(SystemExit):
        main(["share", str(path), "-o", str(tmp_path / "report.md")])
    out, err = capfd.readouterr()
    assert leaked(planted, out + err) == []


def test_what_verify_says_of_a_file_holds_nothing_of_it(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, made, planted = found("har", folder)
    fields = json.loads(shared_report.json(made))
    chance = random.Random(SEED)
    said = []
    for canary in chance.sample(planted, 40):
        value = canary.written
        for changed in (
            {**fields, value: 1},
            {**fields, "month": value},
            {**fields, "schema": value},
            {**fields, "rows": [{**fields["rows"][0], "category": value}]},
            {**fields, "rows": [{**fields["rows"][0], "entity": value}]},
            {**fields, "rows": [{**fields["rows"][0], value: value}]},
        ):
            path = tmp_path / "report.json"
            path.write_text(json.dumps(changed))
            with pytest.raises(SystemExit) as end:
                main(["share", "--verify", str(path)])
            assert end.value.code == 3
            said.append("".join(capfd.readouterr()))
    assert leaked(planted, "\n".join(said)) == []


def test_what_a_recording_says_while_it_runs_holds_nothing_of_what_is_sent(tmp_path: Path) -> None:
    """What stands in the log; the report at the end is the user's own, and the control: there the values are found."""
    planned = list(planted(SEED, some_pairs(SEED), one_in=25))
    values = [canary.value for _, canaries in planned for canary in canaries]
    with watching(tmp_path) as (process, proxy):
        host, _, port = proxy.rpartition(":")
        for call, _ in planned:
            sent = (
                _http(call)[0].replace(b" /", b" http://127.0.0.1:9/", 1).replace(call.host.encode(), b"127.0.0.1:9", 1)
            )
            spoken((host, int(port)), sent, 0.5)
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert leaks(values, said) == []
    assert len([value for value in values if value in out]) > 10


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("encoding", canaries.ENCODINGS)
def test_no_canary_of_all_stands_in_anything(encoding: str, form: str, tmp_path: Path) -> None:
    """Every kind in every position in every encoding, as every kind of file."""
    pairs = [pair for pair in all_pairs() if pair[1] == encoding]
    data, planted = capture(form, SEED, pairs)
    result, made = analysed(data, form, tmp_path)
    for export in EXPORTS:
        assert leaked(planted, post(result, made, export)) == [], export
    for posted in FORMS:
        text = post(result, made, posted)
        assert leaked(planted, text) == [], posted
        assert shown(text, result, posted) >= 0.95, posted
