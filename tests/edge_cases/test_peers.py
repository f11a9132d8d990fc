"""HC 8.4: peers, their cards and representations."""


def test_x41_metadata_of_a_second_creation_replaces(api, at):
    first = {"id": "alice", "metadata": {"a": 1}}
    assert api.post(f"{at}/peers", json=first).status_code == 201
    again = api.post(f"{at}/peers", json={"id": "alice", "metadata": {"b": 2}})
    assert again.status_code == 200
    assert again.json()["metadata"] == {"b": 2}


def test_x42_metadata_and_configuration_do_not_touch_each_other(api, at):
    both = {"id": "alice", "metadata": {"a": 1}, "configuration": {"observe_me": True}}
    api.post(f"{at}/peers", json=both)
    answer = api.put(f"{at}/peers/alice", json={"metadata": {"b": 2}}).json()
    assert answer["configuration"] == {"observe_me": True}
    changed = {"configuration": {"observe_me": False}}
    answer = api.put(f"{at}/peers/alice", json=changed).json()
    assert answer["metadata"] == {"b": 2}
    assert answer["configuration"] == {"observe_me": False}


def test_x43_nulls_change_nothing(api, at):
    made = {"id": "alice", "metadata": {"a": 1}, "configuration": {"observe_me": True}}
    before = api.post(f"{at}/peers", json=made).json()
    for key in ("metadata", "configuration"):
        answer = api.put(f"{at}/peers/alice", json={key: None})
        assert (answer.status_code, answer.json()) == (200, before)


def test_x44_a_configuration_comes_back_as_it_was_stored(api, at):
    assert api.post(f"{at}/peers", json={"id": "a"}).json()["configuration"] == {}
    wild = {"observe_me": False, "mine": {"x": None}}
    api.put(f"{at}/peers/a", json={"configuration": wild})
    got = api.post(f"{at}/peers", json={"id": "a"}).json()
    assert got["configuration"] == wild
    listed = api.post(f"{at}/peers/list").json()["items"]
    assert listed == [got]


def test_x45_not_on_metadata_finds_those_without_the_key(api, at):
    for name, metadata in (
        ("a", {"role": "admin"}),
        ("b", {"role": "user"}),
        ("c", {}),
    ):
        api.post(f"{at}/peers", json={"id": name, "metadata": metadata})
    wanted = {"filters": {"NOT": [{"metadata": {"role": "admin"}}]}}
    found = api.post(f"{at}/peers/list", json=wanted).json()["items"]
    assert [each["id"] for each in found] == ["b", "c"]


def test_x46_a_peer_in_no_session_has_no_sessions(api, at):
    api.post(f"{at}/peers", json={"id": "alone"})
    for name in ("alone", "nobody"):
        answer = api.post(f"{at}/peers/{name}/sessions", json={})
        assert (answer.status_code, answer.json()["items"]) == (200, [])


def test_x47_the_sessions_of_a_peer_need_no_body(api, at):
    api.post(f"{at}/sessions", json={"id": "s", "peers": {"alice": {}}})
    answer = api.post(f"{at}/peers/alice/sessions")
    assert answer.status_code == 200
    assert [each["id"] for each in answer.json()["items"]] == ["s"]


def test_x48_a_search_of_an_unknown_peer_finds_nothing(api, at):
    answer = api.post(f"{at}/peers/nobody/search", json={"query": "x"})
    assert (answer.status_code, answer.json()) == (200, [])


def test_x49_a_limit_caps_what_is_found(api, at):
    said = [{"peer_id": "alice", "content": f"tea number {n}"} for n in range(5)]
    api.post(f"{at}/sessions/s/messages", json={"messages": said})
    for path in ("/search", "/peers/alice/search", "/sessions/s/search"):
        found = api.post(f"{at}{path}", json={"query": "tea", "limit": 2}).json()
        assert len(found) == 2
        for limit in (0, 101, None):
            wrong = api.post(f"{at}{path}", json={"query": "tea", "limit": limit})
            assert wrong.status_code == 422


def test_x50_a_card_is_null_then_what_was_put_last(api, at):
    api.post(f"{at}/peers", json={"id": "alice"})
    assert api.get(f"{at}/peers/alice/card").json() == {"peer_card": None}
    for card in (["b", "a"], ["c"], []):
        put = api.put(f"{at}/peers/alice/card", json={"peer_card": card})
        assert (put.status_code, put.json()) == (200, {"peer_card": card})
        assert api.get(f"{at}/peers/alice/card").json() == {"peer_card": card}


def test_x51_an_unknown_observer_is_404_an_unknown_target_has_no_card(
    api, at, workspace
):
    api.post(f"{at}/peers", json={"id": "alice"})
    missing = api.get(f"{at}/peers/nobody/card")
    assert missing.status_code == 404
    detail = f"Peer nobody not found in workspace {workspace}"
    assert missing.json() == {"detail": detail}
    answer = api.get(f"{at}/peers/alice/card?target=nobody")
    assert (answer.status_code, answer.json()) == (200, {"peer_card": None})


def test_x52_an_empty_target_is_a_legal_request(api, at):
    api.put(f"{at}/peers/alice/card", json={"peer_card": ["own"]})
    answer = api.get(f"{at}/peers/alice/card?target=")
    assert (answer.status_code, answer.json()) == (200, {"peer_card": None})


def test_x53_the_own_card_and_one_of_another_are_apart(api, at):
    api.put(f"{at}/peers/alice/card", json={"peer_card": ["of alice"]})
    api.put(f"{at}/peers/alice/card?target=bob", json={"peer_card": ["of bob"]})
    assert api.get(f"{at}/peers/alice/card").json()["peer_card"] == ["of alice"]
    of_bob = api.get(f"{at}/peers/alice/card?target=bob")
    assert of_bob.json()["peer_card"] == ["of bob"]


def test_x54_nothing_known_is_an_empty_text(api, at):
    api.post(f"{at}/peers", json={"id": "alice"})
    for name in ("alice", "nobody"):
        answer = api.post(f"{at}/peers/{name}/representation", json={})
        assert (answer.status_code, answer.json()) == (200, {"representation": ""})
    assert api.post(f"{at}/peers/alice/representation").status_code == 422


def test_x55_a_representation_takes_the_values_at_its_bounds(api, at):
    path = f"{at}/peers/alice/representation"
    bounds = {
        "search_top_k": ((1, 100), (0, 101)),
        "search_max_distance": ((0.0, 1.0), (-0.1, 1.1)),
        "max_conclusions": ((1, 100), (0, 101)),
    }
    for option, (within, beyond) in bounds.items():
        for value in within:
            body = {"search_query": "tea", option: value}
            assert api.post(path, json=body).status_code == 200, body
        for value in beyond:
            answer = api.post(path, json={"search_query": "tea", option: value})
            assert answer.status_code == 422
            assert answer.json()["detail"][0]["loc"] == ["body", option]


def test_x127_a_name_with_nul_is_told_as_such_even_after_it_was_looked_for(api, at):
    for _ in range(2):
        looked_for = api.post(f"{at}/peers/a%00b/sessions")
        assert looked_for.status_code == 200
        asked = api.post(f"{at}/peers/a%00b/chat", json={"query": "who?"})
        assert asked.status_code == 422
        assert asked.json()["detail"] == (
            "Peer name(s) must not contain NUL (0x00) bytes"
        )
