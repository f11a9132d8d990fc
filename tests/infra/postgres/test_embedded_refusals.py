"""What cannot be started is refused by a typed error that is one line."""

import os
import shutil

import pytest

from infra.postgres.embedded import (
    DataFolderInUse,
    DataFolderNewer,
    DataFolderUnwritable,
    EmbeddedPostgres,
    PostgresRefused,
)
from tests.support.embedded import ask


def contents(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*"))


async def test_a_second_server_on_the_same_folder_is_refused_and_disturbs_nothing(data):
    first = EmbeddedPostgres(data)
    address = await first.start()
    second = EmbeddedPostgres(data)
    with pytest.raises(DataFolderInUse) as refusal:
        await second.start()
    await second.stop()

    assert str(data) in str(refusal.value)
    assert await ask(address, "SELECT 1") == 1
    await first.stop()


@pytest.mark.parametrize("found", ["2", "999", "two", ""])
async def test_a_folder_of_a_newer_format_is_refused_untouched(tmp_path, found):
    (tmp_path / "format").write_text(found)
    with pytest.raises(DataFolderNewer, match="its format is"):
        await EmbeddedPostgres(tmp_path).start()
    assert [path.name for path in tmp_path.iterdir()] == ["format"]


async def test_a_cluster_of_a_newer_postgres_is_refused_untouched(data):
    (data / "postgres" / "PG_VERSION").write_text("19\n")
    before = contents(data)
    with pytest.raises(DataFolderNewer, match="Postgres version is 19, known is 18"):
        await EmbeddedPostgres(data).start()
    assert contents(data) == before


async def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    place = tmp_path / "data"
    place.write_text("a file")
    with pytest.raises(DataFolderUnwritable, match="Not a directory"):
        await EmbeddedPostgres(place).start()
    with pytest.raises(DataFolderUnwritable, match="Not a directory"):
        await EmbeddedPostgres(place / "below").start()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_read_only_folder_is_refused(tmp_path):
    place = tmp_path / "data"
    place.mkdir(mode=0o500)
    with pytest.raises(DataFolderUnwritable, match="Permission denied"):
        await EmbeddedPostgres(place).start()


async def test_what_postgres_says_when_it_will_not_start_is_in_the_error(data):
    server = EmbeddedPostgres(data, settings={"shared_buffers": "plenty"})
    with pytest.raises(PostgresRefused) as refusal:
        await server.start()

    assert "shared_buffers" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert any("plenty" in line for line in refusal.value.log_lines)
    healthy = EmbeddedPostgres(data)
    assert await ask(await healthy.start(), "SELECT 1") == 1
    await healthy.stop()


async def test_a_damaged_cluster_is_refused_and_not_replaced(data):
    shutil.rmtree(data / "postgres" / "global")
    with pytest.raises(PostgresRefused, match="pg_control"):
        await EmbeddedPostgres(data).start()
    assert not (data / "postgres" / "global").exists()


async def test_a_silent_server_is_given_up_and_does_not_stay(data):
    server = EmbeddedPostgres(data, start_timeout=0)
    with pytest.raises(PostgresRefused, match="silent for 0 s"):
        await server.start()
    assert not (data / "postgres.pid").exists()


async def test_one_object_is_started_once(data):
    server = EmbeddedPostgres(data)
    await server.start()
    with pytest.raises(RuntimeError):
        await server.start()
    assert server.alive
    await server.stop()
