"""Metadata of messages over HTTP (HC E36; X93, X95)."""

PATH = "/acme/sessions/s1/messages"


async def say(app, **fields):
    sent = {"content": "hello", "peer_id": "ann", **fields}
    [message] = (await app.post(PATH, {"messages": [sent]})).json()
    return message


async def test_x93_metadata_is_replaced_null_leaves_and_empty_clears(app):
    message = await say(app, metadata={"a": 1}, created_at="2024-01-01T12:00:00+05:00")
    path = f"{PATH}/{message['id']}"
    answer = await app.put(path, {"metadata": {"b": 2}})
    assert answer.status_code == 200
    assert answer.json() == message | {
        "metadata": {"b": 2},
        "created_at": "2024-01-01T07:00:00Z",
    }
    assert (await app.put(path, {"metadata": None})).json()["metadata"] == {"b": 2}
    assert (await app.put(path, {})).json()["metadata"] == {"b": 2}
    assert (await app.put(path, {"metadata": {}})).json()["metadata"] == {}
    assert (await app.recorded()).count("message-metadata-changed") == 2


async def test_content_and_author_never_change(app):
    message = await say(app)
    sent = {"metadata": {"a": 1}, "content": "other", "peer_id": "bob"}
    answer = await app.put(f"{PATH}/{message['id']}", sent)
    assert (answer.json()["content"], answer.json()["peer_id"]) == ("hello", "ann")


async def test_x95_an_unknown_message_is_404(app):
    message = await say(app)
    for path in (
        f"{PATH}/nope",
        f"/acme/sessions/other/messages/{message['id']}",
        f"/other/sessions/s1/messages/{message['id']}",
        f"/a.b/sessions/s1/messages/{message['id']}",
    ):
        answer = await app.put(path, {"metadata": {}})
        assert (answer.status_code, answer.json()) == (
            404,
            {"detail": "Message not found"},
        )


async def test_metadata_keeps_its_limits_and_a_body_is_needed(app):
    message = await say(app)
    path = f"{PATH}/{message['id']}"
    many = {str(n): n for n in range(101)}
    assert (await app.put(path, {"metadata": many})).status_code == 422
    assert (await app.put(path, b"")).status_code == 422


async def test_a_repeated_key_is_answered_alike(app):
    message = await say(app)
    path = f"{PATH}/{message['id']}"
    first = await app.put(path, {"metadata": {"a": 1}}, idempotency_key="k")
    again = await app.put(path, {"metadata": {"a": 1}}, idempotency_key="k")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
