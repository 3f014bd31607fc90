"""What many homes report: a made-up community of honest people and forgers, from its posts to the site.

python bench/community.py [REPORTS] [PEOPLE] [SEED]

Wanted of 2,000 reports of 300 people: the planted change dated, the setting named, no forgery shown, no headline moved
by five who lie together, in less than 20 s and 400 MB.  There is no peer: nobody else reads these posts.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from analysis.community import sentences
from analysis.community.answers import answers
from analysis.community.collect import collect
from analysis.community.dataset import Dataset
from analysis.community.site import site
from communities import CHANGED, simulate


def main() -> None:
    """Prints what is found and what it cost; the work is done in a process of its own, so that memory is its alone."""
    if sys.argv[1:2] == ["--work"]:
        work(Path(sys.argv[2]))
        return
    reports, people, seed = (
        int(sys.argv[n]) if len(sys.argv) > n else usual for n, usual in ((1, 2000), (2, 300), (3, 1))
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulate(folder / "posts", seed, people=people, reports=reports)
        print(f"{reports} honest reports of {people} people over 12 versions, and their forgers (seed {seed})")
        subprocess.run([sys.executable, __file__, "--work", folder], check=True)
        lines = (folder / "headlines").read_text("utf-8").splitlines()
        text = "".join(path.read_text("utf-8") for path in (folder / "site").rglob("*") if path.is_file())
        shown = [
            word
            for word in ("account.email", "account.uuid", "account.soul", "Evil Corp", "canary", "9.99")
            if word in text
        ]
        for path in (folder / "posts").glob("colluder-*"):
            shutil.rmtree(path)
        honest = Dataset(folder / "honest", make=True)
        collect([folder / "posts"], honest)
        same = lines == list(sentences.headlines(answers(honest)[0]))
    print(f"change dated to {CHANGED}: {any(f'since version {CHANGED}' in line for line in lines)}")
    print(f"setting named: {any('Send playback data' in line for line in lines)}")
    print(f"other headlines: {len(lines) - 2}; forgeries shown: {shown or 'none'}")
    print(f"same headlines without those who agreed to lie: {same}")


def work(folder: Path) -> None:
    """Posts -> site, with what each step costs."""
    begin, used = time.perf_counter(), time.process_time()
    steps = []

    def step(name: str) -> None:
        nonlocal begin, used
        steps.append((name, time.perf_counter() - begin, time.process_time() - used))
        begin, used = time.perf_counter(), time.process_time()

    dataset = Dataset(folder / "dataset", make=True)
    found = collect([folder / "posts"], dataset)
    step(f"collect ({found.taken} new, {found.known} known, {len(found.rejected)} refused)")
    said, _ = answers(dataset)
    step(f"answers ({len(said.statements)} statements)")
    count = site(said, folder / "site")
    step(f"site ({count} files)")
    (folder / "headlines").write_text("\n".join(sentences.headlines(said)), "utf-8")
    print(f"{'':<52}{'wall s':>8}{'CPU s':>8}")
    for name, wall, cpu in [*steps, ("all", sum(s[1] for s in steps), sum(s[2] for s in steps))]:
        print(f"{name:<52}{wall:>8.1f}{cpu:>8.1f}")
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
