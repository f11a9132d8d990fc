"""Given messages, when they are delivered, then each is reasoned about once."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from commands.decide import Decide, Reason
from commands.derivation import RecordDerivation, record_derivation
from commands.parents import watch_session
from domain.conclusion import ConclusionDerived, ConclusionReinforced, Evidence, Found
from domain.derivation import (
    Considered,
    DerivationCompleted,
    DerivationFailed,
    DerivationRedriven,
)
from domain.event import ERASED, Call, Engine
from domain.names import session_stream
from domain.recorded import Cause
from domain.session import SessionCreated
from processors.derive_conclusions import Gathering
from processors.gates import Gates
from processors.language_model import (
    BudgetExhausted,
    Malformed,
    ModelRefused,
    Unavailable,
)
from processors.processor import Done, Park, Retry
from processors.reasoner import Drawn, Fact
from tests.support.log import CAUSE
from tests.support.reactions import SAID_AT, Echo, at_once, batch, deriving


async def test_a_statement_becomes_a_conclusion_with_its_evidence(memory):
    said = await memory.say("I ski.", "Hello!")
    derive = deriving(memory)

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
    derive = deriving(memory)
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
    await deriving(memory)(batch(*said[:1]))
    restarted, engine = Decide(memory.log.store), Echo()

    await deriving(memory, engine, decide=restarted)(batch(*said))

    assert [texts for _, texts in engine.asked] == [("I row.",)]
    assert len(await memory.events(ConclusionDerived)) == 2


async def test_two_at_once_with_different_cuts_derive_each_message_once(memory):
    said = await memory.say(*(f"I like {number}." for number in range(20)))
    one = deriving(memory)
    other = deriving(memory, decide=Decide(memory.log.store))

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
    derive = deriving(memory)
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

        async def derive(self, window):
            await super().derive(window)
            raise self.failure

    said = await memory.say("I ski.", "I row.")
    dying = Dying()
    derive = deriving(memory, dying)
    for _ in range(2):
        assert isinstance(await derive(batch(*said)), Retry)
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
    await deriving(memory)(batch(*one, *two))

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
    await deriving(memory, engine)(batch(*one, *two))
    assert [texts for _, texts in engine.asked] == [("I ski.", "I row."), ("I swim.",)]


async def test_a_long_story_is_derived_a_hundred_messages_at_a_time(memory):
    story = uuid4()
    said = await memory.say(*(f"I {n}." for n in range(150)), story=story)
    await deriving(memory)(batch(*said))
    done = await memory.events(DerivationCompleted)
    assert [(each.first_seq, each.last_seq) for each in done] == [(1, 100), (101, 150)]


async def test_nothing_is_concluded_where_nobody_asked(memory):
    said = await memory.say("I ski.", derive=False)
    await deriving(memory)(batch(*said))
    assert await memory.events(ConclusionDerived) == []
    [done] = await memory.events(DerivationCompleted)
    assert done.reason == "not-observed"
    assert done.handled == {}


async def test_an_empty_result_says_so(memory):
    said = await memory.say("Hello!")
    await deriving(memory)(batch(*said))
    [done] = await memory.events(DerivationCompleted)
    assert (done.reason, done.handled) == ("nothing-to-extract", {"alice": 1})


async def test_each_author_is_concluded_about_in_one_append(memory):
    story = uuid4()
    said = await memory.say("I ski.", author="alice", story=story)
    said += await memory.say("I row.", author="bob", story=story)
    await deriving(memory)(batch(*said))
    drawn = await memory.events(ConclusionDerived)
    assert [each.observed for each in drawn] == ["alice", "bob"]
    [done] = await memory.events(DerivationCompleted)
    assert done.handled == {"alice": 1, "bob": 1}


async def test_evidence_that_is_not_the_peers_own_in_the_window_is_not_believed(memory):
    class Liar(Echo):
        async def derive(self, window):
            [alice] = window.observed
            own = [each.id for each in window.said if each.author == alice]
            others = [each.id for each in window.said if each.author != alice]
            facts = (
                Fact(alice, "made up", ("nowhere",)),
                Fact(alice, "rests on another", tuple(others)),
                Fact(alice, "half true", (*others, *own, "nowhere")),
                Fact(alice, " \x00 ", tuple(own)),
            )
            return Drawn(facts, self.engine)

    story = uuid4()
    said = await memory.say("I ski.", author="alice", story=story)
    said += await memory.say("Fine.", author="bob", derive=False, story=story)
    await deriving(memory, Liar())(batch(*said))
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
    await deriving(memory, engine)(batch(*said))
    assert engine.asked == [(("alice",), ("I ski.",))]
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

    async def derive(self, window):
        drawn = await super().derive(window)
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
    await deriving(memory, engine, at_once(6))(batch(*said))
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
    await deriving(memory, Spending(), at_once(9))(batch(*said))
    [done] = await memory.events(DerivationCompleted)
    assert done.engine.usage == {"output": 10}
    drawn = await memory.events(ConclusionDerived)
    assert [each.engine.usage for each in drawn] == [{}, {}]
    assert done.engine.call == Call(latency_ms=1.5, attempts=2, cost_usd_micros=7)
    assert [each.engine.call for each in drawn] == [None, None]


async def test_an_attempt_that_failed_is_recorded_and_waits_ever_longer(memory):
    said = await memory.say("I ski.", "I sail.")
    engine = Spending(ModelRefused("the model", "status 400"))
    derive = deriving(memory, engine, at_once(100))
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


HOPELESS = [
    Malformed("the model"),
    ModelRefused("the model", "content_filter"),
    ModelRefused("the model", "refusal"),
]


@pytest.mark.parametrize("failure", HOPELESS)
async def test_what_a_model_has_no_answer_to_is_passed_over_in_the_end(memory, failure):
    said = await memory.say("I ski.", author="alice")
    said += await memory.say("I sail.", author="bob")
    derive = deriving(memory, Spending(failure), at_once(100))
    outcomes = [await derive(batch(*said)) for _ in range(3)]
    assert [type(each) for each in outcomes] == [Retry, Retry, Done]
    assert len(await memory.events(DerivationFailed)) == 2
    [done] = await memory.events(DerivationCompleted)
    assert (done.reason, done.conclusions) == ("no-usable-answer", ())
    assert done.handled == {"alice": 1, "bob": 1}
    assert done.attempt == 3

    derive = deriving(memory, Spending(), at_once(100))
    said += await memory.say("I sing.", author="bob")
    await derive(batch(*said))
    [drawn] = await memory.events(ConclusionDerived)
    assert drawn.content == "bob says I sing."


async def test_what_was_drawn_before_a_failure_is_kept(memory):
    said = await memory.say("I ski.")
    said += await memory.say("I sail.")

    class Second(Spending):
        async def derive(self, window):
            if len(self.asked) == 1:
                raise Malformed("the model")
            return await super().derive(window)

    derive = deriving(memory, Second(), at_once(1))
    assert isinstance(await derive(batch(*said)), Retry)
    [done] = await memory.events(DerivationCompleted)
    assert done.last_seq == 1


async def test_what_a_model_refuses_for_good_is_parked(memory):
    said = await memory.say("I ski.")
    engine = Spending(ModelRefused("the model", "status 400"))
    derive = deriving(memory, engine, at_once(100))
    outcomes = [await derive(batch(*said)) for _ in range(5)]
    assert [type(each) for each in outcomes] == [Retry] * 4 + [Park]
    assert outcomes[-1].reason == "DerivationFailed (refused: status 400)"


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
    await deriving(memory, engine, at_once(9))(batch(*said))
    assert engine.told == "Only sports."


def gate(memory, engine=None, *, age=1_800, now=None, **more):
    """Return a processor whose gates are RS 1.4's, at a time after what was said."""
    gathers = Gathering(Gates(age=timedelta(seconds=age)), 1_024)
    clock = None if now is None else lambda: now
    return deriving(memory, engine, gathers, clock=clock, **more)


async def test_what_is_said_waits_until_it_is_enough(memory):
    engine = Spending()
    derive = gate(memory, engine)
    said = await memory.say(*["I " + "x" * 1_022] * 2)
    assert await derive(batch(*said[:1])) == Done()
    assert engine.asked == []
    assert await derive(batch(*said[1:])) == Done()
    assert [len(texts) for _, texts in engine.asked] == [2]
    assert await memory.events(DerivationFailed) == []


async def test_a_restart_forgets_nothing_that_waits(memory):
    for _ in range(2):
        said = await memory.say("I " + "x" * 700)
        await gate(memory)(batch(*said))
    await memory.join("bob")
    assert await memory.events(DerivationCompleted) == []
    engine = Spending()
    restarted = gate(memory, engine, decide=Decide(memory.log.store))
    said = await memory.say("I " + "x" * 700)
    assert await restarted(batch(*said)) == Done()
    assert [len(texts) for _, texts in engine.asked] == [3]


async def test_all_authors_tokens_count_and_those_of_nobody_asked_about_do_not(memory):
    engine = Spending()
    derive = gate(memory, engine)
    said = await memory.say("I " + "x" * 1_600, derive=False, author="bot")
    said += await memory.say("I " + "x" * 1_022, author="alice")
    assert await derive(batch(*said)) == Done()
    assert engine.asked == []
    said = await memory.say("I " + "x" * 1_022, author="bob")
    assert await derive(batch(*said)) == Done()
    [(observed, _)] = engine.asked
    assert observed == ("alice", "bob")


async def test_what_waited_long_or_is_asked_for_waits_no_more(memory):
    said = await memory.say("I ski.")
    oldest = said[0].recorded_at
    engine = Spending()
    early = gate(memory, engine, now=oldest + timedelta(seconds=1_799))
    assert await early(batch(*said)) == Done()
    assert engine.asked == []
    late = gate(memory, engine, now=oldest + timedelta(seconds=1_800))
    assert await late(batch(*said)) == Done()
    assert len(engine.asked) == 1

    later = await memory.say("I sail.", "I row.")
    asked = await memory.ask("flush")
    soon = gate(memory, engine, now=oldest)
    assert await soon(batch(*later, *asked)) == Done()
    assert engine.asked[-1] == (("alice",), ("I sail.", "I row."))
    await memory.say("I sing.")
    assert await soon(batch(*asked)) == Done()
    assert len(engine.asked) == 2


async def test_what_fails_because_nobody_answers_is_told_and_never_passed_over(memory):
    said = await memory.say("I ski.")
    engine = Spending()
    derive = deriving(memory, engine, at_once(100), clock=lambda: SAID_AT)
    waits = []
    away = Unavailable("the model", retry_after=90)
    for failure in [away, *[Unavailable("the model")] * 11]:
        engine.failure = failure
        waits.append((await derive(batch(*said))).after.total_seconds())
    assert waits[:4] == [90, 2, 4, 8]
    assert waits[-1] == 300
    failed = await memory.events(DerivationFailed)
    assert {each.error for each in failed} == {"unavailable"}
    assert failed[0].retry_at == SAID_AT + timedelta(seconds=90)
    engine.failure = BudgetExhausted("spent", 60.0)
    with pytest.raises(BudgetExhausted):
        await derive(batch(*said))
    assert await memory.events(DerivationFailed) == failed
    engine.failure = None
    assert await derive(batch(*said)) == Done()
    [done] = await memory.events(DerivationCompleted)
    assert (done.reason, done.attempt) == (None, 13)


async def test_what_was_passed_over_is_derived_when_it_is_redriven_and_once(memory):
    said = await memory.say("I ski.")
    said += await memory.say("I sail.", author="bob")
    engine = Spending(Malformed("the model"))
    derive = deriving(memory, engine, at_once(100))
    for _ in range(3):
        await derive(batch(*said))
    later = await memory.say("I sing.")
    engine.failure = None
    await derive(batch(*later))
    assert [e.content for e in await memory.events(ConclusionDerived)] == [
        "alice says I sing."
    ]

    redriven = await memory.ask("redrive")
    assert [type(each.event) for each in redriven] == [DerivationRedriven]
    engine.failure = Malformed("the model")
    assert isinstance(await derive(batch(*redriven)), Retry)
    engine.failure = None
    for _ in range(2):
        assert await derive(batch(*redriven)) == Done()
    drawn = await memory.events(ConclusionDerived)
    assert [(e.observed, [x.seq for x in e.evidence]) for e in drawn] == [
        ("alice", [3]),
        ("alice", [1]),
        ("bob", [2]),
    ]
    *_, again = await memory.events(DerivationCompleted)
    assert (again.again, again.first_seq, again.last_seq, again.attempt) == (
        True,
        1,
        2,
        2,
    )
    assert again.handled == {"alice": 1, "bob": 1}
    assert await memory.ask("redrive") == []


async def test_what_is_parked_begins_anew_when_it_is_redriven(memory):
    said = await memory.say("I ski.")
    engine = Spending(ModelRefused("the model", "status 400"))
    derive = deriving(memory, engine, at_once(100))
    outcomes = [await derive(batch(*said)) for _ in range(5)]
    assert isinstance(outcomes[-1], Park)
    *_, failed = await memory.events(DerivationFailed)
    assert (failed.parked, failed.retry_at) == (True, None)

    asked = await memory.ask("redrive")
    assert (await derive(batch(*asked))).after.total_seconds() == 1
    keys = [each.key for each in engine.purposes]
    assert len(set(keys)) == len(keys)
    engine.failure = None
    assert await derive(batch(*said)) == Done()
    [done] = await memory.events(DerivationCompleted)
    assert (done.attempt, done.again) == (7, False)


async def test_a_message_that_brings_instructions_is_read_by_them(memory):
    said = await memory.say("I ski.")
    said += await memory.say("I sail.", instructions="Only boats.")
    said += await memory.say("I row.", instructions="Only boats.")
    engine = Spending()
    await deriving(memory, engine, at_once(100))(batch(*said))
    assert [(e.instructions, len(e.said)) for e in engine.windows] == [
        (None, 1),
        ("Only boats.", 2),
    ]


async def test_what_another_said_before_is_context_and_never_evidence(memory):
    first = await memory.say("I ask: do you ski?", author="bob")
    engine = Spending()
    derive = deriving(memory, engine, at_once(100))
    await derive(batch(*first))
    said = await memory.say("I do.", author="alice")
    said += await memory.say("I see.", author="bob")
    await derive(batch(*said))
    assert engine.asked[-1] == (
        ("alice", "bob"),
        ("I ask: do you ski?", "I do.", "I see."),
    )
    drawn = await memory.events(ConclusionDerived)
    assert [[e.seq for e in each.evidence] for each in drawn] == [[1], [2], [3]]
    done = await memory.events(DerivationCompleted)
    assert done[-1].invented == 1


async def test_what_waited_for_a_gate_is_derived_when_there_is_none_any_more(memory):
    """Whoever takes the model away, or sends no more, loses nothing (RS 14.2)."""
    said = await memory.say("I ski.", "I row.")
    assert await gate(memory)(batch(*said)) == Done()
    later = await memory.say("I sing.")
    offline = deriving(memory, Echo())
    assert await offline(batch(*later)) == Done()
    [done] = await memory.events(DerivationCompleted)
    assert (done.first_seq, done.last_seq, done.handled) == (1, 3, {"alice": 3})
    assert len(await memory.events(ConclusionDerived)) == 3

    waiting = await memory.say("I swim.")
    assert await gate(memory)(batch(*waiting)) == Done()
    assert await offline(batch(*await memory.ask("age"))) == Done()
    assert len(await memory.events(ConclusionDerived)) == 4


async def test_a_long_backlog_lets_other_sessions_have_their_turn(memory):
    said = await memory.say(*["I " + "x" * 400] * 10)
    engine = Spending()
    derive = deriving(memory, engine, at_once(100))
    outcomes = []
    while not outcomes or outcomes[-1] != Done():
        outcomes.append(await derive(batch(*said)))
    assert outcomes == [Retry(timedelta(), "more waits")] * 2 + [Done()]
    assert len(engine.asked) == 10
    assert await memory.events(DerivationFailed) == []


async def test_a_long_backlog_that_is_asked_for_is_derived_to_its_end(memory):
    waits = Gathering(Gates(tokens=1_000_000, age=None), 100)
    engine = Spending()
    derive = deriving(memory, engine, waits)
    assert await derive(batch(*await memory.say(*["I " + "x" * 400] * 10))) == Done()
    asked = await memory.ask("flush")
    assert await derive(batch(*asked)) == Retry(timedelta(), "more waits")
    await memory.say("I ski.")
    while await derive(batch(*asked)) != Done():
        pass
    assert len(engine.asked) == 11
