"""Days as Parquet: the same bytes for the same day, whole or not there, kept up."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta

import pyarrow.dataset as ds
import pytest

from domain.erasure import WorkspaceErased
from infra.analytics import parquet
from infra.analytics.parquet import ParquetFolder
from tests.infra.analytics.test_store import concluded, derived, said
from tests.support.history import START
from tests.support.rollups import stored

DAY = timedelta(hours=24)
TABLES = ("activity", "conclusions", "latency", "models")


@pytest.fixture
async def three_days(roll_ups):
    """Two messages on the first day, one on each of the others; a foreign one, too."""
    half = timedelta(hours=11)
    events = [said(1), said(2, "bob"), concluded("a"), said(1, workspace="v")]
    rows = stored([*events, derived(1, 2), said(3)], pace=half)
    await roll_ups.count(rows)
    return rows


def files(folder):
    """Return the bytes of every file a reader sees."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.parquet"))
        if not path.name.startswith(".")
    }


def read(folder, table):
    return ds.dataset(folder / table, partitioning="hive").to_table().to_pylist()


async def test_a_day_is_a_partition_any_reader_knows(pool, three_days, tmp_path):
    assert three_days
    await ParquetFolder(tmp_path).export(pool)
    days = [(START + n * DAY).date().isoformat() for n in range(3)]
    wanted = {f"{t}/day={d}/roll-up.parquet" for t in TABLES for d in days}
    assert set(files(tmp_path)) == wanted
    found = {(r["workspace"], str(r["day"])): r for r in read(tmp_path, "activity")}
    assert found["w", days[0]]["messages"] == 2
    assert found["w", days[0]]["active_peers"] == 2
    assert found["v", days[1]]["messages"] == 1
    assert [r["derived"] for r in read(tmp_path, "conclusions")] == [1]
    assert sum(r["messages"] for r in read(tmp_path, "latency")) == 2


async def test_only_days_that_are_over_are_written_where_asked(
    pool, three_days, tmp_path
):
    last = three_days[-1].recorded_at.date()
    written = await ParquetFolder(tmp_path).export(pool, before=last)
    assert written == [START.date(), (START + DAY).date()]
    assert not any(last.isoformat() in name for name in files(tmp_path))


async def test_the_same_day_has_the_same_bytes(pool, roll_ups, three_days, tmp_path):
    await ParquetFolder(tmp_path / "one").export(pool)
    await roll_ups.forget()
    for row in three_days:
        await roll_ups.count([row])
    await ParquetFolder(tmp_path / "two").export(pool)
    assert files(tmp_path / "one") == files(tmp_path / "two")


async def test_only_what_changed_is_written_again(pool, roll_ups, three_days, tmp_path):
    assert three_days
    await ParquetFolder(tmp_path).export(pool)
    assert await ParquetFolder(tmp_path).export(pool) == []
    events = [said(n) for n in range(1, 7)]
    more = stored([*events, said(7)], pace=timedelta(hours=11))[6:]
    await roll_ups.count(more)
    assert await ParquetFolder(tmp_path).export(pool) == [more[0].recorded_at.date()]


async def test_a_file_that_is_lost_or_damaged_is_made_again(pool, three_days, tmp_path):
    assert three_days
    await ParquetFolder(tmp_path).export(pool)
    whole = files(tmp_path)
    day = START.date()
    (tmp_path / "models" / f"day={day}" / "roll-up.parquet").unlink()
    second = (START + DAY).date()
    damaged = tmp_path / "activity" / f"day={second}" / "roll-up.parquet"
    damaged.write_bytes(damaged.read_bytes()[:50])
    assert await ParquetFolder(tmp_path).export(pool) == [day, second]
    assert files(tmp_path) == whole


async def test_who_is_broken_off_leaves_whole_files_and_goes_on(
    pool, three_days, tmp_path, monkeypatch
):
    assert three_days
    written = []
    write_table = parquet.pq.write_table

    def broken_off(table, file, **options):
        if len(written) == 5:
            file.write(b"PAR1 and no more")
            raise OSError("killed")
        written.append(file)
        write_table(table, file, **options)

    monkeypatch.setattr(parquet.pq, "write_table", broken_off)
    with pytest.raises(OSError, match="killed"):
        await ParquetFolder(tmp_path).export(pool)
    monkeypatch.undo()
    assert len(files(tmp_path)) == 5
    assert len(read(tmp_path, "activity")) == 3
    await ParquetFolder(tmp_path).export(pool)
    await ParquetFolder(tmp_path / "anew").export(pool)
    assert files(tmp_path / "anew") == {
        name: each for name, each in files(tmp_path).items() if "anew" not in name
    }
    assert len(list(tmp_path.rglob("*.begun"))) == 0


async def test_what_was_erased_is_taken_out_of_the_files(pool, roll_ups, tmp_path):
    erased = WorkspaceErased(workspace="w", erased_at=START, through=3)
    events = [said(1), said(1, workspace="v"), said(2), erased]
    rows = stored(events, pace=timedelta(hours=23))
    await roll_ups.count(rows[:3])
    await ParquetFolder(tmp_path).export(pool)
    assert {r["workspace"] for r in read(tmp_path, "activity")} == {"v", "w"}
    await roll_ups.count(rows[3:])
    gone = await ParquetFolder(tmp_path).export(pool)
    assert gone == sorted({rows[0].recorded_at.date(), rows[2].recorded_at.date()})
    assert {r["workspace"] for r in read(tmp_path, "activity")} == {"v"}
    assert len(files(tmp_path)) == len(TABLES)
    assert await ParquetFolder(tmp_path).export(pool) == []


async def test_two_at_once_take_turns(pool, three_days, tmp_path):
    assert three_days
    found = await asyncio.gather(
        *(ParquetFolder(tmp_path).export(pool) for _ in range(3))
    )
    assert sorted(map(len, found)) == [0, 0, 3]


async def test_what_somebody_takes_away_meanwhile_is_written_again(
    pool, three_days, tmp_path
):
    assert three_days
    kept = ParquetFolder(tmp_path)
    await kept.export(pool)
    whole = files(tmp_path)
    for table in ("activity", "models"):
        (tmp_path / table / f"day={START.date()}" / "roll-up.parquet").unlink()
    assert await kept.export(pool) == [START.date()]
    assert files(tmp_path) == whole
    assert await kept.export(pool) == []
    shutil.rmtree(tmp_path)
    assert len(await kept.export(pool)) == 3
    assert files(tmp_path) == whole


async def test_a_day_nothing_follows_is_over_once_all_of_it_is_counted(
    pool, three_days, tmp_path
):
    last = three_days[-1]
    kept = ParquetFolder(tmp_path)

    async def end():
        return last.position + behind

    behind = 1
    before = await kept.export_over(pool, end)
    assert before == [START.date(), (START + DAY).date()]
    behind = 0
    assert await kept.export_over(pool, end) == [last.recorded_at.date()]


async def test_of_today_nothing_is_written(pool, roll_ups, tmp_path):
    [row] = stored([said(1)])
    await roll_ups.count([row._replace(recorded_at=datetime.now(UTC))])

    async def end():
        return 1

    assert await ParquetFolder(tmp_path).export_over(pool, end) == []
