"""The ledger: whole after a crash, readable while written, for the user alone."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from analysis.example import exchange_of
from analysis.pack import ExampleCall
from analysis.pipeline import run
from captures import ledger, losses
from captures.formats import read
from captures.ledger import Writer
from captures.model import Body, CaptureError, Contact, Endpoint, Exchange, Lookup, Observation, Source, Unreadable
from shipped import KNOWLEDGE

ROOT = Path(__file__).parents[1]
END = Endpoint("192.168.1.20", 50000)
CALL = replace(
    exchange_of(ExampleCall("POST https://plex.tv/a?b=1\nx-y: z\ncookie: c=d\n\nbody", "200\ne: f\n\nanswer"), "test"),
    client=END,
    server=Endpoint("198.51.100.1", 443),
    time=1_900_000_000.5,
)


def exchange(index: int, part: int = 0) -> Exchange:
    return replace(CALL, source=Source(0, index, part))


EVERY_KIND: tuple[Observation, ...] = (
    exchange(0),
    exchange(0, 1),
    Contact(
        Source(0, 1), 1.0, 2.0, "tv", END, None, "plex.tv", "sni", "tls", 1, 2, 3, 4, "client rejected the certificate"
    ),
    Lookup(Source(0, 2), 3.0, "tv", END, None, "dns", "plex.tv", "A", ("198.51.100.1",), "NOERROR", True),
    Unreadable(Source(0, 3), None, "flow 3", "is damaged"),
)


def rows(path: Path) -> list[Observation]:
    return [observation for _, observation in ledger.read(path)]


def write(path: Path, *observations: Observation, secret: bytes | None = None) -> ledger.Counts:
    writer = Writer(path, secret)
    for observation in observations:
        assert writer.put(observation)
    return writer.close()


def test_every_kind_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    counts = write(path, *EVERY_KIND)
    assert counts == ledger.Counts(written=5, dropped=0, faults=0, reason="")
    assert rows(path) == list(EVERY_KIND)
    capture = read(path, 7)
    assert capture.format == "ledger"
    assert [x.source for x in capture.observations()] == [x.source._replace(capture=7) for x in EVERY_KIND]


def test_all_its_files_are_for_the_user_alone_under_any_umask(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        writer = Writer(tmp_path / "a.ledger", None)
        writer.put(exchange(0))
        assert writer.flush()
        files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        writer.close()
    finally:
        os.umask(former)
    assert files == {"a.ledger": 0o600, "a.ledger-wal": 0o600, "a.ledger-shm": 0o600, "a.ledger.lost": 0o600}


def test_a_new_session_goes_on_with_the_next_number(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    write(path, exchange(0), exchange(4))
    writer = Writer(path, None)
    assert writer.next_flow == 5
    writer.close()


def test_it_can_be_read_while_it_is_written_and_from_where_one_stopped(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    writer = Writer(path, None)
    writer.put(exchange(0))
    assert writer.flush()
    (last,) = [number for number, _ in ledger.read(path)]
    writer.put(exchange(1))
    assert writer.flush()
    assert [observation.source.index for _, observation in ledger.read(path, last)] == [1]
    writer.close()


def test_a_lock_makes_nobody_wait_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    writer = Writer(path, None)
    with closing(sqlite3.connect(path, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        begin = time.perf_counter()
        for number in range(100):
            assert writer.put(exchange(number))
        assert time.perf_counter() - begin < 0.5
        time.sleep(1.5)
        lock.execute("COMMIT")
    assert writer.flush(10)
    assert writer.close().faults > 0
    assert [x.source.index for x in rows(path)] == list(range(100))


def test_what_finds_no_room_is_counted_and_the_count_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    writer = Writer(path, None, capacity=10)
    with closing(sqlite3.connect(path, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        taken = [writer.put(exchange(number)) for number in range(50)]
        lock.execute("COMMIT")
    assert writer.flush(10)
    counts = writer.close()
    assert counts.dropped == taken.count(False) > 0
    assert counts.written == taken.count(True)
    assert ledger.counters(path)["dropped"] == counts.dropped
    assert read(path).dropped == counts.dropped
    assert run([read(path)], KNOWLEDGE).coverage.dropped == counts.dropped


def test_an_observation_that_cannot_be_stored_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    broken = replace(exchange(1), bytes_out=object())
    counts = write(path, exchange(0), broken, exchange(2))
    assert [x.source.index for x in rows(path)] == [0, 2]
    assert counts.faults > 0
    assert counts.reason == "TypeError"


def test_only_the_beginning_of_a_large_body_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    write(path, replace(exchange(0), response_body=Body(b"x" * 3_000_000, 3_000_000)))
    (seen,) = rows(path)
    assert isinstance(seen, Exchange)
    assert (len(seen.response_body.content or b""), seen.response_body.size, seen.response_body.cut) == (
        1024 * 1024,
        3_000_000,
        True,
    )


def test_what_is_old_is_deleted_for_good(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    old = replace(exchange(0), time=time.time() - 10 * 86_400, path="/madeUpOldPath")
    write(path, old, replace(exchange(1), time=time.time()))
    assert ledger.prune(path, 5) == 1
    assert [x.source.index for x in rows(path)] == [1]
    assert all(b"madeUpOldPath" not in file.read_bytes() for file in tmp_path.iterdir())


def test_what_is_old_is_told_by_the_time_that_is_given(tmp_path: Path) -> None:
    """By a clock that has jumped two days ahead, all would be old."""
    path = tmp_path / "a.ledger"
    write(path, replace(exchange(0), time=time.time()))
    assert ledger.prune(path, 1, time.time()) == 0
    assert ledger.prune(path, 1, time.time() + 2 * 86_400) == 1


def test_a_ledger_that_vanished_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"gone\.ledger: cannot be opened"):
        ledger.newest(tmp_path / "gone" / "gone.ledger")


def test_what_was_found_in_old_rows_is_deleted_with_them(tmp_path: Path) -> None:
    path, index = tmp_path / "a.ledger", tmp_path / "a.ledger.index"
    write(path, replace(exchange(0), time=time.time()))
    index.write_text("found")
    before = ledger.identity(path)
    assert (ledger.prune(path, 5), index.exists(), ledger.identity(path)) == (0, True, before)
    assert (ledger.prune(path, 0), index.exists(), ledger.newest(path)) == (1, False, 0)
    assert ledger.identity(path) != before


def test_many_old_rows_are_deleted_while_somebody_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    write(path, *(replace(exchange(n), time=1.0) for n in range(5001)))
    writer = Writer(path, None)
    writer.put(replace(exchange(6000), time=time.time()))
    assert ledger.prune(path, 1) == 5001
    writer.put(replace(exchange(6001), time=time.time()))
    assert writer.flush()
    writer.close()
    assert [x.source.index for x in rows(path)] == [6000, 6001]


def test_what_is_lost_while_the_ledger_stays_locked_is_counted_beside_it_and_then_in_it(tmp_path: Path) -> None:
    path, beside = tmp_path / "a.ledger", tmp_path / "a.ledger.lost"
    writer = Writer(path, None)
    assert stat.S_IMODE(beside.stat().st_mode) == 0o600
    with closing(sqlite3.connect(path, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        for number in range(7):
            writer.put(exchange(number))
        assert writer.close().dropped == 7
        lock.execute("COMMIT")
    assert losses.read(path).dropped == ledger.counters(path)["dropped"] == read(path).dropped == 7
    assert losses.read(path).reason == "database is locked"
    write(path, exchange(8))
    assert (losses.read(path), beside.exists()) == (losses.NOTHING, False)
    assert ledger.counters(path)["dropped"] == 7


@pytest.mark.parametrize("content", [b"", b"{", b"\0" * 512, b'{"dropped": "many"}'])
def test_a_damaged_count_beside_a_ledger_counts_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.ledger.lost").write_bytes(content)
    assert losses.read(tmp_path / "a.ledger") == losses.NOTHING


def test_a_copy_without_its_log_and_one_in_a_folder_that_may_not_be_written_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    write(path, exchange(0))
    copied = tmp_path / "locked" / "b.ledger"
    copied.parent.mkdir()
    copied.write_bytes(path.read_bytes())
    copied.parent.chmod(0o500)
    try:
        assert [x.source.index for x in rows(copied)] == [0]
    finally:
        copied.parent.chmod(0o700)


def test_a_damaged_row_is_counted_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    write(path, exchange(0), exchange(1))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE observation SET value = x'ff' WHERE flow = 0")
        connection.commit()
    assert rows(path) == [Unreadable(Source(0, 0), None, "row 1", "is damaged"), exchange(1)]


def test_a_ledger_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    write(path, exchange(0))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP INDEX observation_time")
        connection.execute("DROP TABLE identity")
        connection.execute("DROP TABLE effect")
        connection.execute("PRAGMA user_version = 1")
    ledger.create(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (ledger.VERSION,)
        assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'observation_time'").fetchone() == (1,)
    assert rows(path) == [exchange(0)]


def other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE letter (text)")


def newer(path: Path) -> None:
    ledger.create(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def text(path: Path) -> None:
    path.write_text("Dear reader, " * 100, "utf-8")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (other_program, "x.ledger: is a database of another program"),
        (newer, "x.ledger: was written by a newer phonehome; please update phonehome"),
        (text, "x.ledger: is not a ledger"),
    ],
)
def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path, make: object, sentence: str) -> None:
    path = tmp_path / "x.ledger"
    assert callable(make)
    make(path)
    before = path.read_bytes()
    with pytest.raises(CaptureError, match=sentence):
        Writer(path, None)
    assert path.read_bytes() == before


CHILD = """
import sys
sys.path.insert(0, "tests")
from pathlib import Path
from captures.ledger import Writer
from test_ledger import exchange
writer = Writer(Path(sys.argv[1]), b"k" * 32)
number = writer.next_flow
while True:
    for _ in range(20):
        writer.put(exchange(number))
        number += 1
    writer.flush(30)
    print(number - 1, flush=True)
"""


def acknowledged(path: Path, seconds: float) -> int:
    """Runs a real writer, kills it at some moment, and gives the last number that it said was written."""
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    said: Iterator[str] = iter(process.stdout)
    last = int(next(said))
    end = time.monotonic() + seconds
    for line in said:
        last = int(line)
        if time.monotonic() > end:
            process.send_signal(signal.SIGKILL)
            break
    for line in said:
        if line.endswith("\n"):
            last = int(line)
    process.wait()
    process.stdout.close()
    return last


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_it_is_whole_however_often_its_writer_was_killed(tmp_path: Path, times: int) -> None:
    path = tmp_path / "a.ledger"
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    for _ in range(times):
        last = acknowledged(path, chance.uniform(0.0, 0.15))
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            numbers = [flow for (flow,) in connection.execute("SELECT flow FROM observation")]
        assert set(range(last + 1)) <= set(numbers)
        assert len(numbers) == len(set(numbers))
    assert [x.source.index for x in rows(path)] == numbers


def test_what_stands_behind_a_damaged_page_is_read(tmp_path: Path) -> None:
    path, page = tmp_path / "x.ledger", 4096
    write(path, *(exchange(number) for number in range(400)))
    content = bytearray(path.read_bytes())
    leaves = [at for at in range(0, len(content), page) if content[at] == 13 and b"exchange" in content[at : at + page]]
    content[leaves[3] : leaves[3] + 200] = b"\xff" * 200
    path.write_bytes(content)
    found = list(read(path).observations())
    good = [x.source.index for x in found if isinstance(x, Exchange)]
    assert len(good) > 350
    assert good == sorted(good)
    assert good[-1] == 399
    assert any(isinstance(x, Unreadable) for x in found)


def test_a_damaged_count_of_losses_is_told_and_hides_no_call(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    write(path, exchange(0))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE counter")
    assert list(read(path).observations()) == [
        exchange(0),
        Unreadable(Source(0, 0), None, "count of losses", "is damaged: what was dropped is not known"),
    ]
