"""Posts of many people: what is taken, what is refused and why, and that nothing is taken twice."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pyarrow")

from analysis import report, shared_report
from analysis.cli import main
from analysis.community import posters
from analysis.community.collect import collect
from analysis.community.dataset import Dataset, DatasetError, Reproduced
from analysis.community.post import Post, RejectedError, posts
from analysis.report.shared import shared
from analysis.texts import community as texts
from communities import report as made_report
from communities import row, save, setting, version

NOW = 1_790_000_000.0
"""September 2026."""


def only(data: bytes | dict[str, Any]) -> Post | str:
    """The one report in a post, or why it is refused."""
    (found,) = posts(data if isinstance(data, bytes) else json.dumps(data).encode(), NOW)
    return str(found) if isinstance(found, RejectedError) else found


@pytest.mark.parametrize("form", ["json", "markdown", "bbcode", "html"])
def test_a_post_is_read_in_every_form_in_which_it_is_shared(form: str) -> None:
    made = shared_report.read(json.dumps(made_report()).encode())
    text = shared_report.json(made) if form == "json" else report.renderer(form).render(shared(made))
    found = only(text.encode())
    assert isinstance(found, Post)
    assert found.report == made


def test_a_page_that_a_browser_saved_of_a_forum_is_read() -> None:
    text = f"<html><body><p>Look!</p><code>{html.escape(json.dumps(made_report()))}</code></body></html>"
    assert isinstance(only(text.encode()), Post)


def test_a_whole_thread_gives_all_its_reports() -> None:
    thread = "first\n" + json.dumps(made_report()) + "\nand me\n" + json.dumps(made_report()) + "\nthanks"
    assert [type(found) for found in posts(thread.encode(), NOW)] == [Post, Post]


def test_a_report_saved_again_with_other_spaces_and_order_is_the_same() -> None:
    made = made_report()
    again = json.dumps(dict(sorted(made.items())), indent=4)
    first, second = only(made), only(again.encode())
    assert isinstance(first, Post)
    assert isinstance(second, Post)
    assert first.digest == second.digest


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"", texts.NO_JSON),
        (b"Thanks for sharing!", texts.NO_JSON),
        (b'{"schema": "phonehome/share/1", "rows": [', texts.NO_JSON),
        (b'{"schema":"phonehome/share/1","rows":' + b"[" * 100_000, None),
        (b"x" * (8 * 1024 * 1024 + 1), texts.TOO_LARGE),
        (made_report(month="2031-01"), texts.FUTURE),
        (made_report([row(entity="<script>canary()</script>")]), texts.NO_IDS),
        (made_report([row(product="plex\u202e")]), texts.NO_IDS),
        (made_report(platforms=["<b>Linux</b>"]), texts.NO_IDS),
        (made_report(versions=[version("192.168.7.40")]), None),
        (made_report(tool="<script>"), None),
        (made_report(month="2026-13"), None),
        (made_report(rows=[row(item=f"media.duration{n}") for n in range(6_000)]), None),
        (made_report([row() for _ in range(5_001)]), texts.TOO_MANY.format(most=5_000)),
        (
            made_report(
                calls=[{"party": "vendor", "entity": "Plex", "category": "search", "count": ">1000", "unreadable": "0"}]
            ),
            texts.CONTRADICTS,
        ),
        (made_report([row(count="999999999")]), None),
        (made_report([row(count=10**30)]), None),
        (made_report([row() | {"value": "alice"}]), None),
    ],
)
def test_what_the_tool_would_not_write_is_refused(wrong: bytes | dict[str, Any], reason: str | None) -> None:
    found = only(wrong)
    if reason is None and isinstance(found, Post):
        # Names that could be ids of another version are left out, and nothing else is.
        assert found.unknown
        assert "192.168" not in shared_report.json(found.report)
        assert "duration5" not in shared_report.json(found.report)
        return
    assert isinstance(found, str)
    assert found == (reason or found)
    assert "canary" not in found


def test_what_another_version_knows_is_left_out_and_counted() -> None:
    rows = [row(), row("media.smell"), row(entity="Tomorrow & Co."), row(product="mediathing")]
    found = only(made_report(rows, platforms=["Linux", "Plan 9"], settings=[setting("brand-new", "on")]))
    assert isinstance(found, Post)
    assert [r.item for r in found.report.rows] == ["media.duration"]
    assert dict(found.unknown) == {"rows": 3, "platforms": 1, "settings": 1}


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda x: json.dumps(x).encode())
)
def test_no_bytes_make_it_fail(data: bytes) -> None:
    assert all(isinstance(found, RejectedError) for found in posts(b'{"schema":"phonehome/share/1"' + data, NOW))


@given(st.text())
def test_who_posted_cannot_be_told_without_the_key(name: str) -> None:
    secret = b"k" * 32
    hashed = posters.poster(name, secret)
    assert hashed == posters.poster(f" {name}\n", secret)
    if name.strip():
        assert re.fullmatch(r"[0-9a-f]{32}", hashed)
        assert hashed != posters.poster(name, b"x" * 32)
    else:
        assert hashed == posters.NOBODY


def test_case_and_width_make_no_other_person() -> None:
    assert len({posters.poster(name, b"k") for name in ("Alice", "ALICE", "Ａlice", "alice ")}) == 1
    assert posters.poster("alice1", b"k") != posters.poster("alice", b"k")


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset(tmp_path / "dataset", make=True)


def test_the_folder_says_who_posted_and_only_its_hash_is_kept(tmp_path: Path, dataset: Dataset) -> None:
    save(tmp_path / "posts", "Alice", made_report())
    save(tmp_path / "posts", "alice ", made_report())
    save(tmp_path / "posts", "bob", made_report())
    save(tmp_path / "posts", "", made_report())
    assert collect([tmp_path / "posts"], dataset, now=NOW).taken == 4
    who = [entry["poster"] for entry in dataset.reports()]
    assert len(set(who)) == 3
    assert who.count("") == 1
    kept = b"".join(path.read_bytes() for path in dataset.folder.rglob("*") if path.is_file()).lower()
    assert b"alice" not in kept
    assert b"bob" not in kept
    modes = {stat.S_IMODE(path.stat().st_mode) for path in dataset.folder.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert stat.S_IMODE(dataset.private.stat().st_mode) == 0o700


def test_collecting_again_changes_nothing(tmp_path: Path, dataset: Dataset) -> None:
    first = save(tmp_path / "posts", "alice", made_report())
    (tmp_path / "posts" / "alice" / "again.json").write_text(json.dumps(json.loads(first.read_text()), indent=2))
    found = collect([tmp_path / "posts"], dataset, now=NOW)
    assert (found.taken, found.known) == (1, 1)
    before = {path: path.read_bytes() for path in dataset.folder.rglob("*") if path.is_file()}
    assert collect([tmp_path / "posts"], dataset, now=NOW).taken == 0
    assert {path: path.read_bytes() for path in dataset.folder.rglob("*") if path.is_file()} == before


def test_an_id_cannot_be_taken_over(tmp_path: Path, dataset: Dataset) -> None:
    mine = made_report()
    save(tmp_path / "posts", "alice", mine)
    save(tmp_path / "posts", "mallory", mine | {"rows": [row("auth.token", verdict="denied")]})
    found = collect([tmp_path / "posts"], dataset, now=NOW)
    assert found.taken == 1
    assert [reason for _, reason in found.rejected] == [texts.ID_TAKEN]


def test_it_is_partitioned_by_product_and_month(tmp_path: Path, dataset: Dataset) -> None:
    import pyarrow.dataset as ds

    rows = [row(), row(product="emby", declared="", entity="Emby", verdict="no-list"), row(product="", declared="")]
    save(tmp_path / "posts", "alice", made_report(rows, month="2026-03"))
    save(tmp_path / "posts", "bob", made_report(month="2026-04"))
    save(tmp_path / "posts", "carol", made_report(month=""))
    collect([tmp_path / "posts"], dataset, now=NOW)
    folders = sorted(str(path.relative_to(dataset.folder / "cells")) for path in dataset.folder.glob("cells/*/*"))
    assert folders == [
        "product=-/month=2026-03",
        "product=emby/month=2026-03",
        "product=plex/month=2026-03",
        "product=plex/month=2026-04",
        "product=plex/month=unknown",
    ]
    table = ds.dataset(dataset.folder / "cells", partitioning="hive").to_table()
    assert table.num_rows == 5
    assert sorted(product for product, _ in dataset.cells()) == ["-", "emby", "plex", "plex", "plex"]


def test_an_interrupted_batch_is_not_read_and_goes_with_the_next(
    tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "posts", "alice", made_report())
    real = Dataset._write

    def stops(self: Dataset, rows: Any, schema: Any, path: Path) -> None:
        if path.parent.name == "reports":
            raise KeyboardInterrupt
        real(self, rows, schema, path)

    monkeypatch.setattr(Dataset, "_write", stops)
    with pytest.raises(KeyboardInterrupt):
        collect([tmp_path / "posts"], dataset, now=NOW)
    assert list(dataset.folder.glob("cells/*/*/*"))
    assert list(dataset.cells()) == []
    monkeypatch.setattr(Dataset, "_write", real)
    assert collect([tmp_path / "posts"], dataset, now=NOW).taken == 1
    assert len(list(dataset.folder.glob("cells/*/*/*"))) == 1


def test_a_folder_with_other_things_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(DatasetError, match="holds other things"):
        Dataset(tmp_path, make=True)
    with pytest.raises(DatasetError, match="phonehome collect"):
        Dataset(tmp_path / "none")
    (tmp_path / "dataset.json").write_text("{}x")
    with pytest.raises(DatasetError, match="another folder"):
        Dataset(tmp_path)


def test_a_file_that_cannot_be_read_costs_only_itself(tmp_path: Path, dataset: Dataset) -> None:
    save(tmp_path / "posts", "alice", made_report())
    os.mkfifo(tmp_path / "posts" / "alice" / "pipe")
    (tmp_path / "posts" / "bob").mkdir()
    (tmp_path / "posts" / "bob" / "thanks.txt").write_text("Thanks!")
    (tmp_path / "posts" / "bob" / "gone").symlink_to(tmp_path / "nowhere")
    found = collect([tmp_path / "posts"], dataset, now=NOW)
    assert found.taken == 1
    reasons = {Path(file).name: reason for file, reason in found.rejected}
    assert reasons == {"pipe": texts.NO_FILE, "thanks.txt": texts.NO_JSON, "gone": texts.NO_FILE}


def test_a_person_is_told_what_became_of_the_posts(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "posts", "alice", made_report())
    (tmp_path / "posts" / "evil\x1b[31m.txt").write_text("Thanks!")
    with pytest.raises(SystemExit) as end:
        main(["collect", str(tmp_path / "posts")])
    out = capsys.readouterr().out
    folder = home / "community"
    assert end.value.code == 0
    assert out.splitlines() == [
        f"{tmp_path}/posts/evil\\x1b[31m.txt: {texts.NO_JSON}",
        "1 report is new, 0 were there already, 1 was refused.",
        f"phonehome community {folder} shows what they say together.",
    ]
    with pytest.raises(SystemExit) as end:
        main(["collect", "--format", "json", str(tmp_path / "posts" / "evil\x1b[31m.txt")])
    assert end.value.code == 3
    assert json.loads(capsys.readouterr().out)["rejected"][0]["reason"] == texts.NO_JSON


def test_a_maintainer_gives_his_name_and_the_hash_of_his_capture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lab.har").write_text('{"log": {"version": "1.2", "entries": []}}')
    made = made_report()
    path = save(tmp_path / "posts", "", made)
    arguments = ["collect", str(path), "--out", str(tmp_path / "d"), "--maintainer", "A. Keeper"]
    with pytest.raises(SystemExit):
        main([*arguments, "--capture", str(tmp_path / "lab.har")])
    capsys.readouterr()
    digest = hashlib.sha256((tmp_path / "lab.har").read_bytes()).hexdigest()
    (entry,) = Dataset(tmp_path / "d").about.reproduced
    assert entry == Reproduced(made["report"], "A. Keeper", f"sha256:{digest}")
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "give both" in capsys.readouterr().err
