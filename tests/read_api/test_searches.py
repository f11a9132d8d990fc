"""Messages are searched in a workspace, of a peer and in a session."""

import pytest

from domain.session import PeerLeft
from tests.read_api.conftest import ids
from tests.support.story import at, joined, peer, said

PATHS = ("/w/search", "/w/peers/alice/search", "/w/sessions/s/search")


@pytest.fixture
async def talk(ask):
    await ask.happened(
        joined("s", "alice", joined_at=at(-60)),
        joined("s", "bob", joined_at=at(5)),
        PeerLeft(workspace="w", session="s", peer="bob", left_at=at(15)),
        said(1, "I have Math Homework", created_at=at(0)),
        said(2, "which homework?", author="bob", created_at=at(10)),
        said(3, "algebra", created_at=at(20)),
        said(1, "math is fun", session="t"),
    )
    return ask


async def test_each_level_finds_its_own_best_first(talk):
    found = ids(await talk.post("/w/search", {"query": "math homework"}))
    assert found[0] == "s-1"
    assert set(found) == {"s-1", "s-2", "s-3", "t-1"}
    found = ids(await talk.post("/w/peers/alice/search", {"query": "homework"}))
    assert set(found) == {"s-1"}
    found = ids(await talk.post("/w/sessions/s/search", {"query": "math"}))
    assert "t-1" not in found
    assert found[0] == "s-1"


async def test_the_result_is_a_bare_array_of_messages(talk):
    [found] = (await talk.post("/w/search", {"query": "fun"})).json()
    assert found["content"] == "math is fun"
    assert found["workspace_id"] == "w"


async def test_meaning_is_searched_once_there_are_vectors(talk):
    talk.embedder.angles["numbers"] = 90
    await talk.point("message", {"s-1": 0, "s-3": 88, "t-1": 10})
    found = await talk.post("/w/search", {"query": "numbers", "limit": 1})
    assert ids(found) == ["s-3"]


@pytest.mark.parametrize("path", PATHS)
async def test_an_empty_query_is_legal_and_gives_the_newest(talk, path):
    found = ids(await talk.post(path, {"query": "", "limit": 1}))
    assert len(found) == 1
    assert talk.embedder.asked == []


@pytest.mark.parametrize(
    "path",
    ["/nowhere/search", "/w/peers/nobody/search", "/w/sessions/none/search"],
)
async def test_an_unknown_place_holds_nothing(talk, path):
    for query in ("math", ""):
        assert (await talk.post(path, {"query": query})).json() == []


@pytest.mark.parametrize("path", PATHS)
async def test_limits_are_kept(talk, path):
    for limit in (0, 101, None, "x"):
        refused = await talk.post(path, {"query": "math", "limit": limit})
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["loc"] == ["body", "limit"]
    assert (await talk.post(path, {})).json()["detail"][0]["type"] == "missing"
    assert (await talk.post(path)).json()["detail"][0]["loc"] == ["body"]
    refused = await talk.post(path, {"query": "word " * 8193})
    assert refused.status_code == 422
    assert refused.json()["detail"] == "Query exceeds maximum token limit of 8192."


async def test_what_the_route_imposes_replaces_the_callers_filter(talk):
    own = {"session_id": "t", "workspace_id": "other"}
    found = await talk.post("/w/sessions/s/search", {"query": "math", "filters": own})
    assert ids(found)[0] == "s-1"
    nested = {"AND": [{"session_id": "t"}]}
    found = await talk.post(
        "/w/sessions/s/search", {"query": "math", "filters": nested}
    )
    assert ids(found) == []
    found = await talk.post(
        "/w/search", {"query": "math", "filters": {"session_id": "t"}}
    )
    assert ids(found) == ["t-1"]
    refused = await talk.post("/w/search", {"query": "x", "filters": {"id": "s-1"}})
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("peer", "found"),
    # Whoever says something has joined anew: alice last spoke at s-3.
    [("alice", {"s-3"}), ("bob", {"s-2"}), ("x", set()), (5, set())],
)
async def test_a_peer_finds_only_what_was_said_while_it_was_there(talk, peer, found):
    body = {"query": "", "filters": {"peer_perspective": peer}}
    assert set(ids(await talk.post("/w/search", body))) == found
    body = {"query": "", "filters": {"OR": [{"peer_perspective": peer}]}}
    assert (await talk.post("/w/search", body)).status_code == 422


async def test_a_scope_is_not_found_and_excludes_a_session_filter(talk):
    missing = await talk.post("/w/search", {"query": "x", "scope": "team"})
    assert missing.status_code == 404
    assert missing.json()["detail"] == "Scope team not found in workspace w"
    refused = await talk.post("/w/search", {"query": "x", "scope": "a.b"})
    assert refused.status_code == 422
    body = {"query": "x", "scope": "team", "filters": {"session_id": "s"}}
    refused = await talk.post("/w/search", body)
    assert "mutually exclusive" in refused.json()["detail"]


@pytest.mark.parametrize("path", [*PATHS, "/w/conclusions/query"])
async def test_a_question_that_is_no_text_is_refused(talk, path):
    refused = await talk.http.post(
        f"/v3/workspaces{path}",
        content=b'{"query": "\\ud800", "filters": {"observer": "a", "observed": "b"}}',
        headers={"content-type": "application/json"},
    )
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", "query"]


async def test_a_reranker_reads_the_best_and_has_the_last_word(ask):
    await ask.happened(
        peer("alice"), *(said(9 * n, f"tea {'very ' * n}hot {n}") for n in range(1, 8))
    )
    before = ids(await ask.post("/w/search", {"query": "tea", "limit": 7}))
    assert ask.reranker.read == []
    ask.reranker.depth, ask.reranker.likes = 4, ["hot 2", "hot 3"]
    found = await ask.post("/w/search", {"query": "tea", "limit": 2})
    assert found.headers["x-reranked"] == "true"
    assert [len(each) for each in ask.reranker.read] == [4]
    assert ask.reranker.read[0][0].startswith("alice: tea")
    liked = [each for each in before[:4] if each in {"s-18", "s-27"}]
    assert ids(found) == [*liked, *(e for e in before[:4] if e not in liked)][:2]
    found = await ask.post("/w/search", {"query": "tea", "limit": 7})
    assert ids(found)[4:] == before[4:]


async def test_where_the_reranker_is_away_the_order_stays_and_says_so(ask):
    await ask.happened(peer("alice"), said(1, "tea"), said(9, "tea and milk"))
    before = ids(await ask.post("/w/search", {"query": "tea"}))
    ask.reranker.depth, ask.reranker.away = 50, True
    found = await ask.post("/w/search", {"query": "tea"})
    assert (ids(found), found.headers["x-reranked"]) == (before, "false")
    nothing = await ask.post("/w/search", {"query": " "})
    assert "x-reranked" not in nothing.headers
