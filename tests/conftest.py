"""What holds for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from analysis import language

# How long an example takes says something about the machine and who else uses it, and nothing about the code.
settings.register_profile("phonehome", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("phonehome")

# Whole outputs are compared in English, whatever language the machine speaks; programs that tests start take it over.
os.environ[language.VARIABLE] = language.SOURCE


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything is said in German."""
    monkeypatch.setenv(language.VARIABLE, "de")
    language.use("de")
    yield
    language.use(language.SOURCE)
