"""Data folders for tests of the embedded Postgres, copied instead of made anew."""

import asyncio
import shutil
from pathlib import Path

import pytest

from infra.postgres.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def stopped_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one data folder, started once and stopped cleanly."""
    folder = tmp_path_factory.mktemp("template") / "data"

    async def once() -> None:
        server = EmbeddedPostgres(folder)
        await server.start()
        await server.stop()

    asyncio.run(once())
    return folder


@pytest.fixture
def data(stopped_data: Path, tmp_path: Path) -> Path:
    """Copy the stopped data folder for one test."""
    return Path(shutil.copytree(stopped_data, tmp_path / "data"))
