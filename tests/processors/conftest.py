"""Fixtures of tests that let things follow."""

from tests.support.reactions import memory, opened

__all__ = ["memory", "opened"]
