"""Starts and ends the dashboard of a recording, which runs as a process of its own (`python -m analysis.web`)."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from pathlib import Path

from captures.process import end, start


class Dashboard:
    """One running dashboard.  Use as a context: it ends with it, and also if this process dies.

    What goes wrong with it never ends the recording.
    """

    def __init__(self, ledger: Path, port: int | None, *, changes: bool) -> None:
        """`port` `None`: the usual one, or any that is free; `changes`: whether notes may be kept."""
        self._settings = json.dumps({"ledger": str(ledger.resolve()), "port": port, "changes": changes})
        self._process: subprocess.Popen[bytes] | None = None
        self.link = ""
        """The link that lets the next browser in; empty until it answers."""
        self.trouble = ""
        """Why it ended, as far as it said."""

    def __enter__(self) -> Dashboard:
        """Starts it, and does not wait for it."""
        try:
            process = self._process = start("analysis.web")
        except OSError as error:
            self.trouble = str(error)
            return self
        threading.Thread(target=self._read, args=(process,), name="dashboard-log", daemon=True).start()
        assert process.stdin is not None  # noqa: S101 - it was asked for
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(self._settings.encode() + b"\n")
            process.stdin.flush()
        return self

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None  # noqa: S101 - it was asked for
        for raw in process.stderr:
            what, _, value = raw.decode("utf-8", "replace").strip().partition(" ")
            if what == "link":
                self.link = value
            else:
                self.trouble = f"{what} {value}"
        self.link = ""

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Number of the process; 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    def __exit__(self, *_: object) -> None:
        """Ends it."""
        if self._process is not None:
            end(self._process)
