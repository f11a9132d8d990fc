"""HC 8.1: conventions all routes share."""

import json

import pytest

MESSAGES = {
    "messages": [
        {"peer_id": "alice", "content": "one"},
        {"peer_id": "bob", "content": "two"},
    ]
}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def filled(api, at):
    """The path of a workspace with a session ``s``, two peers and two messages."""
    assert api.post(f"{at}/sessions/s/messages", json=MESSAGES).status_code == 201
    return at


@pytest.fixture
def lists(filled):
    return (
        "/v3/workspaces/list",
        f"{filled}/peers/list",
        f"{filled}/sessions/list",
        f"{filled}/peers/alice/sessions",
        f"{filled}/sessions/s/messages/list",
        f"{filled}/conclusions/list",
    )


def test_x1_everything_is_asked_for_in_six_ways(api, lists):
    for path in lists:
        whole = api.post(path).json()
        assert set(whole) == {"items", "total", "page", "size", "pages"}
        for body in (b"", b"null", b"{}", b'{"filters":{}}', b'{"filters":null}'):
            answer = api.post(path, content=body, headers=JSON)
            assert (answer.status_code, answer.json()) == (200, whole), (path, body)


def test_x2_filters_that_are_no_object_are_named(api, lists):
    for path in lists:
        answer = api.post(path, json={"filters": "text"})
        assert answer.status_code == 422
        [item] = answer.json()["detail"]
        assert (item["loc"], item["type"]) == (["body", "filters"], "dict_type")


def test_x4_unknown_keys_of_a_body_are_ignored(api, filled):
    body = {"name": "mallory", "metadata": {"a": 1}}
    answer = api.put(f"{filled}/peers/alice", json=body)
    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["metadata"]) == ("alice", {"a": 1})
    names = {p["id"] for p in api.post(f"{filled}/peers/list").json()["items"]}
    assert names == {"alice", "bob"}


def test_x5_name_stands_for_id(api, at, workspace):
    for path, name in (
        ("/v3/workspaces", workspace),
        (f"{at}/peers", "alice"),
        (f"{at}/sessions", "s"),
    ):
        answer = api.post(path, json={"name": name})
        assert answer.status_code == 201
        assert answer.json()["id"] == name
        assert "name" not in answer.json()
        both = api.post(path, json={"id": name, "name": "other"})
        assert (both.status_code, both.json()["id"]) == (200, name)


def test_x6_peer_names_stands_for_peers(api, at):
    answer = api.post(f"{at}/sessions", json={"id": "s", "peer_names": {"alice": {}}})
    assert answer.status_code == 201
    members = api.get(f"{at}/sessions/s/peers").json()["items"]
    assert [each["id"] for each in members] == ["alice"]
    nothing = {"id": "t", "peers": None, "peer_names": {"alice": {}}}
    assert api.post(f"{at}/sessions", json=nothing).status_code == 201
    assert api.get(f"{at}/sessions/t/peers").json()["items"] == []


def test_x7_a_missing_field_is_named(api, at):
    for path, field in (
        ("/v3/workspaces", "id"),
        (f"{at}/peers", "id"),
        (f"{at}/sessions", "id"),
        (f"{at}/sessions/s/messages", "messages"),
        (f"{at}/conclusions", "conclusions"),
        (f"{at}/search", "query"),
        (f"{at}/webhooks", "url"),
    ):
        answer = api.post(path, json={})
        assert answer.status_code == 422, path
        first = answer.json()["detail"][0]
        assert first["type"] == "missing"
        assert field in first["loc"]


def test_x9_equal_times_are_ordered_by_the_row_id(api, at):
    created = {}
    for name in ("c", "a", "b"):
        created[name] = api.post(f"{at}/peers", json={"id": name}).json()
    order = [p["id"] for p in api.post(f"{at}/peers/list").json()["items"]]
    expected = sorted(
        created, key=lambda name: (created[name]["created_at"], created[name]["uid"])
    )
    assert order == expected
    body = {"id": "s", "peers": {"x": {}, "y": {}, "z": {}}}
    api.post(f"{at}/sessions", json=body)
    made = [
        p
        for p in api.post(f"{at}/peers/list").json()["items"]
        if p["id"] in {"x", "y", "z"}
    ]
    assert len({each["created_at"] for each in made}) == 1
    assert [p["uid"] for p in made] == sorted(p["uid"] for p in made)
    turned = api.post(f"{at}/peers/list?reverse=true").json()["items"]
    straight = api.post(f"{at}/peers/list").json()["items"]
    assert turned == straight[::-1]


def test_x10_reverse_goes_with_pages(api, at):
    for name in ("first", "second", "third"):
        api.post(f"{at}/sessions", json={"id": name})
    page = api.post(f"{at}/sessions/list?reverse=true&page=1&size=1").json()
    assert [each["id"] for each in page["items"]] == ["third"]
    assert (page["total"], page["pages"], page["size"]) == (3, 3, 1)


def test_x11_a_page_out_of_range_is_refused_not_clamped(api, lists):
    for path in lists:
        for query in ("size=101", "size=0", "page=0", "page=x"):
            answer = api.post(f"{path}?{query}")
            assert answer.status_code == 422
            [item] = answer.json()["detail"]
            assert item["loc"] == ["query", query.partition("=")[0]]


def test_x12_a_page_past_the_end_is_empty_with_real_totals(api, filled):
    page = api.post(f"{filled}/peers/list?page=9").json()
    assert page == {"items": [], "total": 2, "page": 9, "size": 50, "pages": 1}
    nothing = api.post(f"{filled}/conclusions/list", json={"filters": {"id": []}})
    assert (nothing.json()["total"], nothing.json()["pages"]) == (0, 0)


def test_x13_pages_are_exact(api, at):
    for number in range(4):
        api.post(f"{at}/peers", json={"id": f"p{number}"})
    for size, pages in ((1, 4), (2, 2), (3, 2), (4, 1), (5, 1)):
        page = api.post(f"{at}/peers/list?size={size}").json()
        assert page["pages"] == pages
        assert len(page["items"]) == min(size, 4)


def test_x15_a_surplus_slash_is_redirected_except_where_messages_are_made(api, at):
    for method, path in (
        ("POST", "/v3/workspaces"),
        ("POST", f"{at}/peers/list"),
        ("GET", f"{at}/queue/status"),
        ("GET", f"{at}/sessions/s/context"),
    ):
        answer = api.request(method, f"{path}/?a=1", follow_redirects=False)
        assert answer.status_code == 307
        assert answer.headers["location"].endswith(f"{path}?a=1")
    assert api.post(f"{at}/sessions/s/messages/", json=MESSAGES).status_code == 201


def test_answers_are_compact_whether_just_written_or_read_back(api, at, workspace):
    free = {"metadata": {"é": [1, {"x, y": "a: b"}]}, "configuration": {"own": [1, 2]}}
    shaped = {"metadata": free["metadata"]}
    said = {"content": "tea", "peer_id": "ann", **shaped}
    written = [
        api.post("/v3/workspaces", json={"id": workspace, **free}),
        api.post(f"{at}/peers", json={"id": "ann", **free}),
        api.post(f"{at}/scopes", json={"id": "work", **shaped}),
        api.post(f"{at}/sessions", json={"id": "s", "scopes": ["work"], **free}),
        api.post(f"{at}/sessions/s/messages", json={"messages": [said]}),
    ]
    read = [
        api.post("/v3/workspaces/list", json={"filters": {"id": workspace}}),
        *(
            api.post(f"{at}/{listed}")
            for listed in (
                "peers/list",
                "sessions/list",
                "peers/ann/sessions",
                "scopes/list",
                "scopes/work/sessions/list",
                "sessions/s/messages/list",
            )
        ),
        api.get(f"{at}/scopes/work"),
        api.get(f"{at}/sessions/s/peers"),
        api.get(f"{at}/sessions/s/context"),
        api.post(f"{at}/search", json={"query": "tea"}),
    ]
    for answer in (*written, *read):
        assert answer.status_code in {200, 201}, answer.text
        compact = json.dumps(answer.json(), separators=(",", ":"), ensure_ascii=False)
        assert answer.text == compact
        assert "é" in answer.text
