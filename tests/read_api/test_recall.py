"""What is known of a peer: representation, card, context and conclusions asked for."""

import pytest

from tests.read_api.conftest import ids
from tests.support.story import card, concluded, joined, peer, session

REP = "/w/peers/alice/representation"


@pytest.fixture
async def known(ask):
    await ask.happened(
        *(peer(name) for name in ("alice", "bob")),
        session("s"),
        joined("s", "bob", observe_others=True),
        concluded("a", "Alice drinks tea"),
        concluded("b", "Alice plays chess", session="t"),
        concluded("d", "Alice is calm", level="deductive"),
        concluded("h", "Alice owes bob a coffee", observer="bob"),
        card("alice", "alice", "likes tea", "is kind"),
        card("bob", "alice", "owes coffee"),
    )
    return ask


async def text(ask, body=None, path=REP):
    found = await ask.post(path, body or {})
    assert found.status_code == 200, found.text
    return found.json()["representation"]


async def test_a_representation_is_markdown_of_what_is_known(known):
    line = "[2026-01-01 12:00:00] "
    assert await text(known) == (
        f"## Explicit Observations\n\n{line}Alice drinks tea\n"
        f"{line}Alice plays chess\n\n"
        f"## Deductive Observations\n\n{line}Alice is calm\n\n\n"
    )
    held = await text(known, {"target": "alice"}, "/w/peers/bob/representation")
    assert "owes bob" in held
    assert "drinks tea" in held


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere/peers/alice/representation",
        "/w/peers/nobody/representation",
        "/w/peers/%00/representation",
    ],
)
async def test_of_the_unknown_nothing_is_known(known, path):
    assert await text(known, {}, path) == ""
    assert await text(known, {"target": "nobody"}) == ""
    assert await text(known, {"session_id": "unknown"}) == ""


async def test_a_name_with_nul_is_nobodys(known):
    assert "drinks tea" in await text(known, {"session_id": "s"})
    assert await text(known, {"session_id": "s\0"}) == ""
    assert await text(known, {"target": "al\0ice"}) == ""


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ({"session_id": "s"}, ["drinks tea"]),
        ({"filters": {"session_id": ["s", "t", "s"]}}, ["drinks tea", "plays chess"]),
        ({"filters": {"session_id": {"in": ["t"]}}}, ["plays chess"]),
        ({"filters": {"session_id": ["s", "t"]}, "session_id": "t"}, ["plays chess"]),
        ({"filters": {"session_id": []}}, []),
    ],
)
async def test_sessions_may_confine_it(known, options, lines):
    told = await text(known, options)
    assert [
        line.rpartition("Alice ")[2] for line in told.splitlines()[2:] if line
    ] == lines


REFUSED = [
    ({"filters": {}}, "filters must contain 'session_id'"),
    ({"filters": {"peer_id": "a"}}, "Unsupported filter key(s)"),
    ({"filters": {"session_id": 5}}, "filters.session_id must be a session id"),
    ({"filters": {"session_id": {"in": "s"}}}, "must be a session id"),
    ({"filters": {"session_id": {"gte": "s"}}}, "must be a session id"),
    ({"filters": {"session_id": "*"}}, "Invalid session id in filters.session_id"),
    ({"filters": {"session_id": [""]}}, "Invalid session id"),
    ({"filters": {"session_id": [f"s{n}" for n in range(1001)]}}, "at most 1000"),
    ({"filters": {"session_id": "t"}, "session_id": "s"}, "must be included in"),
    ({"filters": {"session_id": "t"}, "scope": "x"}, "mutually exclusive"),
    ({"session_id": "t", "scope": "x"}, "mutually exclusive"),
    ({"target": "scope.x"}, "reserved scope namespace"),
    ({"search_query": "word " * 8193}, "maximum token limit of 8192"),
]


async def test_options_that_cannot_be_are_refused_with_the_contracts_words(known):
    for options, reason in REFUSED:
        refused = await known.post(REP, options)
        assert refused.status_code == 422
        assert reason in refused.json()["detail"]


async def test_boundary_values_are_accepted_and_what_lies_beyond_is_not(known):
    for options in (
        {"search_query": "tea", "search_top_k": 1, "search_max_distance": 0.0},
        {"search_query": "tea", "search_top_k": 100, "search_max_distance": 1.0},
        {"max_conclusions": 1},
        {"max_conclusions": None, "include_most_frequent": None},
    ):
        await text(known, options)
    for options in (
        {"search_top_k": 0},
        {"search_top_k": 101},
        {"search_max_distance": 1.1},
        {"max_conclusions": 0},
        {"max_conclusions": 101},
    ):
        assert (await known.post(REP, options)).status_code == 422
    assert (await known.post(REP)).status_code == 422
    missing = await known.post(REP, {"scope": ["team"]})
    assert missing.status_code == 404
    assert (await known.post(REP, {"scope": []})).status_code == 422


async def test_a_search_brings_what_is_near(known):
    known.embedder.angles["drinks"] = 0
    await known.point("conclusion", {"a": 5, "b": 90, "d": 170})
    options = {"search_query": "drinks", "search_top_k": 1, "max_conclusions": 1}
    assert "drinks tea" in await text(known, options)
    assert "plays" not in await text(known, options)
    far = {"search_query": "drinks", "search_max_distance": 0.0, "max_conclusions": 1}
    assert await text(known, far) == ""


async def test_a_card_is_read_for_the_peer_itself_or_a_target(known):
    async def entries(path, **query):
        return (await known.get(path, **query)).json()["peer_card"]

    assert await entries("/w/peers/alice/card") == ["likes tea", "is kind"]
    assert await entries("/w/peers/bob/card", target="alice") == ["owes coffee"]
    assert await entries("/w/peers/bob/card") is None
    assert await entries("/w/peers/bob/card", target="nobody") is None
    assert await entries("/w/peers/bob/card", target="") is None
    missing = await known.get("/w/peers/nobody/card")
    assert missing.status_code == 404
    assert missing.json()["detail"] == "Peer nobody not found in workspace w"


async def test_a_peers_context_is_its_representation_and_card(known):
    found = (await known.get("/w/peers/bob/context", target="alice")).json()
    assert (found["peer_id"], found["target_id"]) == ("bob", "alice")
    assert "owes bob" in found["representation"]
    assert found["peer_card"] == ["owes coffee"]
    nothing = (await known.get("/w/peers/bob/context", target="nobody")).json()
    assert (nothing["representation"], nothing["peer_card"]) == ("", None)
    assert (await known.get("/w/peers/nobody/context")).status_code == 404
    refused = await known.get("/w/peers/bob/context", target="scope.x")
    assert refused.status_code == 422
    refused = await known.get("/w/peers/bob/context", max_conclusions=101)
    assert refused.status_code == 422


async def test_conclusions_are_asked_by_distance(known):
    known.embedder.angles["drinks"] = 0
    await known.point("conclusion", {"a": 60, "b": 5, "d": 170})
    body = {
        "query": "drinks",
        "filters": {"observer_id": "alice", "observed": "alice"},
    }
    path = "/w/conclusions/query"
    assert ids(await known.post(path, body)) == ["b", "a", "d"]
    assert ids(await known.post(path, body | {"top_k": 1})) == ["b"]
    assert ids(await known.post(path, body | {"distance": 0.6})) == ["b", "a"]
    assert ids(await known.post(path, body | {"distance": 0})) == []
    explicit = {**body["filters"], "session_id": "s", "level": "explicit"}
    assert ids(await known.post(path, body | {"filters": explicit})) == ["a"]
    others = {"observer": "bob", "observed_id": "alice"}
    found = await known.post(path, body | {"filters": others})
    assert found.json()[0]["observer_id"] == "bob"


async def test_without_an_embedder_conclusions_cannot_be_asked(known):
    body = {"query": "q", "filters": {"observer": "alice", "observed": "alice"}}
    refused = await known.post("/w/conclusions/query", body)
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert "embed" in refused.json()["detail"]


@pytest.mark.parametrize(
    "filters", [None, {}, {"observer": "a"}, {"AND": [{"observer": "a"}]}]
)
async def test_a_conclusion_query_must_name_both_peers(known, filters):
    body = {"query": "q", "filters": filters}
    refused = await known.post("/w/conclusions/query", body)
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith(
        "observer and observed must be specified for semantic search."
    )
    pair = {"observer": "a", "observed": "b"}
    for wrong in ({"top_k": 0}, {"top_k": 101}, {"distance": 2}, {"query": None}):
        refused = await known.post(
            "/w/conclusions/query", {**body, "filters": pair} | wrong
        )
        assert refused.status_code == 422
