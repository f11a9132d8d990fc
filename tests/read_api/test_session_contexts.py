"""A session's context fits its budget and knows whom it was asked about."""

import pytest

from domain.scope import ScopeCreated, SessionAddedToScope, SessionRemovedFromScope
from domain.session import PeerLeft
from tests.read_api.conftest import asking_of, ids
from tests.support.story import (
    NOON,
    card,
    concluded,
    joined,
    peer,
    said,
    session,
    summed_up,
)

PATH = "/w/sessions/s/context"


async def context(ask, path=PATH, **query):
    found = await ask.get(path, **query)
    assert found.status_code == 200, found.text
    return found.json()


def spoken(found):
    return [each["id"] for each in found["messages"]]


@pytest.fixture
async def talk(ask):
    await ask.happened(
        peer("alice"),
        peer("bob"),
        session("s"),
        joined("s", "alice"),
        *(said(n, "word " * 10, tokens=10) for n in range(1, 31)),
        concluded("a", "Alice drinks tea"),
        concluded("b", "Alice plays chess", session="t"),
        card("alice", "alice", "likes tea", "is kind"),
        summed_up("short", 20, 5),
    )
    return ask


async def test_without_a_target_it_is_summary_and_messages(talk):
    found = await context(talk)
    assert found["id"] == "s"
    assert found["peer_representation"] is None
    assert found["peer_card"] is None
    assert spoken(found) == [f"s-{n}" for n in range(20, 31)]
    assert found["summary"] == {
        "content": "the short story",
        "message_id": "s-20",
        "summary_type": "honcho_chat_summary_short",
        "created_at": "2026-01-01T12:00:00Z",
        "token_count": 5,
    }


async def test_the_budget_is_kept_from_the_newest_back(talk):
    assert spoken(await context(talk, tokens=25)) == ["s-29", "s-30"]
    assert (await context(talk, tokens=12))["summary"] is None
    assert spoken(await context(talk, tokens=12)) == ["s-30"]
    assert spoken(await context(talk, tokens=9)) == []
    found = await context(talk, summary="false", tokens=1000)
    assert (len(found["messages"]), found["summary"]) == (30, None)
    for tokens in (0, -7):
        found = await context(talk, tokens=tokens)
        assert (found["messages"], found["summary"]) == ([], None)
    assert (await talk.get(PATH, tokens=100_001)).status_code == 422


async def test_the_longer_summary_wins_where_it_fits(talk):
    await talk.happened(summed_up("long", 25, 15))
    found = await context(talk)
    assert found["summary"]["summary_type"] == "honcho_chat_summary_long"
    assert spoken(found)[0] == "s-25"
    assert (await context(talk, tokens=37))["summary"]["token_count"] == 5
    both = (await talk.get("/w/sessions/s/summaries")).json()
    assert both["id"] == "s"
    assert both["short_summary"]["message_id"] == "s-20"
    assert both["long_summary"]["message_id"] == "s-25"


async def test_a_target_is_represented_and_its_cost_is_taken_off(talk):
    found = await context(talk, peer_target="alice")
    assert "drinks tea" in found["peer_representation"]
    assert "plays chess" in found["peer_representation"]
    assert found["peer_card"] == ["likes tea", "is kind"]
    # Words: 4 headings, 2 lines of "1.", date, time and three words, 4 of the card.
    cost = 4 + 2 * 6 + 4
    assert spoken(await context(talk, peer_target="alice", tokens=cost + 10)) == [
        "s-30"
    ]
    assert spoken(await context(talk, peer_target="alice", tokens=cost + 9)) == []


async def test_confined_to_the_session_the_card_is_left_out(talk):
    for query in ({"limit_to_session": "true"}, {"sessions": ["s", "other"]}):
        found = await context(talk, peer_target="alice", **query)
        assert "drinks tea" in found["peer_representation"]
        assert "plays chess" not in found["peer_representation"]
        assert found["peer_card"] is None


async def test_a_perspective_sees_what_it_holds(talk):
    await talk.happened(concluded("h", "Alice owes bob", observer="bob"))
    found = await context(talk, peer_target="alice", peer_perspective="bob")
    assert found["peer_representation"].count("Alice") == 1
    assert found["peer_card"] is None


async def seen_by(ask, peer, **query):
    """The summary a peer is given, by its last message, and the first message."""
    query |= {"peer_target": "alice", "limit_to_session": "true"}
    found = await context(ask, peer_perspective=peer, **query)
    summary = found["summary"]
    return summary and summary["message_id"], spoken(found)[0]


async def test_who_heard_nothing_of_it_is_given_no_summary(talk):
    """RS 14 item 18; messages are as without it, with all of the room (HC 6.5)."""
    await talk.happened(joined("s", "bob"))
    assert await seen_by(talk, "alice") == ("s-20", "s-20")
    assert await seen_by(talk, "bob") == (None, "s-1")
    assert await seen_by(talk, "stranger") == (None, "s-1")
    # Four headings cost four; five more, as the summary has, and seven would fit.
    assert await seen_by(talk, "bob", tokens="84") == (None, "s-23")
    await talk.happened(
        *(said(n, "word", author="bob") for n in range(31, 41)),
        summed_up("short", 40, 5, from_seq=21, parent="short-20"),
    )
    assert await seen_by(talk, "bob") == ("s-40", "s-40")
    before = talk.views.position - 1
    assert await seen_by(talk, "bob", as_of=before) == (None, "s-1")


async def test_who_left_is_told_up_to_its_leaving(talk):
    at = {"workspace": "w", "session": "s", "left_at": NOON}
    await talk.happened(
        joined("s", "bob"),
        *(said(n, "word", author="bob") for n in range(31, 41)),
        summed_up("short", 40, 5, from_seq=21, parent="short-20"),
        PeerLeft(peer="bob", **at),
        PeerLeft(peer="alice", **at),
        *(said(n, "word", author="cy") for n in range(41, 61)),
        summed_up("short", 60, 5, from_seq=41, parent="short-40"),
        summed_up("long", 60, 9),
    )
    for gone in ("alice", "bob"):
        assert await seen_by(talk, gone) == ("s-40", "s-40")
    assert (await context(talk))["summary"]["message_id"] == "s-60"
    await talk.happened(joined("s", "bob"))
    assert await seen_by(talk, "bob") == ("s-60", "s-60")


async def test_a_scope_is_given_summaries_of_the_sessions_it_holds(talk):
    named = {"workspace": "w", "session": "s", "scope": "x"}
    hidden = ScopeCreated(workspace="w", peer="scope.x", uid="u", created_at=NOON)
    query = {"peer_target": "alice", "scope": "x"}
    await talk.happened(hidden)
    assert (await context(talk, **query))["summary"] is None
    await talk.happened(SessionAddedToScope(**named, joined_at=NOON))
    assert (await context(talk, **query))["summary"]["message_id"] == "s-20"
    await talk.happened(SessionRemovedFromScope(**named, left_at=NOON))
    assert (await context(talk, **query))["summary"] is None


async def test_an_unknown_session_is_empty_and_an_unknown_observer_404(talk):
    found = await context(talk, "/w/sessions/nope/context")
    assert found == {
        "id": "nope",
        "messages": [],
        "summary": None,
        "peer_representation": None,
        "peer_card": None,
    }
    missing = await talk.get(PATH, peer_target="ghost")
    assert missing.status_code == 404
    assert missing.json()["detail"] == "Peer ghost not found in workspace w"
    found = await context(talk, peer_target="ghost", limit_to_session="true")
    assert found["peer_representation"] == ""
    both = (await talk.get("/w/sessions/nope/summaries")).json()
    assert both == {"id": "nope", "short_summary": None, "long_summary": None}


REFUSED = [
    (
        {"peer_perspective": "bob"},
        422,
        "peer_target must be provided if peer_perspective is provided",
    ),
    (
        {"scope": "x"},
        422,
        "peer_target must be provided if scope is provided",
    ),
    (
        {"sessions": "s"},
        422,
        "peer_target must be provided if sessions is provided",
    ),
    (
        {"peer_target": "alice", "scope": "x", "peer_perspective": "bob"},
        422,
        "`scope` and `peer_perspective` are mutually exclusive",
    ),
    (
        {"peer_target": "alice", "scope": "x", "sessions": "s"},
        422,
        "`sessions` and `scope` are mutually exclusive",
    ),
    (
        {"peer_target": "alice", "sessions": "s", "limit_to_session": "true"},
        422,
        "`sessions` and `limit_to_session` are mutually exclusive",
    ),
    (
        {"peer_target": "alice", "sessions": "t"},
        422,
        "session_id must be included in sessions",
    ),
    ({"peer_target": "alice", "sessions": ["s", "*"]}, 422, "Invalid session id"),
    ({"peer_target": "scope.x"}, 422, "reserved scope namespace"),
    ({"peer_target": "alice", "scope": "x"}, 404, "Scope x not found"),
    ({"peer_target": "alice", "peer_perspective": "ghost"}, 404, "Peer ghost"),
]


async def test_options_that_do_not_go_together_are_refused(talk):
    for query, status, reason in REFUSED:
        refused = await talk.get(PATH, **query)
        assert refused.status_code == status
        assert reason in refused.json()["detail"]


async def test_search_options_without_a_target_are_ignored(talk):
    await context(talk, search_query="word " * 9000)
    assert talk.embedder.asked == []
    found = await context(talk, peer_target="alice", search_query="tea", search_top_k=1)
    assert "drinks tea" in found["peer_representation"]
    assert talk.embedder.asked == ["tea"]
    assert ids(await talk.post("/w/sessions/s/messages/list", size=1)) == ["s-1"]


async def test_a_setting_caps_the_budget(database):
    async with asking_of(database, context_max_tokens=15) as ask:
        await ask.happened(*(said(n, "word", tokens=10) for n in range(1, 4)))
        assert spoken(await context(ask)) == ["s-3"]
        assert spoken(await context(ask, tokens=15)) == ["s-3"]
        refused = await ask.get(PATH, tokens=16)
        assert refused.json()["detail"][0]["type"] == "less_than_equal"
