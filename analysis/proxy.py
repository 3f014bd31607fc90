"""Starts and ends the proxy, which runs as a process of its own (`python -m addons`)."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

from captures.model import CaptureError

_LISTENING = "listening on "


class Proxy:
    """One running proxy.  Use as a context: it ends with it, and also if this process dies."""

    def __init__(self, options: Mapping[str, object], modes: int = 1) -> None:
        """`options` are mitmproxy's; `modes` is the number of servers that will say that they listen."""
        self._settings = json.dumps({"options": dict(options)})
        self._modes = modes
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process: subprocess.Popen[str] | None = None
        self.listening: list[tuple[str, int]] = []
        """Host and port of each server, once it listens."""
        self.pid = 0
        """Number of the process."""

    def __enter__(self) -> Proxy:
        """Starts it and waits until it listens.  Raises `CaptureError` with one sentence when it does not."""
        process = subprocess.Popen(
            [sys.executable, "-m", "addons"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            # Ctrl-C is for this process, which ends the proxy in order.
            start_new_session=True,
        )
        self._process = process
        self.pid = process.pid
        threading.Thread(target=self._read, name="proxy-log", daemon=True).start()
        assert process.stdin is not None  # noqa: S101 - it was asked for
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(self._settings + "\n")
            process.stdin.flush()
        self._wait()
        return self

    def _read(self) -> None:
        assert self._process is not None  # noqa: S101 - started just before
        assert self._process.stderr is not None  # noqa: S101 - it was asked for
        for line in self._process.stderr:
            self._lines.put(line.rstrip())
        self._lines.put(None)

    def _wait(self) -> None:
        said: list[str] = []
        end = time.monotonic() + 60
        while len(self.listening) < self._modes:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                self.__exit__()
                raise CaptureError(_sentence(said))
            if line.startswith(_LISTENING):
                host, _, port = line.removeprefix(_LISTENING).rpartition(":")
                self.listening.append((host.strip("[]"), int(port)))
            elif line:
                said.append(line)

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        """What it said last, as one sentence, if it ended by itself."""
        said = []
        while not self._lines.empty():
            line = self._lines.get()
            if line:
                said.append(line)
        return _sentence(said)

    def __exit__(self, *_: object) -> None:
        """Ends it in order: what it has seen is written."""
        process = self._process
        if process is None:
            return
        if process.stdin and not process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr:
            process.stderr.close()


def _sentence(said: list[str]) -> str:
    text = " ".join(said)
    if "Errno 98" in text or "Errno 48" in text or "address already in use" in text.lower():
        return "the proxy's port is in use by another program; choose another one with --listen PORT"
    if "Errno 13" in text or "Permission denied" in text:
        return "the proxy may not use this port; choose one above 1023 with --listen PORT"
    last = said[-1] if said else "it said nothing"
    return f"the proxy did not start: {last[:300]}"
