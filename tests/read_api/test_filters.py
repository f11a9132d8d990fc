"""Filters narrow a list as the contract says, and what they do not speak is refused."""

import pytest

from tests.read_api.conftest import ids
from tests.support.story import at, concluded, peer, said, session, workspace


@pytest.fixture
async def peers(ask):
    await ask.happened(
        workspace(), *(peer(n, created_at=at(i)) for i, n in enumerate("abcd"))
    )
    return ask


NARROWED = [
    ({"id": "a"}, "a"),
    ({"id": ["a", "c", "x"]}, "ac"),
    ({"id": {"in": ["a"]}}, "a"),
    ({"id": []}, ""),
    ({"id": {"in": []}}, ""),
    ({"id": None}, ""),
    ({"id": {"ne": "a"}}, "bcd"),
    ({"id": {"ne": None}}, "abcd"),
    ({"id": {"gte": "b", "lt": "d"}}, "bc"),
    ({"id": {"contains": "B"}}, "b"),
    ({"id": {"icontains": "%"}}, ""),
    ({"id": "*"}, "abcd"),
    ({"id": ["a", "*"]}, "abcd"),
    ({"id": {"gte": "*"}}, "abcd"),
    ({"id": "a", "workspace_id": "w"}, "a"),
    ({"id": "a", "workspace_id": "other"}, ""),
    ({"AND": [{"id": ["a", "b"]}, {"id": ["b", "c"]}]}, "b"),
    ({"OR": [{"id": "a"}, {"id": "d"}]}, "ad"),
    ({"NOT": [{"id": "a"}, {"id": "b"}]}, "cd"),
    ({"OR": [{"AND": []}, {"id": "a"}]}, "a"),
    ({"OR": [{"id": "*"}, {"id": "a"}]}, "a"),
    ({"OR": [{"id": "*"}]}, "abcd"),
    ({"NOT": [{"id": "*"}]}, "abcd"),
    ({"AND": [], "OR": [], "NOT": []}, "abcd"),
    ({"AND": [{"OR": [{"NOT": [{"AND": [{"OR": [{"id": "a"}]}]}]}]}]}, "bcd"),
    ({"created_at": {"gte": "2026-01-01T12:01:00Z"}}, "bcd"),
    ({"created_at": {"gt": "2026-01-01 12:01", "lte": "2026-01-01T12:02"}}, "c"),
    ({"created_at": {"gt": " 20260101 "}}, "abcd"),
    ({"created_at": "2026-01-01T17:00:00+05:00"}, "a"),
    ({"created_at": {"lt": "2026-01-01"}}, ""),
]


async def test_peers_are_filtered(peers):
    for filters, found in NARROWED:
        answer = await peers.post("/w/peers/list", {"filters": filters})
        assert "".join(ids(answer)) == found, filters


REFUSED = [
    ({"nope": 1}, "Column 'nope' is not allowed to be filtered on or does not"),
    ({"name": "a"}, "does not exist on Peer"),
    ({"OR": [{"id": "a"}, {"nope": 1}]}, "Column 'nope'"),
    ({"and": []}, "Column 'and'"),
    ({"is_active": True}, "Column 'is_active' does not exist on Peer"),
    ({"metadata": {"a": 1}}, "not supported yet"),
    ({"id": 5}, "Invalid value for column 'id': expected a string, got int"),
    ({"id": True}, "expected a string, got bool"),
    ({"id": [5]}, "expected a string, got int"),
    ({"id": {}}, "unsupported operator(s) []"),
    ({"id": {"like": "a"}}, "unsupported operator(s) ['like']"),
    ({"id": {"in": "a"}}, "Expected an iterable (list, tuple, set), got str"),
    ({"id": {"gte": None}}, "Operator 'gte' does not accept null"),
    ({"id": {"contains": None}}, "Operator 'contains' does not accept null"),
    ({"id": {"gt": ["a"]}}, "expected a string, got list"),
    ({"id": "a\0"}, "NUL"),
    ({"created_at": 5}, "expected a datetime, got int"),
    ({"created_at": "2024-01-01'; DROP TABLE peer"}, "Invalid datetime value"),
    ({"created_at": "0001-01-01T00:00:00+14:00"}, "Invalid datetime value"),
    ({"created_at": {"contains": "x"}}, "requires a text column"),
    ({"AND": "x"}, "AND operator must contain a list, got str"),
    ({"NOT": None}, "NOT operator cannot be None"),
    ({"OR": ["x"]}, "Invalid filter configuration"),
    (
        {"AND": [{"OR": [{"NOT": [{"AND": [{"OR": [{"AND": []}]}]}]}]}]},
        "Filter nesting exceeds maximum depth of 5",
    ),
]


async def test_what_is_no_filter_is_refused_with_its_reason(peers):
    for filters, text in REFUSED:
        refused = await peers.post("/w/peers/list", {"filters": filters})
        assert refused.status_code == 422, filters
        assert text in refused.json()["detail"]


async def test_a_lone_surrogate_is_refused(peers):
    for filters in (b'{"id": "\\ud800"}', b'{"\\ud800": 1}'):
        refused = await peers.http.post(
            "/v3/workspaces/w/peers/list",
            content=b'{"filters": ' + filters + b"}",
            headers={"content-type": "application/json"},
        )
        assert refused.status_code == 422


HELD = [
    ({"session_id": None}, "loose"),
    ({"session_id": {"ne": None}}, "derived held here"),
    ({"session_id": {"ne": "t"}}, "derived here loose"),
    ({"NOT": [{"session_id": "t"}]}, "derived here loose"),
    ({"session_id": ["s"]}, "derived here"),
    ({"session_id": "unknown"}, ""),
    ({"observer_id": "bob"}, "held"),
    ({"observer": "alice", "observed_id": "alice"}, "derived here loose"),
    ({"level": "deductive"}, "derived"),
    ({"level": ["deductive", "inductive"]}, "derived"),
    ({"level": {"ne": "explicit"}}, "derived"),
    ({"times_derived": {"gte": "1", "lt": 1.5}}, "derived held here loose"),
    ({"times_derived": 2}, ""),
    ({"content": {"contains": "HERE"}}, "here"),
    ({"id": {"in": ["here", "loose"]}}, "here loose"),
]


async def test_conclusions_are_filtered(ask):
    await ask.happened(
        concluded("here", "fact here"),
        concluded("loose", "fact of no session", session=None),
        concluded("held", "fact of bob's", session="t", observer="bob"),
        concluded("derived", "it follows", level="deductive"),
    )
    for filters, found in HELD:
        answer = await ask.post("/w/conclusions/list", {"filters": filters})
        assert sorted(ids(answer)) == found.split(), filters
    refused = await ask.post("/w/conclusions/list", {"filters": {"level": "bogus"}})
    assert "Invalid value for column 'level'" in refused.json()["detail"]
    refused = await ask.post("/w/conclusions/list", {"filters": {"embedding": 1}})
    assert refused.status_code == 422


async def test_a_list_adds_its_own_condition_to_the_callers(ask):
    await ask.happened(session("s"), session("t"), said(1, "a b"), said(2, "c"))
    path = "/w/sessions/s/messages/list"
    assert ids(await ask.post(path, {"filters": {"session_id": "t"}})) == []
    found = await ask.post(path, {"filters": {"token_count": {"gt": 1}}})
    assert ids(found) == ["s-1"]
    assert found.json()["total"] == 1
    path = "/w/sessions/list"
    assert ids(await ask.post(path, {"filters": {"is_active": False}})) == []
    assert ids(await ask.post(path, {"filters": {"id": "t", "is_active": True}})) == [
        "t"
    ]
    refused = await ask.post(path, {"filters": {"is_active": "true"}})
    assert "expected true or false, got str" in refused.json()["detail"]
