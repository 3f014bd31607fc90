"""Where the tool keeps things on this machine, for this user alone."""

from __future__ import annotations

import errno
import os
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

    Raises `CaptureError` for a link: whoever has laid it would choose which file we write to, and make private.
    """
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise CaptureError(f"{path}: is a link to another file; delete it") from None
    try:
        os.fchmod(handle, 0o600)
    finally:
        os.close(handle)
    return path


def _folder(path: Path) -> Path:
    # Who runs this as root may be led anywhere by links of others; one's own leads to a larger disk.
    if path.is_symlink() and path.lstat().st_uid != os.geteuid():
        raise CaptureError(f"{path}: is a link that another user has made; delete it, or set PHONEHOME_HOME")
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path
