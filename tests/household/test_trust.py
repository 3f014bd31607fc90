"""The system's store, with the system's own programs, in a copy of /etc that nobody else sees."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from household.lab import ROOT

_SCRIPT = """
set -e
mount --make-rprivate /
for folder in /etc /usr/local/share; do
    mkdir -p "$WORK$folder" && cp -a "$folder/." "$WORK$folder"
    mount --bind "$WORK$folder" "$folder"
done
mkdir -p /usr/local/share/ca-certificates
# Debian writes the store of Java anew each time, with the time in it.
sum() { find /etc/ssl/certs /usr/local/share/ca-certificates -type f ! -path "*/java/*" | sort | xargs sha256sum; }
links() { find /etc/ssl/certs -type l -printf '%p %l\\n' | sort; }
update-ca-certificates >/dev/null 2>&1
sum > "$WORK/before"; links >> "$WORK/before"
"$PYTHON" -m analysis trust add system
"$PYTHON" -m analysis trust add jellyfin
openssl verify -CApath /etc/ssl/certs "$PHONEHOME_HOME/ca/mitmproxy-ca-cert.pem"
"$PYTHON" -m analysis trust status
"$PYTHON" -m analysis trust remove system
# Jellyfin reads the same store.
openssl verify -CApath /etc/ssl/certs "$PHONEHOME_HOME/ca/mitmproxy-ca-cert.pem"
"$PYTHON" -m analysis undo
sum > "$WORK/after"; links >> "$WORK/after"
"""


@pytest.mark.skipif(shutil.which("update-ca-certificates") is None, reason="needs Debian's ca-certificates")
def test_the_systems_store_trusts_it_and_is_byte_for_byte_as_before_afterwards(tmp_path: Path) -> None:
    environment = {
        **os.environ, "WORK": str(tmp_path), "PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "NO_COLOR": "1",
        "PHONEHOME_HOME": str(tmp_path / "home"),
    }  # fmt: skip
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", _SCRIPT], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("mitmproxy-ca-cert.pem: OK") == 2
    assert done.stdout.count("trusts the proxy") == 2
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()
    assert "phonehome" not in (tmp_path / "after").read_text()
