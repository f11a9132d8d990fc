import pytest

from infra.postgres.log import LogSettings, PostgresLog
from tests.contracts.event_store import EventStoreContract


class TestPostgresEventStore(EventStoreContract):
    @pytest.fixture
    def store(self, log):
        return log.store

    @pytest.fixture
    def follow(self, log):
        return lambda after: aiter(log.subscription(after))

    @pytest.fixture
    async def small_store(self, log_dsn, master_key):
        settings = LogSettings(line_requests=8)
        async with PostgresLog.open(log_dsn, master_key, settings) as small:
            yield small.store
