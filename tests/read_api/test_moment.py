"""A question is answered at a moment: never before the one it asks for."""

from domain.derivation import DerivationCompleted
from tests.support.story import ENGINE, peer, said, session, workspace

GETS = (
    "/w/sessions/s/peers",
    "/w/sessions/s/summaries",
    "/w/sessions/s/context",
    "/w/sessions/s/messages/s-1",
    "/w/peers/alice/card",
    "/w/peers/alice/context",
    "/w/queue/status",
)
POSTS = (
    "/list",
    "/w/peers/list",
    "/w/sessions/list",
    "/w/peers/alice/sessions",
    "/w/sessions/s/messages/list",
    "/w/conclusions/list",
    "/w/search",
    "/w/peers/alice/search",
    "/w/sessions/s/search",
    "/w/peers/alice/representation",
)


async def test_every_answer_says_its_position_and_waits_for_the_asked_one(ask):
    await ask.happened(workspace(), peer("alice"), session("s"), said(1, "hi"))

    async def answer(path, **query):
        if path in GETS:
            return await ask.get(path, **query)
        return await ask.post(path, {"query": "hi"}, **query)

    for path in (*GETS, *POSTS):
        ask.views.position, ask.views.on_the_way = 4, None
        found = await answer(path, min_position=4)
        assert found.status_code == 200, found.text
        assert found.headers["x-position"] == "4"
        late = await answer(path, min_position=5)
        assert late.status_code == 504
        assert late.json() == {"detail": "The views have not reached position 5"}
        ask.views.on_the_way = 7
        found = await answer(path, min_position=5)
        assert found.headers["x-position"] == "7"
        for wrong in (-1, "x", 2**63):
            assert (await answer(path, min_position=wrong)).status_code == 422


async def test_one_who_allows_it_is_shown_what_there_is_marked_as_stale(ask):
    await ask.happened(workspace())
    ask.views.position, ask.views.on_the_way = 4, None
    found = await ask.post("/list", {}, min_position=5, allow_stale="true")
    assert found.status_code == 200
    assert (found.headers["x-position"], found.headers["x-stale"]) == ("4", "true")
    found = await ask.post("/list", {}, min_position=4, allow_stale="true")
    assert "x-stale" not in found.headers


def done(last, handled):
    return DerivationCompleted(
        workspace="w",
        session="s",
        first_seq=1,
        last_seq=last,
        handled=handled,
        conclusions=(),
        engine=ENGINE,
        reason="nothing-to-extract",
    )


async def test_the_queue_counts_messages_and_summaries(ask):
    await ask.happened(
        session("s"),
        session("t"),
        said(1, "hi"),
        said(2, "hi", author="bob"),
        said(3, "hi", derive=False),
        said(1, "hi", session="t", summaries=("short",)),
        done(1, {"alice": 1}),
    )

    def counts(total, completed):
        return {
            "total_work_units": total,
            "completed_work_units": completed,
            "in_progress_work_units": 0,
            "pending_work_units": total - completed,
        }

    async def status(path="/w/queue/status", **query):
        return (await ask.get(path, **query)).json()

    assert await status() == {
        **counts(4, 1),
        "sessions": {
            "uid-s": {"session_id": "uid-s", **counts(2, 1)},
            "uid-t": {"session_id": "uid-t", **counts(2, 0)},
        },
    }
    assert await status(session_id="s") == {**counts(2, 1), "sessions": None}
    assert (await status(sender_id="bob"))["total_work_units"] == 1
    assert (await status(observer_id="x"))["total_work_units"] == 0
    both = await status(observer_id="x", sender_id="alice")
    assert both["total_work_units"] == 2
    empty = await status(observer_id="", sender_id="", session_id="")
    assert empty["total_work_units"] == 4
    for path, query in (
        ("/nowhere/queue/status", {}),
        ("/w/queue/status", {"session_id": "none"}),
        ("/w/queue/status", {"sender_id": "nobody"}),
    ):
        assert await status(path, **query) == {**counts(0, 0), "sessions": None}
