"""Given messages that make a summary due, the chain covers all that was said."""

from datetime import UTC, datetime

import pytest

from commands.decide import Decide
from commands.summary import watch_summary
from domain.event import ERASED
from domain.summary import SummaryOmitted, SummaryProduced
from processors import summarize_session
from processors.language_model import Unavailable
from processors.processor import Done
from processors.reasoner import SummedUp
from processors.summarize_session import SummarizeSession
from tests.support.reactions import Echo, batch

NOW = datetime(2026, 4, 1, tzinfo=UTC)


class Words:
    def count(self, text):
        return len(text.split())


def summarize(memory, reasoner=None, decide=None):
    return SummarizeSession(
        decide or memory.decide,
        memory.log.store,
        reasoner or Echo(),
        tokens=Words(),
        clock=lambda: NOW,
    )


class Silent(Echo):
    async def summarize(self, *_, **__):
        return SummedUp(" ", self.engine)


async def test_a_due_summary_covers_the_session_so_far(memory):
    said = await memory.say("a", "b", "c", short_every=3)
    assert await summarize(memory)(batch(*said)) == Done()

    [produced] = await memory.recorded(SummaryProduced)
    summary = produced.event
    assert (summary.kind, summary.from_seq, summary.to_seq) == ("short", 1, 3)
    assert summary.content == "short:|a,b,c"
    assert (summary.message, summary.parent) == (said[-1].event.id, None)
    assert (summary.tokens, summary.created_at) == (1, NOW)
    assert summary.engine.name == "echo"
    assert produced.cause.correlation_id == said[0].cause.correlation_id
    assert produced.cause.causation_id == said[-1].id


async def test_the_same_work_has_the_same_purpose_each_time_it_is_begun(memory):
    class Dying(Echo):
        async def summarize(self, *given, purpose=None):
            await super().summarize(*given, purpose=purpose)
            raise Unavailable("the model")

    said = await memory.say("a", "b", "c", "d", short_every=2)
    dying = Dying()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await summarize(memory, dying)(batch(*said))
    first, again = dying.purposes
    assert first == again
    assert (first.workspace, first.session, first.key) == ("w", "s", "s/1-2/short/1")
    assert first.feature == "summary.short"
    echo = Echo()
    await summarize(memory, echo)(batch(*said))
    assert [each.key for each in echo.purposes] == ["s/1-2/short/1", "s/3-4/short/1"]


async def test_what_another_process_left_of_a_chain_it_went_on_with_is_summed_up(
    memory,
):
    """It may be at it still when this one is given its work, and not be heard."""
    said = await memory.say(*"abcd", short_every=2)
    unheard = Decide(memory.log.store)
    await unheard.look(watch_summary("w", "s", "short"))
    await summarize(memory)(batch(*said[:2]))
    await summarize(memory, decide=unheard)(batch(said[3]))
    first, second = await memory.events(SummaryProduced)
    assert (second.from_seq, second.to_seq, second.parent) == (3, 4, first.id)


async def test_the_next_one_absorbs_the_one_before_it(memory):
    said = await memory.say(*"abcdef", short_every=3)
    await summarize(memory)(batch(*said))
    first, second = await memory.events(SummaryProduced)
    assert (second.from_seq, second.to_seq, second.parent) == (4, 6, first.id)
    assert second.content == f"short:{first.content}|d,e,f"


async def test_both_kinds_have_chains_of_their_own(memory):
    said = await memory.say(*"abcd", short_every=2, long_every=4)
    await summarize(memory)(batch(*said))
    found = await memory.events(SummaryProduced)
    assert [(each.kind, each.from_seq, each.to_seq) for each in found] == [
        ("short", 1, 2),
        ("short", 3, 4),
        ("long", 1, 4),
    ]
    assert len({each.id for each in found}) == 3


async def test_a_second_delivery_changes_nothing(memory):
    said = await memory.say(*"abcdef", short_every=3)
    await summarize(memory)(batch(*said))
    before = await memory.recorded()
    await summarize(memory)(batch(*said[2:]))
    await summarize(memory, decide=Decide(memory.log.store))(batch(*said))
    assert await memory.recorded() == before


async def test_what_a_failure_left_out_is_covered_next_time(memory):
    class Asleep(Echo):
        async def summarize(self, *_, **__):
            raise Unavailable("the model")

    said = await memory.say(*"abcdef", short_every=3)
    with pytest.raises(Unavailable):
        await summarize(memory, Asleep())(batch(*said[:3]))
    await summarize(memory, Silent())(batch(*said[:3]))
    assert await memory.events(SummaryProduced) == []
    [omitted] = await memory.events(SummaryOmitted)
    assert (omitted.from_seq, omitted.to_seq) == (1, 3)

    await summarize(memory)(batch(*said[3:]))
    [summary] = await memory.events(SummaryProduced)
    assert (summary.from_seq, summary.to_seq) == (1, 6)


async def test_a_long_backlog_of_nothing_holds_no_later_summary_up(memory, monkeypatch):
    monkeypatch.setattr(summarize_session, "WINDOW", 4)
    said = await memory.say(*"abcdefg")
    said += await memory.say("h", short_every=8)
    await summarize(memory, Silent())(batch(*said))
    await summarize(memory, Silent())(batch(*said))
    omitted = await memory.events(SummaryOmitted)
    assert [(each.from_seq, each.to_seq) for each in omitted] == [(1, 4), (5, 8)]

    said = await memory.say("i", "j", short_every=10)
    await summarize(memory)(batch(*said))
    [summary] = await memory.events(SummaryProduced)
    assert (summary.from_seq, summary.to_seq) == (9, 10)


async def test_a_long_backlog_is_absorbed_in_steps(memory, monkeypatch):
    monkeypatch.setattr(summarize_session, "WINDOW", 4)
    said = await memory.say(*"abcdefghi")
    said += await memory.say("j", short_every=10)
    await summarize(memory)(batch(*said))
    found = await memory.events(SummaryProduced)
    assert [(each.from_seq, each.to_seq) for each in found] == [(1, 4), (5, 8), (9, 10)]
    assert found[-1].content == "short:short:short:|a,b,c,d|e,f,g,h|i,j"


async def test_other_events_of_the_session_leave_no_gap(memory):
    await memory.join("bob", "carol")
    said = await memory.say(*"ab", short_every=4)
    await memory.join("dave")
    said += await memory.say(*"cd", short_every=4)
    await summarize(memory)(batch(*said))
    [summary] = await memory.events(SummaryProduced)
    assert summary.content == "short:|a,b,c,d"


async def test_what_is_erased_is_not_summed_up(memory):
    said = await memory.say(ERASED, "b", short_every=2)
    await summarize(memory)(batch(*said))
    [summary] = await memory.events(SummaryProduced)
    assert summary.content == "short:|b"
