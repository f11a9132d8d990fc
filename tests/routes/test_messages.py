"""Messages over HTTP (HC E32, 1.8; X89, X91, X92, X94, X99, X106)."""

import asyncio
from datetime import datetime

import pytest

from domain.session import MessageAdded

PATH = "/acme/sessions/s1/messages"


def say(content="hello", peer="ann", **fields):
    return {"content": content, "peer_id": peer, **fields}


async def said(app):
    page = await app.store.read_log(after=0, limit=1_000)
    return [e.event for e in page if isinstance(e.event, MessageAdded)]


async def test_x89_saying_something_makes_all_it_needs_in_one_append(app):
    answer = await app.post(PATH, {"messages": [say("hello there")]})
    assert answer.status_code == 201
    assert answer.json() == [
        {
            "id": answer.json()[0]["id"],
            "content": "hello there",
            "peer_id": "ann",
            "session_id": "s1",
            "metadata": {},
            "created_at": "2026-11-22T12:00:00Z",
            "workspace_id": "acme",
            "token_count": 2,
        }
    ]
    assert sorted(await app.recorded()) == [
        "message-added",
        "peer-created",
        "peer-joined",
        "session-created",
        "workspace-created",
    ]
    assert answer.headers["x-position"] == "5"


async def test_once_all_is_there_only_the_session_is_written(app):
    await app.post(PATH, {"messages": [say()]})
    await app.post(PATH, {"messages": [say(), say()]})
    assert await app.recorded(after=5) == ["message-added", "message-added"]


async def test_x91_x106_a_hundred_messages_come_back_in_order(app):
    sent = [say(f"number {n}", peer=f"p{n % 3}") for n in range(100)]
    answer = await app.post(PATH, {"messages": sent})
    assert [each["content"] for each in answer.json()] == [e["content"] for e in sent]
    assert len({each["id"] for each in answer.json()}) == 100
    assert [each.seq for each in await said(app)] == list(range(1, 101))


async def test_batches_at_once_do_not_interleave(app):
    batches = [[say(f"{b}-{n}") for n in range(5)] for b in range(10)]
    answers = await asyncio.gather(
        *(app.post(PATH, {"messages": batch}) for batch in batches)
    )
    assert {each.status_code for each in answers} == {201}
    messages = await said(app)
    assert [each.seq for each in messages] == list(range(1, 51))
    for start in range(0, 50, 5):
        batch = {each.content.split("-")[0] for each in messages[start : start + 5]}
        assert len(batch) == 1


async def test_both_spellings_of_the_path_are_served(app):
    answer = await app.post(PATH + "/", {"messages": [say()]})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ("2023-01-01T12:00:00Z", "2023-01-01T12:00:00Z"),
        ("2024-01-01T12:00:00+05:00", "2024-01-01T12:00:00+05:00"),
        ("2024-01-01T12:00:00", "2024-01-01T12:00:00"),
        ("2024-01-01", "2024-01-01T00:00:00"),
        ("2024-01-01T12:00:00.100Z", "2024-01-01T12:00:00.100000Z"),
        (1700000000, "2023-11-14T22:13:20Z"),
        (1700000000000, "2023-11-14T22:13:20Z"),
        ("1700000000", "2023-11-14T22:13:20Z"),
        (1700000000.5, "2023-11-14T22:13:20.500000Z"),
        ("0001-01-01T00:00:01", "0001-01-01T00:00:01"),
        (None, "2026-11-22T12:00:00Z"),
    ],
)
async def test_x94_a_time_is_echoed_as_it_was_sent(app, sent, echoed):
    answer = await app.post(PATH, {"messages": [say(created_at=sent)]})
    assert answer.json()[0]["created_at"] == echoed
    [message] = await said(app)
    assert message.created_at == datetime.fromisoformat(echoed)


async def test_messages_of_a_batch_without_times_share_one(app):
    answer = await app.post(PATH, {"messages": [say(), say()]})
    assert len({each["created_at"] for each in answer.json()}) == 1


async def test_x92_x99_metadata_defaults_and_empty_content_is_content(app):
    sent = [say(""), say(metadata=None), say(metadata={"i": 0})]
    answer = await app.post(PATH, {"messages": sent})
    assert [each["metadata"] for each in answer.json()] == [{}, {}, {"i": 0}]
    assert answer.json()[0]["token_count"] == 0


async def test_nul_is_dropped_from_content_and_25000_characters_fit(app):
    answer = await app.post(
        PATH, {"messages": [say("a\x00b"), say("🙂" * 25_000), say("x" * 25_000)]}
    )
    assert answer.status_code == 201
    assert answer.json()[0]["content"] == "ab"
    assert "🙂" in answer.text


@pytest.mark.parametrize(
    ("levels", "derive"),
    [
        ({}, True),
        ({"workspace": False}, False),
        ({"workspace": False, "session": True}, True),
        ({"session": False, "message": True}, True),
        ({"message": False}, False),
        ({"peer": False}, False),
        ({"peer": False, "member": True}, True),
        ({"member": False}, False),
        ({"member": False, "message": True}, False),
    ],
)
async def test_the_settings_in_force_say_whether_to_reason(app, levels, derive):
    def enabled(level):
        return {"reasoning": {"enabled": levels.get(level)}}

    await app.put("/acme", {"configuration": enabled("workspace")})
    await app.put("/acme/sessions/s1", {"configuration": enabled("session")})
    if "peer" in levels:
        configuration = {"observe_me": levels["peer"]}
        await app.put("/acme/peers/ann", {"configuration": configuration})
    member = {"observe_me": levels.get("member")}
    await app.post("/acme/sessions/s1/peers", {"ann": member})
    await app.post(PATH, {"messages": [say(configuration=enabled("message"))]})
    [message] = await said(app)
    assert message.derive is derive


async def test_summaries_fall_due_by_the_settings_of_the_session(app):
    await app.put("/acme/sessions/s1", {"configuration": {"summary": {}}})
    await app.put(
        "/acme/sessions/s1",
        {"configuration": {"summary": {"messages_per_short_summary": 10}}},
    )
    await app.post(PATH, {"messages": [say() for _ in range(20)]})
    due = [each.seq for each in await said(app) if "short" in each.summaries]
    assert due == [10, 20]
    await app.put(
        "/acme/sessions/s1", {"configuration": {"summary": {"enabled": False}}}
    )
    await app.post(PATH, {"messages": [say() for _ in range(10)]})
    assert all(not each.summaries for each in (await said(app))[20:])


async def test_a_time_that_was_told_leaves_when_it_came_known(app):
    sent = [say(created_at="2024-01-01T12:00:00Z"), say()]
    await app.post(PATH, {"messages": sent})
    told, now = await said(app)
    assert told.received_at == now.created_at
    assert now.received_at is None
