"""Copies of sessions (HC 8.5)."""


def said(api, path):
    return api.post(f"{path}/messages/list?size=100").json()["items"]


def say(api, path, *contents):
    sent = [
        {"content": each, "peer_id": "ann", "metadata": {"n": number}}
        for number, each in enumerate(contents)
    ]
    return api.post(f"{path}/messages", json={"messages": sent}).json()


def test_x75_a_clone_keeps_order_content_and_metadata(api, at):
    path = f"{at}/sessions/s"
    api.post(f"{at}/sessions", json={"id": "s", "metadata": {"a": 1}})
    say(api, path, "one", "two words", "three")
    before = said(api, path)
    answer = api.post(f"{path}/clone")
    clone = answer.json()
    assert answer.status_code == 201
    assert clone["id"] != "s"
    assert clone["metadata"] == {"a": 1}
    copied = said(api, f"{at}/sessions/{clone['id']}")
    told = [
        (m["content"], m["metadata"], m["peer_id"], m["token_count"]) for m in before
    ]
    assert [
        (m["content"], m["metadata"], m["peer_id"], m["token_count"]) for m in copied
    ] == told
    assert {m["created_at"] for m in copied} == {clone["created_at"]}
    assert {m["session_id"] for m in copied} == {clone["id"]}
    assert said(api, path) == before
    listed = api.post(f"{at}/sessions/list").json()["items"]
    assert {each["id"] for each in listed} == {"s", clone["id"]}


def test_a_clone_is_searched_and_its_members_are_there(api, at):
    path = f"{at}/sessions/s"
    api.post(f"{path}/peers", json={"bob": {"observe_others": True}})
    say(api, path, "green tea", "black coffee")
    api.request("DELETE", f"{path}/peers", json=["bob"])
    name = api.post(f"{path}/clone").json()["id"]
    there = f"{at}/sessions/{name}"
    found = api.post(f"{there}/search", json={"query": "tea"}).json()
    assert found[0]["content"] == "green tea"
    everywhere = api.post(f"{at}/search", json={"query": "tea"}).json()
    assert {"s", name} <= {each["session_id"] for each in everywhere}
    peers = api.get(f"{there}/peers").json()["items"]
    assert {each["id"] for each in peers} == {"ann", "bob"}
    config = api.get(f"{there}/peers/bob/config").json()
    assert config["observe_others"] is True


def test_an_empty_session_is_cloned_with_its_peers(api, at):
    api.post(f"{at}/sessions", json={"id": "s", "peers": {"bob": {}}})
    name = api.post(f"{at}/sessions/s/clone").json()["id"]
    assert api.post(f"{at}/sessions", json={"id": name}).status_code == 200
    peers = api.get(f"{at}/sessions/{name}/peers").json()["items"]
    assert [each["id"] for each in peers] == ["bob"]


def test_a_clone_is_in_the_scopes_of_its_source(api, at):
    api.post(f"{at}/sessions", json={"id": "s", "scopes": ["team"]})
    name = api.post(f"{at}/sessions/s/clone").json()["id"]
    held = api.post(f"{at}/scopes/team/sessions/list").json()["items"]
    assert {each["id"] for each in held} == {"s", name}


def test_x76_the_cutoff_is_the_last_message_of_the_clone(api, at):
    path = f"{at}/sessions/s"
    second = say(api, path, "one", "two", "three")[1]["id"]
    name = api.post(f"{path}/clone", params={"message_id": second}).json()["id"]
    copied = said(api, f"{at}/sessions/{name}")
    assert [each["content"] for each in copied] == ["one", "two"]


def test_what_cannot_be_cloned_is_404(api, at):
    path = f"{at}/sessions/s"
    missing = api.post(f"{path}/clone")
    assert (missing.status_code, missing.json()["detail"]) == (
        404,
        "Original session not found",
    )
    say(api, path, "one")
    foreign = say(api, f"{at}/sessions/t", "two")[0]["id"]
    for message in ("nope", foreign):
        answer = api.post(f"{path}/clone", params={"message_id": message})
        assert (answer.status_code, answer.json()["detail"]) == (
            404,
            "Session not found",
        )
    assert api.post(f"{at}/sessions/list").json()["total"] == 2


def test_nothing_is_concluded_from_a_clone(api, at):
    path = f"{at}/sessions/s"
    say(api, path, "I like green tea.")
    name = api.post(f"{path}/clone").json()["id"]
    status = api.get(f"{at}/queue/status", params={"session_id": name}).json()
    assert status["total_work_units"] == 0


def test_a_clone_can_be_cloned_deleted_and_spoken_in(api, at):
    path = f"{at}/sessions/s"
    say(api, path, "one")
    first = f"{at}/sessions/{api.post(f'{path}/clone').json()['id']}"
    say(api, first, "two")
    second = f"{at}/sessions/{api.post(f'{first}/clone').json()['id']}"
    assert [each["content"] for each in said(api, second)] == ["one", "two"]
    assert api.delete(first).status_code == 202
    assert [each["content"] for each in said(api, second)] == ["one", "two"]
    assert len(said(api, path)) == 1


def test_a_long_clone_is_readable_when_it_is_answered(api, at):
    path = f"{at}/sessions/s"
    for start in range(0, 500, 100):
        say(api, path, *(f"number {n}" for n in range(start, start + 100)))
    name = api.post(f"{path}/clone").json()["id"]
    there = f"{at}/sessions/{name}/messages/list?size=100&page=5"
    last = api.post(there).json()
    assert last["total"] == 500
    assert last["items"][-1]["content"] == "number 499"
    found = api.post(f"{at}/search", json={"query": "number 250", "limit": 100}).json()
    assert {"s", name} == {e["session_id"] for e in found if e["content"][-3:] == "250"}
