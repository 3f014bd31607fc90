"""The own library in live traffic: read from a server, found through the real proxy, forgotten without a trace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import media_servers
from fake_cloud import ROOT, connect, recorded, small, trust, written
from media_servers import TOKEN, films, serving

LIBRARY = films(1500)


def phonehome(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PHONEHOME_HOME": str(home), "PHONEHOME_TOKEN": TOKEN}
    return subprocess.run(
        [sys.executable, "-m", "analysis", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )


def test_a_library_is_read_found_in_live_traffic_and_forgotten(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serving(media_servers.plex(LIBRARY)) as address:
        assert phonehome("known", "import", address, home=home).returncode == 0
    film, other = LIBRARY[1203], LIBRARY[7]
    event = json.dumps({"event": "play", "item": {"title": film.title, "n": 1}, "guid": "imdb://tt0000007"}).encode()
    with recorded(tmp_path, small) as (proxy, path), connect(proxy, trust(tmp_path), "analytics.plex.tv") as connection:
        connection.request("POST", "/collect/event", event, {"Content-Type": "application/json"})
        connection.getresponse().read()
        assert len(written(path, 1)) == 1
    ledger = home / "ledgers" / "evening.ledger"
    ledger.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, ledger)

    told = json.loads(phonehome("inspect", "--format", "json", str(ledger), home=home).stdout)
    found = {(f["item"], f["value"], f["at"], f["evidence"], f["sure"]) for f in told["findings"] if f["evidence"]}
    assert ("media.title", film.title, "body.item.title", "title-field", "certain") in found
    assert {evidence for _, value, _, evidence, _ in found if "0000007" in value} == {"external-id"}
    assert "Your own titles and files" in phonehome("inspect", "--format", "markdown", str(ledger), home=home).stdout
    assert ledger.with_name("evening.ledger.index").exists()

    done = phonehome("known", "forget", "--all", home=home)
    assert done.returncode == 0
    assert "recorded traffic stays as it is: 1 in" in done.stderr
    left = {file: file.read_bytes().lower() for file in home.rglob("*") if file.is_file()}
    assert sorted(file.name for file in left if "ledger" not in file.name and file.parent.name != "cache") == [
        "known.db"
    ]
    assert not ledger.with_name("evening.ledger.index").exists()
    names = (other.title, other.path.rpartition("/")[2], address, other.original, "The Unlikely Ferrymen", film.title)
    for text in names:
        assert [file.name for file, content in left.items() if text.lower().encode() in content] == (
            ["evening.ledger"] if text == film.title else []
        )
    again = json.loads(phonehome("inspect", "--format", "json", str(ledger), home=home).stdout)
    assert not [f for f in again["findings"] if f["evidence"]]

    assert phonehome("known", "forget", "--all", "--recorded", home=home).returncode == 0
    assert film.title.encode() not in b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
