"""Messages (HC 8.6)."""

import pytest


@pytest.fixture
def path(at):
    return f"{at}/sessions/s/messages"


def say(content="hello", **fields):
    return {"content": content, "peer_id": "ann", **fields}


def post(api, path, *messages):
    return api.post(path, json={"messages": list(messages)})


def test_x89_posting_creates_the_session(api, at, path):
    assert post(api, path, say()).status_code == 201
    assert api.post(f"{at}/sessions", json={"id": "s"}).status_code == 200
    members = api.get(f"{at}/sessions/s/peers").json()["items"]
    assert [each["id"] for each in members] == ["ann"]


def test_x90_an_unknown_session_lists_nothing(api, path):
    answer = api.post(f"{path}/list")
    assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert answer.json()["pages"] == 0


def test_x91_none_is_422_a_hundred_are_201_and_one_more_is_422(api, path):
    assert api.post(path, json={"messages": []}).status_code == 422
    hundred = [say(f"number {n}") for n in range(100)]
    answer = post(api, path, *hundred)
    assert answer.status_code == 201
    contents = [each["content"] for each in hundred]
    assert [each["content"] for each in answer.json()] == contents
    listed = api.post(f"{path}/list?size=100").json()["items"]
    assert [each["content"] for each in listed] == contents
    assert post(api, path, *hundred, say()).status_code == 422


def test_x92_missing_or_null_metadata_is_empty(api, path):
    answer = post(api, path, say(), say(metadata=None))
    assert [each["metadata"] for each in answer.json()] == [{}, {}]


def test_x93_null_leaves_metadata_and_an_empty_object_clears_it(api, path):
    [message] = post(api, path, say(metadata={"a": 1})).json()
    own = f"{path}/{message['id']}"
    assert api.put(own, json={"metadata": None}).json()["metadata"] == {"a": 1}
    assert api.put(own, json={"metadata": {"b": 2}}).json()["metadata"] == {"b": 2}
    assert api.get(own).json()["metadata"] == {"b": 2}
    [listed] = api.post(f"{path}/list").json()["items"]
    assert listed == api.get(own).json()
    cleared = api.put(own, json={"metadata": {}})
    assert (cleared.status_code, cleared.json()["metadata"]) == (200, {})
    assert api.get(own).json() == cleared.json()


def test_metadata_that_changed_is_filtered_by(api, path):
    [message] = post(api, path, say(metadata={"a": 1})).json()
    api.put(f"{path}/{message['id']}", json={"metadata": {"a": 2}})

    def total(value):
        body = {"filters": {"metadata": {"a": value}}}
        return api.post(f"{path}/list", json=body).json()["total"]

    assert (total(1), total(2)) == (0, 1)


def test_x94_whole_seconds_have_no_fraction_and_null_is_now(api, path):
    answer = post(
        api,
        path,
        say(created_at="2023-01-01T12:00:00Z"),
        say(created_at=None),
        say(created_at="2024-01-01T12:00:00+05:00"),
        say(created_at="2024-01-01T12:00:00"),
    )
    sent, now, offset, naive = answer.json()
    assert sent["created_at"] == "2023-01-01T12:00:00Z"
    assert now["created_at"].endswith("Z")
    assert offset["created_at"] == "2024-01-01T12:00:00+05:00"
    assert naive["created_at"] == "2024-01-01T12:00:00"
    read = [each["created_at"] for each in api.post(f"{path}/list").json()["items"]]
    assert read == [
        "2023-01-01T12:00:00Z",
        now["created_at"],
        "2024-01-01T07:00:00Z",
        "2024-01-01T12:00:00Z",
    ]


def test_x95_unknown_messages_are_404(api, at, path):
    [message] = post(api, path, say()).json()
    read = api.get(f"{path}/nope")
    assert (read.status_code, read.json()["detail"]) == (
        404,
        "Message with ID nope not found",
    )
    put = api.put(f"{path}/nope", json={"metadata": {}})
    assert (put.status_code, put.json()["detail"]) == (404, "Message not found")
    other = f"{at}/sessions/other/messages/{message['id']}"
    assert api.get(other).status_code == 404
    assert api.put(other, json={"metadata": {}}).status_code == 404


def test_x98_filters_on_several_metadata_keys_are_joined(api, path):
    post(
        api,
        path,
        say("1", metadata={"a": 1, "b": "x"}),
        say("2", metadata={"a": 1, "b": "y"}),
        say("3", metadata={"a": 2, "b": "x"}),
    )

    def found(filters):
        answer = api.post(f"{path}/list", json={"filters": filters})
        return [each["content"] for each in answer.json()["items"]]

    assert found({"metadata": {"a": 1, "b": "x"}}) == ["1"]
    either = [{"metadata": {"a": 2}}, {"metadata": {"b": "y"}}]
    assert found({"OR": either}) == ["2", "3"]
    both = [{"metadata": {"a": 1}}, {"OR": either}]
    assert found({"AND": both}) == ["2"]


def test_x99_empty_content_is_accepted(api, path):
    answer = post(api, path, say(""))
    assert (answer.status_code, answer.json()[0]["token_count"]) == (201, 0)


def test_x106_messages_come_back_in_order_with_ids(api, path):
    answer = post(api, path, say("one"), say("two", peer_id="bob"), say("three"))
    assert [each["content"] for each in answer.json()] == ["one", "two", "three"]
    ids = [each["id"] for each in answer.json()]
    assert len(set(ids)) == 3
    assert all(len(each) == 21 for each in ids)
    assert [api.get(f"{path}/{each}").json()["id"] for each in ids] == ids


def test_the_path_with_a_slash_is_served(api, path):
    answer = api.post(f"{path}/", json={"messages": [say()]})
    assert answer.status_code == 201
    assert api.post(f"{path}/list/").status_code == 307


def test_content_has_its_limit_in_characters(api, path):
    assert post(api, path, say("é" * 25_000)).status_code == 201
    answer = post(api, path, say("é" * 25_001))
    assert answer.status_code == 422
    [item] = answer.json()["detail"]
    assert item["type"] == "string_too_long"
    assert item["loc"] == ["body", "messages", 0, "content"]
    assert item["msg"] == "String should have at most 25000 characters"
    assert item["ctx"] == {"max_length": 25_000}


def test_a_name_of_the_scopes_is_no_author(api, path):
    answer = post(api, path, say(peer_id="scope.team"))
    assert answer.status_code == 422
    assert "scope.team" in answer.json()["detail"]


def test_peer_name_is_no_other_spelling_of_peer_id(api, path):
    answer = api.post(path, json={"messages": [{"content": "x", "peer_name": "ann"}]})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "messages", 0, "peer_id"]
