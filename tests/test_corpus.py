"""Captures by the thousand: each once, whatever happens to who reads it, and nothing twice that is done."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("distributed")

import duckdb
import pandas as pd

from analysis.corpus import children, query, store
from analysis.corpus.child import Task
from analysis.corpus.places import find
from analysis.corpus.store import CorpusError, Store
from analysis.corpus.tables import PRIVATE, SHARED
from analysis.corpus.touched import Signs, changed, is_touched
from analysis.knowledge import load
from captures_made import CANARY, DAMAGED, STRANGER, bomb, hanging, write
from scanner import leaks

ROOT = Path(__file__).parents[1]
COUNT = 12
TABLES = ("calls", "findings", "verdicts", "coverage")


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PHONEHOME_HOME": str(home), "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


def corpus(home: Path, *args: object) -> dict[str, Any]:
    """What a run says, as JSON."""
    command = [sys.executable, "-m", "analysis", "corpus", *map(str, args), "--format", "json"]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment(home), timeout=240, check=False)
    assert ran.returncode == 0, ran.stderr
    said: dict[str, Any] = json.loads(ran.stdout)
    return said


def table(dataset: Path, name: str) -> pd.DataFrame:
    found = pd.read_parquet(dataset / name)
    by = [column for column in found.columns if column != "versions"]
    return found.sort_values(by, ignore_index=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captures")
    for n in range(COUNT):
        write(folder, n)
    (folder / "notes.txt").write_text("not a capture")
    return folder


@pytest.fixture(scope="module")
def dataset(home: Path, captures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process alone makes of the captures."""
    out = tmp_path_factory.mktemp("alone") / "dataset"
    said = corpus(home, captures, "--out", out, "--workers", 1)
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


def test_what_is_done_is_passed_over(home: Path, captures: Path, dataset: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in dataset.rglob("*") if path.is_file()}
    said = corpus(home, captures, "--out", dataset)
    assert (said["read"], said["known"]) == (0, COUNT)
    assert {path: path.stat().st_mtime_ns for path in dataset.rglob("*") if path.is_file()} == before


def test_a_new_pack_does_again_only_what_it_touches(home: Path, captures: Path, dataset: Path) -> None:
    pack = home / "packs" / "stranger"
    (pack / "calls").mkdir(parents=True)
    (pack / "product.toml").write_text(
        f'name = "Stranger"\nkind = "service"\nentity = "Stranger"\ndomains = ["{STRANGER}"]\n'
    )
    try:
        said = corpus(home, captures, "--out", dataset)
        touched = len([n for n in range(COUNT) if n % 5 == 0])
        assert (said["read"], said["kept"], said["known"]) == (touched, COUNT - touched, COUNT - touched)
        coverage = pd.read_parquet(dataset / "coverage")
        assert len(coverage) == coverage["capture"].nunique() == COUNT
        assert services(dataset) == {"stranger"}
    finally:
        shutil.rmtree(pack)
    said = corpus(home, captures, "--out", dataset)
    assert said["read"] == touched
    assert services(dataset) == {""}


def services(dataset: Path) -> set[str]:
    """Which packs know the stranger; a question for its name has none."""
    calls = pd.read_parquet(dataset / "calls")
    return set(calls[(calls["host"] == STRANGER) & (calls["kind"] != "lookup")]["service"])


def test_a_dataset_to_give_away_holds_nothing_private(home: Path, captures: Path, tmp_path: Path) -> None:
    """The captures are given as an address of fsspec."""
    out = tmp_path / "dataset"
    broken = tmp_path / "broken.har"
    broken.write_text("this is no capture")
    said = corpus(home, f"file://{captures}", broken, "--out", out, "--shared")
    assert (said["read"], len(said["failed"])) == (COUNT, 1)
    private = [CANARY, "192.168.7.23", "192.168.7.40", "198.51.100.7", "broken", "5550001"]
    texts = [str(path.relative_to(out)) for path in out.rglob("*")]
    texts += [path.read_bytes().decode("latin-1") for path in out.rglob("*") if path.is_file()]
    texts += [pd.read_parquet(out / name).to_csv() for name in SHARED]
    assert [leaks(private, text) for text in texts] == [[]] * len(texts)
    assert not (out / "findings").exists()
    verdicts = pd.read_parquet(out / "verdicts")
    assert set(verdicts["count"]) <= {"1", "2-5", "6-20", "21-100", "101-1000", ">1000"}
    with pytest.raises(CorpusError, match="holds no hosts"):
        query.callers(out, "plex.tv")


def test_a_bad_capture_costs_only_itself(home: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "captures", tmp_path / "dataset"
    for n in range(4):
        write(folder, n)
    for name, make in DAMAGED.items():
        make(folder / name)
    hanging(folder)
    bomb(folder, 300)
    arguments = (folder, "--out", out, "--time-limit", 4, "--memory", 256)
    said = corpus(home, *arguments)
    failed = {Path(one["capture"]).name: one["reason"] for one in said["failed"]}
    assert said["read"] == 4
    assert set(failed) == {*DAMAGED, "hanging.har", "bomb.har.gz"}
    assert failed["hanging.har"].endswith("takes longer than 4 s")
    begin = time.monotonic()
    (folder / "hanging.har").unlink()
    again = corpus(home, *arguments)
    assert (again["read"], again["known"]) == (0, 4)
    assert time.monotonic() - begin < 200
    assert len(pd.read_parquet(out / "coverage")) == 4


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


def test_a_worker_that_is_killed_in_the_middle_costs_nothing(
    home: Path, captures: Path, dataset: Path, tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, workers = cluster
    out = tmp_path / "dataset"
    command = [sys.executable, "-m", "analysis", "corpus", str(captures), "--out", str(out), "--format", "json"]
    command += ["--scheduler", address]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(home))
    try:
        for _ in range(2400):
            if len(list(out.glob("results/*/*"))) >= COUNT // 4 or run.poll() is not None:
                break
            time.sleep(0.05)
        assert run.poll() is None
        workers[0].send_signal(signal.SIGKILL)
        said, told = run.communicate(timeout=240)
    finally:
        run.kill()
    assert run.returncode == 0, told
    assert "dashboard: http://" in told
    done = json.loads(said)
    assert (done["read"] + done["known"], done["failed"]) == (COUNT, [])
    for name in TABLES:
        pd.testing.assert_frame_equal(table(out, name), table(dataset, name))


def test_a_scheduler_that_is_not_there_is_told(
    captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    from analysis.corpus import run

    monkeypatch.setenv("PHONEHOME_HOME", str(home))
    monkeypatch.setattr(run, "PATIENCE", 1)
    told: list[str] = []
    with pytest.raises(CorpusError, match="start dask scheduler and dask worker"):
        run.run(
            find([str(captures)]).captures,
            Store(tmp_path / "d", shared=False),
            run.How(scheduler="tcp://127.0.0.1:9"),
            tell=told.append,
        )


def test_a_reader_that_is_killed_is_replaced(
    captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("PHONEHOME_HOME", str(home))
    from captures import home as folders

    known = load(folders.packs(), folders.cache())
    out = Store(tmp_path / "d", shared=False).folder
    versions = "-".join(store.versions(known, shared=False))

    def task(n: int) -> Task:
        return Task(str(sorted(captures.glob("*.har"))[n]), str(out), False, 60.0, 1 << 30, versions)

    try:
        assert children.examine(task(0)).fault == ""
        ((child,),) = [some for some in children._idle.values() if some]
        os.kill(child._process.pid, signal.SIGKILL)
        assert children.examine(task(1)).fault == ""
        assert len(list(out.glob("results/*/*"))) == 2
        assert children.examine(task(1)).signs is None
        wrong = children.examine(Task(task(2).place, str(out), False, 60.0, 1 << 30, "0-0"))
        assert "another version" in wrong.fault
    finally:
        children.close()


def test_in_a_folder_captures_are_known_by_their_endings(tmp_path: Path) -> None:
    for name in ("a.har", "b.FLOW.gz", "c.pcapng.zst", "d.txt", ".e.har", "f.har.md"):
        (tmp_path / name).touch()
    found = find([str(tmp_path), str(tmp_path / "a.har"), str(tmp_path / "d.txt")])
    assert [Path(place.path).name for place in found.captures] == ["a.har", "b.FLOW.gz", "c.pcapng.zst", "d.txt"]
    assert found.others == 2


def test_a_pack_touches_what_it_could_judge() -> None:
    known = load()
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


def test_a_folder_that_is_no_corpus_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="--out"):
        query.receives(tmp_path, "media.title")
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(CorpusError, match="holds other things"):
        Store(tmp_path, shared=False)
    Store(tmp_path / "d", shared=False)
    with pytest.raises(CorpusError, match="is private"):
        Store(tmp_path / "d", shared=True)
