"""A write sent twice under one Idempotency-Key happens once (architecture 2)."""

import asyncio

import pytest

PATH = "/acme/sessions/s1/messages"
SAY = {"messages": [{"content": "hello", "peer_id": "ann", "metadata": {"a": 1}}]}
WRITES = [
    ("POST", "", {"id": "acme", "metadata": {"a": 1}}),
    ("PUT", "/acme", {"metadata": {"a": 1}}),
    ("POST", "/acme/peers", {"id": "ann", "metadata": {"a": 1}}),
    ("PUT", "/acme/peers/ann", {"configuration": {"observe_me": False}}),
    ("PUT", "/acme/peers/ann/card?target=bob", {"peer_card": ["tall"]}),
    ("POST", "/acme/sessions", {"id": "s1", "peers": {"ann": {}}}),
    ("PUT", "/acme/sessions/s1", {"metadata": {"a": 1}}),
    ("POST", "/acme/sessions/s1/peers", {"ann": {}}),
    ("POST", PATH, SAY),
    ("POST", "/acme/peers/ann/chat", {"query": "What?"}),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_the_second_time_answers_as_the_first_and_records_nothing(
    app, method, path, body
):
    first = await app.send(method, path, body, idempotency_key="k-1")
    head = await app.store.head()
    await app.put("/acme", {"metadata": {"later": 1}})
    await app.put("/acme/sessions/s1", {"metadata": {"later": 1}})
    await app.put("/acme/peers/ann", {"metadata": {"later": 1}})
    before = await app.store.head()
    second = await app.send(method, path, body, idempotency_key="k-1")
    assert first.status_code in {200, 201}
    assert (second.status_code, second.text) == (first.status_code, first.text)
    assert second.headers["x-position"] == first.headers["x-position"] == str(head)
    assert await app.store.head() == before


async def test_an_existing_aggregate_is_answered_as_it_was_then(app):
    await app.post("/acme/sessions", {"id": "s1", "metadata": {"a": 1}})
    sent = {"id": "s1", "peers": {"ann": {}}}
    first = await app.post("/acme/sessions", sent, idempotency_key="k")
    await app.put("/acme/sessions/s1", {"metadata": {"later": 1}})
    second = await app.post("/acme/sessions", sent, idempotency_key="k")
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == first.json()
    assert second.json()["metadata"] == {"a": 1}


async def test_removing_peers_is_answered_again(app):
    await app.post("/acme/sessions/s1/peers", {"ann": {}})
    path = "/acme/sessions/s1/peers"
    first = await app.send("DELETE", path, ["ann"], idempotency_key="k")
    await app.post(path, {"ann": {}})
    second = await app.send("DELETE", path, ["ann"], idempotency_key="k")
    assert second.json() == first.json()
    assert (await app.recorded()).count("peer-left") == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", PATH, {"messages": [{"content": "other", "peer_id": "ann"}]}),
        ("POST", "/acme/sessions/s2/messages", SAY),
        ("PUT", "/acme/peers/ann", {"metadata": {"a": 1}}),
        ("POST", PATH + "?a=1", SAY),
    ],
)
async def test_another_request_under_the_same_key_is_422(app, method, path, body):
    await app.post(PATH, SAY, idempotency_key="k")
    head = await app.store.head()
    answer = await app.send(method, path, body, idempotency_key="k")
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)
    assert await app.store.head() == head


async def test_a_key_belongs_to_its_workspace(app):
    await app.post(PATH, SAY, idempotency_key="k")
    answer = await app.post("/other/sessions/s1/messages", SAY, idempotency_key="k")
    assert answer.status_code == 201
    assert answer.json()[0]["workspace_id"] == "other"


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_many_at_once_happen_once_and_all_get_the_same_answer(
    app, method, path, body
):
    answers = await asyncio.gather(
        *(app.send(method, path, body, idempotency_key="k") for _ in range(6))
    )
    assert len({(each.status_code, each.text) for each in answers}) == 1
    recorded = await app.recorded()
    once = ("message-added", "question-answered", "workspace-created", "peer-joined")
    assert all(recorded.count(tag) <= 1 for tag in once)


async def test_deleting_many_times_at_once_is_done_for_each(app):
    await app.post(PATH, SAY)
    path = "/acme/sessions/s1"
    answers = await asyncio.gather(
        *(app.send("DELETE", path, None, idempotency_key="k") for _ in range(4))
    )
    assert {each.status_code for each in answers} == {202}
    assert len({each.headers["x-position"] for each in answers}) == 1
    refused = await app.send("DELETE", path, None, idempotency_key="another")
    assert refused.status_code == 404


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb", "caf\u00e9"])
async def test_a_key_that_is_none_is_422(app, key):
    headers = {"content-type": "application/json", "idempotency-key": key.encode()}
    answer = await app.http.post(f"/v3/workspaces{PATH}", json=SAY, headers=headers)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]
    assert await app.recorded() == []


async def test_a_refused_write_leaves_its_key_free(app):
    path = "/acme/sessions/s1/peers"
    refused = await app.send("DELETE", path, ["ann"], idempotency_key="k")
    await app.post(path, {"ann": {}})
    done = await app.send("DELETE", path, ["ann"], idempotency_key="k")
    assert (refused.status_code, done.status_code) == (404, 200)


async def test_the_chat_is_not_asked_again(app):
    for _ in range(2):
        await app.post("/acme/peers/ann/chat", {"query": "What?"}, idempotency_key="k")
    assert len(app.answerer.asked) == 1


async def test_a_story_is_the_callers_when_it_names_one(app):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await app.post(PATH, SAY, traceparent=trace)
    await app.post(PATH, SAY, traceparent="nonsense")
    page = await app.store.read_log(after=0, limit=10)
    causes = [each.cause for each in page]
    assert {c.correlation_id.hex for c in causes[:5]} == {trace[3:35]}
    assert {c.trace_parent for c in causes[:5]} == {trace}
    assert causes[5].trace_parent is None
    assert causes[5].correlation_id != causes[0].correlation_id
    assert {c.actor for c in causes} == {"client"}
