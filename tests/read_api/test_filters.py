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
    ({"workspace_id": 5}, "expected a string, got int"),
    ({"peer_id": "a"}, "Column 'peer_id' does not exist on Peer"),
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


# HC 3.7, four peers a, b, c, d; then the forms of HC 3.5 one by one.
METADATA = {
    "a": {"role": "admin", "level": 5, "active": True, "n": None},
    "b": {"role": "user", "level": "7", "active": False},
    "c": {"role": {"k": 1}},
    "d": {},
    "e": {"tags": ["x", "y"], "deep": {"a": {"b": [1, 2]}, "c": 1}, "level": "high"},
    "f": {"when": "2026-02-01", "level": 5.0, "big": "1e999", "in": 1, "role": [1]},
}
REFERENCE = [
    ({"metadata": {"role": {}}}, "c"),
    ({"metadata": {"role": "*", "level": 5}}, "a"),
    ({"metadata": {"level": {"gte": 6}}}, "b"),
    ({"metadata": {"level": {"in": [5, "7"]}}}, "ab"),
    ({"metadata": {"level": "7"}}, "b"),
    ({"metadata": {"active": {"ne": False}}}, "a"),
    ({"metadata": {"n": None}}, "a"),
    ({"metadata": {"role": {"ne": "admin"}}}, "bc"),
    ({"NOT": [{"metadata": {"role": "admin"}}]}, "bcd"),
    ({"metadata": {"role": {"icontains": "DM"}}}, "a"),
    ({"id": {"gte": "b", "lt": "d"}}, "bc"),
    ({"OR": [{"AND": []}, {"id": "a"}]}, "a"),
    ({"NOT": [{"id": "*"}]}, "abcd"),
    ({"id": None}, ""),
    ({"id": {"in": []}}, ""),
]
FORMS = [
    ({"metadata": {}}, "abcdef"),
    ({"metadata": None}, ""),
    ({"metadata": "*"}, "abcdef"),
    ({"metadata": []}, ""),
    ({"metadata": ["a"]}, ""),
    ({"metadata": {"contains": {"role": "user"}}}, "b"),
    ({"metadata": {"contains": {}}}, "abcdef"),
    ({"metadata": {"contains": "*"}}, "abcdef"),
    ({"metadata": {"level": 5.0}}, "af"),
    ({"metadata": {"level": True}}, ""),
    ({"metadata": {"level": {"gte": "5"}}}, "abf"),
    ({"metadata": {"level": {"gt": 4.5, "lt": "6"}}}, "af"),
    ({"metadata": {"level": {"gte": "a"}}}, "e"),
    ({"metadata": {"level": {"ne": 5}}}, "be"),
    ({"metadata": {"level": {"ne": "7.0"}}}, "aef"),
    ({"metadata": {"level": {"in": []}}}, ""),
    ({"metadata": {"level": {"in": [5.0]}}}, "f"),
    ({"metadata": {"active": {"in": [True]}}}, ""),
    ({"metadata": {"level": {"contains": 5}}}, "af"),
    ({"metadata": {"big": {"gt": 10}}}, "f"),
    ({"metadata": {"big": {"gt": "1e998"}}}, "f"),
    ({"metadata": {"n": {"ne": 1}}}, ""),
    ({"metadata": {"when": {"gte": "2026-01-15", "lt": "2026-03"}}}, "f"),
    ({"metadata": {"tags": ["y", "x"]}}, "e"),
    ({"metadata": {"tags": []}}, "e"),
    ({"metadata": {"tags": "x"}}, ""),
    ({"metadata": {"tags": ["x", "*"]}}, "abcdef"),
    ({"metadata": {"tags": {"contains": "X"}}}, "e"),
    ({"metadata": {"deep": {"a": {"b": [2]}}}}, "e"),
    ({"metadata": {"deep": {"c": {"gte": 0}}}}, ""),
    ({"metadata": {"deep": {"contains": '"c": 1'}}}, "e"),
    ({"metadata": {"deep": {"unknown": 1}}}, ""),
    ({"metadata": {"role": {"gte": "*"}}}, "abcdef"),
    ({"metadata": {"AND": 1}}, ""),
    ({"OR": [{"metadata": {"role": "*"}}, {"id": "a"}]}, "a"),
    ({"NOT": [{"metadata": {"level": {"gte": 6}}}]}, "acdef"),
]


@pytest.fixture
async def annotated(ask):
    await ask.happened(
        workspace(),
        *(
            peer(name, created_at=at(number), metadata=metadata)
            for number, (name, metadata) in enumerate(METADATA.items())
        ),
    )
    return ask


async def test_the_reference_table_of_the_contract_holds(annotated):
    four = {"id": ["a", "b", "c", "d"]}
    for filters, found in REFERENCE:
        asked = {"filters": {"AND": [four, filters]}}
        answer = await annotated.post("/w/peers/list", asked)
        assert "".join(ids(answer)) == found, filters


async def test_every_form_of_a_metadata_condition_means_what_it_says(annotated):
    for filters, found in FORMS:
        answer = await annotated.post("/w/peers/list", {"filters": filters})
        assert "".join(ids(answer)) == found, filters


METADATA_REFUSED = [
    ({"metadata": {"a": {"gte": 1, "b": 2}}}, "Unsupported comparison operator: b"),
    ({"metadata": 5}, "column 'h_metadata': a JSONB column takes an object"),
    ({"metadata": {"gte": 5}}, "column 'h_metadata': a JSONB column takes an object"),
    ({"metadata": {"contains": "x"}}, "optionally under 'contains'"),
    ({"metadata": {"a": {"gte": None}}}, "Failed to build numeric comparison"),
    ({"metadata": {"a": {"lt": [1]}}}, "Failed to build numeric comparison condition"),
    ({"metadata": {"a": {"gt": True}}}, "Failed to build numeric comparison condition"),
    ({"metadata": {"a": {"ne": None}}}, "Operator 'ne' does not accept null"),
    ({"metadata": {"a": {"ne": [1]}}}, "got list"),
    ({"metadata": {"a": {"contains": None}}}, "'contains' does not accept null"),
    ({"metadata": {"a": {"contains": {}}}}, "got dict"),
    ({"metadata": {"a": {"in": "x"}}}, "Expected an iterable (list, tuple, set)"),
    ({"metadata": {"a": "\0"}}, "NUL cannot be stored"),
    ({"metadata": {"a\0": 1}}, "NUL cannot be stored"),
    ({"metadata": {"a": {"gte": "\0"}}}, "NUL cannot be stored"),
]


async def test_what_metadata_cannot_answer_is_refused_with_its_reason(annotated):
    for filters, text in METADATA_REFUSED:
        refused = await annotated.post("/w/peers/list", {"filters": filters})
        assert refused.status_code == 422, filters
        assert text in refused.json()["detail"], filters


HUGE = [
    "1e400",
    "-1e400",
    "9" * 4_000,
    "1e308",
    "[" * 900 + "]" * 900,
    '"' + "9" * 200_000 + '"',
    '"1e999"',
    '"1e9999999"',
    '"٣"',
    '"NaN"',
    '"0x10"',
    '"1_000"',
]


async def test_nothing_is_too_large_or_too_odd_to_be_answered(annotated):
    shapes = [
        '{"metadata": {"level": %s}}',
        '{"metadata": {"level": {"gte": %s}}}',
        '{"metadata": {"level": {"ne": %s}}}',
        '{"metadata": {"big": {"lt": %s}}}',
        '{"metadata": {"level": {"in": [%s]}}}',
        '{"metadata": {"level": {"contains": %s}}}',
        '{"metadata": %s}',
        '{"id": %s}',
        '{"created_at": {"gte": %s}}',
        '{"token_count": {"gte": %s}}',
        '{"token_count": %s}',
    ]
    for path in ("/w/peers/list", "/w/sessions/s/messages/list"):
        for shape in shapes:
            for value in HUGE:
                answer = await annotated.http.post(
                    f"/v3/workspaces{path}",
                    content=b'{"filters": %s}' % (shape % value).encode(),
                    headers={"content-type": "application/json"},
                )
                assert answer.status_code in {200, 422}, (shape, value[:20])


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
    ({"source_ids": {"contains": "here"}}, "derived"),
    ({"source_ids": {"contains": ["here", "held"]}}, "derived"),
    ({"source_ids": {"contains": ["here", "loose"]}}, ""),
    ({"source_ids": {"contains": "*"}}, "derived held here loose"),
    ({"source_ids": ["*"]}, "derived held here loose"),
    ({"source_ids": None}, "held here loose"),
    ({"source_ids": {"ne": None}}, "derived"),
    ({"deleted_at": None}, "derived held here loose"),
    ({"deleted_at": {"gte": "2020-01-01"}}, ""),
    ({"sync_state": "synced"}, "derived held here loose"),
    ({"sync_state": ["pending", "failed"]}, ""),
    ({"metadata": {"a": 1}}, ""),
    ({"NOT": [{"internal_metadata": {"a": {"gte": 1}}}]}, "derived held here loose"),
    ({"workspace_name": "w", "session_name": "t"}, "held"),
    ({"times_derived": True}, "derived held here loose"),
    ({"times_derived": "1e0"}, "derived held here loose"),
]


async def test_conclusions_are_filtered(ask):
    await ask.happened(
        concluded("here", "fact here"),
        concluded("loose", "fact of no session", session=None),
        concluded("held", "fact of bob's", session="t", observer="bob"),
        concluded("derived", "it follows", level="deductive", sources=("here", "held")),
    )
    for filters, found in HELD:
        answer = await ask.post("/w/conclusions/list", {"filters": filters})
        assert sorted(ids(answer)) == found.split(), filters
    refused = await ask.post("/w/conclusions/list", {"filters": {"level": "bogus"}})
    assert "Invalid value for column 'level'" in refused.json()["detail"]
    for filters, text in [
        ({"embedding": 1}, "Column 'embedding' cannot be filtered on"),
        ({"collection": 1}, "does not exist on Document"),
        ({"source_ids": "here"}, "Column 'source_ids' cannot be filtered on"),
        ({"source_ids": {"contains": 5}}, "expected a string, got int"),
        ({"source_ids": {"contains": None}}, "does not accept null"),
        ({"sync_state": "bogus"}, "Invalid value for column 'sync_state'"),
        ({"times_derived": "many"}, "expected a number, got str"),
        ({"internal_metadata": 5}, "column 'internal_metadata': a JSONB column"),
    ]:
        refused = await ask.post("/w/conclusions/list", {"filters": filters})
        assert refused.status_code == 422, filters
        assert text in refused.json()["detail"], filters


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
