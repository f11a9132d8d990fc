"""Whatever is killed, each message is derived, summed up and embedded once."""

import asyncio
import contextlib
import random

import asyncpg
import pytest

from commands.decide import Decide
from domain.conclusion import ConclusionDerived, ConclusionReinforced
from domain.derivation import DerivationCompleted
from domain.embedding import EmbeddingRecorded
from domain.session import MessageAdded
from domain.summary import SummaryProduced
from infra.delivery import Delivery, FeedLimits
from infra.feed import Feed
from infra.feed_ledger import FeedLedger
from processors.embed_memory import EmbedMemory
from processors.processor import Batch
from processors.summarize_session import SummarizeSession
from tests.processors.test_embed_memory import Counting
from tests.processors.test_summarize_session import NOW, Words
from tests.support.feeding import AT_ONCE
from tests.support.reactions import Echo, deriving


class LosesTheCheckpoint(FeedLedger):
    """A ledger whose connection dies instead of moving the checkpoint."""

    losses = 1

    async def advance(self, *args):
        if self.losses:
            self.losses -= 1
            raise asyncpg.ConnectionDoesNotExistError("lost")
        await super().advance(*args)


def processors(memory):
    """Make all of them afresh, as a restarted process does."""
    decide = Decide(memory.log.store)
    return [
        deriving(memory, decide=decide),
        EmbedMemory(decide, Counting(), memory.log.embeddings, memory.log.fingerprint),
        SummarizeSession(
            decide, memory.log.store, Echo(), tokens=Words(), clock=lambda: NOW
        ),
    ]


async def once_for_all(memory):
    """Check that everything said was handled, and handled once."""
    said = await memory.events(MessageAdded)
    done = await memory.events(DerivationCompleted)
    covered = [
        (each.session, seq)
        for each in done
        for seq in range(each.first_seq, each.last_seq + 1)
    ]
    assert sorted(covered) == sorted((each.session, each.seq) for each in said)
    drawn = await memory.events(ConclusionDerived, ConclusionReinforced)
    rests_on = [each.message for conclusion in drawn for each in conclusion.evidence]
    assert sorted(rests_on) == sorted(each.id for each in said)
    derived = await memory.events(ConclusionDerived)
    embedded = [
        item.id
        for each in await memory.events(EmbeddingRecorded)
        for item in each.items
    ]
    assert sorted(embedded) == sorted(each.id for each in (*said, *derived))
    chains: dict[str, list[int]] = {}
    for each in await memory.events(SummaryProduced):
        covered = range(each.from_seq, each.to_seq + 1)
        chains.setdefault(each.session, []).extend(covered)
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in chains.values())


async def test_a_lost_checkpoint_after_the_append_changes_nothing(memory, feeding):
    await memory.say(*(f"I like {n}." for n in range(30)), short_every=10)
    for processor in processors(memory):
        ledger = LosesTheCheckpoint(feeding.pool, processor.name)
        await ledger.begin()
        feed = Feed(processor, memory.log.follow(), ledger, AT_ONCE)
        with pytest.RaisesGroup(asyncpg.ConnectionDoesNotExistError):
            await feed.turn()
        await feeding.until_idle(feed)
    for processor in processors(memory):
        await feeding.until_idle(await feeding.feed(processor))
    await once_for_all(memory)
    assert len(await memory.events(SummaryProduced)) == 3


async def test_a_running_feed_survives_a_lost_connection(memory, feeding):
    await memory.say("I ski.")
    derive = processors(memory)[0]
    ledger = LosesTheCheckpoint(feeding.pool, derive.name)
    feed = Feed(derive, memory.log.follow(), ledger, AT_ONCE)
    running = asyncio.create_task(feed.run())
    async with asyncio.timeout(60):
        while ledger.losses or not (await ledger.standing()).position:  # noqa: ASYNC110  a bounded wait
            await asyncio.sleep(0.02)
    running.cancel()
    assert len(await memory.events(ConclusionDerived)) == 1


@pytest.mark.parametrize("seed", range(4))
async def test_killed_at_any_moment_and_run_twice_it_happens_once(
    memory, feeding, seed
):
    chance = random.Random(seed)
    number = 0
    for _ in range(6):
        for session in ("one", "two", "three"):
            texts = [f"I like {number + n}." for n in range(chance.randint(1, 9))]
            number += len(texts)
            await memory.say(*texts, session=session, short_every=7)
        # Two processes at once, with pages of their own, killed at any moment.
        feeds = [
            await feeding.feed(each, FeedLimits(page=chance.randint(1, 40)))
            for each in (*processors(memory), *processors(memory))
        ]
        running = [asyncio.create_task(feed.run()) for feed in feeds]
        for _ in range(chance.randint(1, 120)):
            await asyncio.sleep(0)
        await asyncio.sleep(chance.random() / 8)
        for task in running:
            task.cancel()
        for task in running:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    # What derivation adds is to be embedded too, so embedding comes last.
    derive, embed, summarize = processors(memory)
    for processor in (derive, summarize, embed):
        await feeding.until_idle(await feeding.feed(processor))
    await once_for_all(memory)
    assert await feeding.parking.list() == []


@pytest.mark.parametrize(
    "lost",
    [
        FileNotFoundError("no socket"),
        ConnectionRefusedError(),
        asyncpg.ConnectionDoesNotExistError("lost"),
        asyncpg.InternalClientError("lost in the middle"),
        asyncpg.CannotConnectNowError("starting up"),
    ],
)
async def test_a_database_that_is_away_parks_no_key_however_often(memory, lost):
    [said] = await memory.say("a")

    class Reads:
        """A processor that reads what it needs."""

        name, handles = "reads", (MessageAdded,)

        async def __call__(self, _batch):
            raise lost

    delivery = Delivery(Reads(), AT_ONCE)
    hold = await delivery(Batch("w/s", (said,)), AT_ONCE.attempts + 5)
    assert (hold.state, hold.reason) == ("retry", type(lost).__name__)
