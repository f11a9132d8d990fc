"""Webhook endpoints over HTTP, as they are recorded (HC 2.7)."""

URL = {"url": "https://example.com/hook"}


async def test_an_endpoint_is_recorded_once_and_the_write_waited_for(app):
    await app.post("", {"id": "w"})
    first = await app.post("/w/webhooks", URL)
    again = await app.post("/w/webhooks", URL)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.headers["x-position"] == again.headers["x-position"] == "2"
    assert await app.recorded() == ["workspace-created", "webhook-created"]


async def test_an_idempotency_key_makes_one_deletion_of_two(app):
    await app.post("", {"id": "w"})
    made = (await app.post("/w/webhooks", URL)).json()
    key = {"idempotency_key": "once"}
    for _ in range(2):
        gone = await app.send("DELETE", f"/w/webhooks/{made['id']}", **key)
        assert gone.status_code == 204
    assert (await app.recorded())[-1] == "webhook-deleted"
    assert len(await app.recorded()) == 3


async def test_without_a_secret_a_test_is_null_and_asks_for_nothing(app):
    await app.post("", {"id": "w"})
    await app.post("/w/webhooks", URL)
    answer = await app.send("GET", "/w/webhooks/test")
    assert (answer.status_code, answer.json()) == (200, None)
    assert len(await app.recorded()) == 2


async def test_an_unknown_workspace_may_be_tested_and_has_nothing_to_delete(app):
    answer = await app.send("GET", "/no such/webhooks/test")
    assert (answer.status_code, answer.json()) == (200, None)
    gone = await app.send("DELETE", "/no such/webhooks/x")
    assert gone.status_code == 404
    assert gone.json()["detail"] == "Webhook endpoint x not found for workspace no such"
