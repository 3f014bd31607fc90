"""Starts and ends the proxy, which runs as a process of its own (`python -m addons`)."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping

from captures.model import CaptureError, Sentence
from captures.process import end, start

_LISTENING = "listening on "
_READY = "ready"

_ALIVE = "alive"
"""What it says every other second."""

_HANGS = 15.0
"""Seconds without a word of it after which a proxy counts as one that hangs."""

_STAMP = re.compile(r"^\[[0-9:.]+\]\s*")
"""Time before a line of mitmproxy's log."""


class Proxy:
    """One running proxy.  Use as a context: it ends with it, and also if this process dies."""

    def __init__(self, options: Mapping[str, object], patience: float = 60.0) -> None:
        """`options` are mitmproxy's; `patience` is the number of seconds that it may take to start."""
        self._settings = json.dumps({"options": dict(options)})
        self._patience = patience
        self._said: deque[str] = deque(maxlen=50)
        self._changed = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._ready = False
        self._heard = True
        self._looked = self._quiet = 0.0
        self.listening: list[tuple[str, int]] = []
        """Host and port of each server, once it listens; none for local capture."""
        self.pid = 0
        """Number of the process."""

    def __enter__(self) -> Proxy:
        """Starts it and waits until it listens.  Raises `CaptureError` with one sentence when it does not."""
        process = self._process = start("addons")
        self.pid = process.pid
        self._reader = threading.Thread(target=self._read, args=(process,), name="proxy-log", daemon=True)
        self._reader.start()
        assert process.stdin is not None  # noqa: S101 - it was asked for
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(self._settings.encode() + b"\n")
            process.stdin.flush()
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None  # noqa: S101 - it was asked for
        for raw in process.stderr:
            line = raw.decode("utf-8", "replace").rstrip()
            if line.startswith(_LISTENING):
                host, _, port = line.removeprefix(_LISTENING).rpartition(":")
                self.listening.append((host.strip("[]"), int(port)))
            elif line == _READY:
                self._ready = True
            elif line == _ALIVE:
                self._heard = True
            elif line:
                self._said.append(line)
            self._changed.set()
        self._changed.set()

    def _wait(self) -> None:
        end = time.monotonic() + self._patience
        while not self._ready:
            if not self.running or time.monotonic() > end:
                self.__exit__()
                raise CaptureError(_sentence(list(self._said), "the proxy did not start"))
            self._changed.wait(0.2)
            self._changed.clear()

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def hangs(self) -> bool:
        """Whether it has not turned its loop for a while; look again and again.

        What passes between two looks counts as a second at most: where this process stood still, so did the other.
        """
        now = time.monotonic()
        self._quiet += min(now - self._looked, 1.0)
        self._looked = now
        if self._heard:
            self._heard, self._quiet = False, 0.0
        return self._quiet > _HANGS

    def kill(self) -> None:
        """Ends it at once; one that hangs would not hear anything else."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> Sentence:
        """Why it ended by itself, as one sentence."""
        if self._reader:
            self._reader.join(1.0)
        status = self._process.poll() if self._process else None
        if status is not None and status < 0:
            return f"the proxy was ended from outside (signal {-status}); what it had recorded is in the report"
        return _sentence(list(self._said), "the proxy ended by itself")

    def __exit__(self, *_: object) -> None:
        """Ends it in order: what it has seen is written."""
        process = self._process
        if process is None:
            return
        end(process)
        if self._reader:
            self._reader.join(1.0)
        if process.stderr:
            process.stderr.close()


def _sentence(said: list[str], what: Sentence) -> Sentence:
    text = " ".join(said)
    if "Errno 98" in text or "Errno 48" in text or "address already in use" in text.lower():
        return "the proxy's port is in use by another program; choose another one with --listen PORT"
    if "Errno 13" in text or "Permission denied" in text:
        return "the proxy may not use this port; choose one above 1023 with --listen PORT"
    if "redirector" in text or "eBPF" in text:
        return (
            "the capture of one program does not work on this machine, and nothing would be seen; phonehome doctor "
            "says what is missing, and `phonehome watch` as a proxy works everywhere"
        )
    last = _STAMP.sub("", said[-1]) if said else "it said nothing"
    return f"{what}: {last[:300]}"
