"""A part of the views, or all of them, folded again beside the live ones."""

import asyncio
import random

import asyncpg
import pytest

from domain.erasure import SessionErased, SessionErasureBegun, WorkspaceErasureBegun
from infra.postgres.views import LIVE, connect_views
from infra.proof.refold import ViewsUnready, open_refold
from infra.proof.sample import Session, draw_sessions
from projections.registry import LAGGING, PROMPT
from tests.support.chronicle import KINDS, Chronicle
from tests.support.own_streams import happened
from tests.support.projecting import projecting
from tests.support.story import (
    at,
    concluded,
    joined,
    peer,
    rests_on,
    said,
    session,
    summed_up,
    workspace,
)

ALL = (*PROMPT, *LAGGING)
WORDS = [said(n, f"I like tea number {n}") for n in range(1, 4)]
STORY = [
    workspace(),
    *map(peer, ("alice", "bob")),
    *map(session, ("s", "t")),
    *(joined(where, who) for where in ("s", "t") for who in ("alice", "bob")),
    *WORDS,
    said(1, "elsewhere", session="t"),
    concluded("c1", "alice likes tea", evidence=rests_on(*WORDS[:2])),
    summed_up("short", 3, 10),
]


@pytest.fixture
async def live(log, log_dsn):
    """A story in the log, and a connection that may harm its live views."""
    async with projecting(log, log_dsn) as (prompt, lagging):
        last = await happened(log, STORY)
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
    db = await connect_views(log_dsn)
    yield db
    await db.close()


async def sampled(log, dsn, count=10, seed="seed"):
    async with open_refold(dsn, ALL) as refold:
        return await refold.sample(log.store, seed, count)


async def refolded(log, dsn):
    async with open_refold(dsn, ALL) as refold:
        return await refold.everything(log.store)


@pytest.mark.usefixtures("live")
async def test_what_follows_from_the_log_is_found_to(log, log_dsn):
    part = await sampled(log, log_dsn)
    assert part.sessions == [Session("w", "s"), Session("w", "t")]
    assert part.differences == []
    assert {"message", "conclusion", "evidence", "summary"} <= set(part.tables)
    assert {"peer", "lexeme", "card"} <= set(part.not_compared)
    whole = await refolded(log, log_dsn)
    assert (whole.position, whole.differences) == (len(STORY), [])
    assert whole.not_compared == []


async def test_nothing_is_left_behind(log, log_dsn, live):
    before = await live.fetch("SELECT nspname FROM pg_namespace ORDER BY 1")
    await sampled(log, log_dsn)
    await refolded(log, log_dsn)
    assert await live.fetch("SELECT nspname FROM pg_namespace ORDER BY 1") == before


HARMS = {
    "UPDATE message SET content = 'coffee' WHERE id = 's-2'": (
        "message",
        {"tenant": "w", "session": "s", "seq": 2},
        None,
        ("content",),
        11,
    ),
    "DELETE FROM message WHERE id = 's-3'": (
        "message",
        {"tenant": "w", "session": "s", "seq": 3},
        "folded",
        (),
        12,
    ),
    "INSERT INTO evidence SELECT tenant, conclusion, 's-3', session, 3, 14"
    " FROM evidence LIMIT 1": (
        "evidence",
        {"tenant": "w", "conclusion": "c1", "message": "s-3"},
        "live",
        (),
        14,
    ),
    "UPDATE conclusion SET times_derived = 2, level = 'deductive'": (
        "conclusion",
        {"tenant": "w", "id": "c1", "from_position": 14},
        None,
        ("level", "times_derived"),
        14,
    ),
    "UPDATE member SET active = false WHERE session = 't' AND peer = 'bob'": (
        "member",
        {"tenant": "w", "session": "t", "peer": "bob", "from_position": 9},
        None,
        ("active",),
        9,
    ),
}


async def test_harmed_rows_are_named_and_not_quoted(log, log_dsn, live):
    for harm in HARMS:
        await live.execute(harm)
    for fold in (sampled, refolded):
        found = (await fold(log, log_dsn)).differences
        told = [
            (each.table, each.key, each.only, tuple(sorted(each.columns)))
            for each in found
        ]
        assert sorted(told, key=str) == sorted(
            (each[:4] for each in HARMS.values()), key=str
        )
        assert [each.position for each in found] == [14, 14, 9, 11, 12]
        assert "tea" not in str(found)
        assert "coffee" not in str(found)


async def test_words_are_compared_with_everything_and_never_shown(log, log_dsn, live):
    await live.execute("UPDATE lexeme SET documents = 9 WHERE word = 'tea'")
    assert (await sampled(log, log_dsn)).differences == []
    found = (await refolded(log, log_dsn)).differences
    assert [(each.table, each.key) for each in found] == [("lexeme", {"tenant": "w"})]


async def test_a_sample_is_drawn_by_its_seed(live):
    twice = [await draw_sessions(live, seed, len(STORY), 1) for seed in "ab" * 2]
    assert twice[:2] == twice[2:]
    once = [await draw_sessions(live, str(seed), len(STORY), 1) for seed in range(12)]
    assert {each.name for drawn in once for each in drawn} == {"s", "t"}
    assert await draw_sessions(live, "a", 4, 5) == [Session("w", "s")]


async def test_a_server_that_goes_on_writing_makes_no_difference(log, log_dsn):
    """Each look is at one moment, whatever comes meanwhile."""
    async with projecting(log, log_dsn) as (prompt, lagging):
        assert await prompt.wait_for(await happened(log, STORY), 60)

        async def go_on():
            for seq in range(4, 400):
                await happened(log, [said(seq, f"more of it {seq}")])

        writing = asyncio.create_task(go_on())
        positions = []
        for fold in (sampled, refolded) * 3:
            found = await fold(log, log_dsn)
            assert found.differences == []
            positions.append(found.position)
        await writing
        assert positions == sorted(positions)
        assert positions[0] < positions[-1]
        assert await lagging.wait_for(await log.store.head(), 60)


BEGUN = {
    "t": SessionErasureBegun(workspace="w", session="t"),
    None: WorkspaceErasureBegun(workspace="w"),
}


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("erased", BEGUN)
async def test_words_that_are_being_erased_are_no_difference(log, log_dsn, erased):
    """Their keys go before the views fold that it is done."""
    await happened(log, [BEGUN[erased]])
    await log.keys.destroy("w", session=erased)
    whole = await refolded(log, log_dsn)
    assert (whole.differences, whole.erasing) == ([], ["w"])
    part = await sampled(log, log_dsn)
    assert (part.differences, part.erasing) == ([], ["w"])
    left = [] if erased is None else [Session("w", "s")]
    assert part.sessions == left


async def test_what_is_harmed_beside_an_erasure_is_named(log, log_dsn, live):
    await happened(log, [BEGUN["t"], workspace("v"), session("u", workspace="v")])
    async with projecting(log, log_dsn) as (prompt, lagging):
        for each in (prompt, lagging):
            assert await each.wait_for(await log.store.head(), 60)
    await log.keys.destroy("w", session="t")
    await live.execute("UPDATE session SET metadata = '{\"a\": 1}' WHERE tenant = 'v'")
    await live.execute("DELETE FROM evidence WHERE session = 's'")
    assert {each.table for each in (await refolded(log, log_dsn)).differences} == {
        "session"
    }
    found = (await sampled(log, log_dsn)).differences
    assert {each.table for each in found} == {"session", "evidence"}


@pytest.mark.usefixtures("live")
async def test_keys_destroyed_without_an_erasure_are_a_difference(log, log_dsn):
    await log.keys.destroy("w", session="t")
    for found in (await refolded(log, log_dsn), await sampled(log, log_dsn)):
        assert "message" in {each.table for each in found.differences}
        assert found.erasing == []


@pytest.mark.usefixtures("live")
async def test_once_an_erasure_is_folded_all_is_compared_again(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, lagging):
        head = await log.store.head()
        gone = SessionErased(
            workspace="w", session="t", erased_at=at(9), through=head + 1
        )
        last = await happened(log, [BEGUN["t"], gone])
        await log.keys.destroy("w", session="t")
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
    for found in (await refolded(log, log_dsn), await sampled(log, log_dsn)):
        assert (found.differences, found.erasing) == ([], [])


async def test_views_replaced_meanwhile_mean_nothing(log, log_dsn, live):
    async def meanwhile():
        async with open_refold(log_dsn, ALL) as refold:
            await live.execute(f"ALTER SCHEMA {LIVE} RENAME TO former")
            await live.execute(f"CREATE SCHEMA {LIVE}")
            await refold.everything(log.store)

    with pytest.raises(ViewsUnready, match="rebuilt meanwhile"):
        await meanwhile()


async def test_live_views_are_not_held_on_to_while_folding(log_dsn, live):
    """A rebuild may put others in their place until rows are compared."""
    async with open_refold(log_dsn, ALL):
        await live.execute("SET lock_timeout = '2s'")
        async with live.transaction():
            await live.execute(f"ALTER TABLE {LIVE}.message RENAME TO former")
            await live.execute(f"ALTER TABLE {LIVE}.former RENAME TO message")


async def test_views_of_other_code_are_not_compared(log, log_dsn, live):
    for change in ("code = 'x'", "shape = 'x'"):
        await live.execute(f"UPDATE checkpoint SET {change} WHERE projection = 'peers'")  # noqa: S608  ours
        with pytest.raises(ViewsUnready, match="other code folded: peers"):
            await sampled(log, log_dsn)


async def test_without_views_there_is_nothing_to_compare(log, log_dsn):
    with pytest.raises(ViewsUnready, match="no views"):
        await sampled(log, log_dsn)


@pytest.mark.parametrize("seed", range(2))
async def test_a_session_follows_from_its_own_streams(log, log_dsn, seed):
    """Random histories, erasures and scopes among them, each event on its stream."""
    chance = random.Random(seed)
    choices = [
        (
            chance.randrange(KINDS),
            chance.randrange(2),
            chance.randrange(3),
            chance.randrange(20),
        )
        for _ in range(150)
    ]
    async with projecting(log, log_dsn) as (prompt, lagging):
        last = await happened(log, Chronicle().happen(choices))
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
    part = await sampled(log, log_dsn)
    assert len(part.sessions) == 2
    assert part.differences == []
    assert (await refolded(log, log_dsn)).differences == []


@pytest.mark.usefixtures("live")
async def test_it_says_when_the_log_is_shorter_than_the_views(log, log_dsn):
    db = await asyncpg.connect(log_dsn)
    await db.execute("ALTER TABLE log.event DISABLE TRIGGER event_only_grows")
    await db.execute("DELETE FROM log.event WHERE position > 12")
    await db.close()
    with pytest.raises(ViewsUnready, match="nothing after position 12"):
        await refolded(log, log_dsn)
