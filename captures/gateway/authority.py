"""The proxy's certificate authority: one per installation, for a year at most, and for some names never.

Written before mitmproxy makes its own, in the form in which it looks for one.
"""

from __future__ import annotations

import datetime
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from captures import home
from captures.model import CaptureError

VALID = datetime.timedelta(days=365)
"""From its beginning, which lies two days back for devices whose clocks are wrong."""

_BACK = datetime.timedelta(days=2)

_DEFAULT = Path(__file__).with_name("never.txt")

_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


@dataclass(frozen=True, slots=True)
class Authority:
    """What is known of the authority of this installation."""

    certificate: Path
    """Its file, without the key."""
    fingerprint: str
    """SHA-256, 64 hex digits."""
    until: datetime.datetime
    """End of its validity (UTC)."""
    never: tuple[str, ...]
    """Names, with all below them, for which it is not valid."""
    constrained: bool
    """Whether the certificate says so; one that mitmproxy has made does not."""
    private: bool
    """Whether nobody else can read the key."""


def never() -> Path:
    """The user's list of names that are never intercepted; written with the defaults when there is none."""
    path = home.root() / "never.txt"
    if not path.exists():
        # A link that leads nowhere is none of ours either.
        home.private_file(path)
        home.write(path, _DEFAULT.read_bytes())
    return path


def names(path: Path) -> tuple[str, ...]:
    """List of names, one a line, `#` begins a remark -> the names.  Raises `CaptureError` with the line."""
    found = []
    for number, line in enumerate(home.read(path).decode("utf-8").splitlines(), 1):
        name = line.partition("#")[0].strip().lower().rstrip(".").removeprefix("*.")
        if not name:
            continue
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            name = ""
        if not _NAME.fullmatch(name):
            raise CaptureError(f"{path}:{number}: is no name of a server; write one like bank.example a line")
        found.append(name)
    return tuple(dict.fromkeys(found))


def ensure(folder: Path) -> Authority:
    """Folder of the authority -> the authority, made when there is none.  Raises `CaptureError`, also for one that has
    ended: no device would accept it, and all of them would pass uninspected.

    An existing one is left as it is, also when the list has changed since: devices trust it.
    """
    found = read(folder) or _make(folder, names(never()))
    if found.until < datetime.datetime.now(datetime.UTC):
        raise CaptureError(
            f"the proxy's authority has ended on {found.until:%Y-%m-%d}; run: phonehome trust remove --all, "
            "then trust add again for what is watched"
        )
    return found


def read(folder: Path) -> Authority | None:
    """Folder of the authority -> what is known of it, or `None` when there is none.  Raises `CaptureError`."""
    key = folder / "mitmproxy-ca.pem"
    if not key.exists():
        return None
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    try:
        found = x509.load_pem_x509_certificate(home.read(key))
    except (OSError, ValueError):
        raise CaptureError(f"{key}: cannot be read; move it away, and a new one is made") from None
    excluded: tuple[str, ...] = ()
    try:
        constraints = found.extensions.get_extension_for_class(x509.NameConstraints).value
        excluded = tuple(str(name.value) for name in constraints.excluded_subtrees or ())
        constrained = True
    except x509.ExtensionNotFound:
        constrained = False
    return Authority(
        folder / "mitmproxy-ca-cert.pem",
        found.fingerprint(hashes.SHA256()).hex(),
        found.not_valid_after_utc,
        excluded,
        constrained,
        not key.stat().st_mode & 0o077,
    )


def _make(folder: Path, excluded: tuple[str, ...]) -> Authority:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import pkcs12
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    begin = datetime.datetime.now(datetime.UTC).replace(microsecond=0) - _BACK
    # A name of its own: Windows and Java tell authorities apart by it.
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"phonehome {secrets.token_hex(4)}"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "phonehome, on this network only"),
        ]
    )
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .not_valid_before(begin)
        .not_valid_after(begin + VALID)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if excluded:
        # No permitted names: they would hide whoever is not known yet.
        constraints = x509.NameConstraints(None, [x509.DNSName(each) for each in excluded])
        builder = builder.add_extension(constraints, critical=True)
    made = builder.sign(key, hashes.SHA256())
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    bundle = pkcs12.serialize_key_and_certificates(b"phonehome", None, made, None, serialization.NoEncryption())
    for file, data in (
        ("mitmproxy-ca-cert.pem", pem),
        ("mitmproxy-ca-cert.cer", pem),
        ("mitmproxy-ca-cert.p12", bundle),
        # Last: who finds it finds the others.
        ("mitmproxy-ca.pem", secret + pem),
    ):
        home.write(folder / file, data)
    found = read(folder)
    assert found is not None  # noqa: S101 - just written
    return found
