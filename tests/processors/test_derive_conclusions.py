"""Given messages, when they are delivered, then each is reasoned about once."""

import asyncio
from uuid import uuid4

import msgspec
import pytest

from commands.decide import Decide, Reason
from commands.derivation import RecordDerivation, record_derivation
from commands.parents import watch_session
from domain.conclusion import ConclusionDerived, ConclusionReinforced, Evidence, Found
from domain.derivation import Considered, DerivationCompleted, DerivationFailed
from domain.event import ERASED, Call, Engine
from domain.names import session_stream
from domain.recorded import Cause
from domain.session import SessionCreated
from processors.derive_conclusions import GATHERED, SETTLED, DeriveConclusions
from processors.language_model import Malformed, ModelRefused, Unavailable
from processors.processor import Done, Park, Retry
from processors.reasoner import Drawn, Fact
from tests.support.log import CAUSE
from tests.support.reactions import SAID_AT, Echo, batch


async def test_a_statement_becomes_a_conclusion_with_its_evidence(memory):
    said = await memory.say("I ski.", "Hello!")
    derive = DeriveConclusions(memory.decide, Echo())

    assert await derive(batch(*said)) == Done()

    [drawn] = await memory.recorded(ConclusionDerived)
    assert drawn.event.content == "alice says I ski."
    assert drawn.event.observed == "alice"
    assert [each.message for each in drawn.event.evidence] == [said[0].event.id]
    assert drawn.event.occurred_at == said[0].event.created_at
    assert drawn.event.engine.name == "echo"
    assert drawn.cause.actor == "derive_conclusions"
    assert drawn.cause.correlation_id == said[0].cause.correlation_id
    assert drawn.cause.causation_id == said[0].id
    [done] = await memory.recorded(DerivationCompleted)
    assert (done.event.first_seq, done.event.last_seq) == (1, 2)
    assert done.event.handled == {"alice": 2}
    assert done.event.conclusions == (drawn.event.id,)
    assert done.cause.command_id == drawn.cause.command_id


async def test_a_second_delivery_changes_nothing_however_it_is_cut(memory):
    said = await memory.say("I ski.", "I row.", "I swim.", "I run.")
    derive = DeriveConclusions(memory.decide, Echo())
    await derive(batch(*said[:3]))
    before = await memory.recorded()

    for again in (said[:3], said[:1], said[1:3]):
        await derive(batch(*again))
    assert await memory.recorded() == before

    await derive(batch(*said))
    done = await memory.events(DerivationCompleted)
    assert [(each.first_seq, each.last_seq) for each in done] == [(1, 3), (4, 4)]
    assert len(await memory.events(ConclusionDerived)) == 4


async def test_a_fresh_process_knows_what_was_done(memory):
    said = await memory.say("I ski.", "I row.")
    await DeriveConclusions(memory.decide, Echo())(batch(*said[:1]))
    restarted, engine = Decide(memory.log.store), Echo()

    await DeriveConclusions(restarted, engine)(batch(*said))

    assert [texts for _, texts in engine.asked] == [("I row.",)]
    assert len(await memory.events(ConclusionDerived)) == 2


async def test_two_at_once_with_different_cuts_derive_each_message_once(memory):
    said = await memory.say(*(f"I like {number}." for number in range(20)))
    one = DeriveConclusions(memory.decide, Echo())
    other = DeriveConclusions(Decide(memory.log.store), Echo())

    await asyncio.gather(
        one(batch(*said)),
        other(batch(*said[:7])),
        other(batch(*said[:13])),
        one(batch(*said[:3])),
    )

    drawn = await memory.events(ConclusionDerived, ConclusionReinforced)
    assert sorted(e.seq for d in drawn for e in d.evidence) == list(range(1, 21))
    done = await memory.events(DerivationCompleted)
    covered = [s for d in done for s in range(d.first_seq, d.last_seq + 1)]
    assert covered == list(range(1, 21))
    assert sum(sum(each.handled.values()) for each in done) == 20
    assert sorted(i for d in done for i in d.conclusions) == sorted(d.id for d in drawn)


async def test_what_is_known_is_reinforced(memory):
    derive = DeriveConclusions(memory.decide, Echo())
    first = await memory.say("I ski.")
    second = await memory.say("I SKI. ", "I ski.")
    await derive(batch(*first, *second))

    [drawn] = await memory.events(ConclusionDerived)
    again = await memory.events(ConclusionReinforced)
    assert {each.id for each in again} == {drawn.id}
    assert [e.seq for each in again for e in each.evidence] == [2, 3]
    *_, done = await memory.events(DerivationCompleted)
    assert done.conclusions == (drawn.id,)


async def test_the_same_work_has_the_same_purpose_until_an_attempt_has_failed(memory):
    class Dying(Echo):
        failure = Unavailable("the model")

        async def derive(self, *given, purpose=None):
            await super().derive(*given, purpose=purpose)
            raise self.failure

    said = await memory.say("I ski.", "I row.")
    dying = Dying()
    derive = DeriveConclusions(memory.decide, dying)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await derive(batch(*said))
    dying.failure = Malformed("the model")
    for _ in range(2):
        assert isinstance(await derive(batch(*said)), Retry)
    first, again, malformed, another = dying.purposes
    assert first == again == malformed
    assert another.key not in {"", first.key}
    assert (first.workspace, first.session, first.peer) == ("w", "s", "alice")
    assert first.feature == "deriver.representation"


async def test_each_request_is_a_story_of_its_own(memory):
    one = await memory.say("I ski.", "I row.")
    two = await memory.say("I swim.")
    await DeriveConclusions(memory.decide, Echo())(batch(*one, *two))

    drawn = await memory.recorded(ConclusionDerived)
    assert [each.cause.correlation_id for each in drawn] == [
        one[0].cause.correlation_id,
        one[0].cause.correlation_id,
        two[0].cause.correlation_id,
    ]
    assert [each.cause.causation_id for each in drawn] == [
        each.id for each in (*one, *two)
    ]
    [done] = await memory.recorded(DerivationCompleted)
    assert done.cause.causation_id == two[-1].id
    assert {each.cause.command_id for each in drawn} == {done.cause.command_id}


async def test_what_one_request_tells_does_not_depend_on_what_else_waits(memory):
    engine = Echo()
    one = await memory.say("I ski.", "I row.")
    two = await memory.say("I swim.")
    await DeriveConclusions(memory.decide, engine)(batch(*one, *two))
    assert [texts for _, texts in engine.asked] == [("I ski.", "I row."), ("I swim.",)]


async def test_a_long_story_is_derived_a_hundred_messages_at_a_time(memory):
    story = uuid4()
    said = await memory.say(*(f"I {n}." for n in range(150)), story=story)
    await DeriveConclusions(memory.decide, Echo())(batch(*said))
    done = await memory.events(DerivationCompleted)
    assert [(each.first_seq, each.last_seq) for each in done] == [(1, 100), (101, 150)]


async def test_nothing_is_concluded_where_nobody_asked(memory):
    said = await memory.say("I ski.", derive=False)
    await DeriveConclusions(memory.decide, Echo())(batch(*said))
    assert await memory.events(ConclusionDerived) == []
    [done] = await memory.events(DerivationCompleted)
    assert done.reason == "not-observed"
    assert done.handled == {}


async def test_an_empty_result_says_so(memory):
    said = await memory.say("Hello!")
    await DeriveConclusions(memory.decide, Echo())(batch(*said))
    [done] = await memory.events(DerivationCompleted)
    assert (done.reason, done.handled) == ("nothing-to-extract", {"alice": 1})


async def test_each_author_is_concluded_about_in_one_append(memory):
    story = uuid4()
    said = await memory.say("I ski.", author="alice", story=story)
    said += await memory.say("I row.", author="bob", story=story)
    await DeriveConclusions(memory.decide, Echo())(batch(*said))
    drawn = await memory.events(ConclusionDerived)
    assert [each.observed for each in drawn] == ["alice", "bob"]
    [done] = await memory.events(DerivationCompleted)
    assert done.handled == {"alice": 1, "bob": 1}


async def test_evidence_that_is_not_the_peers_own_in_the_window_is_not_believed(memory):
    class Liar(Echo):
        async def derive(self, window, observed, *_, **__):
            own = [each.id for each in window if each.author == observed]
            others = [each.id for each in window if each.author != observed]
            facts = (
                Fact("made up", ("nowhere",)),
                Fact("rests on another", tuple(others)),
                Fact("half true", (*others, *own, "nowhere")),
                Fact(" \x00 ", tuple(own)),
            )
            return Drawn(facts, self.engine)

    story = uuid4()
    said = await memory.say("I ski.", author="alice", story=story)
    said += await memory.say("Fine.", author="bob", derive=False, story=story)
    await DeriveConclusions(memory.decide, Liar())(batch(*said))
    [drawn] = await memory.events(ConclusionDerived)
    assert drawn.content == "half true"
    assert [each.message for each in drawn.evidence] == [said[0].event.id]
    [done] = await memory.events(DerivationCompleted)
    assert (done.refused, done.invented) == (2, 4)


async def test_a_command_that_names_premises_nobody_gave_is_believed_no_more(memory):
    """The decision checks by itself: whatever sends the command."""
    [said] = await memory.say("I ski.")
    message = said.event
    true = Evidence(message.id, "s", 1)

    def found(content, *evidence, sources=()):
        return Found(
            id="",
            observed="alice",
            content=content,
            occurred_at=message.created_at,
            evidence=evidence,
            sources=sources,
        )

    command = RecordDerivation(
        workspace="w",
        session="s",
        position=said.position,
        name="liar:1:1-1",
        messages=(Considered(1, "alice", True, message.id),),
        found=(
            found("alice skis", true, Evidence("invented", "s", 1)),
            found("alice flies", Evidence("invented", "s", 1)),
            found("alice is fit", true, sources=("invented",)),
            found("alice is rich", sources=("invented",)),
        ),
        engine=Engine(name="liar", version="1"),
        cause=CAUSE,
        causes={1: CAUSE},
    )
    await record_derivation(memory.decide, command)
    drawn = await memory.events(ConclusionDerived)
    assert [(each.content, each.evidence, each.sources) for each in drawn] == [
        ("alice skis", (true,), ()),
        ("alice is fit", (true,), ()),
    ]
    [done] = await memory.events(DerivationCompleted)
    assert (done.refused, done.invented, len(done.conclusions)) == (2, 4, 2)


async def test_what_is_erased_reaches_no_engine(memory):
    said = await memory.say(ERASED, "I ski.")
    engine = Echo()
    await DeriveConclusions(memory.decide, engine)(batch(*said))
    assert engine.asked == [("alice", ("I ski.",))]
    [done] = await memory.events(DerivationCompleted)
    assert done.last_seq == 2


class Spending(Echo):
    """A model of sorts: each call takes ten tokens, and one window may fail."""

    def __init__(self, failure=None):
        super().__init__()
        self.failure = failure

    @property
    def engine(self):
        return Engine(name="openai", version="0", model="m")

    async def derive(self, window, observed, instructions=None, **_):
        drawn = await super().derive(window, observed, instructions)
        if self.failure is not None:
            raise self.failure
        call = Call(latency_ms=1.5, attempts=2, cost_usd_micros=7)
        engine = Engine(name="openai", version="1", usage={"output": 10}, call=call)
        return Drawn(drawn.facts, engine)


async def test_a_model_reads_what_waits_together_within_its_window(memory):
    said = []
    for text in ("I ski.", "I sail.", "I read all day long.", "I sing."):
        said += await memory.say(text)
    engine = Spending()
    await DeriveConclusions(memory.decide, engine, window_tokens=6)(batch(*said))
    assert [texts for _, texts in engine.asked] == [
        ("I ski.", "I sail."),
        ("I read all day long.", "I sing."),
    ]
    done = await memory.events(DerivationCompleted)
    assert [(each.first_seq, each.last_seq) for each in done] == [(1, 2), (3, 4)]


async def test_what_a_derivation_took_is_said_once(memory):
    story = uuid4()
    said = await memory.say("I ski.", author="alice", story=story)
    said += await memory.say("I sail.", author="bob", story=story)
    await DeriveConclusions(memory.decide, Spending(), window_tokens=9)(batch(*said))
    [done] = await memory.events(DerivationCompleted)
    assert done.engine.usage == {"output": 20}
    drawn = await memory.events(ConclusionDerived)
    assert [each.engine.usage for each in drawn] == [{}, {}]
    assert done.engine.call == Call(latency_ms=3, attempts=4, cost_usd_micros=14)
    assert [each.engine.call for each in drawn] == [None, None]


async def test_an_attempt_that_failed_is_recorded_and_waits_ever_longer(memory):
    said = await memory.say("I ski.", "I sail.")
    engine = Spending(ModelRefused("the model", "status 400"))
    derive = DeriveConclusions(memory.decide, engine, window_tokens=100)
    waits = [(await derive(batch(*said))).after.total_seconds() for _ in range(4)]
    assert waits == [1, 2, 4, 8]
    failed = await memory.events(DerivationFailed)
    assert [each.attempt for each in failed] == list(range(1, 5))
    assert (failed[0].first_seq, failed[0].last_seq) == (1, 2)
    assert (failed[0].error, failed[0].engine.model) == ("refused: status 400", "m")

    engine.failure = None
    assert await derive(batch(*said)) == Done()
    assert len(await memory.events(ConclusionDerived)) == 2
    [done] = await memory.events(DerivationCompleted)
    assert done.attempt == 5
    later = await memory.say("I sing.")
    engine.failure = Malformed("the model")
    assert (await derive(batch(*later))).after.total_seconds() == 1


HOPELESS = [Malformed("the model"), ModelRefused("the model", "content_filter")]


@pytest.mark.parametrize("failure", HOPELESS)
async def test_what_a_model_has_no_answer_to_is_passed_over_in_the_end(memory, failure):
    said = await memory.say("I ski.", author="alice")
    said += await memory.say("I sail.", author="bob")

    class OnlyBob(Spending):
        async def derive(self, window, observed, instructions=None, **_):
            if observed == "alice":
                raise failure
            return await super().derive(window, observed, instructions)

    derive = DeriveConclusions(memory.decide, OnlyBob(), window_tokens=100)
    outcomes = [await derive(batch(*said)) for _ in range(3)]
    assert [type(each) for each in outcomes] == [Retry, Retry, Done]
    assert len(await memory.events(DerivationFailed)) == 2
    [done] = await memory.events(DerivationCompleted)
    assert done.reason == "no-usable-answer"
    assert done.handled == {"alice": 1, "bob": 1}
    [drawn] = await memory.events(ConclusionDerived)
    assert drawn.observed == "bob"


async def test_what_was_drawn_before_a_failure_is_kept(memory):
    said = await memory.say("I ski.")
    said += await memory.say("I sail.")

    class Second(Spending):
        async def derive(self, window, observed, instructions=None, **_):
            if len(self.asked) == 1:
                raise Malformed("the model")
            return await super().derive(window, observed, instructions)

    derive = DeriveConclusions(memory.decide, Second(), window_tokens=1)
    assert isinstance(await derive(batch(*said)), Retry)
    [done] = await memory.events(DerivationCompleted)
    assert done.last_seq == 1


async def test_what_a_model_refuses_for_good_is_parked(memory):
    said = await memory.say("I ski.")
    engine = Spending(ModelRefused("the model", "status 400"))
    derive = DeriveConclusions(memory.decide, engine, window_tokens=100)
    outcomes = [await derive(batch(*said)) for _ in range(5)]
    assert [type(each) for each in outcomes] == [Retry] * 4 + [Park]
    assert outcomes[-1].reason == "DerivationFailed (refused: status 400)"


async def test_a_model_that_gathers_waits_until_nothing_more_is_said(memory):
    said = await memory.say("I ski.")
    said += await memory.say("I sail.")
    engine = Spending()
    now = said[-1].recorded_at
    derive = DeriveConclusions(
        memory.decide, engine, window_tokens=100, gathers=lambda: now
    )
    assert await derive(batch(*said)) == Retry(SETTLED, "gathering")
    assert engine.asked == []
    now += SETTLED
    assert await derive(batch(*said)) == Done()
    assert [texts for _, texts in engine.asked] == [("I ski.", "I sail.")]


async def test_what_fills_a_window_or_waited_long_waits_no_more(memory):
    full = await memory.say("I read all day long.")
    long = await memory.say("I ski.", session="t")
    engine = Spending()
    derive = DeriveConclusions(
        memory.decide,
        engine,
        window_tokens=5,
        gathers=lambda: full[0].recorded_at,
    )
    assert await derive(batch(*full)) == Done()
    later = await memory.say("I sail.", session="t")
    now = later[0].recorded_at
    old = msgspec.structs.replace(long[0], recorded_at=now - GATHERED)
    derive = DeriveConclusions(
        memory.decide, engine, window_tokens=50, gathers=lambda: now
    )
    assert await derive(batch(old, *later)) == Done()


async def test_a_model_is_told_what_the_tenant_wants(memory):
    named = ("w", "s")
    wants = {"reasoning": {"custom_instructions": "Only sports."}}
    opened = SessionCreated(
        workspace="w", session="s", uid="u", created_at=SAID_AT, configuration=wants
    )
    await memory.decide(
        "w",
        [watch_session(*named)],
        lambda _: {session_stream(*named): [opened]},
        Reason(Cause(actor="client", correlation_id=uuid4())),
    )
    said = await memory.say("I ski.")
    engine = Spending()
    await DeriveConclusions(memory.decide, engine, window_tokens=9)(batch(*said))
    assert engine.told == "Only sports."
