"""What holds for all tests."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from analysis import knowledge, language

# How long an example takes says something about the machine and who else uses it, and nothing about the code.
settings.register_profile("phonehome", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("phonehome")

# Whole outputs are compared in English, whatever language the machine speaks; programs that tests start take it over.
os.environ[language.VARIABLE] = language.SOURCE


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the second start finds: the packs as the first one read them.  What tests share is kept there, too."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHONEHOME_HOME", str(folder))
        knowledge.load(cache=folder / "cache")
        yield folder / "cache"


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Names for folders that do not exist yet; pytest would look through all folders for the next number."""
    place = tmp_path_factory.mktemp("homes")
    return (place / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, _homes: Iterator[Path], _cache: Path) -> Path:
    """A folder of its own for what a test keeps; nobody's own folder is touched."""
    folder = next(_homes)
    folder.mkdir(mode=0o700)
    shutil.copytree(_cache, folder / "cache")
    monkeypatch.setenv("PHONEHOME_HOME", str(folder))
    return folder


@pytest.fixture
def no_hang() -> Iterator[None]:
    """Ends the test after ten seconds of processor time, however busy the machine is: no input may keep us longer."""

    def end(*_: object) -> None:
        raise AssertionError("hangs: ten seconds of processor time are over")

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, 10)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything is said in German."""
    monkeypatch.setenv(language.VARIABLE, "de")
    language.use("de")
    yield
    language.use(language.SOURCE)
