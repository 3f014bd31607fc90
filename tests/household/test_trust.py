"""The system's store, with the system's own programs, in a copy of /etc that nobody else sees."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from household.lab import ROOT

_BEGIN = """
set -e
mount --make-rprivate /
for folder in /etc /usr/local/share; do
    mkdir -p "$WORK$folder" && cp -a "$folder/." "$WORK$folder"
    mount --bind "$WORK$folder" "$folder"
done
phonehome() { "$PYTHON" -m analysis "$@"; }
failing() { if phonehome "$@"; then echo "did not fail: $*"; exit 9; fi; }
ours="$PHONEHOME_HOME/ca/mitmproxy-ca-cert.pem"
"""

_DEBIAN = r"""
mkdir -p /usr/local/share/ca-certificates
# Debian writes the store of Java anew each time, with the time in it.
sum() { find /etc/ssl/certs /usr/local/share/ca-certificates -type f ! -path "*/java/*" | sort | xargs sha256sum; }
links() { find /etc/ssl/certs -type l -printf '%p %l\n' | sort; }
update-ca-certificates >/dev/null 2>&1
sum > "$WORK/before"; links >> "$WORK/before"
# One that cannot be written: nothing is changed, and nothing is noted.
mount -o remount,ro,bind /usr/local/share
failing trust add system
phonehome trust status
mount -o remount,rw,bind /usr/local/share
phonehome trust add system
phonehome trust add jellyfin
openssl verify -CApath /etc/ssl/certs "$ours"
# curl, which reads the system's file, takes the proxy's word for a server.
"$PYTHON" -c "$LEAF" "$PHONEHOME_HOME/ca" "$WORK/leaf.pem"
openssl s_server -accept 127.0.0.1:4433 -cert "$WORK/leaf.pem" -key "$WORK/leaf.pem" -www -quiet &
server=$!
curl -s --retry 9 --retry-connrefused --retry-delay 1 --resolve film.example:4433:127.0.0.1 \
    https://film.example:4433/ | grep -c "Ciphers supported"
phonehome trust status
# Somebody empties the file that programs read.
: > /etc/ssl/certs/ca-certificates.crt
phonehome trust status
phonehome trust add system
openssl verify -CAfile /etc/ssl/certs/ca-certificates.crt "$ours"
phonehome trust remove system
# Jellyfin reads the same store.
openssl verify -CApath /etc/ssl/certs "$ours"
# What cannot be taken out stays noted, and keeps the authority.
mount -o remount,ro,bind /usr/local/share
failing trust remove --all
phonehome undo --list
mount -o remount,rw,bind /usr/local/share
phonehome undo
if curl -s --resolve film.example:4433:127.0.0.1 https://film.example:4433/; then echo "still trusted"; exit 9; fi
kill $server
sum > "$WORK/after"; links >> "$WORK/after"
"""

_LEAF = """
import sys
from pathlib import Path
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import DNSName
from mitmproxy.certs import CertStore
made = CertStore.from_store(Path(sys.argv[1]), "mitmproxy", 2048).get_cert("film.example", [DNSName("film.example")])
key = made.privatekey.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
Path(sys.argv[2]).write_bytes(key + made.cert.to_pem())
"""

_FEDORA = """
mount -t tmpfs none /usr/local/share
mount --bind "$WORK/modules" /usr/share/p11-kit/modules
mkdir -p /etc/pki/ca-trust/source/anchors /etc/pki/ca-trust/extracted/pem
made=/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
cp /etc/ssl/certs/ca-certificates.crt /etc/pki/ca-trust/source/anchors/public.pem
update-ca-trust
find /etc/pki -type f | sort | xargs sha256sum > "$WORK/before"
cp "$made" "$WORK/made"
phonehome trust add system
phonehome trust add system
openssl verify -CAfile "$made" "$ours"
phonehome trust status
# An update puts its own file there.
cp -f "$WORK/made" "$made"
phonehome trust status
phonehome trust add system
openssl verify -CAfile "$made" "$ours"
phonehome trust remove --all
find /etc/pki -type f | sort | xargs sha256sum > "$WORK/after"
"""

_UPDATE_CA_TRUST = r"""#!/bin/sh
export P11_KIT_NO_USER_CONFIG=1
exec p11-kit extract --format=pem-bundle --filter=ca-anchors --overwrite --comment --purpose server-auth \
    /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
"""
"""What Fedora's program of this name does for the file that programs read."""


def done(tmp_path: Path, script: str, **named: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ, "WORK": str(tmp_path), "PYTHON": sys.executable, "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1", "PHONEHOME_HOME": str(tmp_path / "home"), "LEAF": _LEAF, **named,
    }  # fmt: skip
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", _BEGIN + script],
        capture_output=True, text=True, check=False, env=environment, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()
    assert "phonehome" not in (tmp_path / "after").read_text()
    return done


@pytest.mark.skipif(shutil.which("update-ca-certificates") is None, reason="needs Debian's ca-certificates")
def test_the_systems_store_trusts_it_and_is_byte_for_byte_as_before_afterwards(tmp_path: Path) -> None:
    said = done(tmp_path, _DEBIAN)
    assert said.stdout.count("mitmproxy-ca-cert.pem: OK") == 3
    assert said.stdout.count("trusts the proxy") == 2
    assert said.stdout.count("an update has overwritten it; run: phonehome trust add system") == 1
    assert said.stdout.count("nothing was told to trust it") == 1
    assert "trust: jellyfin in /usr/local/share/ca-certificates" in said.stdout
    assert "Traceback" not in said.stderr
    assert "phonehome.crt: stands on a disk that is mounted read-only; make it writable first" in said.stderr
    assert "Errno" not in said.stderr


@pytest.mark.skipif(shutil.which("p11-kit") is None, reason="needs p11-kit")
def test_fedoras_store_trusts_it_and_is_byte_for_byte_as_before_afterwards(tmp_path: Path) -> None:
    """In Fedora's folders, with p11-kit, of which Fedora's program is made."""
    modules, programs = tmp_path / "modules", tmp_path / "programs"
    modules.mkdir()
    programs.mkdir()
    config = Path("/usr/share/p11-kit/modules/p11-kit-trust.module").read_text()
    config = config.replace("x-init-reserved:", "x-init-reserved: paths=/etc/pki/ca-trust/source")
    (modules / "p11-kit-trust.module").write_text(config)
    (programs / "update-ca-trust").write_text(_UPDATE_CA_TRUST)
    (programs / "update-ca-trust").chmod(0o755)
    said = done(tmp_path, _FEDORA, PATH=f"{programs}:{os.environ['PATH']}")
    assert said.stdout.count("mitmproxy-ca-cert.pem: OK") == 2
    assert said.stdout.count("trusts the proxy") == 1
    assert said.stdout.count("an update has overwritten it; run: phonehome trust add system") == 1
    assert "trusts the proxy already" in said.stderr
