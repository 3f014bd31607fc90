"""Captures by the thousand: each once, whatever happens to who reads it, and nothing twice that is done."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest
from click.testing import CliRunner

pytest.importorskip("pyarrow")
pytest.importorskip("distributed")

import duckdb
import pandas as pd
import psutil  # type: ignore[import-untyped]

from analysis.cli import Failure
from analysis.corpus import child, children, engine, query, run, store
from analysis.corpus.child import Task
from analysis.corpus.engine import Piece, _Batches
from analysis.corpus.places import find
from analysis.corpus.store import CorpusError, Store
from analysis.corpus.tables import PRIVATE, SHARED
from analysis.corpus.touched import Signs, changed, is_touched
from analysis.knowledge import load
from analysis.texts import corpus as texts
from captures import home as folders
from captures_made import CANARY, DAMAGED, STRANGER, bomb, hanging, write
from scanner import leaks
from shipped import KNOWLEDGE

ROOT = Path(__file__).parents[1]
COUNT = 12
TABLES = ("calls", "findings", "verdicts", "coverage")


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PHONEHOME_HOME": str(home), "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


def corpus(*args: object, status: int = 0) -> dict[str, Any]:
    """What a run says, as JSON."""
    command = import_module("analysis.cli.corpus").corpus
    ran = CliRunner().invoke(command, [*map(str, args), "--workers", "1", "--format", "json"], standalone_mode=False)
    found = ran.exception.status if isinstance(ran.exception, Failure) else ran.exit_code
    assert found == status, ran.output
    said: dict[str, Any] = json.loads(ran.stdout)
    return said


def table(dataset: Path, name: str) -> pd.DataFrame:
    found = pd.read_parquet(dataset / name)
    by = [column for column in found.columns if column != "versions"]
    return found.sort_values(by, ignore_index=True)


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, _cache: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(_cache, folder / "cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHONEHOME_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captures")
    for n in range(COUNT):
        write(folder, n)
    (folder / "notes.txt").write_text("not a capture")
    return folder


@pytest.fixture(scope="module")
def dataset(home: Path, captures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001  one home
    """What one process alone makes of the captures."""
    out = tmp_path_factory.mktemp("alone") / "dataset"
    said = corpus(captures, "--out", out)
    assert (said["read"], said["failed"]) == (COUNT, [])
    return out


def test_pandas_and_duckdb_read_the_same_tables(dataset: Path) -> None:
    for name in TABLES:
        frame = pd.read_parquet(dataset / name)
        assert list(frame.columns) == ["capture", *PRIVATE[name]]
        assert len(duckdb.read_parquet(f"{dataset}/{name}/part-*.parquet")) == len(frame) > 0
    asked = "SELECT item, count(DISTINCT capture) FROM read_parquet($files) WHERE value LIKE $begin GROUP BY item"
    rows = duckdb.execute(asked, {"files": f"{dataset}/findings/*.parquet", "begin": f"{CANARY}%"}).fetchall()
    frame = pd.read_parquet(dataset / "findings")
    frame = frame[frame["value"].str.startswith(CANARY)]
    assert dict(rows) == frame.groupby("item")["capture"].nunique().to_dict()
    coverage = pd.read_parquet(dataset / "coverage")
    assert len(coverage) == coverage["capture"].nunique() == COUNT
    assert set(coverage["format"]) == {"har", "flow", "pcap"}


def test_files_are_for_their_owner_alone(dataset: Path) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in dataset.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert not list(dataset.rglob("*.part"))


def test_what_is_done_is_passed_over(captures: Path, dataset: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in dataset.rglob("*") if path.is_file()}
    said = corpus(captures, "--out", dataset)
    assert (said["read"], said["known"]) == (0, COUNT)
    assert {path: path.stat().st_mtime_ns for path in dataset.rglob("*") if path.is_file()} == before


def test_a_new_pack_does_again_only_what_it_touches(home: Path, captures: Path, dataset: Path) -> None:
    pack = home / "packs" / "stranger"
    (pack / "calls").mkdir(parents=True)
    (pack / "product.toml").write_text(
        f'name = "Stranger"\nkind = "service"\nentity = "Stranger"\ndomains = ["{STRANGER}"]\n'
    )
    try:
        said = corpus(captures, "--out", dataset)
        touched = len([n for n in range(COUNT) if n % 5 == 0])
        assert (said["read"], said["kept"], said["known"]) == (touched, COUNT - touched, COUNT - touched)
        coverage = pd.read_parquet(dataset / "coverage")
        assert len(coverage) == coverage["capture"].nunique() == COUNT
        assert services(dataset) == {"stranger"}
    finally:
        shutil.rmtree(pack)
    said = corpus(captures, "--out", dataset)
    assert (said["read"], said["kept"]) == (touched, COUNT - touched)
    assert services(dataset) == {""}


def services(dataset: Path) -> set[str]:
    """Which packs know the stranger; a question for its name has none."""
    calls = pd.read_parquet(dataset / "calls")
    return set(calls[(calls["host"] == STRANGER) & (calls["kind"] != "lookup")]["service"])


def test_a_dataset_to_give_away_holds_nothing_private(captures: Path, tmp_path: Path) -> None:
    """The captures are given as an address of fsspec."""
    out = tmp_path / "dataset"
    broken = tmp_path / "broken.har"
    broken.write_text("this is no capture")
    some = tmp_path / "some"
    some.mkdir()
    for path in sorted(captures.glob("*-0000[0-5].*")):
        shutil.copy(path, some)
    said = corpus(f"file://{some}", broken, "--out", out, "--shared")
    assert (said["read"], len(said["failed"])) == (6, 1)
    private = [CANARY, "192.168.7.23", "192.168.7.40", "198.51.100.7", "broken", "5550001"]
    files = [path for path in out.rglob("*") if path.is_file()]
    texts = [str(path.relative_to(out)) for path in out.rglob("*")]
    texts += [path.read_bytes().decode("latin-1") for path in files]
    texts += [repr(store.Given.decode(path.read_bytes())) for path in out.glob("results/*/*") if path.stat().st_size]
    texts += [pd.read_parquet(out / name).to_csv() for name in SHARED]
    assert [leaks(private, text) for text in texts] == [[]] * len(texts)
    assert not (out / "findings").exists()
    verdicts = pd.read_parquet(out / "verdicts")
    assert set(verdicts["count"]) <= {"1", "2-5", "6-20", "21-100", "101-1000", ">1000", ">5", ">0"}
    with pytest.raises(CorpusError, match="holds no hosts"):
        query.callers(out, "plex.tv")


def test_a_bad_capture_costs_only_itself_and_is_passed_over_then(tmp_path: Path) -> None:
    folder, out = tmp_path / "captures", tmp_path / "dataset"
    for n in range(4):
        write(folder, n)
    for name, make in DAMAGED.items():
        make(folder / name)
    bomb(folder, 300)
    hanging(folder)
    nowhere = folder / "gone.har"
    nowhere.symlink_to(tmp_path / "nothing.har")
    arguments = ("--out", out, "--memory", 256)
    bad = [hanging(tmp_path)]
    waited = corpus(*bad, *arguments, "--time-limit", 1, status=3)
    assert [one["reason"] for one in waited["failed"]] == [f"{bad[0]}: takes longer than 1 s"]
    (folder / "hanging.har").unlink()
    said = corpus(folder, *bad, *arguments)
    failed = {Path(one["capture"]).name: one["reason"] for one in said["failed"]}
    assert said["read"] == 4
    assert set(failed) == {*DAMAGED, "hanging.har", "bomb.har.gz", "gone.har"}
    assert failed["gone.har"].endswith("there is no such file; check the path")
    nowhere.unlink()
    del failed["gone.har"]
    again = corpus(folder, *bad, *arguments)
    assert (again["read"], again["known"]) == (0, 4)
    assert {Path(one["capture"]).name: one["reason"] for one in again["failed"]} == failed
    assert len(pd.read_parquet(out / "coverage")) == 4
    (folder / "text.har").write_bytes((folder / f"{CANARY}-00000.har").read_bytes())
    mended = corpus(folder, *bad, *arguments)
    assert (mended["read"], mended["known"], len(mended["failed"])) == (0, 5, len(failed) - 1)


def test_where_no_capture_can_be_read_the_end_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.har").write_text("this is no capture")
    ran = subprocess.run(
        [sys.executable, "-m", "analysis", "corpus", str(tmp_path / "a.har"), "--out", str(tmp_path / "d")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 3
    assert ran.stdout.splitlines()[1:] == ["0 captures read, 0 done before, 1 failed.", texts.AGAIN]
    assert ran.stderr.splitlines()[-1] == f"Error: {texts.NONE.format(place=tmp_path / 'a.har')}"


def test_bytes_that_are_no_text_cost_nothing(tmp_path: Path) -> None:
    """The name of the file is none, and half a surrogate pair stands where a value does."""
    made = json.loads(write(tmp_path, 0).read_text())
    for one in made["log"]["entries"]:
        if text := one["request"].get("postData", {}).get("text"):
            one["request"]["postData"]["text"] = text.replace(f"{CANARY} 0", "\\ud800 0")
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.har"))
    path.write_text(json.dumps(made))
    broken = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9.har"))
    broken.write_bytes(b"\xff")
    said = corpus(path, broken, "--out", tmp_path / "d")
    assert (said["read"], [one["capture"] for one in said["failed"]]) == (1, [str(broken)])
    assert "\\ud800 0" in set(pd.read_parquet(tmp_path / "d" / "findings")["value"])
    assert corpus(path, broken, "--out", tmp_path / "d")["known"] == 1


def test_a_result_that_a_failing_disk_cut_off_is_made_anew(captures: Path, dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    shutil.copytree(dataset, out)
    cut = sorted(out.glob("results/*/*"))[0]
    cut.write_bytes(cut.read_bytes()[:-9])
    about = json.loads((out / "corpus.json").read_text())
    (out / "corpus.json").write_text(json.dumps({**about, "parts": {}}))
    assert corpus(captures, "--out", out)["known"] == COUNT
    assert not cut.exists()
    assert len(pd.read_parquet(out / "coverage")) == COUNT - 1
    said = corpus(captures, "--out", out)
    assert (said["read"], said["known"]) == (1, COUNT - 1)
    for name in TABLES:
        pd.testing.assert_frame_equal(table(out, name), table(dataset, name))


def test_a_full_disk_is_no_fault_of_the_capture(
    captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = load(folders.packs(), folders.cache())
    task = Task(
        os.fsencode(sorted(captures.iterdir())[0]),
        str(tmp_path),
        False,
        600.0,
        1 << 30,
        "-".join(store.versions(known, shared=False)),
    )
    for number, passing in ((errno.ENOSPC, True), (errno.EFBIG, False)):
        monkeypatch.setattr(store, "write", Mock(side_effect=OSError(number, os.strerror(number))))
        answer = child._answer(task, known, Mock())
        assert (answer.fault.partition(": ")[2], answer.passing) == (os.strerror(number).lower(), passing)
        monkeypatch.undo()
        monkeypatch.setattr(children, "_asked", Mock(return_value=answer))
        assert children.examine([task]) == [answer]
        assert bool(list(tmp_path.glob("results/*/*.failed"))) is not passing


def test_another_file_in_its_place_is_seen(tmp_path: Path) -> None:
    """It has the same size and the same time of change."""
    path = tmp_path / "a.har"
    path.write_bytes(b"1")
    before = find([str(path)]).captures[0]
    (tmp_path / "b.har").write_bytes(b"2")
    os.utime(tmp_path / "b.har", ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    shutil.copy2(tmp_path / "b.har", path)
    copied = find([str(path)]).captures[0]
    (tmp_path / "b.har").rename(path)
    moved = find([str(path)]).captures[0]
    assert (before.path, before.size) == (copied.path, copied.size) == (moved.path, moved.size)
    assert len({before.stamp, copied.stamp, moved.stamp}) == 3


def test_the_pages_of_dask_are_for_this_machine_alone() -> None:
    told: list[str] = []
    with engine.Engine("", 1, told.append) as started:
        assert list(started.each(sorted, [Piece(1, 1.0)])) == [[(1, 1)]]
        listening = {
            made.laddr.ip for made in psutil.Process().net_connections("tcp") if made.status == psutil.CONN_LISTEN
        }
    assert listening == {"127.0.0.1"}
    assert told[0].startswith("dashboard: http://127.0.0.1:")


def test_batches_take_two_seconds_and_become_small_at_the_end() -> None:
    batches = _Batches([Piece(n, 1.0) for n in range(1_000)])
    sizes = []
    while batch := batches.next(2):
        sizes.append(len(batch))
        batches.took(batch, 0.05 * len(batch))
    assert sum(sizes) == 1_000
    assert sizes[:4] == [1, 40, 40, 40]
    assert sizes[-1] == 1
    assert sizes[1:] == sorted(sizes[1:], reverse=True)


def test_what_a_lost_batch_held_is_tried_piece_by_piece() -> None:
    batches = _Batches([Piece(n, 1.0) for n in range(100)])
    batches.took(batches.next(1), 0.1)
    lost = batches.next(1)
    batches.singly(lost)
    assert [batches.next(1) for _ in lost] == [[piece] for piece in lost]
    assert len(batches.next(1)) > 1


@pytest.fixture
def cluster(tmp_path: Path, home: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers, as anybody starts them."""
    file = tmp_path / "scheduler.json"
    dask = Path(sys.executable).with_name("dask")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment(home), "cwd": tmp_path}
    at = ("--host", "127.0.0.1")
    started = [
        subprocess.Popen([dask, "scheduler", *at, "--port", "0", "--scheduler-file", file, "--no-dashboard"], **quiet)  # type: ignore[call-overload]
    ]
    worker = [dask, "worker", *at, "--scheduler-file", file, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    try:
        started += [subprocess.Popen(worker, **quiet) for _ in range(2)]  # type: ignore[call-overload]
        for _ in range(1200):
            if file.exists() and file.stat().st_size:
                break
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"], started[1:]
    finally:
        for one in started:
            one.kill()
            one.wait()


@pytest.mark.slow
def test_a_worker_that_is_killed_in_the_middle_costs_nothing(
    home: Path, captures: Path, dataset: Path, tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, workers = cluster
    out = tmp_path / "dataset"
    command = [sys.executable, "-m", "analysis", "corpus", str(captures), "--out", str(out), "--format", "json"]
    command += ["--scheduler", address]
    ran = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(home))
    try:
        while len(list(out.glob("results/*/*"))) < COUNT // 4 and ran.poll() is None:
            time.sleep(0.02)
        assert ran.poll() is None
        workers[0].send_signal(signal.SIGKILL)
        said, told = ran.communicate(timeout=240)
    finally:
        ran.kill()
    assert ran.returncode == 0, told
    assert "dashboard: http://" in told
    done = json.loads(said)
    assert (done["read"] + done["known"], done["failed"]) == (COUNT, [])
    for name in TABLES:
        pd.testing.assert_frame_equal(table(out, name), table(dataset, name))


def test_a_scheduler_that_is_not_there_is_told(captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 1)
    told: list[str] = []
    with pytest.raises(CorpusError, match="start dask scheduler and dask worker"):
        run.run(
            find([str(captures)]).captures,
            Store(tmp_path / "d", shared=False),
            run.How(scheduler="tcp://127.0.0.1:9"),
            tell=told.append,
        )


def test_a_reader_that_is_killed_is_replaced(captures: Path, tmp_path: Path) -> None:
    known = load(folders.packs(), folders.cache())
    out = Store(tmp_path / "d", shared=False).folder
    versions = "-".join(store.versions(known, shared=False))

    def task(n: int) -> Task:
        path = os.fsencode(sorted(captures.glob("*.har"))[n])
        return Task(path, str(out), False, 600.0, 1 << 30, versions)

    try:
        (first,) = children.examine([task(0)])
        ((reader,),) = [some for some in children._idle.values() if some]
        os.kill(reader._process.pid, signal.SIGKILL)
        second, again = children.examine([task(1), task(1)])
        assert (first.fault, second.fault) == ("", "")
        assert len(list(out.glob("results/*/*"))) == 2
        assert again.signs is None
        (wrong,) = children.examine([msgspec.structs.replace(task(2), versions="0-0")])
        assert "another version" in wrong.fault
        assert len(list(out.glob("results/*/*"))) == 2
    finally:
        children.close()


def test_in_a_folder_captures_are_known_by_their_endings(tmp_path: Path) -> None:
    for name in ("a.har", "b.FLOW.gz", "c.pcapng.zst", "d.txt", ".e.har", "f.har.md"):
        (tmp_path / name).touch()
    found = find([str(tmp_path), str(tmp_path / "a.har"), str(tmp_path / "d.txt")])
    assert [Path(place.path).name for place in found.captures] == ["a.har", "b.FLOW.gz", "c.pcapng.zst", "d.txt"]
    assert found.others == 2


def test_a_pack_touches_what_it_could_judge() -> None:
    known = KNOWLEDGE
    plex = Signs(hosts=("analytics.plex.tv",))
    jellyfin = Signs(hosts=("192.168.7.40",), names=("header.x-emby-authorization", "header.authorization"))
    browser = Signs(hosts=("example.org",), told=("header.referer=https://app.plex.tv/desktop",))
    assert is_touched(plex, ["plex"], known)
    assert not is_touched(plex, ["jellyfin", "kodi"], known)
    assert is_touched(jellyfin, ["jellyfin"], known)
    assert is_touched(browser, ["plex"], known)
    assert not is_touched(Signs(hosts=("example.org",)), ["plex"], known)
    assert is_touched(Signs(packs=("gone",)), ["gone"], known)
    assert is_touched(Signs(whole=True), ["kodi"], known)
    assert changed({"a": "1", "b": "1"}, {"a": "1", "b": "2", "c": "1"}) == {"b", "c"}
    assert changed({"a": "1"}, {}) == {"a"}


def test_the_usual_questions_are_answered(dataset: Path, home: Path) -> None:
    found = query.receives(dataset, "media.bitrate")
    assert {"Plex"} <= set(found["entity"])
    assert found["captures"].sum() == COUNT * 2 // 3
    callers = query.callers(dataset, CANARY + ".example")
    assert set(callers["host"]) == {STRANGER}
    assert not set(query.callers(dataset, "anary.example")["host"])
    around = query.around(dataset, "plex", "4.111")
    assert list(around.columns) == ["item", "entity", "before", "since"]
    (bitrate,) = around[(around["item"] == "media.bitrate") & (around["entity"] == "Plex")].to_dict("records")
    assert (bitrate["before"], bitrate["since"]) == (1, 1)
    command = [sys.executable, "-m", "analysis", "corpus", "query", str(dataset)]
    ran = {"capture_output": True, "text": True, "env": environment(home), "check": False}
    shown = subprocess.run([*command, "--host", "plex.tv"], **ran)  # type: ignore[call-overload]
    assert "analytics.plex.tv" in shown.stdout
    wrong = subprocess.run(command, **ran)  # type: ignore[call-overload]
    assert wrong.returncode == 2
    assert "give one of" in wrong.stderr


def test_the_examples_of_the_docs_answer_as_the_program_does(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They ask for `dataset` in the folder where one is; asked is for a version that divides these captures."""
    text = (ROOT / "docs" / "scale.md").read_text("utf-8").replace("(1, 41)", "(4, 111)")
    monkeypatch.chdir(dataset.parent)
    said: dict[str, Any] = {}
    for block in re.findall("```python\n(.*?)```", text, re.DOTALL):
        exec(block, said)  # noqa: S102  our own page
    receives, callers = query.receives(dataset, "media.title"), query.callers(dataset, "plex.tv")
    for shown, found in ((said["receives"], receives), (said["callers"], callers)):
        assert len(found) > 0
        assert shown.to_dict() == found.set_index(list(found.columns[:-1]))["captures"].to_dict()
    around = query.around(dataset, "plex", "4.111").set_index(["item", "entity"])
    assert set(around["before"]) | set(around["since"]) > {1.0}
    assert said["around"].rename(columns={False: "before", True: "since"}).to_dict() == around.to_dict()
    for block, found in zip(re.findall("```sql\n(.*?)```", text, re.DOTALL), (receives, callers), strict=True):
        assert sorted(duckdb.execute(block).fetchall()) == sorted(found.itertuples(index=False, name=None))


def test_a_folder_that_is_no_corpus_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="--out"):
        query.receives(tmp_path, "media.title")
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(CorpusError, match="holds other things"):
        Store(tmp_path, shared=False)
    Store(tmp_path / "d", shared=False)
    with pytest.raises(CorpusError, match="is private"):
        Store(tmp_path / "d", shared=True)
