"""The filter language as clients meet it (HC 8.10)."""

import pytest


@pytest.fixture
def people(api, at):
    """Peers by what is known of them; the path that lists them."""

    def make(**metadata):
        for name, known in metadata.items():
            made = api.post(f"{at}/peers", json={"id": name, "metadata": known})
            assert made.status_code == 201
        return f"{at}/peers/list"

    return make


@pytest.fixture
def talk(api, at):
    """Two sessions in which ann and bob said something; the workspace's path."""
    for session, said in {
        "s": [("ann", "the river is wide"), ("bob", "the river is deep")],
        "t": [("ann", "the river is cold")],
    }.items():
        messages = [{"peer_id": peer, "content": text} for peer, text in said]
        path = f"{at}/sessions/{session}/messages"
        assert api.post(path, json={"messages": messages}).status_code == 201
    return at


def ask(api, path, filters, **more):
    return api.post(path, json={"filters": filters, **more})


def found(api, path, filters):
    answer = ask(api, path, filters)
    assert answer.status_code == 200, (filters, answer.text)
    return [each["id"] for each in answer.json()["items"]]


def contents(answer):
    assert answer.status_code == 200, answer.text
    body = answer.json()
    rows = body if isinstance(body, list) else body["items"]
    return sorted(each["content"].rpartition(" ")[2] for each in rows)


def test_x142_an_empty_list_matches_nothing_and_a_list_is_membership(api, talk):
    path = f"{talk}/sessions/s/messages/list"
    assert contents(ask(api, path, {"peer_id": []})) == []
    for members in (["ann"], {"in": ["ann"]}):
        assert contents(ask(api, path, {"peer_id": members})) == ["wide"]


def test_x143_a_list_under_a_metadata_key_is_containment_of_all(api, people):
    path = people(a={"tags": ["x", "y"]}, b={"tags": ["x"]}, c={"tags": "x"})
    assert found(api, path, {"metadata": {"tags": ["x"]}}) == ["a", "b"]
    assert found(api, path, {"metadata": {"tags": ["y", "x"]}}) == ["a"]


def test_x144_an_unknown_column_is_refused_even_beside_valid_branches(api, people):
    path = people(a={})
    for tree in (
        {"nope": 1},
        {"OR": [{"id": "a"}, {"nope": 1}]},
        {"AND": [{"NOT": [{"nope": "*"}]}]},
    ):
        refused = ask(api, path, tree)
        assert refused.status_code == 422
        assert refused.json()["detail"] == (
            "Column 'nope' is not allowed to be filtered on or does not exist on Peer"
        )


def test_x145_not_with_two_conditions_excludes_rows_matching_either(api, people):
    path = people(a={"kind": "bot"}, b={"office": "oslo"}, c={"kind": "human"}, d={})
    either = [{"metadata": {"kind": "bot"}}, {"metadata": {"office": "oslo"}}]
    assert found(api, path, {"NOT": either}) == ["c", "d"]


def test_x146_a_wildcard_in_any_position_drops_the_condition(api, people):
    path = people(a={"k": 1}, b={})
    for anything in (
        {"id": "*"},
        {"id": ["a", "*"]},
        {"id": {"in": ["*", "a"]}},
        {"id": {"gte": "*"}},
        {"created_at": "*"},
        {"metadata": "*"},
        {"metadata": {"k": "*"}},
        {"metadata": {"k": {"gte": "*"}}},
        {"metadata": {"k": ["*", 1]}},
    ):
        assert found(api, path, anything) == ["a", "b"], anything
        assert found(api, path, {"OR": [anything, {"id": "b"}]}) == ["b"], anything


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({"AND": {"id": "a"}}, "AND operator must contain a list, got dict"),
        ({"OR": "a"}, "OR operator must contain a list, got str"),
        ({"OR": ["a"]}, "Invalid filter configuration"),
        ({"NOT": None}, "NOT operator cannot be None"),
        ({"id": {"gte": ["a"]}}, "expected a string, got list"),
        ({"metadata": {"k": {"gte": [1]}}}, "Failed to build numeric comparison"),
        ({"and": [{"id": "a"}]}, "Column 'and' is not allowed"),
    ],
)
def test_x147_malformed_logic_and_a_list_to_compare_with_are_refused(
    api, people, tree, text
):
    refused = ask(api, people(a={}), tree)
    assert refused.status_code == 422
    assert text in refused.json()["detail"]


def test_x148_numbers_kept_as_strings_compare_as_numbers_dates_as_text(api, people):
    path = people(
        a={"n": "7", "on": "2026-01-31"},
        b={"n": 10, "on": "2026-02-01"},
        c={"n": "many", "on": 5},
    )
    assert found(api, path, {"metadata": {"n": {"gte": 6}}}) == ["a", "b"]
    assert found(api, path, {"metadata": {"n": {"gt": "7.0"}}}) == ["b"]
    assert found(api, path, {"metadata": {"n": {"ne": 7}}}) == ["b", "c"]
    dated = {"metadata": {"on": {"gte": "2026-01-01", "lt": "2026-02-01"}}}
    assert found(api, path, dated) == ["a"]


def test_x149_empty_objects_and_empty_logic_are_no_errors(api, people):
    path = people(a={"x": {"y": 1}}, b={"x": 1})
    assert found(api, path, {"metadata": {"x": {}}}) == ["a"]
    for nothing in ({"AND": []}, {"OR": []}, {"NOT": []}, {"metadata": {}}):
        assert found(api, path, nothing) == ["a", "b"]


def test_x150_json_types_are_kept_apart(api, people):
    path = people(
        a={"v": 5}, b={"v": 5.0}, c={"v": "5"}, d={"v": True}, e={"v": None}, f={}
    )
    assert found(api, path, {"metadata": {"v": 5}}) == ["a", "b"]
    assert found(api, path, {"metadata": {"v": "5"}}) == ["c"]
    assert found(api, path, {"metadata": {"v": "true"}}) == []
    assert found(api, path, {"metadata": {"v": True}}) == ["d"]
    assert found(api, path, {"metadata": {"v": None}}) == ["e"]


def test_x151_dates_that_look_like_an_injection_are_refused(api, people):
    path = people(a={})
    for date in ("2024-01-01'; DROP TABLE peer; --", "1 OR 1=1", "now()", ""):
        refused = ask(api, path, {"created_at": {"gte": date}})
        assert refused.status_code == 422
        assert refused.json()["detail"] == f"Invalid datetime value: {date}"


def test_x152_booleans_and_texts_take_only_their_own(api, talk):
    path = f"{talk}/sessions/list"
    assert found(api, path, {"is_active": True}) == ["s", "t"]
    for odd in ("true", 1, 0):
        refused = ask(api, path, {"is_active": odd})
        assert refused.status_code == 422
        assert "expected true or false" in refused.json()["detail"]
    for odd in (5, True, 1.5):
        refused = ask(api, path, {"id": odd})
        assert refused.status_code == 422
        assert "expected a string" in refused.json()["detail"]


def test_x153_a_scalar_never_matches_an_element_of_an_array(api, people):
    path = people(a={"tags": ["vip", "old"]}, b={"tags": "vip"})
    assert found(api, path, {"metadata": {"tags": "vip"}}) == ["b"]
    assert found(api, path, {"metadata": {"tags": ["vip"]}}) == ["a"]
    assert found(api, path, {"metadata": {"tags": {"contains": "vip"}}}) == ["a", "b"]


def test_x154_routes_overwrite_in_searches_and_add_in_lists(api, talk):
    def search(path, filters):
        return contents(ask(api, f"{talk}{path}/search", filters, query="river"))

    assert search("", {"workspace_id": "other"}) == ["cold", "deep", "wide"]
    assert search("/sessions/s", {"session_id": "t"}) == ["deep", "wide"]
    assert search("/peers/bob", {"peer_id": "ann"}) == ["deep"]
    inside = {"AND": [{"session_id": "t"}]}
    assert search("/sessions/s", inside) == []
    path = f"{talk}/sessions/s/messages/list"
    assert contents(ask(api, path, {"session_id": "t"})) == []
    assert contents(ask(api, path, {"workspace_id": "other"})) == []
    assert contents(ask(api, path, {"session_id": "s"})) == ["deep", "wide"]


def test_x155_a_perspective_has_inclusive_bounds_and_strangers_see_nothing(api, at):
    def say(peer, text, **more):
        body = {"messages": [{"peer_id": peer, "content": text, **more}]}
        made = api.post(f"{at}/sessions/s/messages", json=body)
        assert made.status_code == 201
        return made.json()[0]

    def seen_by(peer):
        filters = {"peer_perspective": peer}
        return contents(ask(api, f"{at}/search", filters, query="story"))

    say("ann", "story before", created_at="2020-01-01T00:00:00Z")
    assert api.post(f"{at}/sessions/s/peers", json={"bob": {}}).status_code == 200
    say("ann", "story between")
    assert api.request("DELETE", f"{at}/sessions/s/peers", json=["bob"]).is_success
    say("ann", "story after", created_at="2100-01-01T00:00:00Z")
    assert seen_by("bob") == ["between"]
    for stranger in ("zoe", "zo\0e", 5, ["bob"]):
        assert seen_by(stranger) == []
    for misplaced in ({"AND": [{"peer_perspective": "bob"}]},):
        refused = ask(api, f"{at}/search", misplaced, query="story")
        assert refused.status_code == 422
    refused = ask(api, f"{at}/sessions/s/messages/list", {"peer_perspective": "bob"})
    assert refused.status_code == 422


def test_a_filter_of_more_conditions_than_a_statement_takes_is_422(api, people):
    path = people(a={"k0": 0}, b={})
    assert found(api, path, {"metadata": {"k0": 0}}) == ["a"]
    wide = {"OR": [{"metadata": {f"k{n}": n}} for n in range(900)]}
    assert found(api, path, wide) == ["a"]
    for filters in (
        {"metadata": {f"k{n}": n for n in range(40_000)}},
        {"OR": [{"id": "a"}] * 2_001},
    ):
        answer = ask(api, path, filters)
        assert answer.status_code == 422
        assert answer.json() == {"detail": "Filter exceeds maximum of 2000 conditions"}
