"""Programs whose clock can be set while they run, without touching that of the machine: a library that is loaded first.

Only the clock of the day is moved; those by which time passes are not, as when somebody sets a real one.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

COMPILER = shutil.which("cc")

_LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long ahead(void) {
    static volatile long *seconds;
    if (!seconds) {
        int file = open(getenv("SHIFTED"), O_RDONLY);
        void *mapped = file < 0 ? MAP_FAILED : mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
        if (file >= 0) close(file);
        if (mapped == MAP_FAILED) return 0;
        seconds = mapped;
    }
    return *seconds;
}

int clock_gettime(clockid_t which, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, which, now);
    if (!failed && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead();
    return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
"""


class Shifted:
    """The clock of whatever is started with `environment`."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where the library and the file that says by how much the clock is ahead are put."""
        source, library, self._ahead = folder / "shifted.c", folder / "shifted.so", folder / "shifted"
        source.write_text(_LIBRARY)
        subprocess.run([COMPILER or "cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        self.set(0)
        self.environment = ("env", f"LD_PRELOAD={library}", f"SHIFTED={self._ahead}")

    def set(self, seconds: int) -> None:
        """From now on it is so many seconds ahead of the machine's."""
        if not self._ahead.exists():
            self._ahead.write_bytes(bytes(8))
        with self._ahead.open("r+b") as file:
            file.write(struct.pack("=q", seconds))
