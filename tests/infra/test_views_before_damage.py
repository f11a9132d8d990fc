"""Views show what is before a damaged event, and say which one it is."""

from contextlib import AsyncExitStack

import pytest

from infra.codec.errors import Unreadable
from infra.fold_failure import Failure
from infra.kafka.recorded_topic import open_recorded_topic
from infra.postgres.views import make_views
from infra.rebuild.rebuild import rebuild
from projections.registry import LAGGING, PROMPT
from tests.support.damage import break_at, broken_seal, cut_off
from tests.support.embedded import until
from tests.support.law import assert_rebuilt_equals_live
from tests.support.log import request, said
from tests.support.projecting import append, projecting, projector
from tests.support.relaying import relaying

WITHIN = 60.0


async def test_what_is_before_is_shown_and_the_position_told(log, log_dsn, caplog):
    """All of it is in the one page that the views read."""
    last = await append(log, [said(f"m{n}", seq=n) for n in range(1, 61)])
    mend_41 = await break_at(log_dsn, 41, broken_seal)
    mend_42 = await break_at(log_dsn, 42, cut_off)
    async with projecting(log, log_dsn) as groups:
        for each in groups:
            assert await each.wait_for(40, WITHIN)
            await until(lambda of=each: of.failed is not None)
            why = "A seal does not open in its place"
            assert each.failed == Failure("", 41, "message-added", why)
            assert each.position == 40
            assert not await each.wait_for(41, WITHIN)
        assert "position 41" in caplog.text
        await mend_41()
        for each in groups:
            await until(lambda of=each: of.failed and of.failed.position == 42)
            assert each.position == 41
        await mend_42()
        for each in groups:
            await each.passed(last)
            assert each.failed is None


@pytest.mark.kafka
async def test_what_is_before_is_shown_from_the_topic_too(log, log_dsn, kafka_settings):
    await make_views(log_dsn, (*PROMPT, *LAGGING))
    last = (await log.store.append(request("s", size=60))).last
    mend = await break_at(log_dsn, 41, broken_seal)
    async with AsyncExitStack() as running:
        topic = await open_recorded_topic(
            log_dsn, log, kafka_settings, lambda *_: None, running
        )
        await running.enter_async_context(relaying(log_dsn, log, kafka_settings))
        prompt = projector(log, log_dsn)
        lagging = projector(log, log_dsn, LAGGING, topic.subscription, follows=prompt)
        for each in (prompt, lagging):
            await each.start()
            running.push_async_callback(each.close)
        await until(lambda: lagging.failed is not None)
        assert (lagging.position, lagging.failed.position) == (40, 41)
        await mend()
        await lagging.passed(last)
        assert lagging.failed is None
        await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_views_go_on_though_what_they_folded_last_was_damaged_since(log, log_dsn):
    last = await append(log, [said(f"m{n}", seq=n) for n in range(1, 4)])
    async with projecting(log, log_dsn) as groups:
        for each in groups:
            await each.passed(last)
    mend = await break_at(log_dsn, last, cut_off)
    async with projecting(log, log_dsn) as groups:
        after = await append(log, [said("m4", seq=4)])
        for each in groups:
            await each.passed(after)
        await mend()


async def test_a_rebuild_says_which_event_is_damaged(log, log_dsn):
    """It leaves the live views as they are, and does its work once that is mended."""
    last = await append(log, [said(f"m{n}", seq=n) for n in range(1, 61)])
    async with projecting(log, log_dsn) as groups:
        for each in groups:
            await each.passed(last)
        mend = await break_at(log_dsn, 41, broken_seal)
        with pytest.raises(Unreadable, match="position 41"):
            await rebuild(log_dsn, log, (*PROMPT, *LAGGING))
        await mend()
        await rebuild(log_dsn, log, (*PROMPT, *LAGGING))
