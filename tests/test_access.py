"""An answer to an access request is read within bounds and held beside what was seen."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis import access_export
from analysis.access import _sent_item
from analysis.access_export import ExportError, Value, read
from analysis.cli import commands


def packed(**files: str | bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def test_json_tables_and_archives_are_read(tmp_path: Path) -> None:
    inner = packed(b__csv="\ufeffDevice Name;Id\r\nShelf;17\r\n".encode())
    (tmp_path / "export.zip").write_bytes(
        packed(a__json='{"user": {"tags": ["x", 7, true, null, ""]}}', c__zip=inner, d__pdf=b"%PDF\0")
    )
    (tmp_path / "lines.json").write_text('{"a": 1}\n{"a": 2}\n')
    found = read([tmp_path / "export.zip", tmp_path / "lines.json"])
    assert found.values == (
        Value("export.zip/a.json", "user.tags.0", "x"),
        Value("export.zip/a.json", "user.tags.1", "7"),
        Value("export.zip/a.json", "user.tags.2", "true"),
        Value("export.zip/c.zip/b.csv", "0.Device Name", "Shelf"),
        Value("export.zip/c.zip/b.csv", "0.Id", "17"),
        Value("lines.json", "0.a", "1"),
        Value("lines.json", "1.a", "2"),
    )
    assert found.remarks == ("export.zip/d.pdf: is neither JSON nor a table and was not read; look into it yourself",)


def test_bombs_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_export, "_MOST_OF_ONE", 1 << 20)
    monkeypatch.setattr(access_export, "_MOST_BYTES", 3 << 20)
    zeros = packed(**{f"z{n}__json": b"0" * (10 << 20) for n in range(9)})
    (tmp_path / "bomb.zip").write_bytes(packed(a__json='{"a": 1}', b__zip=zeros))
    found = read([tmp_path / "bomb.zip"])
    assert [value.text for value in found.values] == ["1"]
    assert found.remarks[-1] == "the answer holds more than 3 MiB; what comes after that was not read"


def test_archives_in_archives_and_deep_and_damaged_texts_are_told(tmp_path: Path) -> None:
    nested = b'{"a": 1}'
    for _ in range(4):
        nested = packed(x__zip=nested)
    (tmp_path / "n.zip").write_bytes(packed(x__zip=nested, a__json='{"ok": "yes"}'))
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "cut.zip").write_bytes(packed(a__json='{"a": 1}')[:40])
    found = read([tmp_path / "n.zip", tmp_path / "deep.json", tmp_path / "cut.zip"])
    assert [value.text for value in found.values] == ["yes"]
    assert [remark.partition(": ")[2].partition(";")[0] for remark in found.remarks] == [
        "is an archive within 2 others and was not opened",
        "is neither JSON nor a table and was not read",
        "is a damaged archive",
    ]
    with pytest.raises(ExportError, match=r"cut\.zip: holds no JSON and no table"):
        read([tmp_path / "cut.zip"])
    with pytest.raises(ExportError, match="there is no such file"):
        read([tmp_path / "none.json"])


CAPTURE = str(Path(__file__).parent / "data" / "plexapi.flow.gz")


def run(*arguments: str) -> str:
    done = CliRunner().invoke(commands, ["access", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def answer(tmp_path: Path) -> Path:
    return tmp_path / "answer.json"


def test_what_agrees_what_is_missing_and_what_was_never_seen(answer: Path) -> None:
    items = json.loads(CliRunner().invoke(commands, ["items", "--format", "json", CAPTURE]).stdout)
    rows = items["findings"] if isinstance(items, dict) else items
    identifier = next(row["value"] for row in rows if row["item"] == "client.id" and row["direction"] == "sent")
    answer.write_text(json.dumps({"devices": [{"clientIdentifier": identifier.upper()}], "birthday": "1970-01-02"}))
    told = json.loads(run(str(answer), "--capture", CAPTURE, "--format", "json"))
    assert told["schema"] == "phonehome/access/1"
    by_item = {row["item"]: row for row in told["sent"]}
    agrees = by_item["client.id"]
    assert (agrees["verdict"], agrees["found"], agrees["places"]) == (
        "agrees",
        1,
        ["answer.json: devices.clientIdentifier"],
    )
    assert by_item["client.device_name"]["verdict"] in ("missing", "cannot-tell")
    assert by_item["auth.token"]["verdict"] == "cannot-tell"
    assert told["unseen"] == [{"file": "answer.json", "field": "birthday", "values": 1}]
    assert "Sent, and in the answer" in run(str(answer), "--capture", CAPTURE)
    assert "Sent, and in the answer" in run("--capture", CAPTURE, str(answer))


def test_the_letter_names_kinds_of_data_and_no_value(answer: Path) -> None:
    rows = json.loads(CliRunner().invoke(commands, ["items", "--format", "json", CAPTURE]).stdout)
    rows = rows["findings"] if isinstance(rows, dict) else rows
    letter = run("--letter", "--capture", CAPTURE)
    assert "To Plex, at least:" in letter
    values = {row["value"] for row in rows if row["direction"] == "sent" and len(row["value"]) > 4}
    assert not [value for value in values if value in letter]
    assert not answer.exists()


def test_wrong_use_is_told() -> None:
    for arguments in (["--letter"], ["x.json"], ["--capture", CAPTURE], ["x.json", "--letter", "--capture", CAPTURE]):
        done = CliRunner().invoke(commands, ["access", *arguments])
        assert done.exit_code == 2


def test_a_short_value_agrees_only_in_a_field_of_the_same_name() -> None:
    by_text = {"7": [Value("a.json", "library.size", "7"), Value("a.json", "other", "7")]}
    same = _sent_item(("library.counts", "Plex"), {"7": {"size"}}, 1, by_text)
    other = _sent_item(("library.counts", "Plex"), {"7": {"count"}}, 1, by_text)
    assert (same.verdict, same.places) == ("agrees", ("a.json: library.size",))
    assert (other.verdict, other.places) == ("cannot-tell", ())
