"""The conformance cases that ``eventsourcing`` publishes, on our recorders."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)

from infra.codec.unknown import Unknown
from infra.postgres.library_log import LibraryLog
from infra.postgres.log import PostgresLog
from infra.postgres.loop_thread import LoopThread
from infra.postgres.recorders import (
    AsyncpgAggregateRecorder,
    AsyncpgApplicationRecorder,
    AsyncpgProcessRecorder,
    AsyncpgTrackingRecorder,
)


class OnFreshLog:
    recorder: type

    @pytest.fixture(autouse=True)
    def fresh(self, postgres_address, migrated):
        self.address = postgres_address.at(f"library_{uuid4().hex}")
        self.admin(
            postgres_address,
            f'CREATE DATABASE "{self.address.database}" TEMPLATE "{migrated}"',
        )
        self.loop = LoopThread()
        self.pool = self.loop.run(self.open_pool())
        yield
        self.pool.terminate()
        self.loop.close()
        self.admin(
            postgres_address, f'DROP DATABASE "{self.address.database}" WITH (FORCE)'
        )

    async def open_pool(self):
        return await asyncpg.create_pool(self.address.dsn(), min_size=1, max_size=6)

    def admin(self, address, statement):
        async def run():
            connection = await asyncpg.connect(address.dsn())
            await connection.execute(statement)
            await connection.close()

        asyncio.run(run())

    def create_recorder(self):
        return self.recorder(LibraryLog(self.pool, "library", UUID), self.loop)


class TestAggregateRecorder(OnFreshLog, AggregateRecorderTestCase):
    recorder = AsyncpgAggregateRecorder


class TestApplicationRecorder(OnFreshLog, ApplicationRecorderTestCase):
    recorder = AsyncpgApplicationRecorder

    def test_insert_subscribe(self):
        self.optional_test_insert_subscribe()


class TestTrackingRecorder(OnFreshLog, TrackingRecorderTestCase):
    recorder = AsyncpgTrackingRecorder


class TestProcessRecorder(OnFreshLog, ProcessRecorderTestCase):
    recorder = AsyncpgProcessRecorder


class TestNonInterleaving(OnFreshLog, NonInterleavingNotificationIDsBaseCase):
    recorder = AsyncpgApplicationRecorder


async def test_what_the_library_records_stands_in_the_log_for_everyone(
    log_dsn, master_key
):
    async with (
        PostgresLog.open(log_dsn, master_key) as log,
        asyncpg.create_pool(log_dsn, min_size=1, max_size=1) as pool,
    ):
        library = LibraryLog(pool, "library", UUID)
        event = StoredEvent(uuid4(), 1, "their-topic", b"state")
        assert await library.insert([event], None) == [1]
        (recorded,) = await log.store.read_log(after=0, limit=10)
    assert recorded.stream == str(event.originator_id)
    assert recorded.event == Unknown(
        workspace="library", stored_type="their-topic", raw=b"state"
    )
