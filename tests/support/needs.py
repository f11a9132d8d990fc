"""Tests say what they need; a missing tool skips them, and fails them when CI=true."""

import os
import shutil
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared"

NEEDS = {
    "kafka": (lambda: shutil.which("java") and shutil.which("mvn"), "Java and Maven"),
    "node": (lambda: shutil.which("node") and shutil.which("npm"), "Node.js and npm"),
    "browser": (lambda: shutil.which("chromium"), "Chromium"),
    "uv": (lambda: shutil.which("uv"), "uv and a package registry"),
    "shared": (SHARED.is_dir, "../shared beside the checkout"),
}


ASKED_FOR_BY_HAND = "not long and not live"


def pytest_configure(config):
    """Have ``LIVE=1`` ask for the live suite, too."""
    if os.environ.get("LIVE") == "1" and config.option.markexpr == ASKED_FOR_BY_HAND:
        config.option.markexpr = "not long"


def pytest_runtest_setup(item):
    for marker, (there, tool) in NEEDS.items():
        if item.get_closest_marker(marker) is None or there():
            continue
        lacking(tool)


def lacking(tool, why=""):
    """Skip for want of a tool, and say why; fail where there must be one."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have {tool}\n{why}", pytrace=False)
    pytest.skip(f"needs {tool} {why}")
