"""Metadata that changes, and copies that are seen all at once (HC E22, E36)."""

import msgspec

from domain.fork import SessionForked
from domain.message import MessageMetadataChanged
from projections.condition import Bind
from projections.message_changes import list_forking
from projections.message_page import read_message_page
from projections.message_rows import message_rows
from projections.message_search import Question, search_messages
from projections.registry import LAGGING, PROMPT
from tests.projections.test_messages import said, shown
from tests.support.folding import create, fold
from tests.support.history import record
from tests.support.tables import contents_of

VIEWS = (*PROMPT, *LAGGING)
FORKED = SessionForked(workspace="w", session="t", source="s", through_seq=2)


def changed(id_, metadata):
    return MessageMetadataChanged(
        workspace="w", session="s", id=id_, author="alice", metadata=metadata
    )


async def found(db, query):
    return [
        e.id
        for e in await search_messages(db, Question(tenant="w", query=query, limit=10))
    ]


async def test_metadata_is_replaced_in_columns_and_in_what_is_answered(db):
    await create(db, VIEWS)
    batch = record(
        [
            said(1, "hello", metadata={"a": 1}),
            changed("s-1", {"b": 2}),
            changed("s-1", {"c": [3]}),
        ]
    )
    await fold(db, VIEWS, batch)
    await fold(db, VIEWS, batch)
    message = await shown(db, "s-1")
    assert msgspec.json.decode(message["metadata"]) == {"c": [3]}
    body = msgspec.json.decode(message["body"])
    assert (body["metadata"], body["content"]) == ({"c": [3]}, "hello")
    assert body["created_at"] == "2026-01-01T12:00:00Z"
    rows = await db.fetch("SELECT position, metadata FROM former_metadata ORDER BY 1")
    assert [(r["position"], msgspec.json.decode(r["metadata"])) for r in rows] == [
        (2, {"a": 1}),
        (3, {"b": 2}),
    ]


async def test_what_is_changed_in_a_batch_of_its_own_is_changed_alike(db):
    await create(db, VIEWS)
    events = record([said(1, "hello"), changed("s-1", {"b": 2})])
    for each in events:
        await fold(db, VIEWS, [each])
    assert msgspec.json.decode((await shown(db, "s-1"))["metadata"]) == {"b": 2}


async def test_copies_are_found_once_the_fork_is_complete(db):
    await create(db, VIEWS)
    copies = [said(n, f"tea number {n}", session="t", copy_of=f"s-{n}") for n in (1, 2)]
    events = record([said(1, "tea number 1"), *copies, FORKED])
    for each in events[:3]:
        await fold(db, VIEWS, [each])
    assert await found(db, "tea") == ["s-1"]
    assert await found(db, "") == ["s-1"]
    await fold(db, VIEWS, events[3:])
    assert sorted(await found(db, "tea")) == ["s-1", "t-1", "t-2"]


async def test_however_a_fork_is_cut_the_views_are_the_same(db):
    events = record([said(1, "x"), said(1, "x", session="t", copy_of="s-1"), FORKED])
    await create(db, VIEWS)
    await fold(db, VIEWS, events)
    whole = await contents_of(db, "view")
    await db.execute("DROP SCHEMA view CASCADE; CREATE SCHEMA view")
    await create(db, VIEWS)
    for each in events:
        await fold(db, VIEWS, [each])
        await fold(db, VIEWS, [each])
    assert await contents_of(db, "view") == whole
    assert await list_forking(db) == []


async def test_a_message_is_read_as_it_was_at_each_position(db):
    await create(db, VIEWS)
    events = [
        said(1, "hello", metadata={"a": 1}),
        changed("s-1", {"b": 2}),
        said(2, "again"),
        changed("s-1", {"c": 3}),
    ]
    await fold(db, VIEWS, record(events))

    async def then(position):
        bind = Bind("w")
        rows = await db.fetch(
            f"SELECT m.metadata, m.body FROM {message_rows(position)(bind)}"  # noqa: S608
            " WHERE m.tenant = $1 ORDER BY m.seq",
            *bind.values,
        )
        page, total = await read_message_page(db, "w", "s", (0, 9), as_of=position)
        bodies = [msgspec.json.decode(row["body"]) for row in rows]
        assert msgspec.json.decode(page) == bodies
        assert total == len(rows)
        held = [msgspec.json.decode(row["metadata"]) for row in rows]
        assert [each["metadata"] for each in bodies] == held
        return held

    assert [await then(position) for position in range(5)] == [
        [],
        [{"a": 1}],
        [{"b": 2}],
        [{"b": 2}, {}],
        [{"c": 3}, {}],
    ]


async def test_a_fork_is_not_found_at_the_moments_it_was_being_copied(db):
    await create(db, VIEWS)
    copies = [said(n, f"tea number {n}", session="t", copy_of=f"s-{n}") for n in (1, 2)]
    await fold(db, VIEWS, record([said(1, "tea number 1"), *copies, FORKED]))

    async def found_then(position):
        question = Question(tenant="w", query="tea", limit=10, as_of=position)
        return sorted(each.id for each in await search_messages(db, question))

    found = [await found_then(position) for position in range(5)]
    assert found == [[], ["s-1"], ["s-1"], ["s-1"], ["s-1", "t-1", "t-2"]]
