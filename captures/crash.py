"""What is left of a process that ends by a fault of our own: where it happened, and nothing of what it held.

An exception's text may be somebody's token, and a core dump holds all that the process knew.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

_ROOT = Path(__file__).resolve().parents[1]

WHOLE = "PHONEHOME_TRACEBACK"
"""Environment variable that has everything shown, for who looks for the fault on his own machine."""


def quiet() -> None:
    """Keeps what this process and those that it starts hold out of what a crash leaves.  Does nothing with `WHOLE`."""
    if os.environ.get(WHOLE):
        return
    with contextlib.suppress(ImportError, ValueError, OSError):
        # Not on Windows.
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.excepthook = _told
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = lambda fault: _told(fault.exc_type, fault.exc_value, fault.exc_traceback)


def _told(kind: type[BaseException], fault: BaseException | None, where: TracebackType | None) -> None:
    """Instead of Python's traceback.  `fault` is not looked at."""
    del fault
    if sys.stderr is None:
        return
    sys.stderr.write("".join(f"  {place}\n" for place in _places(where)))
    sys.stderr.write(
        f"a fault of phonehome's own ({kind.__name__}): please report these lines, which hold nothing of what was "
        f"captured; with {WHOLE}=1 all is shown\n"
    )


def _places(where: TracebackType | None) -> Iterator[str]:
    """Each call that led there: file, below our folder or that of packages (where it lies is private), and line."""
    for frame, line in traceback.walk_tb(where):
        file = Path(frame.f_code.co_filename)
        parts = file.parts
        if file.is_relative_to(_ROOT) and "site-packages" not in parts:
            parts = file.relative_to(_ROOT).parts
        elif "site-packages" in parts:
            parts = parts[parts.index("site-packages") + 1 :]
        else:
            parts = parts[-1:]
        yield f"{'/'.join(parts)}:{line} in {frame.f_code.co_name}"
