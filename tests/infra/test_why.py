"""Why something is there, told by any id and drawn for a person."""

import msgspec
from rich.console import Console

from domain.call import LLMCallRecorded
from domain.conclusion import ConclusionRetracted
from domain.event import Call
from domain.question import ToolUsed, Trace
from domain.retraction import RetractionRecorded
from infra.cli.why_tree import as_tree
from infra.why import SummaryStory, why
from read_api.answer_lineage import AnswerLineage
from read_api.consequences import Consequences
from read_api.lineage import Lineage
from tests.read_api.test_lineage import (
    DONE,
    FIT,
    LIVES_LONG,
    ROW,
    ROWS,
    SKI,
    SKIS,
    TEA,
    answered,
)
from tests.support.projecting import append
from tests.support.reactions import SAID_AT
from tests.support.seeing import seen
from tests.support.story import peer, session, summed_up, workspace

EVENTS = (
    workspace(),
    peer("alice"),
    peer("bob"),
    session("s"),
    SKI,
    ROW,
    TEA,
    DONE,
    SKIS,
    ROWS,
    FIT,
    LIVES_LONG,
    summed_up("short", 2, 4),
    answered("q1", ("c4",), ("s-3",)),
)


async def told(opened, database, *ids, more=()):
    """What there is to tell of these ids."""
    await append(opened, [*EVENTS, *more])
    async with seen(database, opened) as views, views.readers.acquire() as db:
        return [await why(db, opened.store, each) for each in ids]


def drawn(found):
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(as_tree(found))
    return captured.get()


async def test_each_kind_of_id_has_its_story(opened, database):
    ids = ("c4", "s-1", "short-2", "q1", "nothing")
    *found, nothing = await told(opened, database, *ids)
    assert nothing is None
    kinds = [(each.kind, each.workspace, type(each.story)) for each in found]
    assert kinds == [
        ("conclusion", "w", Lineage),
        ("message", "w", Consequences),
        ("summary", "w", SummaryStory),
        ("answer", "w", AnswerLineage),
    ]
    for each in found:  # as a script reads it
        assert msgspec.json.decode(msgspec.json.encode(each))["story"]


async def test_a_conclusion_is_drawn_down_to_what_was_said(opened, database):
    [found] = await told(opened, database, "c4")
    lines = drawn(found).splitlines()
    depth = {
        text: next(line.index(text) for line in lines if text in line)
        for text in ("alice is fit", "alice skis", "I ski in Chur.", "I row, too.")
    }
    assert depth["alice is fit"] < depth["alice skis"] < depth["I ski in Chur."]
    said = next(line for line in lines if "I ski in Chur." in line)
    assert "2026-01-01 12:00:00 alice: “I ski in Chur.”" in said
    assert any("answer to bob about alice" in line for line in lines)


async def test_its_derivation_its_life_and_what_came_of_it_are_drawn(opened, database):
    gone = ConclusionRetracted(
        workspace="w", session="s", id="c1", reason="retracted", actor="ann", unit="u"
    )
    noted = RetractionRecorded(
        workspace="w", unit="u", kind="retract", actor="ann", session="s",
        observed="alice", asked="c1", note="She broke\x1b her leg.",
    )  # fmt: skip
    [found] = await told(opened, database, "c1", more=(noted, gone))
    text = drawn(found)
    for part in (
        "derived by openai m-1, version 1",
        f"prompt derive_conclusions@1, sha256 {'f' * 64}",
        "with seed=7",
        "from messages 1 to 2 of s, positions 5 to 6",
        "took 12.5 ms, 2 requests, 3 attempts, 110 tokens (10 of them out), $0.000250",
        "refused 1 fact and 4 premises that rested on nothing",
        "derived from 1 message",
        "retracted by ann because: She broke\ufffd her leg. (unit u)",
        "alice no longer holds it",
        "short summary of messages 1 to 2 of s, the newest",
    ):
        assert part in text, text
    assert text.index("built on it") < text.index("alice is fit")
    assert text.index("alice is fit") < text.index("alice lives long")


async def test_an_answer_is_told_with_its_words_which_no_view_has(opened, database):
    [found] = await told(opened, database, "q1")
    assert (found.story.question, found.story.content) == ("Is alice fit?", "She is.")
    assert [each.origin_id for each in found.story.premises] == ["c4", "c3", "c1", "c2"]
    quoted = [each.id for each in found.story.messages]
    assert quoted == ["s-1", "s-2", "s-3"]
    text = drawn(found)
    assert text.index("She is.") < text.index("alice lives long") < text.index("Tea?")


async def test_how_an_answer_was_come_by_is_told(opened, database):
    used = ToolUsed(
        iteration=1,
        tool="search_memory",
        conclusions=("c4", "c3"),
        chars=20_000,
        shown=10_000,
    )
    wrong = ToolUsed(iteration=2, tool="steal", chars=9, shown=9, error=True)
    trace = Trace(
        run="r1",
        iterations=3,
        ended="iterations",
        prefetched=7,
        form="repaired",
        tools=(used, wrong),
    )
    inputs = ('{"query": "fit\\u001b"}', "{")
    asked = answered("q2", ("c4",), trace=trace, inputs=inputs)
    call = LLMCallRecorded(
        workspace="w",
        id="k1",
        feature="dialectic.answer",
        form="complete",
        outcome="failed",
        reason="timeout",
        transport="openai",
        model="m-1",
        call=Call(latency_ms=12.5, cost_usd_micros=250),
        finished_at=SAID_AT,
        usage={"input": 1_100, "output": 10},
        run="r1",
    )
    [found] = await told(opened, database, "q2", more=(asked, call))
    told_of = found.story.trace
    assert [each.input for each in told_of.tools] == list(inputs)
    assert told_of.tools[0].conclusions == ("c4", "c3")
    assert [each.id for each in found.story.calls] == ["k1"]
    text = drawn(found)
    for part in (
        "answered in 3 calls of the model (run r1), and had to stop there",
        "7 found beforehand; its form was mended",
        '1. search_memory {"query": "fit',
        "found c4, c3, cut from 20,000 characters",
        "2. steal { was told what is wrong with that",
        "call k1: openai m-1 failed (timeout), 12.5 ms, 1,100 tokens in, 10 out",
    ):
        assert part in text, text


async def test_a_summary_is_told_with_what_it_covers(opened, database):
    [found] = await told(opened, database, "short-2")
    story = found.story
    assert (story.content, story.summary_type) == ("the short story", "short")
    assert [each.id for each in story.messages] == ["s-1", "s-2"]
    assert story.derivation.engine == "test"
    text = drawn(found)
    assert text.index("the short story") < text.index("I ski in Chur.")
