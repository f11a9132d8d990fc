import asyncpg
import pytest


@pytest.fixture
async def pool(log_dsn):
    """A log with views, nothing in either."""
    pool = await asyncpg.create_pool(log_dsn, min_size=1, max_size=2)
    await pool.execute(
        "CREATE SCHEMA view; CREATE TABLE view.vector_collection"
        " (name text, kind text, model text, dimensions integer);"
        "GRANT USAGE ON SCHEMA view TO PUBLIC;"
        "GRANT SELECT ON view.vector_collection TO PUBLIC"
    )
    yield pool
    await pool.close()
