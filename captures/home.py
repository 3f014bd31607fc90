"""Where the tool keeps things on this machine, for this user alone."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from captures.model import CaptureError


def root() -> Path:
    """`$PHONEHOME_HOME`, by default the platform's data folder of the user; made with mode 0700 when it is missing."""
    named = os.environ.get("PHONEHOME_HOME")
    if named:
        return _folder(Path(named).expanduser())
    # 4 ms, and `--help` does not need it.
    import platformdirs

    return _folder(Path(platformdirs.user_data_dir("phonehome", appauthor=False)))


def packs() -> Path:
    """Folder of the user's own packs; it need not exist."""
    return root() / "packs"


def known() -> Path:
    """File of the user's own values; it need not exist."""
    return root() / "known.db"


def cache() -> Path:
    """Folder of what can be worked out anew."""
    return _folder(root() / "cache")


def ledgers() -> Path:
    """Folder of what `watch` records."""
    return _folder(root() / "ledgers")


def authority() -> Path:
    """Folder of the proxy's certificate authority (mitmproxy's `confdir`)."""
    return _folder(root() / "ca")


def refusals() -> Path:
    """File of the devices that did not accept the proxy's certificate; it need not exist."""
    return root() / "refusals.json"


def journal() -> Path:
    """Folder of what was changed on this machine, to take it back."""
    return _folder(root() / "journal")


def ports() -> Path:
    """Folder of the ports on which something of ours listens (`captures/gateway/ports.py`)."""
    return _folder(root() / "ports")


def private_file(path: Path) -> Path:
    """Makes an empty file with mode 0600 under any umask; of one that exists the mode is set.  Gives the path back.

    Raises `CaptureError` for a link, also a hard one, and for what is no file: whoever has laid it would choose which
    file we write to and make private, or make us wait for ever.
    """
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise CaptureError(f"{path}: is a link to another file; delete it") from None
        if error.errno in (errno.ENXIO, errno.EISDIR):
            raise CaptureError(f"{path}: is no file; delete it") from None
        raise
    try:
        there = os.fstat(handle)
        if not stat.S_ISREG(there.st_mode):
            raise CaptureError(f"{path}: is no file; delete it")
        if there.st_nlink > 1:
            raise CaptureError(f"{path}: is a second name of another file (a hard link); delete it, or copy the file")
        os.fchmod(handle, 0o600)
    finally:
        os.close(handle)
    return path


def write(path: Path, data: bytes) -> None:
    """Replaces a file of ours as a whole, 0600 under any umask, on the disk before this returns.  Raises `OSError`.

    Whatever stood there, links as well, is replaced and not followed, so that nobody has a moment to lay one.
    """
    aside = path.with_name(f".{path.name[:100]}.{os.urandom(8).hex()}")
    handle = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o600)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read(path: Path, most: int = -1) -> bytes:
    """Content of a file of ours, or its first bytes.

    Raises `OSError`, and `CaptureError` for what is no file, since we might wait for ever.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123 - of a handle
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise CaptureError(f"{path}: is no file; delete it")
        return file.read(most)


def folder(path: Path) -> Path:
    """Makes a folder for the user alone, with all above it that are missing: in one that is open to others they could
    exchange what is ours.  Gives the path back; of a folder that exists nothing is changed."""
    for above in reversed(path.parents):
        if not above.exists():
            above.mkdir(mode=0o700, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def _folder(path: Path) -> Path:
    # Who runs this as root may be led anywhere by links of others; one's own leads to a larger disk.
    if path.is_symlink() and path.lstat().st_uid != os.geteuid():
        raise CaptureError(f"{path}: is a link that another user has made; delete it, or set PHONEHOME_HOME")
    folder(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o777 != 0o700:
        path.chmod(0o700)
    return path
