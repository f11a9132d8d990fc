"""Settings are read in a folder of its own, from an environment that sets none."""

import os

import pytest

from infra.settings import Settings


@pytest.fixture(autouse=True)
def _apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.partition("__")[0].lower() in Settings.model_fields:
            monkeypatch.delenv(name)
