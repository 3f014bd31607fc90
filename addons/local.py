"""The capture of one program on Linux: what mitmproxy's redirector needs, and an end with a word when it fails.

The redirector asks the kernel for the sockets of programs through cgroup v2 at /sys/fs/cgroup, and is started with
sudo.  Where either is missing it says that it has started, ends, and the proxy would go on and see nothing.
"""

from __future__ import annotations

import ctypes
import logging
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from captures import home
from captures.model import CaptureError

_CGROUP = Path("/sys/fs/cgroup")

_SUDO = """\
#!/bin/sh
# mitmproxy starts its redirector with sudo; who is root already needs none.
while [ "${1#-}" != "$1" ]; do shift; done
exec "$@"
"""

_FAILED = "[linux-redirector] exited"

SILENT = "mitmproxy's redirector has ended"
"""Why the proxy ends."""


def prepare(modes: Sequence[str]) -> None:
    """Modes of the proxy -> the machine is ready for those of one program; else nothing.  Raises `CaptureError`.

    What is missing is supplied for this process alone.  Call it before there are threads: it moves this process to a
    list of mounts of its own.
    """
    if not any(mode.partition(":")[0] == "local" for mode in modes) or sys.platform != "linux":
        return
    for mode in modes:
        number = mode.removeprefix("local:")
        if number.isdigit() and not Path("/proc", number).exists():
            raise CaptureError(f"--mode {mode}: no process has this number now; look for it with `ps -e`")
    if os.geteuid():
        raise CaptureError("--mode local: may only be run as root; try with sudo")
    if not shutil.which("sudo"):
        folder = home.cache() / "bin"
        folder.mkdir(mode=0o700, exist_ok=True)
        shim = home.private_file(folder / "sudo")
        shim.write_text(_SUDO, "ascii")
        shim.chmod(0o700)
        os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    if not (_CGROUP / "cgroup.controllers").exists():
        _mount()


def _mount() -> None:
    """Mounts cgroup v2 where the redirector looks; only this process and what it starts sees that."""
    os.unshare(os.CLONE_NEWNS)
    mount = ctypes.CDLL(None, use_errno=True).mount
    private = 1 << 18 | 1 << 14  # MS_PRIVATE, MS_REC
    for arguments in ((None, b"/", None, private, None), (b"cgroup2", bytes(_CGROUP), b"cgroup2", 0, None)):
        if mount(*arguments):
            why = os.strerror(ctypes.get_errno()).lower()
            raise CaptureError(f"--mode local: needs cgroup v2 at {_CGROUP}, which cannot be mounted ({why})")


class Watchdog(logging.Handler):
    """Calls a function when the redirector has ended by itself; mitmproxy itself only logs that, and goes on."""

    def __init__(self, ended: Callable[[], object]) -> None:
        """`ended` is called in whichever thread logs."""
        super().__init__()
        self._ended = ended

    def emit(self, record: logging.LogRecord) -> None:
        """Looks at one message."""
        if _FAILED in record.getMessage():
            self._ended()
