"""Words are counted by workspace, once."""

from datetime import UTC, datetime

from domain.session import MessageAdded
from projections.lexicon import Lexicon
from projections.messages import Messages
from projections.stems import Stem, find_stems
from tests.support.folding import create, fold
from tests.support.history import record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def said(seq, content, workspace="w"):
    return MessageAdded(
        workspace=workspace,
        session="s",
        id=f"m{seq}",
        seq=seq,
        author="alice",
        created_at=NOON,
        tokens=1,
        content=content,
    )


async def test_documents_are_counted_once_however_events_are_cut(db):
    views = [Messages(), Lexicon()]
    await create(db, views)
    events = record(
        [
            said(1, "tea tea teas"),
            said(2, "green tea"),
            said(3, "the"),
            said(1, "tea", workspace="v"),
        ]
    )
    await fold(db, views, events[:2])
    await fold(db, views, events[1:])
    await fold(db, views, events)
    counted = {
        row["word"]: row["documents"]
        for row in await db.fetch("SELECT * FROM lexeme WHERE tenant = 'w'")
    }
    assert counted | {"alic": 3, "tea": 2, "green": 1} == counted
    distinct = await db.fetch(
        "SELECT tenant, count(*), sum(length(words)) FROM message GROUP BY tenant"
        " ORDER BY tenant"
    )
    corpora = await db.fetch(
        "SELECT tenant, documents, words FROM corpus ORDER BY tenant"
    )
    assert [tuple(row) for row in corpora] == [tuple(row) for row in distinct]


async def test_the_longest_word_in_the_longest_workspace_name_is_counted(db):
    views = [Messages(), Lexicon()]
    await create(db, views)
    word = "".join(chr(0x1200 + n % 256) for n in range(682))
    await fold(db, views, record([said(1, word, workspace="w" * 512)]))
    assert await db.fetchval("SELECT max(octet_length(word)) FROM lexeme") == 2046


async def test_how_rare_words_were_is_counted_of_the_messages_there_were(db):
    views = [Messages(), Lexicon()]
    await create(db, views)
    events = [
        said(1, "tea tea teas"),
        said(2, "green tea"),
        said(3, "tea", workspace="v"),
        said(4, "green maps"),
    ]
    many = " ".join(f"word{n}" for n in range(100))
    for position, batch in enumerate(([each] for each in record(events)), start=1):
        await fold(db, views, batch)
        for query in ("Is green tea nice?", "the", "", f"tea {many}", "it's 'odd' \\"):
            now = await find_stems(db, "w", query)
            assert await find_stems(db, "w", query, position) == now
    assert (await find_stems(db, "w", "tea", 1)).stems == (Stem("tea", 1),)
    assert (await find_stems(db, "w", "tea", 0)).documents == 0
