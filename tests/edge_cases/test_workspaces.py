"""HC 8.2: workspaces."""


def test_x16_a_second_creation_is_no_error(api, workspace):
    first = api.post("/v3/workspaces", json={"id": workspace})
    second = api.post("/v3/workspaces", json={"id": workspace})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


def test_x17_what_a_second_creation_says_is_ignored(api, workspace):
    api.post("/v3/workspaces", json={"id": workspace, "metadata": {"a": 1}})
    again = {"id": workspace, "metadata": {"b": 2}, "configuration": {"top": 5}}
    answer = api.post("/v3/workspaces", json=again).json()
    assert (answer["metadata"], answer["configuration"]) == ({"a": 1}, {})


def test_x18_nulls_leave_a_workspace_as_it_is(api, at):
    set_up = {"metadata": {"a": 1}, "configuration": {"summary": {"enabled": False}}}
    api.put(at, json=set_up)
    for key in ("metadata", "configuration"):
        answer = api.put(at, json={key: None})
        assert answer.status_code == 200
        assert {name: answer.json()[name] for name in set_up} == set_up


def test_x25_a_workspace_nobody_made_is_searched_in_vain(api, at):
    answer = api.post(f"{at}/search", json={"query": "anything"})
    assert (answer.status_code, answer.json()) == (200, [])


def test_x26_an_empty_query_finds_a_list(api, at):
    messages = {"messages": [{"peer_id": "alice", "content": "hello"}]}
    api.post(f"{at}/sessions/s/messages", json=messages)
    for path in ("/search", "/peers/alice/search", "/sessions/s/search"):
        answer = api.post(f"{at}{path}", json={"query": ""})
        assert answer.status_code == 200
        assert isinstance(answer.json(), list)


def test_x27_a_search_answers_a_bare_array(api, at):
    messages = {"messages": [{"peer_id": "alice", "content": "a hello to you"}]}
    api.post(f"{at}/sessions/s/messages", json=messages)
    found = api.post(f"{at}/search", json={"query": "hello"}).json()
    assert [each["content"] for each in found] == ["a hello to you"]


def test_x28_extra_keys_of_a_configuration_come_back_as_sent(api, at):
    extra = {"team": "blue", "limits": {"a": None, "b": [1, {"c": 2}]}, "none": None}
    answer = api.put(at, json={"configuration": extra})
    assert answer.json()["configuration"] == extra
    section = {"reasoning": {"enabled": None, "unknown": 1}, "summary": None}
    answer = api.put(at, json={"configuration": section})
    assert answer.json()["configuration"] == {**extra, "reasoning": {}}


def test_x31_to_get_is_to_post_and_resets_nothing(api, at, workspace):
    fresh = api.post("/v3/workspaces", json={"id": workspace}).json()
    assert fresh["metadata"] == {}
    api.put(at, json={"metadata": {"colour": "red"}})
    for _ in range(2):
        got = api.post("/v3/workspaces", json={"id": workspace}).json()
        assert got["metadata"] == {"colour": "red"}


def test_x32_listed_workspaces_have_plain_ids(api, workspace):
    api.post("/v3/workspaces", json={"id": workspace})
    page = api.post("/v3/workspaces/list?reverse=true&size=100").json()
    ids = [each["id"] for each in page["items"]]
    assert workspace in ids
    assert all(isinstance(each, str) for each in ids)
