"""Puts the proxy's authority where a product looks for those that it trusts, and takes it out again.

What is to be changed is written down first (`journal/trust.json`), with a copy of the file as it was.  Taking out
restores the copy when nobody has changed the file since; else the authority alone is taken out.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import msgspec

from captures import home
from captures.gateway.authority import Authority
from captures.model import CaptureError, Sentence

_ALIAS = "phonehome"
_BEGIN = b"\n# phonehome: taken out by `phonehome trust remove`\n"
_FILE = "phonehome.crt"

_REFRESH = {
    "/usr/local/share/ca-certificates": ("update-ca-certificates",),
    "/etc/pki/ca-trust/source/anchors": ("update-ca-trust", "extract"),
    "/etc/ca-certificates/trust-source/anchors": ("update-ca-trust", "extract"),
    "/etc/pki/trust/anchors": ("update-ca-certificates",),
}
"""Folder -> command that makes the system's files from it."""

_MADE = {
    "/usr/local/share/ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/source/anchors": "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ca-certificates/trust-source/anchors": "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
    "/etc/pki/trust/anchors": "/var/lib/ca-certificates/ca-bundle.pem",
}
"""Folder -> a file that this command makes, and that programs read."""

_DATABASE = "cert9.db"
"""Of a browser, in its folder."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where a product looks."""

    product: str
    """Id: `plex`."""
    label: str
    """Its name, for people."""
    kind: str
    """`pem`, `java`, `folder`, `nss` or `told`."""
    paths: tuple[str, ...]
    """Places that are tried, with `~` and `*`."""
    then: str
    """What a person has to do; `{certificate}` stands for the authority's file."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One place to which the authority was added."""

    product: str
    """Id."""
    kind: str
    """As of the store."""
    path: str
    """File or folder."""
    fingerprint: str
    """Of the authority."""
    after: str
    """SHA-256 of the file with the authority; empty where a program writes it."""
    backup: str
    """Name of the copy in the journal's folder; empty when there was nothing."""


class _Trusted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    entries: tuple[Entry, ...] = ()
    version: int = 1


def stores() -> dict[str, Store]:
    """Product -> where it looks, in the order of the table."""
    table = tomllib.loads(Path(__file__).with_name("trust.toml").read_text("utf-8"))
    return {
        product: Store(product, entry["label"], entry["kind"], tuple(entry.get("paths", ())), entry["then"].strip())
        for product, entry in table.items()
    }


def places(store: Store, given: tuple[Path, ...] = (), python: str = "") -> tuple[Path, ...]:
    """The files or folders of a store on this machine, those given or those found.  Raises `CaptureError`."""
    if store.product == "python" and not given:
        given = (_certifi(python or sys.executable),)
    found = given or tuple(
        Path(path)
        for pattern in store.paths
        for path in sorted(glob.glob(str(Path(pattern).expanduser())))  # noqa: PTH207
    )
    if store.kind == "nss":
        found = tuple(path for path in found if (path / _DATABASE).exists())
    missing = [path for path in found if not path.exists()]
    if missing:
        raise CaptureError(f"{missing[0]}: does not exist")
    if not found:
        other = " or run it without sudo, as the user of the browser" if os.environ.get("SUDO_USER") else ""
        told = other if store.kind == "nss" else ""
        raise CaptureError(f"{store.label}: is not found on this machine; name the place with --path{told}")
    # Several names of one file would be changed several times.
    return tuple(dict.fromkeys(path.resolve() for path in found))


def add(store: Store, path: Path, authority: Authority, folder: Path) -> bool:
    """Adds the authority to one place -> whether anything was changed.  Raises `CaptureError`; then nothing is.

    `folder`: of the journal.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise CaptureError(f"{str(path)!a}: has a name that is no text and could not be noted; rename it") from None
    certificate = authority.certificate.read_bytes()
    noted = [(entry.product, entry.path) for entry in listed(folder)]
    if holds(store.kind, path, certificate) and (store.kind != "folder" or (store.product, str(path)) in noted):
        return False
    # An older one of ours, or what was left of it.
    for entry in listed(folder):
        if (entry.product, entry.path) == (store.product, str(path)):
            remove(entry, folder)
    if store.kind == "folder":
        # Another product may read the same folder.
        shared = any(entry.path == str(path) for entry in listed(folder))
        if not shared:
            _not_foreign(path / _FILE)
        entry = Entry(store.product, store.kind, str(path), authority.fingerprint, "", "")
        _note(entry, folder)
        try:
            _replace(path / _FILE, certificate)
            _run(*_REFRESH.get(str(path), ("update-ca-certificates",)))
        except CaptureError:
            if not shared:
                with contextlib.suppress(OSError):
                    (path / _FILE).unlink(missing_ok=True)
            _forget(entry, folder)
            raise
        return True
    file = path / _DATABASE if store.kind == "nss" else path
    before = file.read_bytes()
    backup = f"trust-{hashlib.sha256(bytes(file) + before).hexdigest()[:16]}.backup"
    # The time of its last change goes with the copy.
    _replace(folder / backup, before, file)
    entry = Entry(store.product, store.kind, str(path), authority.fingerprint, "", backup)
    try:
        if store.kind == "nss":
            # The browser's own library writes it, since the browser may be running.
            _note(entry, folder)
            _run("certutil", "-A", "-d", f"sql:{path}", "-t", "C,,", "-n", _ALIAS, "-i", str(authority.certificate))
            _note(msgspec.structs.replace(entry, after=_sum(file)), folder)
        else:
            after = before + _BEGIN + certificate if store.kind == "pem" else _keystore(before, _imported(authority))
            entry = msgspec.structs.replace(entry, after=hashlib.sha256(after).hexdigest())
            _note(entry, folder)
            _replace(path, after)
    except CaptureError:
        _forget(entry, folder)
        raise
    return True


def _not_foreign(file: Path) -> None:
    if file.is_symlink() or file.exists():
        raise CaptureError(f"{file}: was not put there by this installation; move it away, then try again")


def _sum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def remove(entry: Entry, folder: Path) -> Sentence:
    """Takes the authority out of one place -> what was done, in a few words.  Raises `CaptureError`; it stays noted."""
    path = Path(entry.path)
    done = "as it was before"
    if not path.exists():
        done = "is gone, and the authority with it"
    elif entry.kind == "folder" and any(other.path == entry.path for other in listed(folder) if other != entry):
        done = "stays there for another product"
    elif entry.kind == "folder":
        try:
            (path / _FILE).unlink(missing_ok=True)
        except OSError as error:
            _unwritable(path / _FILE, error)
        command = _REFRESH.get(entry.path, ("update-ca-certificates",))
        # Without it a link to what is gone would stay in the system's folder.
        _run(*command, *(("--fresh",) if command[0] == "update-ca-certificates" else ()))
    else:
        file, backup = (path / _DATABASE if entry.kind == "nss" else path), folder / entry.backup
        whole = file.exists() and _sum(file) == entry.after and backup.is_file()
        if entry.kind == "nss":
            # Also what the library has put beside it, among the keys, of which no copy is made.
            whole = whole and not _in_use(file)
            done = _taken_out(entry, path)
        if whole:
            _replace(file, backup.read_bytes(), backup)
            done = "as it was before"
        elif entry.kind != "nss":
            done = _taken_out(entry, path)
    _forget(entry, folder)
    return done


def remove_all(folder: Path) -> tuple[list[str], list[str]]:
    """Takes the authority out of all places -> what was done, and what could not be: that must not keep the others."""
    done: list[str] = []
    failed: list[str] = []
    for entry in listed(folder):
        try:
            done.append(f"{entry.path}: {remove(entry, folder)}")
        except (CaptureError, OSError) as error:
            failed.append(str(error))
    return done, failed


def _in_use(file: Path) -> bool:
    """Whether a program has a file open, as far as this user may know; also where it cannot be told."""
    if not Path("/proc/self/fd").exists():
        return True
    for open_file in glob.iglob("/proc/[0-9]*/fd/*"):  # noqa: PTH207 - 10,000 of them
        with contextlib.suppress(OSError):
            if os.readlink(open_file) == str(file):  # noqa: PTH115 - likewise
                return True
    return False


def _taken_out(entry: Entry, path: Path) -> Sentence:
    """Somebody has changed the file since, or uses it: only our part goes."""
    if entry.kind == "nss":
        if _says("certutil", "-L", "-d", f"sql:{path}", "-n", _ALIAS):
            _run("certutil", "-D", "-d", f"sql:{path}", "-n", _ALIAS)
        return "taken out"
    now = path.read_bytes()
    if entry.kind == "java":
        if not _says("keytool", "-list", "-keystore", str(path), "-storepass", "changeit", "-alias", _ALIAS):
            return "was replaced by an update; nothing was left to take out"
        _replace(path, _keystore(now, ("-delete", "-alias", _ALIAS)))
        return "taken out; what others have changed since stays"
    begin = now.find(_BEGIN)
    end = now.find(b"-----END CERTIFICATE-----\n", begin)
    if begin < 0 or end < 0:
        return "was replaced by an update; nothing was left to take out"
    _replace(path, now[:begin] + now[end + len(b"-----END CERTIFICATE-----\n") :])
    return "taken out; what others have changed since stays"


def holds(kind: str, path: Path, certificate: bytes) -> bool:
    """Whether a place holds the authority now."""
    if kind == "pem":
        return certificate.strip() in path.read_bytes()
    if kind == "folder":
        if not ((path / _FILE).exists() and (path / _FILE).read_bytes() == certificate):
            return False
        made = Path(_MADE.get(str(path), ""))
        return not made.is_file() or _bare(certificate) in _bare(made.read_bytes())
    if kind == "java":
        said = _says("keytool", "-list", "-rfc", "-keystore", str(path), "-storepass", "changeit", "-alias", _ALIAS)
    else:
        said = _says("certutil", "-L", "-d", f"sql:{path}", "-n", _ALIAS, "-a")
    return _bare(certificate) in _bare(said)


def _bare(text: bytes) -> bytes:
    return b"".join(text.split())


def state(entry: Entry, authority: Authority | None) -> Sentence:
    """What is to be said of one place to which the authority was added."""
    path = Path(entry.path)
    if not path.exists():
        return "is gone; the product was removed"
    if authority is None or authority.fingerprint != entry.fingerprint:
        return f"holds an authority that is not used any more; run: phonehome trust add {entry.product}"
    if not holds(entry.kind, path, authority.certificate.read_bytes()):
        return f"an update has overwritten it; run: phonehome trust add {entry.product}"
    return "trusts the proxy"


def listed(folder: Path) -> tuple[Entry, ...]:
    """Folder of the journal -> all places to which the authority was added.  Raises `CaptureError`."""
    path = folder / "trust.json"
    try:
        return msgspec.json.decode(home.read(path), type=_Trusted).entries
    except FileNotFoundError:
        return ()
    except (msgspec.MsgspecError, OSError) as error:
        raise CaptureError(
            f"{path}: cannot be read ({error}); it names what was changed, so look into it first"
        ) from None


def _note(entry: Entry, folder: Path) -> None:
    """Also in place of one that named the same place."""
    others = (other for other in listed(folder) if (other.product, other.path) != (entry.product, entry.path))
    home.write(folder / "trust.json", msgspec.json.encode(_Trusted((*others, entry))))


def _forget(entry: Entry, folder: Path) -> None:
    left = tuple(other for other in listed(folder) if other != entry)
    home.write(folder / "trust.json", msgspec.json.encode(_Trusted(left)))
    if entry.backup and entry.backup not in {other.backup for other in left}:
        (folder / entry.backup).unlink(missing_ok=True)


def _replace(path: Path, data: bytes, like: Path | None = None) -> None:
    """Replaces a file whole, on the disk before this returns; owner, mode and attributes stay.  Raises `CaptureError`.

    `like`: file whose time of last change it gets.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        _unwritable(path, error)
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            there = path.stat()
            os.chown(aside, there.st_uid, there.st_gid)
            # Mode, access lists and labels of SELinux, and the times, which are then those of now.
            shutil.copystat(path, aside)
            os.utime(aside)
        elif path.name == _FILE:
            aside.chmod(0o644)
        if like:
            times = like.stat()
            os.utime(aside, ns=(times.st_atime_ns, times.st_mtime_ns))
        aside.replace(path)
    except OSError as error:
        raise CaptureError(f"{path}: cannot be replaced ({(error.strerror or '').lower()})") from None
    finally:
        aside.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> NoReturn:
    if error.errno == errno.EROFS:
        raise CaptureError(f"{path}: stands on a disk that is mounted read-only; make it writable first") from None
    raise CaptureError(f"{path}: cannot be written ({(error.strerror or '').lower()}); run it as root") from None


def _imported(authority: Authority) -> tuple[str, ...]:
    return ("-importcert", "-noprompt", "-alias", _ALIAS, "-file", str(authority.certificate))


def _keystore(data: bytes, command: tuple[str, ...]) -> bytes:
    """A Java keystore -> what keytool makes of it.  The password is the one that every Java has."""
    with tempfile.TemporaryDirectory(dir=home.root()) as folder:
        path = Path(folder) / "cacerts"
        path.write_bytes(data)
        _run("keytool", *command, "-keystore", str(path), "-storepass", "changeit")
        return path.read_bytes()


def _certifi(python: str) -> Path:
    try:
        found = _says(python, "-c", "import certifi; print(certifi.where())", needed=True).decode().strip()
    except CaptureError:
        found = ""
    if not found:
        raise CaptureError(f"--python {python}: has no certifi; name the file that the program reads with --path")
    return Path(found)


_PACKAGES = {"keytool": "a Java runtime", "certutil": "libnss3-tools (Debian) or nss-tools (Fedora)"}


def _run(*command: str) -> bytes:
    return _says(*command, needed=True)


def _says(*command: str, needed: bool = False) -> bytes:
    """What a command prints; empty when it fails, unless it is `needed`.  Raises `CaptureError`."""
    if not shutil.which(command[0]):
        raise CaptureError(f"{command[0]}: is not installed; install {_PACKAGES.get(command[0], command[0])}")
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=120, stdin=subprocess.DEVNULL)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise CaptureError(f"{command[0]}: did not end within two minutes; try again") from None
    if done.returncode and needed:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise CaptureError(f"{command[0]}: {(said or ['failed'])[-1][:200]}")
    return b"" if done.returncode else done.stdout
