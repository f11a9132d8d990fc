"""Fixtures of tests of the ledger."""

import pytest

from tests.support.ledgers import keeping_books
from tests.support.reactions import memory, opened

__all__ = ["books", "memory", "opened"]


@pytest.fixture
async def books(memory, database):
    async with keeping_books(memory, database.dsn()) as kept:
        yield kept
