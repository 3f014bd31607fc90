"""Resident memory of each process of `phonehome watch`, dashboard included, while many flows pass.

Small requests, with new connections each 2,000.  On a quiet machine 100,000 take about five minutes.  Everything is on
loopback.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import live  # type: ignore[import-not-found]  # beside this script

EACH = 2000
PARTS = (0.02, 0.1, 0.25, 0.5, 0.75, 1.0)


def main() -> None:
    """Prints what is held after a part of the flows, and after all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("flows", nargs="?", type=int, default=100_000, help="how many requests (default: 100,000)")
    flows = parser.parse_args().flows
    # Only now, so that `--help` needs nothing else.
    from fake_cloud import held

    script = live.__file__
    with tempfile.TemporaryDirectory() as temporary, live.child(script, "serve", temporary) as (_, served):
        folder = Path(temporary)
        port, authority = served.split()
        reroute = json.dumps({live.HOST: ["127.0.0.1", int(port)]})
        command = [
            sys.executable, "-m", "analysis", "watch", "--listen", "0", "--ledger", str(folder / "flat.ledger"),
            "--upstream-ca", authority, "--set", f"phonehome_reroute={reroute}",
        ]  # fmt: skip
        environment = {
            **os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PHONEHOME_HOME": str(folder / "home"),
        }  # fmt: skip
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as watch:
            said = watch.stderr.readline() if watch.stderr else ""
            listening = said.rpartition(":")[2].strip()
            threading.Thread(target=watch.communicate, daemon=True).start()
            trust = str(folder / "home" / "ca" / "mitmproxy-ca-cert.pem")
            print("flows and MB held by each process (MB in all, where shared pages count once)")
            done = 0
            for part in PARTS:
                while done < int(flows * part):
                    count = min(EACH, int(flows * part) - done)
                    client = [sys.executable, script, "load", listening, trust, "h1", str(count)]
                    subprocess.run(client, capture_output=True, check=True)
                    done += count
                time.sleep(3)
                now = held(watch.pid)
                each = "  ".join(f"{name} {resident / 1e6:.1f}" for name, (resident, _) in sorted(now.items()))
                print(f"{done:>7}  {each}  ({sum(share for _, share in now.values()) / 1e6:.1f})", flush=True)
            # The report is not measured here.
            watch.kill()


if __name__ == "__main__":
    main()
