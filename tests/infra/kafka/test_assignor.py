"""Each partition is somebody's, also after a member was expelled."""

import asyncio
import threading
import time

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.future import Future

from infra.kafka.client import client_options
from tests.infra.kafka.test_consumer_thread import PARTS, Told, consuming, topic
from tests.support.embedded import until

__all__ = ["topic"]

pytestmark = pytest.mark.kafka


async def test_what_an_expelled_member_had_is_given_to_whoever_joins_with_it(
    kafka_settings, topic
):
    one, two = Told(), Told()
    async with (
        consuming(kafka_settings, one, session_timeout_ms=2_000) as first,
        consuming(kafka_settings, two) as second,
    ):
        await first.subscribe([topic])
        await until(lambda: len(one.ours) == PARTS)
        await first.do(lambda consumer: consumer._coordinator.reset_generation())
        # The group waits for who was expelled, and has both then.
        await second.subscribe([topic])
        await until(lambda: len(one.ours) == len(two.ours) == PARTS / 2)
        assert ("lost", list(range(PARTS))) in one.heard
        assert not one.ours & two.ours


async def test_who_shares_out_learns_of_a_topic_though_it_was_forgotten_to_ask(
    kafka_settings, topic
):
    """As an answer under way, to what was asked before, makes the client do."""
    other = f"{topic}-g2"
    admin = KafkaAdminClient(**client_options(kafka_settings, "test"))
    admin.create_topics([NewTopic(other, PARTS, 1)])
    admin.close()
    one, two = Told(), Told()
    async with (
        consuming(kafka_settings, one) as first,
        consuming(kafka_settings, two) as second,
    ):
        await first.subscribe([topic])
        await until(lambda: len(one.ours) == PARTS)
        await first.do(lambda c: setattr(c._cluster, "request_update", Future))
        await second.subscribe([other])
        await until(lambda: len(two.ours) == PARTS)
        assert len(one.ours) == PARTS


async def test_who_joins_anew_by_itself_hears_what_it_is_given(kafka_settings, topic):
    """Though a poll ends in between: none takes as long as the answer does here.

    It shared out a topic that it knows better now, and then subscribes to another.
    """
    other = f"{topic}-g2"
    admin = KafkaAdminClient(**client_options(kafka_settings, "test"))
    admin.create_topics([NewTopic(other, PARTS, 1)])
    admin.close()
    one, answers = Told(), []

    async with consuming(kafka_settings, one) as first:
        await first.subscribe([topic])
        await until(lambda: len(one.ours) == PARTS)
        group = await first.do(lambda consumer: consumer._coordinator)
        joins = group._do_join_and_sync_async

        async def slowly():
            answer = await joins()
            await group._net.sleep(0.3)
            answers.append(group.generation_if_stable())
            return answer

        group._do_join_and_sync_async = slowly
        group._assignment_snapshot = {topic: {0}}
        await until(lambda: answers and group.stable())
        await first.subscribe([other])
        await until(lambda: {each.topic for each in one.ours} == {other})
    assert len(answers) >= 2
    assert set(answers) == {None}


async def test_an_answer_that_comes_between_two_polls_is_not_asked_for_again(
    kafka_settings, topic
):
    one, joined = Told(), []
    async with consuming(kafka_settings, one) as first:
        await first.subscribe([topic])
        await until(lambda: len(one.ours) == PARTS)
        group = await first.do(lambda consumer: consumer._coordinator)
        joins = group._do_join_and_sync_async
        begun, go_on = threading.Event(), threading.Event()

        async def counting():
            begun.set()
            while not go_on.is_set():
                await group._net.sleep(0.01)
            joined.append(await joins())
            return joined[-1]

        def hold(_):
            go_on.set()
            while not group._join_task.is_done:
                time.sleep(0.01)

        group._do_join_and_sync_async = counting
        group.request_rejoin()
        await asyncio.to_thread(begun.wait, 60)
        await first.do(hold)
        await until(group.stable)
    assert len(joined) == 1
