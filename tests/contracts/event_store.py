"""What every adapter of ``commands.ports.EventStore`` and ``LogReader`` must do.

Subclass it and give the fixtures: ``store``, the adapter on an empty log;
``small_store``, the same with room for eight requests; ``follow``, an async
generator of batches after a position.
"""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from commands.ports import (
    ANY,
    AppendRequest,
    CommandIdentity,
    KeyReused,
    Overloaded,
    StreamAppend,
    WrongExpectedVersion,
)
from domain.names import Stream
from domain.recorded import Cause
from tests.support.log import CAUSE, WORKSPACE, request, said, stream_of


async def outcomes(*awaitables):
    return await asyncio.gather(*awaitables, return_exceptions=True)


class EventStoreContract:
    async def test_a_new_stream_is_expected_at_zero(self, store):
        appended = await store.append(request("s", expected=0, size=2))
        assert (appended.first, appended.last) == (1, 2)
        assert [each.version for each in appended.recorded] == [1, 2]
        assert not appended.replayed

    async def test_an_exact_version_continues_a_stream(self, store):
        await store.append(request("s", expected=0, size=2))
        assert (await store.append(request("s", expected=2))).recorded[0].version == 3

    @pytest.mark.parametrize("expected", [0, 1, 3])
    async def test_any_other_version_is_refused_and_writes_nothing(
        self, store, expected
    ):
        await store.append(request("s", size=2))
        with pytest.raises(WrongExpectedVersion):
            await store.append(request("s", expected=expected))
        assert await store.head() == 2

    async def test_any_version_is_accepted_when_asked_for(self, store):
        await store.append(request("s", expected=ANY))
        assert (await store.append(request("s"))).recorded[0].version == 2

    async def test_what_is_recorded_reads_back_equal(self, store):
        appended = await store.append(request("s", "t", size=2))
        assert tuple(await store.read_log(after=0, limit=10)) == appended.recorded
        of_s = [each for each in appended.recorded if each.event.session == "s"]
        assert list(await store.read_stream(stream_of("s").name)) == of_s

    async def test_each_event_may_have_a_cause_of_its_own(self, store):
        causes = tuple(Cause(actor=f"{n}", correlation_id=uuid4()) for n in range(2))
        whole = request("s", size=2)
        own = msgspec.structs.replace(whole.streams[0], causes=causes)
        shared = request("t").streams[0]
        await store.append(AppendRequest(WORKSPACE, (own, shared), CAUSE))
        read = await store.read_log(after=0, limit=10)
        assert [each.cause for each in read] == [*causes, CAUSE]

    async def test_several_streams_are_appended_together(self, store):
        appended = await store.append(request("s", "t", expected=0, size=2))
        assert (appended.first, appended.last) == (1, 4)
        assert [each.version for each in appended.recorded] == [1, 2, 1, 2]

    async def test_one_stale_stream_fails_the_whole_request(self, store):
        await store.append(request("t"))
        with pytest.raises(WrongExpectedVersion):
            await store.append(request("s", "t", expected=0))
        assert await store.head() == 1
        assert await store.read_stream(stream_of("s").name) == []

    async def test_a_stream_may_be_expected_without_appending_to_it(self, store):
        await store.append(request("s"))

        def guarded(version):
            return AppendRequest(
                WORKSPACE,
                (
                    StreamAppend(stream_of("s"), version, ()),
                    StreamAppend(stream_of("t"), ANY, (said("x", session="t"),)),
                ),
                CAUSE,
            )

        assert (await store.append(guarded(1))).first == 2
        with pytest.raises(WrongExpectedVersion):
            await store.append(guarded(0))

    async def test_three_hundred_at_once_number_one_stream_without_gaps(self, store):
        done = await asyncio.gather(
            *(store.append(request("s", expected=ANY)) for _ in range(300))
        )
        versions = sorted(each.recorded[0].version for each in done)
        assert versions == list(range(1, 301))
        assert sorted(each.first for each in done) == list(range(1, 301))

    async def test_of_fifty_racers_for_a_new_stream_one_wins(self, store):
        done = await outcomes(
            *(store.append(request("s", expected=0)) for _ in range(50))
        )
        lost = [each for each in done if isinstance(each, WrongExpectedVersion)]
        assert len(lost) == 49
        assert await store.head() == 1

    async def test_requests_decided_one_upon_the_other_share_a_commit(self, store):
        pending = [store.submit(request("s", expected=n, size=1)) for n in range(20)]
        done = await asyncio.gather(*pending)
        assert [each.first for each in done] == list(range(1, 21))
        assert len({each.recorded[0].recorded_at for each in done[1:]}) <= 2

    async def test_a_failed_request_fails_those_decided_upon_it(self, store):
        await store.append(request("s"))
        forgotten = []
        store.on_conflict(forgotten.append)
        # The log is at 1: the second and third would match by accident.
        stale = [store.submit(request("s", expected=n)) for n in (0, 1, 2)]
        free = store.submit(request("s", expected=ANY))
        done = await outcomes(*stale)
        assert all(isinstance(each, WrongExpectedVersion) for each in done)
        assert (await free).recorded[0].version == 2
        assert stream_of("s").name in forgotten

    async def test_a_failure_reaches_those_still_in_the_line(self, store):
        await store.append(request("a", "b"))
        stale = store.submit(request("a", expected=0))
        upon = store.submit(request("a", "b", expected=1))
        further = store.submit(request("b", expected=2))
        done = await outcomes(stale, upon, further)
        assert all(isinstance(each, WrongExpectedVersion) for each in done)
        assert await store.head() == 2

    async def test_a_conflict_fails_only_its_own_request(self, store):
        await store.append(request("s"))
        done = await outcomes(
            store.submit(request("a", expected=0)),
            store.submit(request("s", expected=0)),
            store.submit(request("b", expected=0)),
        )
        assert isinstance(done[1], WrongExpectedVersion)
        assert {done[0].first, done[2].first} == {2, 3}

    async def test_several_streams_in_one_line_keep_their_order(self, store):
        pending = [
            store.submit(request("a", expected=0)),
            store.submit(request("b", expected=0)),
            store.submit(request("a", "b", expected=1)),
            store.submit(request("b", expected=2)),
            store.submit(request("a", expected=2)),
        ]
        done = await asyncio.gather(*pending)
        assert [each.recorded[0].version for each in done] == [1, 1, 2, 3, 3]

    async def test_a_command_again_gets_its_first_answer(self, store):
        command = CommandIdentity(uuid4(), b"h" * 32)
        first = await store.append(request("s", "t", size=2, command=command))
        again = await store.append(request("s", "t", size=2, command=command))
        assert again.replayed
        assert again.recorded == first.recorded
        assert (again.first, again.last) == (first.first, first.last)
        assert await store.head() == 4
        seen = await store.find_command(WORKSPACE, command.id)
        assert seen.request_hash == command.request_hash
        assert seen.appended.recorded == first.recorded

    async def test_a_command_at_the_same_time_waits_for_the_first(self, store):
        command = CommandIdentity(uuid4(), b"h" * 32)
        done = await asyncio.gather(
            *(store.append(request("s", command=command)) for _ in range(20))
        )
        assert {each.first for each in done} == {1}
        assert sum(each.replayed for each in done) == 19
        assert await store.head() == 1

    async def test_another_hash_under_a_known_command_is_refused(self, store):
        one = CommandIdentity(uuid4(), b"1")
        other = CommandIdentity(one.id, b"2")
        await store.append(request("s", command=one))
        with pytest.raises(KeyReused):
            await store.append(request("s", command=other))
        together = CommandIdentity(uuid4(), b"1")
        done = await outcomes(
            store.submit(request("s", command=together)),
            store.submit(request("s", command=CommandIdentity(together.id, b"2"))),
        )
        assert isinstance(done[1], KeyReused)
        assert await store.head() == 2

    async def test_a_refused_command_may_come_again(self, store):
        command = CommandIdentity(uuid4(), b"h")
        await store.append(request("s"))
        done = await outcomes(
            store.submit(request("s", expected=0, command=command)),
            store.submit(request("s", expected=ANY, command=command)),
        )
        assert isinstance(done[0], WrongExpectedVersion)
        assert not done[1].replayed
        assert await store.head() == 2

    async def test_a_command_belongs_to_its_tenant(self, store):
        command = CommandIdentity(uuid4(), b"h")
        await store.append(request("s", command=command))
        assert await store.find_command("another", command.id) is None
        assert await store.find_command(WORKSPACE, uuid4()) is None

    async def test_pages_by_position_and_by_version(self, store):
        await store.append(request("s", size=25))
        found, after = [], 0
        while page := await store.read_log(after=after, limit=10):
            assert len(page) <= 10
            found += page
            after = page[-1].position
        assert [each.position for each in found] == list(range(1, 26))
        name = stream_of("s").name
        versions = [e.version for e in await store.read_stream(name, after=3, limit=4)]
        assert versions == [4, 5, 6, 7]

    async def test_a_time_is_the_last_position_recorded_by_then(self, store):
        moment = datetime.now(UTC)
        assert await store.position_at(moment) == 0
        appended = [await store.append(request("s", size=n)) for n in (3, 1, 4, 2)]
        instant = timedelta(microseconds=1)
        for before, each in itertools.pairwise([None, *appended]):
            at = each.recorded[0].recorded_at
            assert await store.position_at(at) == each.last
            assert await store.position_at(at + instant) == each.last
            earlier = 0 if before is None else before.last
            assert await store.position_at(at - instant) == earlier
        assert await store.position_at(moment - timedelta(days=400)) == 0
        assert await store.position_at(moment + timedelta(days=400)) == 10

    async def test_a_page_is_bounded_whatever_is_asked(self, store):
        await store.append(request("s", size=1_500))
        await store.append(request("s", size=1_500))
        assert len(await store.read_log(after=0, limit=100_000)) == 2_000
        assert len(await store.read_stream(stream_of("s").name)) == 3_000

    async def test_a_full_line_sends_away_before_anything_is_written(self, small_store):
        pending = [small_store.submit(request("s")) for _ in range(8)]
        with pytest.raises(Overloaded) as refused:
            small_store.submit(request("s"))
        assert refused.value.retry_after > 0
        await asyncio.gather(*pending)
        assert await small_store.head() == 8
        await small_store.append(request("s"))

    @pytest.mark.parametrize(
        "wrong",
        [
            AppendRequest(WORKSPACE, (), CAUSE),
            AppendRequest(WORKSPACE, (StreamAppend(stream_of("s"), ANY, ()),), CAUSE),
            AppendRequest("another", request("s").streams, CAUSE),
            AppendRequest(WORKSPACE, request("s").streams * 2, CAUSE),
        ],
        ids=["no streams", "no events", "another tenant", "a stream twice"],
    )
    async def test_a_malformed_request_is_a_fault_of_the_caller(self, store, wrong):
        with pytest.raises(ValueError, match="request"):
            await store.append(wrong)

    async def test_a_request_the_database_cannot_take_fails_alone(self, store):
        poison = AppendRequest(
            "te\x00am",
            (
                StreamAppend(
                    Stream("x\x00", "te\x00am", "k"),
                    ANY,
                    (said("x"),),
                ),
            ),
            CAUSE,
        )
        done = await outcomes(
            store.submit(request("a")),
            store.submit(poison),
            store.submit(request("b")),
        )
        assert isinstance(done[1], Exception)
        assert {done[0].first, done[2].first} == {1, 2}

    async def test_a_subscription_sees_everything_once_in_order(self, store, follow):
        seen = []
        await store.append(request("s", size=3))

        async def read():
            async for batch in follow(0):
                seen.extend(batch)
                if len(seen) >= 203:
                    return

        reading = asyncio.create_task(read())
        await asyncio.gather(*(store.append(request(f"s{n % 7}")) for n in range(200)))
        async with asyncio.timeout(60):
            await reading
        assert [each.position for each in seen] == list(range(1, 204))
        assert seen == list(await store.read_log(after=0, limit=1_000))

    async def test_a_subscription_starts_after_its_position(self, store, follow):
        await store.append(request("s", size=5))
        async with asyncio.timeout(60):
            async for batch in follow(3):
                assert [each.position for each in batch] == [4, 5]
                break
