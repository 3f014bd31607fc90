"""The ledger: a SQLite file of observations.  The live path appends to it, everybody else reads.

It is whole after a crash at any moment, and can be read while it is written (write-ahead log).
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from captures import home, losses
from captures.losses import Losses
from captures.model import (
    Body,
    CaptureError,
    Contact,
    Effect,
    Exchange,
    Lookup,
    Observation,
    Sentence,
    Source,
    Unreadable,
)
from captures.pseudonym import conceal

APPLICATION_ID = 0x70686F6D
"""`phom`: marks a SQLite file as a ledger."""

_KINDS: dict[str, type[Exchange | Contact | Lookup | Unreadable]] = {
    "exchange": Exchange,
    "contact": Contact,
    "lookup": Lookup,
    "unreadable": Unreadable,
}
_KIND_OF = {kind: name for name, kind in _KINDS.items()}

_STEPS = (
    """
    CREATE TABLE observation (
        id INTEGER PRIMARY KEY,
        flow INTEGER NOT NULL,
        part INTEGER NOT NULL,
        kind TEXT NOT NULL,
        time REAL,
        device TEXT NOT NULL,
        host TEXT NOT NULL,
        value BLOB NOT NULL
    );
    CREATE TABLE counter (name TEXT PRIMARY KEY, count INTEGER NOT NULL, reason TEXT NOT NULL);
    """,
    "CREATE INDEX observation_time ON observation (time);",
    "CREATE TABLE identity (id BLOB NOT NULL); INSERT INTO identity VALUES (randomblob(16));",
    """
    CREATE TABLE effect (
        kind TEXT NOT NULL, host TEXT NOT NULL, device TEXT NOT NULL, count INTEGER NOT NULL, first REAL NOT NULL,
        last REAL NOT NULL, PRIMARY KEY (kind, host, device)
    );
    """,
)
"""What makes a ledger of version n from one of version n - 1, in order."""

VERSION = len(_STEPS)

_INSERT = "INSERT INTO observation (flow, part, kind, time, device, host, value) VALUES (?, ?, ?, ?, ?, ?, ?)"

_ADD = """
INSERT INTO effect VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, host, device) DO UPDATE SET
    count = count + excluded.count, first = min(first, excluded.first), last = max(last, excluded.last)
"""

_MOST_EFFECTS = 10_000
"""Rows of effects; of more only what they are is kept, without hosts and devices."""

_DELETE = "DELETE FROM observation WHERE id IN (SELECT id FROM observation WHERE time < ? LIMIT 2000)"

_KEEP_BODY = 1024 * 1024
"""Bytes of a body that are kept."""


_WAITING = 64 * 1024 * 1024
"""Bytes of bodies that may wait to be written."""

_EVERY = 0.1
"""Seconds between two looks for something to write."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of what was put."""

    written: int
    """Rows that are in the file."""
    dropped: int
    """Observations that found the queue full, or that could not be written in time."""
    faults: int
    """Times that writing failed (and was tried again, unless it ended there)."""
    reason: str
    """What the last fault was; empty when there was none."""


def create(path: Path) -> None:
    """Makes a ledger with mode 0600, or brings an older one up to date.  Raises `CaptureError` for another file."""
    home.private_file(path)
    with closing(_connect(path)):
        pass


def finish(path: Path) -> None:
    """Puts what nobody writes any more into one file, which readers leave alone; writing to it again undoes that.

    Raises `CaptureError` for what is no ledger, and `sqlite3.Error` while somebody else has it open.
    """
    with closing(_connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
    try:
        # Before anything is changed: the file may be somebody else's.
        version = _version(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        if version < VERSION:
            _migrate(connection)
        for side in ("-wal", "-shm"):
            beside = path.with_name(path.name + side)
            if beside.exists():
                beside.chmod(0o600)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise CaptureError(f"{path.name}: is not a ledger, or is damaged ({error}); give another file") from None
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Version of a ledger, 0 for an empty file.  Raises `CaptureError` for what is none of ours, or too new."""
    marked = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if marked != APPLICATION_ID and (marked or version or connection.execute("SELECT 1 FROM sqlite_master").fetchone()):
        raise CaptureError(f"{path.name}: is a database of another program; give another file")
    if version > VERSION:
        raise CaptureError(f"{path.name}: was written by a newer phonehome; please update phonehome")
    return version


def _migrate(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have been faster.
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    for number in range(version, VERSION):
        for statement in _STEPS[number].split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


class Writer:
    """Appends observations from a thread of its own; never makes the caller wait, and never raises into it.

    The thread looks for something to write ten times a second instead of being woken by each observation: it shares
    Python's lock with the caller, and would otherwise take it from him at the worst moment.
    """

    def __init__(self, path: Path, secret: bytes | None, *, capacity: int = 20_000) -> None:
        """Opens or makes the ledger.  With `secret` (a key) secrets are concealed; `None` keeps them.

        `capacity` is the number of observations that may wait (and `_WAITING` that of their bytes).
        Raises `CaptureError` when the file is none of ours, `OSError` when it cannot be made.
        """
        create(path)
        self._path = path
        self._secret = secret
        self._waiting: deque[tuple[Observation, int]] = deque()
        self._waiting_bytes = 0
        self._effects: deque[Effect] = deque(maxlen=_MOST_EFFECTS)
        self._capacity = capacity
        self._put = self._done = self._written = self._dropped = self._faults = 0
        self._reason = ""
        self._noted = (0, 0)
        with closing(_connect(path)) as connection:
            last = connection.execute("SELECT coalesce(max(flow), -1) FROM observation").fetchone()[0]
        self.next_flow: int = last + 1
        # What a former session could not say in the ledger is said now; then the file holds the place for this one.
        former = losses.read(path)
        losses.write(path, losses.NOTHING)
        self._told = losses.NOTHING
        self._dropped, self._faults, self._reason = former.dropped, former.faults, former.reason
        self._connection: sqlite3.Connection | None = None
        self._hurry = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    def put(self, observation: Observation) -> bool:
        """Takes an observation; `False` when too many wait and it was dropped.  Costs about a microsecond."""
        size = _size(observation)
        if len(self._waiting) >= self._capacity or self._waiting_bytes + size > _WAITING:
            self._dropped += 1
            return False
        self._put += 1
        self._waiting_bytes += size
        self._waiting.append((observation, size))
        return True

    def effect(self, effect: Effect) -> None:
        """Takes what the proxy has changed; never makes the caller wait."""
        self._effects.append(effect)

    def missed(self, count: int) -> None:
        """Counts observations that were lost before they came here."""
        self._dropped += count

    @property
    def counts(self) -> Counts:
        """What became of what was put so far."""
        return Counts(self._written, self._dropped, self._faults, self._reason)

    def flush(self, timeout: float = 5.0) -> bool:
        """Waits until what was put so far is in the file, or given up; `False` when that took too long."""
        wanted = self._put
        end = time.monotonic() + timeout
        while self._done < wanted:
            if time.monotonic() > end:
                return False
            self._hurry.set()
            time.sleep(0.005)
        return True

    def close(self, timeout: float = 5.0) -> Counts:
        """Writes what is left, as far as `timeout` allows, and ends."""
        self._ending = True
        self._hurry.set()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._tell(self._put - self._done)
        return self.counts

    def _run(self) -> None:
        batch: list[tuple[Observation, int]] = []
        while True:
            ending = self._ending
            while self._waiting and len(batch) < 500:
                batch.append(self._waiting.popleft())
            if batch and self._store([observation for observation, _ in batch]):
                self._written += len(batch)
                self._forget(batch)
            elif batch and ending:
                self._dropped += len(batch)
                self._forget(batch)
            self._note(busy=bool(batch or self._waiting))
            if ending and not batch and not self._waiting:
                break
            if not self._waiting or batch:
                self._hurry.wait(_EVERY)
                self._hurry.clear()
        if self._connection:
            self._connection.close()
        if self._told == losses.NOTHING:
            losses.remove(self._path)

    def _forget(self, batch: list[tuple[Observation, int]]) -> None:
        self._done += len(batch)
        self._waiting_bytes -= sum(size for _, size in batch)
        batch.clear()

    def _store(self, batch: list[Observation]) -> bool:
        try:
            connection = self._connection or _connect(self._path)
            self._connection = connection
            rows = [self._row(observation) for observation in batch]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, rows)
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError, CaptureError) as error:
            self._fault(error)
            return False
        except Exception as error:
            # One observation that cannot be stored must not keep the others out.
            self._fault(error)
            if len(batch) > 1:
                for observation in batch:
                    self._store([observation])
            return True
        return True

    def _fault(self, error: Exception) -> None:
        self._faults += 1
        # The text of other errors may hold captured values.
        self._reason = str(error) if isinstance(error, sqlite3.Error | OSError | CaptureError) else type(error).__name__
        self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            with suppress(sqlite3.Error):
                connection.close()

    def _row(self, observation: Observation) -> tuple[object, ...]:
        shorter = _shortened(observation)
        kept = conceal(shorter, self._secret) if self._secret else shorter
        source = kept.source
        value = msgspec.msgpack.encode(kept)
        return source.index, source.part, _KIND_OF[type(kept)], kept.time, kept.device, kept.host, value

    def _note(self, *, busy: bool) -> None:
        """Keeps the counters in the file, or beside it, so that a report can say what is missing."""
        if busy and self._connection is None:
            # Writing just failed: the counters would only wait for the same lock.
            self._tell()
            return
        counts = (self._dropped, self._faults)
        effects = [self._effects.popleft() for _ in range(len(self._effects))]
        if counts == self._noted and not effects:
            return
        rows = [("dropped", counts[0] - self._noted[0], ""), ("faults", counts[1] - self._noted[1], self._reason)]
        try:
            connection = self._connection or _connect(self._path)
            self._connection = connection
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO counter VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET count = count + excluded.count, "
                "reason = excluded.reason",
                rows,
            )
            kept = connection.execute("SELECT count(*) FROM effect").fetchone()[0]
            connection.executemany(_ADD, (_effect_row(one, full=kept >= _MOST_EFFECTS) for one in effects))
            connection.execute("COMMIT")
            self._noted = counts
        except (sqlite3.Error, OSError, CaptureError) as error:
            self._effects.extendleft(reversed(effects))
            self._reason = str(error)
            self._disconnect()
        self._tell()

    def _tell(self, waiting: int = 0) -> None:
        """Says beside the ledger what the ledger does not say; `waiting` are observations that are given up."""
        dropped, faults = self._dropped - self._noted[0] + waiting, self._faults - self._noted[1]
        told = Losses(dropped, faults, self._reason) if dropped or faults else losses.NOTHING
        if told != self._told:
            losses.write(self._path, told)
            self._told = told


def _effect_row(effect: Effect, *, full: bool) -> tuple[object, ...]:
    return msgspec.structs.astuple(replace(effect, host="", device="") if full else effect)


def _size(observation: Observation) -> int:
    if not isinstance(observation, Exchange):
        return 0
    return len(observation.body.content or b"") + len(observation.response_body.content or b"")


def _shortened(observation: Observation) -> Observation:
    if not isinstance(observation, Exchange):
        return observation
    body, answer = observation.body, observation.response_body
    if len(body.content or b"") <= _KEEP_BODY and len(answer.content or b"") <= _KEEP_BODY:
        return observation
    return replace(observation, body=_cut(body), response_body=_cut(answer))


def _cut(body: Body) -> Body:
    content = body.content
    if content is None or len(content) <= _KEEP_BODY:
        return body
    return replace(body, content=content[:_KEEP_BODY], cut=True, problem="only the beginning was kept")


def read(path: Path, after: int = 0) -> Iterator[tuple[int, Observation]]:
    """Rows of a ledger after row `after` -> (row id, observation), in the order in which they were written.

    `Source.index` is the number of the flow, the same for a handshake and its messages.  Reading neither waits for a
    writer nor disturbs it.  A damaged row, and a damaged part of the file, gives an `Unreadable`; what stands behind it
    is read.  Raises `CaptureError` for what is no ledger, and for one of which nothing can be read.
    """
    with _reading(path) as connection:
        number, step = after, 1
        while True:
            try:
                rows = connection.execute(
                    "SELECT id, flow, part, kind, value FROM observation WHERE id > ? ORDER BY id", (number,)
                )
                for row, flow, part, kind, value in rows:
                    if row <= number:  # pages that lead back to themselves
                        raise sqlite3.DatabaseError("rows are out of order")
                    number, step = row, 1
                    yield number, _observation(flow, part, kind, value, number)
                return
            except _FAULTS as error:
                if number + step > _MOST_ROWS or (number == after and step > _FIRST_STEPS):
                    raise CaptureError(_damaged(path, error)) from None
                # A damaged page hides the rows on it, and those behind it can be asked for.
                yield number, Unreadable(Source(0, 0), None, f"after row {number}", "is damaged")
                number, step = number + step, step * 4


def rows(path: Path, ids: Iterable[int]) -> Iterator[tuple[int, Observation]]:
    """Rows of a ledger by their numbers -> (row id, observation), in this order; what is not there is left out.

    Raises `CaptureError`, also for a damaged page.
    """
    with _reading(path) as connection:
        for number in ids:
            asked = connection.execute("SELECT flow, part, kind, value FROM observation WHERE id = ?", (number,))
            for flow, part, kind, value in asked.fetchall():
                yield number, _observation(flow, part, kind, value, number)


_FAULTS = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What reading a damaged file raises: a sentence of SQLite that quotes it may be no text."""


def _said(error: Exception) -> str:
    """The beginning of a sentence that may quote what stands in a damaged file."""
    return "".join(sign if sign.isprintable() else " " for sign in str(error))[:80]


def _damaged(path: Path, error: Exception) -> Sentence:
    return f"{path.name}: is damaged ({_said(error)}); `sqlite3 {path.name} .recover` may help"


_FIRST_STEPS = 1 << 12
"""Rows that are passed over at the beginning before a ledger counts as lost."""

_MOST_ROWS = 1 << 40


def _observation(flow: object, part: object, kind: object, value: object, number: int) -> Observation:
    source = Source(0, flow if isinstance(flow, int) else 0, part if isinstance(part, int) else 0)
    if isinstance(flow, int) and isinstance(part, int) and isinstance(kind, str) and isinstance(value, bytes):
        with suppress(msgspec.MsgspecError, KeyError, ValueError):
            return replace(msgspec.msgpack.decode(value, type=_KINDS[kind]), source=source)
    return Unreadable(source, None, f"row {number}", "is damaged")


def counters(path: Path) -> dict[str, int]:
    """What a ledger's writers had to drop (`dropped`) and how often writing failed (`faults`), in all its sessions.

    Raises `CaptureError` when that cannot be read.
    """
    with _reading(path) as connection:
        told = connection.execute("SELECT name, count FROM counter").fetchall()
    counts = {name: count for name, count in told if isinstance(count, int)}
    beside = losses.read(path)
    return {
        "dropped": counts.get("dropped", 0) + beside.dropped,
        "faults": counts.get("faults", 0) + beside.faults,
    }


def effects(path: Path) -> tuple[Effect, ...]:
    """What the proxy changed while a ledger was written, by kind, host and device.

    Nothing for a ledger of an older phonehome, for one that another way than the proxy wrote, and where that part is
    damaged.
    """
    try:
        with _reading(path) as connection:
            told = connection.execute("SELECT * FROM effect ORDER BY kind, host, device").fetchall()
        names = Effect.__struct_fields__
        return tuple(msgspec.convert(dict(zip(names, row, strict=True)), Effect) for row in told)
    except (CaptureError, ValueError):
        return ()


def identity(path: Path) -> bytes:
    """What tells this state of this ledger from any other whose rows have the same numbers; empty for an old ledger,
    and for a damaged one."""
    try:
        with _reading(path) as connection:
            found = connection.execute("SELECT id FROM identity").fetchone()
    except CaptureError:
        return b""
    return found[0] if found and isinstance(found[0], bytes) else b""


def newest(path: Path) -> int:
    """Number of the last row; 0 when there is none.  Raises `CaptureError`."""
    with _reading(path) as connection:
        last: int = connection.execute("SELECT coalesce(max(id), 0) FROM observation").fetchone()[0]
    return last


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection; what SQLite finds damaged is a `CaptureError`."""
    with closing(_open(path)) as connection:
        # Texts that are no UTF-8 are a damaged row's, and no reason to give up the file.
        connection.text_factory = _text
        try:
            yield connection
        except _FAULTS as error:
            raise CaptureError(_damaged(path, error)) from None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def prune(path: Path, days: float, now: float | None = None) -> int:
    """Deletes what is older, for good (overwritten, and the log emptied), and what was found in it.

    `now`: seconds since the epoch (UTC), by default those of the clock.  Gives the number of rows.  Somebody else may
    write meanwhile: it is done in pieces.  Raises `sqlite3.Error` when the ledger cannot be written now, and
    `CaptureError` for what is no ledger.
    """
    end, deleted = (time.time() if now is None else now) - days * 86_400, 0
    with closing(_connect(path)) as connection:
        while count := connection.execute(_DELETE, (end,)).rowcount:
            deleted += count
        connection.execute("DELETE FROM effect WHERE last < ?", (end,))
        if deleted:
            # Numbers may be given out again: what others remember of them is worth nothing now.
            connection.execute("UPDATE identity SET id = randomblob(16)")
            path.with_name(path.name + ".index").unlink(missing_ok=True)
            # The dashboard's; one that runs makes it anew.
            for side in ("", "-wal", "-shm"):
                path.with_name(f"{path.name}.view{side}").unlink(missing_ok=True)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return deleted


def _open(path: Path) -> sqlite3.Connection:
    """For reading.  A copy without its log, or one in a folder that may not be written, is read as it stands."""
    name = path.resolve().as_uri()
    for options in ("mode=ro", "mode=ro&immutable=1"):
        try:
            connection = sqlite3.connect(f"{name}?{options}", uri=True, timeout=5.0)
        except sqlite3.OperationalError:
            continue
        try:
            if _version(connection, path) == 0:
                raise CaptureError(f"{path.name}: is empty; record something first")
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            continue
        except _FAULTS as error:
            connection.close()
            raise CaptureError(f"{path.name}: is no ledger, or is damaged ({_said(error)})") from None
        except CaptureError:
            connection.close()
            raise
        return connection
    raise CaptureError(f"{path.name}: cannot be opened; check its permissions and those of its folder")
