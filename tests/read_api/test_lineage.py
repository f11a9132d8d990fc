"""Lineage and consequences: down to the words, up to what was made of them."""

import pytest

from domain.call import LLMCallRecorded
from domain.conclusion import (
    EVIDENCE_ERASED,
    ConclusionReinforced,
    ConclusionReinstated,
    ConclusionRetracted,
)
from domain.derivation import DerivationCompleted
from domain.erasure import SessionErased
from domain.event import Call, Engine
from domain.question import QuestionAnswered, ToolUsed, Trace
from projections.holdings import row_id
from tests.support.story import (
    NOON,
    at,
    concluded,
    joined,
    peer,
    rests_on,
    said,
    session,
    summed_up,
    workspace,
)

MODEL = Engine(
    name="openai",
    version="1",
    model="m-1",
    prompt="derive_conclusions@1",
    prompt_hash="f" * 64,
    parameters={"seed": "7"},
    usage={"input": 100, "output": 10},
    call=Call(latency_ms=12.5, attempts=2, cost_usd_micros=250),
)
SKI = said(1, "I ski in Chur.")
ROW = said(2, "I row, too.", author="alice", created_at=at(5))
TEA = said(3, "Tea?", author="bob", created_at=at(6))
DONE = DerivationCompleted(
    workspace="w",
    session="s",
    first_seq=1,
    last_seq=2,
    handled={"alice": 2},
    conclusions=("c1", "c2"),
    engine=MODEL,
    derivation="d1",
    attempt=3,
    refused=1,
    invented=4,
)
SKIS = concluded("c1", "alice skis", evidence=rests_on(SKI), derivation="d1")
ROWS = concluded("c2", "alice rows", evidence=rests_on(ROW), derivation="d1")
FIT = concluded(
    "c3", "alice is fit", level="deductive", session=None, observer="bob",
    sources=("c1", "c2"), derivation="dream-1",
)  # fmt: skip
LIVES_LONG = concluded(
    "c4", "alice lives long", level="inductive", session=None, observer="bob",
    sources=("c3",), derivation="dream-1",
)  # fmt: skip


def answered(name, conclusions=(), messages=(), **more):
    fields = {"session": None} | more
    return QuestionAnswered(
        workspace="w",
        id=name,
        peer="bob",
        target="alice",
        question="Is alice fit?",
        answer="She is.",
        conclusions=conclusions,
        messages=messages,
        level="low",
        as_of=9,
        answered_at=NOON,
        engine=MODEL,
        **fields,
    )


async def told(ask):
    """Everything up to two steps of inference: sixteen events."""
    await ask.happened(
        workspace(),
        peer("alice"),
        peer("bob"),
        session("s"),
        joined("s", "alice"),
        joined("s", "bob", observe_others=True),
        SKI,
        ROW,
        TEA,
        DONE,
        SKIS,
        ROWS,
        FIT,
        LIVES_LONG,
        summed_up("short", 3, 4),
        answered("q1", ("c4",), ("s-1",)),
    )


async def lineage(ask, conclusion, **query):
    found = await ask.get(f"/w/conclusions/{conclusion}/lineage", **query)
    assert found.status_code == 200, found.text
    return found.json()


async def consequences(ask, message, session="s", **query):
    path = f"/w/sessions/{session}/messages/{message}/consequences"
    found = await ask.get(path, **query)
    assert found.status_code == 200, found.text
    return found.json()


def named(items):
    return [(each["id"], each["depth"]) for each in items]


async def test_premises_lead_down_to_the_words(ask):
    await told(ask)
    found = await lineage(ask, "c4")
    assert found["conclusion"]["content"] == "alice lives long"
    assert named(found["premises"]) == [("c3", 1), ("c1", 2), ("c2", 2)]
    assert [each["source_ids"] for each in found["premises"]] == [["c1", "c2"], [], []]
    quoted = [
        (each["id"], each["peer_id"], each["created_at"], each["content"])
        for each in found["messages"]
    ]
    assert quoted == [
        ("s-1", "alice", "2026-01-01T12:00:00Z", "I ski in Chur."),
        ("s-2", "alice", "2026-01-01T12:05:00Z", "I row, too."),
    ]
    assert found["messages"][1]["seq"] == 2
    assert found["truncated"] is False


async def test_the_derivation_says_who_made_it_of_what_and_what_it_took(ask):
    await told(ask)
    found = await lineage(ask, "c1")
    made = found["derivation"]
    assert made == found["derivations"][0]
    assert made.pop("recorded_at")
    assert made == {
        "id": "d1",
        "kind": "conclusions",
        "engine": "openai",
        "version": "1",
        "model": "m-1",
        "parameters": {"seed": "7"},
        "prompt": "derive_conclusions",
        "prompt_version": "1",
        "prompt_hash": "f" * 64,
        "session_id": "s",
        "first_seq": 1,
        "last_seq": 2,
        "first_position": 7,
        "last_position": 8,
        "usage": {"input": 100, "output": 10},
        "cost_usd": 0.00025,
        "latency_ms": 12.5,
        "requests": 2,
        "attempt": 3,
        "reason": None,
        "refused": 1,
        "invented": 4,
        "run": None,
        "call_ids": [],
        "generation": 1,
        "position": 10,
    }


async def test_what_was_built_on_it_is_found_forward(ask):
    await told(ask)
    built = (await lineage(ask, "c1"))["built_on_it"]
    assert named(built["conclusions"]) == [("c3", 1), ("c4", 2)]
    assert [each["id"] for each in built["summaries"]] == ["short-3"]
    [quoting] = built["answers"]
    assert (quoting["id"], quoting["cited_ids"]) == ("q1", ["c4"])
    assert "question" not in quoting
    assert (quoting["peer_id"], quoting["level"]) == ("bob", "low")
    leaf = (await lineage(ask, "c4"))["built_on_it"]
    assert (leaf["conclusions"], leaf["summaries"]) == ([], [])
    assert [each["id"] for each in leaf["answers"]] == ["q1"]


async def test_its_life_tells_what_happened_by_whom_and_why(ask):
    await told(ask)
    again = ConclusionReinforced(
        workspace="w", session="s", id="c1", observed="alice", occurred_at=NOON,
        engine=MODEL, evidence=rests_on(ROW), derivation="d2",
    )  # fmt: skip
    gone = ConclusionRetracted(
        workspace="w", session="s", id="c1", reason="wrong", actor="ann", unit="u1",
        superseded_by="c9",
    )  # fmt: skip
    back = ConclusionReinstated(
        workspace="w", session="s", id="c1", unit="u1", reason="undone", actor="bob"
    )
    last = ConclusionRetracted(
        workspace="w", session="s", id="c1", reason="deleted by a client",
        actor="client", observer="bob",
    )  # fmt: skip
    await ask.happened(again, gone, back, last)
    found = await lineage(ask, "c1")
    life = [
        (e["what"], e["messages"], e["reason"], e["actor"], e["unit"], e["observer_id"])
        for e in found["life"]
    ]
    assert life == [
        ("derived", 1, None, "test", None, None),
        ("reinforced", 1, None, "test", None, None),
        ("superseded", 0, "wrong", "ann", "u1", None),
        ("reinstated", 0, "undone", "bob", "u1", None),
        ("retracted", 0, "deleted by a client", "client", None, "bob"),
    ]
    assert found["life"][2]["superseded_by"] == "c9"
    assert found["conclusion"]["holds"] is True
    assert [each["content"] for each in found["messages"]] == [SKI.content, ROW.content]
    bobs = await lineage(ask, row_id("c1", "bob"))
    assert bobs["conclusion"]["holds"] is False


async def test_another_observers_id_leads_to_the_same_origin(ask):
    await told(ask)
    bobs = await lineage(ask, row_id("c1", "bob"))
    assert bobs["conclusion"]["id"] == row_id("c1", "bob")
    assert bobs["conclusion"]["origin_id"] == "c1"
    assert bobs["conclusion"]["observer_id"] == "bob"
    own = await lineage(ask, "c1")
    for part in ("derivation", "messages", "life", "built_on_it"):
        assert bobs[part] == own[part]


async def test_a_source_named_by_another_observers_id_leads_to_its_origin(ask):
    await told(ask)
    await ask.happened(
        concluded("c5", "alice is cold", level="deductive", observer="bob",
                  session=None, sources=(row_id("c1", "bob"),))
    )  # fmt: skip
    assert named((await lineage(ask, "c5"))["premises"]) == [("c1", 1)]
    built = (await lineage(ask, "c1"))["built_on_it"]["conclusions"]
    assert ("c5", 1) in named(built)


async def test_what_a_client_concluded_rests_on_its_author(ask):
    await told(ask)
    client = Engine(name="client", version="1")
    await ask.happened(concluded("own", "alice is kind", observer="bob", engine=client))
    found = await lineage(ask, "own")
    assert (found["premises"], found["messages"]) == ([], [])
    assert found["derivation"]["engine"] == "client"
    assert found["derivation"]["id"] is None
    assert [each["actor"] for each in found["life"]] == ["test"]


async def test_as_of_shows_what_was_known_then(ask):
    await told(ask)
    await ask.happened(
        ConclusionRetracted(
            workspace="w", session="s", id="c1", reason="wrong", actor="ann"
        )
    )
    then = await lineage(ask, "c1", as_of=13)
    assert then["conclusion"]["holds"] is True
    assert named(then["built_on_it"]["conclusions"]) == [("c3", 1)]
    assert then["built_on_it"]["answers"] == []
    assert [each["what"] for each in then["life"]] == ["derived"]
    now = await lineage(ask, "c1")
    assert now["conclusion"]["holds"] is False
    before = await ask.get("/w/conclusions/c1/lineage", as_of=10)
    assert before.status_code == 404


async def test_consequences_are_direct_and_by_several_steps(ask):
    await told(ask)
    found = await consequences(ask, "s-1")
    assert found["message"]["content"] == "I ski in Chur."
    assert named(found["conclusions"]) == [("c1", 1), ("c3", 2), ("c4", 3)]
    assert [each["id"] for each in found["summaries"]] == ["short-3"]
    assert [each["cited_ids"] for each in found["answers"]] == [["c4", "s-1"]]
    nothing = await consequences(ask, "s-3")
    assert (nothing["conclusions"], nothing["answers"]) == ([], [])
    assert [each["id"] for each in nothing["summaries"]] == ["short-3"]
    early = await consequences(ask, "s-1", as_of=11)
    assert named(early["conclusions"]) == [("c1", 1)]


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        (
            "/w/conclusions/none/lineage",
            "Document none not found or does not belong to workspace w",
        ),
        (
            "/other/conclusions/c1/lineage",
            "Document c1 not found or does not belong to workspace other",
        ),
        (
            "/w/sessions/s/messages/none/consequences",
            "Message with ID none not found",
        ),
        (
            "/w/sessions/t/messages/s-1/consequences",
            "Message with ID s-1 not found",
        ),
        (
            "/other/sessions/s/messages/s-1/consequences",
            "Message with ID s-1 not found",
        ),
    ],
)
async def test_an_id_nobody_has_is_not_found(ask, path, detail):
    await told(ask)
    found = await ask.get(path)
    assert (found.status_code, found.json()) == (404, {"detail": detail})


async def test_nothing_erased_is_shown(ask):
    await told(ask)
    other = said(1, "I sail.", session="t")
    both = concluded(
        "c6", "alice moves", level="deductive", session=None, observer="bob",
        sources=("c1",), evidence=rests_on(other),
    )  # fmt: skip
    await ask.happened(session("t"), other, both)
    for gone in ("c3", "c4"):
        await ask.happened(
            ConclusionRetracted(
                workspace="w", session=None, id=gone, reason=EVIDENCE_ERASED, actor="x"
            )
        )
    await ask.happened(
        SessionErased(workspace="w", session="s", erased_at=NOON, through=0)
    )
    for each in ("c1", "c3", "c4"):
        assert (await ask.get(f"/w/conclusions/{each}/lineage")).status_code == 404
    path = "/w/sessions/s/messages/s-1/consequences"
    assert (await ask.get(path)).status_code == 404
    left = await lineage(ask, "c6")
    assert [each["content"] for each in left["messages"]] == ["I sail."]
    assert left["premises"] == []
    assert left["conclusion"]["source_ids"] == ["c1"]
    tables = await ask.pool.fetch("SELECT origin FROM life ORDER BY origin")
    assert [row["origin"] for row in tables] == ["c6"]


async def test_a_walk_is_bounded_and_says_so(ask):
    """A chain longer than a walk goes, a fan wider, and a round no log should hold."""
    await ask.happened(workspace(), peer("alice"), session("s"), SKI)
    chain = [concluded("n0", "n0", evidence=rests_on(SKI))]
    chain += [concluded(f"n{n}", f"n{n}", sources=(f"n{n - 1}",)) for n in range(1, 30)]
    fan = [concluded(f"f{n}", f"f{n}", sources=("n29",)) for n in range(250)]
    around = [
        concluded("x", "x", sources=("y",)),
        concluded("y", "y", sources=("x",)),
    ]
    await ask.happened(*chain, *fan, *around)
    deep = await lineage(ask, "n29")
    assert [each["depth"] for each in deep["premises"]] == list(range(1, 21))
    assert deep["truncated"] is True
    assert len(deep["built_on_it"]["conclusions"]) == 199
    short = await lineage(ask, "n10")
    assert len(short["premises"]) == 10
    assert [each["content"] for each in short["messages"]] == [SKI.content]
    circle = await lineage(ask, "x")
    assert named(circle["premises"]) == [("y", 1)]


async def test_long_texts_and_many_messages_are_cut_and_say_so(ask):
    many = [said(n, f"line {n} " + "x" * 3_000 * (n == 1)) for n in range(1, 41)]
    await ask.happened(
        workspace(),
        peer("alice"),
        session("s"),
        *many,
        concluded("c1", "alice talks", evidence=rests_on(*many)),
    )
    found = await lineage(ask, "c1")
    assert found["truncated"] is True
    assert len(found["messages"]) == 25
    assert found["conclusion"]["messages_total"] == 40
    first = found["messages"][0]
    assert (len(first["content"]), first["truncated"]) == (2_000, True)
    assert found["messages"][1]["truncated"] is False


async def test_an_answer_is_told_with_what_it_was_come_by(ask):
    await told(ask)
    told_of = {"conclusions": ("c4",), "messages": ("s-1",)}
    used = ToolUsed(iteration=1, tool="search_memory", chars=9, shown=9, **told_of)
    trace = Trace(run="r", iterations=2, ended="answered", prefetched=3, tools=(used,))
    inputs = ('{"query": "fit"}',)
    await ask.happened(answered("q2", ("c4",), trace=trace, inputs=inputs))
    found = (await ask.get("/w/answers/q2/lineage")).json()
    assert (found["question"], found["content"]) == ("Is alice fit?", "She is.")
    assert found["answer"]["id"] == "q2"
    assert found["derivation"]["model"] == "m-1"
    assert named(found["premises"]) == [("c4", 0), ("c3", 1), ("c1", 2), ("c2", 2)]
    assert [each["id"] for each in found["messages"]] == ["s-1", "s-2"]
    assert (found["trace"]["run"], found["trace"]["prefetched"]) == ("r", 3)
    [tool] = found["trace"]["tools"]
    assert (tool["tool"], tool["input"]) == ("search_memory", inputs[0])
    assert (tool["conclusions"], tool["messages"]) == (["c4"], ["s-1"])
    assert found["calls"] == []


async def test_calls_that_ended_later_are_not_of_an_answer_of_the_past(ask):
    await told(ask)
    trace = Trace(run="r", iterations=1, ended="answered")
    await ask.happened(answered("q2", ("c4",), trace=trace))
    then = ask.views.position
    call = LLMCallRecorded(
        workspace="w",
        id="call-1",
        feature="dialectic.answer",
        form="complete",
        outcome="answered",
        transport="openai",
        model="m-1",
        call=Call(latency_ms=1, attempts=1, cost_usd_micros=2),
        finished_at=NOON,
        usage={"input": 1, "output": 2},
        run="r",
    )
    await ask.happened(call)
    now = (await ask.get("/w/answers/q2/lineage")).json()
    assert [each["id"] for each in now["calls"]] == ["call-1"]
    past = (await ask.get("/w/answers/q2/lineage", as_of=then)).json()
    assert past["calls"] == []


async def test_an_answer_no_model_gave_has_no_trace(ask):
    await told(ask)
    found = (await ask.get("/w/answers/q1/lineage")).json()
    assert found["trace"] is None
    assert (await ask.get("/w/answers/nobody/lineage")).status_code == 404
    assert (await ask.get("/w/answers/q1/lineage", as_of=3)).status_code == 404
    assert (await ask.get("/v/answers/q1/lineage")).status_code == 404
