"""Messages are shown as they were said, with the stems of their words."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from domain.session import MessageAdded
from projections.messages import Messages
from tests.support.folding import create, fold
from tests.support.history import record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def said(seq, content, session="s", author="alice", created_at=NOON, **more):
    return MessageAdded(
        workspace="w",
        session=session,
        id=f"{session}-{seq}",
        seq=seq,
        author=author,
        created_at=created_at,
        tokens=3,
        content=content,
        **more,
    )


async def shown(db, id_):
    """Return a message as the view has it."""
    return await db.fetchrow(
        "SELECT * FROM message WHERE tenant = 'w' AND id = $1", id_
    )


async def test_a_message_is_found_by_its_stems_and_by_who_said_it(db):
    views = [Messages()]
    await create(db, views)
    batch = record([said(1, "I was running late", metadata={"a": {"b": [1.5]}})])
    await fold(db, views, batch)
    await fold(db, views, batch)

    for query in ("run", "alice & late", "running"):
        assert await db.fetchval(
            "SELECT count(*) FROM message WHERE words @@ to_tsquery('english', $1)",
            query,
        )
    message = await shown(db, "s-1")
    assert message["content"] == "I was running late"
    assert message["metadata"] == '{"a": {"b": [1.5]}}'
    assert (message["seq"], message["position"], message["tokens"]) == (1, 1, 3)


@pytest.mark.parametrize(
    "sent", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
async def test_a_time_that_postgres_calls_infinite_does_not_stop_the_views(db, sent):
    views = [Messages()]
    await create(db, views)
    await fold(db, views, record([said(1, "hello", created_at=sent)]))

    message = await shown(db, "s-1")
    assert abs(message["created_at"] - sent) == timedelta.resolution


_rng = random.Random(1)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("a" * 25_000, id="one word"),
        pytest.param(
            " ".join("".join(_rng.sample(_LETTERS, 6)) for _ in range(3_570)),
            id="distinct words",
        ),
        pytest.param("犬" * 25_000, id="three bytes each"),
        pytest.param("😀 " * 12_500, id="beyond the basic plane"),
        pytest.param("".join(map(chr, range(1, 0xD800))), id="every character"),
        pytest.param("' \\ \" : & | ! ( ) <-> \t\n\r ''", id="syntax"),
        pytest.param("", id="nothing"),
        pytest.param("http://a.b/" + "c/" * 12_000, id="a long address"),
        pytest.param("1e-" + "9" * 24_000, id="a long number"),
    ],
)
async def test_any_content_can_be_said(db, content):
    views = [Messages()]
    await create(db, views)
    await fold(db, views, record([said(1, content)]))
    assert (await shown(db, "s-1"))["content"] == content


async def test_nul_that_slipped_into_the_log_does_not_stop_the_views(db):
    views = [Messages()]
    await create(db, views)
    await fold(db, views, record([said(1, "a\x00b", metadata={"k\x00": "\x00"})]))
    message = await shown(db, "s-1")
    assert (message["content"], message["metadata"]) == ("a�b", '{"k�": "�"}')
