"""Fixtures of tests that feed processors from a real log."""

from tests.support.feeding import feeding
from tests.support.reactions import memory, opened

__all__ = ["feeding", "memory", "opened"]
