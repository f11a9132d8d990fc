"""A read as of a moment shows it: which moments there are, and how answers say so."""

import re

import pytest
from litestar.handlers import HTTPRouteHandler

from domain.conclusion import ConclusionRetracted
from read_api.moment import PresentQuery, ReadQuery
from read_api.routes import read_routes
from tests.read_api.conftest import FoldedTo, ids
from tests.support.reads import reads
from tests.support.story import (
    at,
    concluded,
    joined,
    peer,
    said,
    session,
    workspace,
)

NO_HISTORY = {"get_queue_status", "list_dreams"}
"""The reads that cannot be asked of the past: what they count keeps no history."""

BEFORE_ALL = "2025-12-31T23:59:59Z"
HALF_PAST_FIVE = "2026-01-01T00:00:05.5Z"
TO_COME = "2999-01-01T00:00:00Z"


def retracted(name):
    return ConclusionRetracted(
        workspace="w", session="s", id=name, reason="deleted", actor="client"
    )


async def told(ask):
    """Tell of alice at the positions 4, 5 and 6."""
    await ask.happened(
        workspace(),
        peer("alice"),
        session("s"),
        concluded("c1", "Alice likes tea"),
        concluded("c2", "Alice likes rain"),
        concluded("c3", "Alice likes maps"),
    )


async def known(ask, **query):
    """What is known of alice, and at which position."""
    listed = await ask.post("/w/conclusions/list", {}, **query)
    represented = await ask.post("/w/peers/alice/representation", {}, **query)
    assert represented.status_code == 200, represented.text
    text = represented.json()["representation"]
    told = [text.count(each) for each in ("tea", "rain", "maps")]
    assert represented.headers["x-position"] == listed.headers["x-position"]
    return sorted(ids(listed)), told, int(listed.headers["x-position"])


async def test_a_position_is_read_at_whatever_came_later(ask):
    await told(ask)
    assert await known(ask) == (["c1", "c2", "c3"], [1, 1, 1], 6)
    assert await known(ask, as_of=6) == (["c1", "c2", "c3"], [1, 1, 1], 6)
    assert await known(ask, as_of=5) == (["c1", "c2"], [1, 1, 0], 5)
    assert await known(ask, as_of=4) == (["c1"], [1, 0, 0], 4)
    assert await known(ask, as_of=3) == ([], [0, 0, 0], 3)
    assert await known(ask, as_of=0) == ([], [0, 0, 0], 0)


async def test_a_time_is_the_last_position_recorded_by_then(ask):
    await told(ask)
    assert await known(ask, as_of=HALF_PAST_FIVE) == (["c1", "c2"], [1, 1, 0], 5)
    assert await known(ask, as_of=BEFORE_ALL) == ([], [0, 0, 0], 0)
    assert await known(ask, as_of=TO_COME) == (["c1", "c2", "c3"], [1, 1, 1], 6)


async def test_what_the_log_has_and_the_views_not_yet_is_waited_for(ask):
    await told(ask)
    ask.views.position, ask.views.on_the_way = 3, 6
    assert await known(ask, as_of=4) == (["c1"], [1, 0, 0], 4)
    ask.views.position, ask.views.on_the_way = 3, None

    async def head():
        return 6

    ask.views.head = head
    late = await ask.post("/w/conclusions/list", {}, as_of=5)
    assert late.status_code == 504
    assert late.json() == {"detail": "The views have not reached position 5"}
    stale = await ask.post("/w/conclusions/list", {}, as_of=5, allow_stale="true")
    assert stale.status_code == 200
    assert (stale.headers["x-position"], stale.headers["x-stale"]) == ("3", "true")


SEARCHES = (
    ("/w/search", {"query": "tea"}, {}),
    ("/w/sessions/s/search", {"query": "tea"}, {}),
    ("/w/peers/alice/search", {"query": "tea"}, {}),
    ("/w/peers/alice/representation", {"search_query": "tea"}, {}),
    ("/w/peers/alice/context", None, {"search_query": "tea"}),
    (
        "/w/sessions/s/context",
        None,
        {"search_query": "tea", "peer_target": "alice"},
    ),
    (
        "/w/conclusions/query",
        {"query": "tea", "filters": {"observer": "alice", "observed": "alice"}},
        {},
    ),
)


@pytest.mark.parametrize(("path", "body", "own"), SEARCHES)
async def test_a_search_of_the_past_waits_for_its_vectors(ask, path, body, own):
    """Else it is answered without them, and otherwise when it is asked again."""
    await told(ask)
    ask.embedder.angles = {"tea": 0}
    ask.views.vectors = lagging = FoldedTo()
    lagging.position = 4

    async def search(**query):
        if body is None:
            return await ask.get(path, **own, **query)
        return await ask.post(path, body, **own, **query)

    late = await search(as_of=5)
    assert (late.status_code, late.json()) == (
        504,
        {"detail": "The views have not reached position 5"},
    )
    stale = await search(as_of=5, allow_stale="true")
    assert (stale.headers["x-position"], stale.headers["x-stale"]) == ("4", "true")
    assert (await search(as_of=4)).status_code == 200
    assert (await search()).headers["x-position"] == "6"
    lagging.on_the_way = 5
    there = await search(as_of=5)
    assert (there.status_code, there.headers["x-position"]) == (200, "5")


async def test_what_searches_nothing_waits_for_no_vectors(ask):
    await told(ask)
    ask.views.vectors = FoldedTo()
    assert await known(ask, as_of=5) == (["c1", "c2"], [1, 1, 0], 5)
    assert (await ask.post("/w/search", {"query": ""}, as_of=5)).status_code == 200


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({"as_of": 7}, "as_of 7 is beyond the log, which ends at 6"),
        (
            {"as_of": 4, "min_position": 5},
            "min_position 5 is after as_of, position 4",
        ),
        (
            {"as_of": BEFORE_ALL, "min_position": 1},
            "min_position 1 is after as_of, position 0",
        ),
    ],
)
async def test_a_moment_that_is_none_is_refused(ask, query, detail):
    await told(ask)
    found = await ask.post("/w/conclusions/list", {}, **query)
    assert (found.status_code, found.json()) == (422, {"detail": detail})


@pytest.mark.parametrize("moment", ["", "yesterday", "-1", "2026-01-01T00:00:05"])
async def test_what_is_no_moment_is_refused_where_it_was_said(ask, moment):
    found = await ask.post("/w/conclusions/list", {}, as_of=moment)
    assert found.status_code == 422
    [item] = found.json()["detail"]
    assert item["loc"] == ["query", "as_of"]
    assert "RFC 3339 time with its offset" in item["msg"]


async def test_what_has_no_history_says_so_and_these_are_all(ask):
    reads = {
        handler.handler_name: handler
        for route in read_routes().routes
        for handler in route.route_handlers
        if isinstance(handler, HTTPRouteHandler)
        and "OPTIONS" not in handler.http_methods
    }
    without = {
        name
        for name, handler in reads.items()
        if not issubclass(handler.opt["query"], ReadQuery)
    }
    assert without == NO_HISTORY
    assert all(issubclass(each.opt["query"], PresentQuery) for each in reads.values())
    found = await ask.get("/w/queue/status", as_of="3")
    assert found.status_code == 422
    [item] = found.json()["detail"]
    assert item["loc"] == ["query", "as_of"]
    assert item["msg"].endswith("no history: it can only be read as it is now")


def test_every_read_of_the_past_is_under_the_law():
    """That of ``tests/properties/test_as_of.py``, of what ``reads`` asks."""
    asked = [
        ("GET" if body is None else "POST", f"/v3/workspaces{path}")
        for path, body, _ in reads(["s-1"], ["c1"], ["u1"], ["q1"])
    ]
    for route in read_routes().routes:
        for handler in route.route_handlers:
            if handler.handler_name in NO_HISTORY or "OPTIONS" in handler.http_methods:
                continue
            pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", route.path_format))
            assert any(
                method in handler.http_methods and pattern.fullmatch(path)
                for method, path in asked
            ), route.path_format


async def test_every_read_of_the_past_is_described(ask):
    document = (await ask.http.get("/openapi.json")).json()
    described = {
        operation["operationId"]: {each["name"] for each in operation["parameters"]}
        for path in document["paths"].values()
        for operation in path.values()
    }
    for name, parameters in described.items():
        if "min_position" in parameters:
            assert ("as_of" in parameters) == (name not in NO_HISTORY), name


async def test_words_are_as_rare_as_they_were(ask):
    """Green was rarer than tea, and is now the commoner of both."""
    texts = ("green leaf", "tea leaf", "tea cup", "tea pot")
    later = [f"green thing number {n}" for n in range(20)]
    said_so = [said(n, text) for n, text in enumerate([*texts, *later], start=1)]
    await ask.happened(workspace(), session("s"), *said_so)

    async def best(path, **query):
        body = {"query": "green tea", "filters": {"token_count": 2}}
        return ids(await ask.post(path, body, **query))[0]

    for path in ("/w/search", "/w/sessions/s/search", "/w/peers/alice/search"):
        assert await best(path, as_of=6) == "s-1"
        assert await best(path) != "s-1"


async def test_who_joined_anew_by_speaking_had_not_yet(ask):
    early = said(1, "I like tea", author="bob", created_at=at(1))
    spoke = said(2, "Me too", created_at=at(9), received_at=at(9))
    await ask.happened(workspace(), session("s"), joined("s", "alice"), early, spoke)
    body = {"query": "tea", "filters": {"peer_perspective": "alice"}}
    assert ids(await ask.post("/w/search", body, as_of=4)) == ["s-1"]
    assert ids(await ask.post("/w/search", body)) == []


async def test_what_is_nearest_is_chosen_of_what_was_held_and_had_a_vector(ask):
    await ask.happened(workspace(), peer("alice"), session("s"))
    await ask.happened(concluded("c1", "Alice likes tea"))
    without = ask.views.position
    await ask.point("conclusion", {"c1": 30})
    then = ask.views.position
    await ask.happened(concluded("c2", "Alice likes green tea"), retracted("c1"))
    await ask.point("conclusion", {"c2": 0})
    ask.embedder.angles = {"What does she drink?": 0}

    async def nearest(**query):
        pair = {"observer": "alice", "observed": "alice"}
        body = {"query": "What does she drink?", "top_k": 1, "filters": pair}
        found = ids(await ask.post("/w/conclusions/query", body, **query))
        chosen = {"search_query": "What does she drink?", "search_top_k": 1}
        path = "/w/peers/alice/representation"
        shown = await ask.post(path, {**chosen, "max_conclusions": 1}, **query)
        return found, shown.json()["representation"].partition("likes ")[2].strip()

    assert await nearest(as_of=without) == ([], "")
    assert await nearest(as_of=then) == (["c1"], "tea")
    assert await nearest() == (["c2"], "green tea")


async def test_of_the_past_the_nearest_are_found_whatever_an_index_leads_to(
    ask, monkeypatch
):
    """One by one, so that what came since changes nothing of the answer."""
    monkeypatch.setattr("projections.message_search.EXACT", 0)
    lines = [said(n, f"line number {n}") for n in range(1, 301)]
    await ask.happened(workspace(), session("s"), *lines)
    await ask.point("message", {each.id: each.seq / 2 for each in lines})
    ask.embedder.angles = {"tea": 0}
    database = await ask.pool.fetchval("SELECT current_database()")
    for setting in ("hnsw.ef_search = 1", "enable_sort = off", "enable_seqscan = off"):
        await ask.pool.execute(f'ALTER DATABASE "{database}" SET {setting}')
    await ask.pool.expire_connections()
    then = ids(await ask.post("/w/search", {"query": "tea"}, as_of=ask.views.position))
    assert len(then) == 10
    assert set(then) <= {f"s-{n}" for n in range(1, 13)}
