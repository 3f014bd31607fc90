"""Whether a file is still being written.  Source: fcntl(2)."""

from __future__ import annotations

import errno
import os
import signal
from typing import IO


def is_being_written(file: IO[bytes], size: int) -> bool:
    """An open file and the size that it had before -> whether it grows, or another program has it open for writing.

    Only Linux tells the second, and only the owner of the file.
    """
    if os.fstat(file.fileno()).st_size > size:
        return True
    try:
        from fcntl import F_RDLCK, F_SETLEASE, F_SETSIG, F_UNLCK, fcntl
    except ImportError:
        return False
    try:
        # A lease for reading is refused while anybody may write.  Who comes just now is told with a signal that, unlike
        # the usual one, ends nobody.
        fcntl(file, F_SETSIG, signal.SIGURG)
        fcntl(file, F_SETLEASE, F_RDLCK)
        fcntl(file, F_SETLEASE, F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False
