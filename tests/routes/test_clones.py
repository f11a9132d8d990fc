"""Copies of sessions over HTTP (HC E22; X75, X76)."""

import asyncio

import pytest

from commands import clone
from domain.fork import SessionForked
from domain.session import MessageAdded, PeerJoined

PATH = "/acme/sessions/s1"


async def say(app, *contents, path=PATH, **fields):
    sent = [{"content": each, "peer_id": "ann", **fields} for each in contents]
    return (await app.post(f"{path}/messages", {"messages": sent})).json()


async def copies(app, session):
    events = [e.event for e in await app.store.read_stream(f"session-acme+{session}")]
    return [event for event in events if isinstance(event, MessageAdded)]


async def test_x75_a_clone_has_members_settings_and_messages_in_order(app):
    await app.post(
        "/acme/sessions",
        {
            "id": "s1",
            "metadata": {"a": 1},
            "configuration": {"summary": {"enabled": False}},
            "peers": {"bob": {"observe_others": True}},
        },
    )
    said = await say(app, "one two", "three", metadata={"n": 1})
    await app.put(f"{PATH}/messages/{said[1]['id']}", {"metadata": {"n": 2}})
    await app.send("DELETE", f"{PATH}/peers", ["bob"])
    answer = await app.post(f"{PATH}/clone")
    body = answer.json()
    assert answer.status_code == 201
    assert len(body["id"]) == 21
    assert (body["metadata"], body["configuration"], body["is_active"]) == (
        {"a": 1},
        {"summary": {"enabled": False}},
        True,
    )
    copied = await copies(app, body["id"])
    assert [(e.seq, e.content, e.metadata, e.author, e.tokens) for e in copied] == [
        (1, "one two", {"n": 1}, "ann", 2),
        (2, "three", {"n": 2}, "ann", 1),
    ]
    assert [each.copy_of for each in copied] == [each["id"] for each in said]
    assert {each.id for each in copied}.isdisjoint(each["id"] for each in said)
    assert not any(each.derive or each.summaries for each in copied)
    assert {e.created_at.isoformat() for e in copied} == {
        body["created_at"].replace("Z", "+00:00")
    }
    events = [
        e.event for e in await app.store.read_stream(f"session-acme+{body['id']}")
    ]
    members = {e.peer: e.observe_others for e in events if isinstance(e, PeerJoined)}
    assert members == {"bob": True, "ann": None}
    assert isinstance(events[-1], SessionForked)
    assert (events[-1].source, events[-1].through_seq) == ("s1", 2)


async def test_x76_a_cutoff_is_the_last_message_copied(app):
    said = await say(app, "one", "two", "three")
    answer = await app.post(f"{PATH}/clone?message_id={said[1]['id']}")
    assert [e.content for e in await copies(app, answer.json()["id"])] == ["one", "two"]


async def test_an_empty_session_is_cloned_with_its_peers(app):
    await app.post("/acme/sessions", {"id": "s1", "peers": {"bob": {}}})
    name = (await app.post(f"{PATH}/clone")).json()["id"]
    again = await app.post("/acme/sessions", {"id": name})
    assert again.status_code == 200
    assert (
        await app.put(f"/acme/sessions/{name}/peers/bob/config", {})
    ).status_code == 204


async def test_what_is_said_in_the_clone_is_numbered_after_the_copies(app):
    await say(app, "one", "two")
    name = (await app.post(f"{PATH}/clone")).json()["id"]
    await say(app, "three", path=f"/acme/sessions/{name}")
    assert [each.seq for each in await copies(app, name)] == [1, 2, 3]
    assert len(await copies(app, "s1")) == 2


async def test_a_clone_of_a_clone_is_a_clone(app):
    await say(app, "one")
    first = (await app.post(f"{PATH}/clone")).json()["id"]
    second = (await app.post(f"/acme/sessions/{first}/clone")).json()["id"]
    assert [each.content for each in await copies(app, second)] == ["one"]


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/acme/sessions/nope/clone", "Original session not found"),
        ("/nope/sessions/s1/clone", "Original session not found"),
        ("/a.b/sessions/s1/clone", "Original session not found"),
        ("/acme/sessions/s1/clone?message_id=nope", "Session not found"),
        ("/acme/sessions/gone/clone", "Original session not found"),
    ],
)
async def test_what_is_not_there_is_404(app, path, detail):
    await say(app, "one")
    await app.post("/acme/sessions", {"id": "gone"})
    await app.send("DELETE", "/acme/sessions/gone")
    answer = await app.post(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": detail})


async def test_a_message_of_another_session_is_no_cutoff(app):
    await say(app, "one")
    [other] = await say(app, "two", path="/acme/sessions/s2")
    answer = await app.post(f"{PATH}/clone?message_id={other['id']}")
    assert answer.json() == {"detail": "Session not found"}


async def test_sessions_of_one_name_in_two_workspaces_do_not_mix(app):
    await say(app, "mine")
    await say(app, "theirs", path="/other/sessions/s1")
    name = (await app.post(f"{PATH}/clone")).json()["id"]
    assert [each.content for each in await copies(app, name)] == ["mine"]


async def test_a_long_session_is_copied_in_several_appends_and_opened_last(
    app, monkeypatch
):
    monkeypatch.setattr(clone, "AT_ONCE", 7)
    monkeypatch.setattr(clone, "_PAGE", 10)
    for start in range(0, 40, 20):
        await say(app, *(f"number {n}" for n in range(start, start + 20)))
    head = await app.store.head()
    name = (await app.post(f"{PATH}/clone")).json()["id"]
    copied = await copies(app, name)
    assert [each.content for each in copied] == [f"number {n}" for n in range(40)]
    assert [each.seq for each in copied] == list(range(1, 41))
    after = await app.recorded(after=head)
    assert after.index("session-created") >= 35
    assert after[-1] == "session-forked"


async def test_a_repeated_key_answers_with_the_same_clone(app):
    await say(app, "one")
    both = await asyncio.gather(
        *(app.post(f"{PATH}/clone", idempotency_key="k") for _ in range(3))
    )
    assert {each.status_code for each in both} == {201}
    assert len({each.text for each in both}) == 1
    again = await app.post(f"{PATH}/clone", idempotency_key="k")
    assert again.text == both[0].text
    assert len(await copies(app, again.json()["id"])) == 1
    assert (await app.recorded()).count("session-forked") == 1


async def test_a_clone_that_broke_off_is_carried_on_under_its_key(app, monkeypatch):
    monkeypatch.setattr(clone, "AT_ONCE", 2)
    await say(app, *"abcdef")
    whole = clone.fork_session

    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(clone, "fork_session", fail)
    broken = await app.post(f"{PATH}/clone", idempotency_key="k")
    assert broken.status_code == 500
    monkeypatch.setattr(clone, "fork_session", whole)
    name = (await app.post(f"{PATH}/clone", idempotency_key="k")).json()["id"]
    assert [each.content for each in await copies(app, name)] == list("abcdef")
    assert [each.seq for each in await copies(app, name)] == [1, 2, 3, 4, 5, 6]
