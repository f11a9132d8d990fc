"""Scopes as questions name them: what they come to, and how much they may hold."""

from datetime import timedelta

from domain.scope import ScopeCreated, SessionAddedToScope
from tests.read_api.conftest import ids
from tests.support.history import START
from tests.support.story import concluded, peer, session

REP = "/w/peers/alice/representation"


def scope(name):
    return ScopeCreated(
        workspace="w", peer=f"scope.{name}", uid=f"u-{name}", created_at=START
    )


def added(session_id, name, after=0):
    return SessionAddedToScope(
        workspace="w",
        session=session_id,
        scope=name,
        joined_at=START + timedelta(seconds=after),
    )


async def test_scopes_may_hold_a_thousand_sessions_together(ask):
    await ask.happened(
        peer("alice"),
        scope("a"),
        scope("b"),
        *(added(f"s{number}", "a") for number in range(1000)),
        added("s0", "b"),
    )
    assert (await ask.post(REP, {"scope": ["a", "b"]})).status_code == 200
    await ask.happened(added("one-more", "b"))
    refused = await ask.post(REP, {"scope": ["a", "b"]})
    assert (refused.status_code, refused.json()) == (
        422,
        {
            "detail": "The scopes' combined membership exceeds the maximum of 1000"
            " sessions per request"
        },
    )
    assert (await ask.post(REP, {"scope": "a"})).status_code == 200


async def test_only_what_was_said_in_its_sessions_is_seen_through_a_list(ask):
    await ask.happened(
        peer("alice"),
        scope("a"),
        session("s"),
        session("t"),
        added("s", "a"),
        concluded("c", "Alice drinks tea"),
        concluded("d", "Alice is calm", level="deductive"),
        concluded("e", "Alice plays chess", session="t"),
    )
    found = (await ask.post(REP, {"scope": ["a"]})).json()["representation"]
    assert "drinks tea" in found
    assert "calm" not in found
    assert "chess" not in found
    assert (await ask.post(REP, {"scope": "a"})).json()["representation"] == found


async def test_sessions_that_came_together_are_listed_by_name(ask):
    await ask.happened(
        scope("a"),
        *(session(each) for each in ("v", "u", "t", "s")),
        added("u", "a"),
        added("s", "a"),
        added("v", "a"),
        added("t", "a", after=1),
    )
    path = "/w/scopes/a/sessions/list"
    assert ids(await ask.post(path)) == ["s", "u", "v", "t"]
    assert ids(await ask.post(path, reverse=True)) == ["t", "v", "u", "s"]
    assert ids(await ask.post("/w/peers/scope.a/sessions")) == ["s", "t", "u", "v"]
