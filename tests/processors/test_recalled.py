"""What memory told an agent is not concluded from again when the agent repeats it."""

from datetime import UTC, datetime
from time import process_time

import pytest

from domain.conclusion import ConclusionDerived
from domain.derivation import DerivationCompleted
from infra.held_words import HeldWords
from processors.recalled import RECALLED, says_nothing, without_recalled
from projections.representation_text import Observation, markdown, plain
from tests.support.log import log, log_dsn, master_key, migrated
from tests.support.reactions import Echo, Memory, at_once, batch, deriving
from tests.support.taking import ground

__all__ = ["log", "log_dsn", "master_key", "migrated"]

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
HELD = [
    Observation(level="explicit", content="alice likes tea", at=AT),
    Observation(level="deductive", content="alice is calm", at=AT, basis=["a", "b"]),
    Observation(level="inductive", content="alice rests", at=AT, basis=["a", "b"]),
    Observation(level="contradiction", content="alice runs", at=AT, basis=["a", "b"]),
]


def nothing(_):
    return False


@pytest.mark.parametrize("text", [markdown(HELD), plain(HELD), markdown(HELD[:1])])
def test_a_representation_is_left_out_as_it_is_written_here(text):
    told = without_recalled(f"What I know of you:\n{text}\nI am glad to help.", nothing)
    left = told.replace(RECALLED, "").split()
    assert " ".join(left) == "What I know of you: I am glad to help."
    assert "alice" not in told


@pytest.mark.parametrize("tag", ["peer_representation", "peer_card", "summary"])
def test_so_is_a_context_as_the_sdks_put_it(tag):
    text = f"<{tag}>alice likes tea.\n\nShe rests.</{tag}>"
    assert says_nothing(without_recalled(text, nothing))
    assert without_recalled(f"Hi! {text} Bye.", nothing) == f"Hi! {RECALLED} Bye."


def test_a_line_that_is_known_word_for_word_is_left_out_however_it_is_marked():
    known = {"alice likes green tea"}.__contains__
    for mark in ("", "- ", "* ", "2. ", "[2026-03-01 09:00:00] ", "1. [id:x] "):
        assert without_recalled(f"{mark}alice likes green tea", known) == RECALLED
    assert without_recalled("alice likes green tea, too", known) != RECALLED


@pytest.mark.parametrize(
    "text",
    [
        "I keep a log:\n[2026-03-01 09:00:00] fed the cat\n- and the dog",
        "EXPLICIT: I want no sugar.",
        "I wrote <summary> in my page.",
        "## Plans\n- see Rome",
        "",
    ],
)
def test_what_somebody_says_themselves_stays(text):
    assert without_recalled(text, nothing) == text


async def test_an_agents_echo_is_no_evidence_and_says_nothing_of_the_agent(memory):
    derive = deriving(memory, Echo(), at_once(1_000))
    await derive(batch(*await memory.say("I like green tea.")))
    [first] = await memory.events(ConclusionDerived)

    engine = Echo()
    derive = deriving(memory, engine, at_once(1_000))
    said = await memory.say(first.content, author="bot")
    said += await memory.say(f"I recall:\n- {first.content}", author="bot")
    said += await memory.say(f"<peer_card>{first.content}</peer_card>", author="bot")
    await derive(batch(*said))
    [(observed, texts)] = engine.asked
    assert observed == ("bot",)
    assert texts[1:] == (RECALLED, f"I recall:\n{RECALLED}", RECALLED)
    [_, second] = await memory.events(ConclusionDerived)
    assert [each.seq for each in second.evidence] == [3]
    assert first.content not in second.content
    *_, done = await memory.events(DerivationCompleted)
    assert done.handled == {"bot": 3}


@pytest.mark.parametrize("piece", ["<summary>", "<summary></", "<peer_card></summary>"])
def test_tags_that_nothing_closes_are_read_in_no_time(piece):
    text = (piece * 25_000)[:25_000]
    begun = process_time()
    without_recalled(f"{text}</", nothing)
    assert process_time() - begun < 0.2


async def test_an_echo_is_known_though_its_peer_is_silent_and_no_echo_of_oneself(
    memory,
):
    derive = deriving(memory, Echo(), at_once(1_000))
    await derive(batch(*await memory.say("I like green tea.")))
    [first] = await memory.events(ConclusionDerived)
    await derive(batch(*await memory.say("Hello!", author="bot")))

    engine = Echo()
    derive = deriving(memory, engine, at_once(1_000))
    said = await memory.say(first.content, author="bot")
    await derive(batch(*said, *await memory.say(first.content)))
    [(observed, texts)] = engine.asked
    assert observed == ("alice",)
    assert texts == (RECALLED, first.content)


async def test_what_is_held_from_another_session_is_an_echo_here(log, log_dsn):
    async with ground(log, log_dsn) as made:
        await made.begin()
        memory, held = Memory(made.log), HeldWords(made.readers)
        derive = deriving(memory, Echo(), at_once(1_000), recollect=held)
        await derive(batch(*await memory.say("I like green tea.", session="t")))
        [first] = await memory.events(ConclusionDerived)
        await made.views.wait_for(await made.log.store.head(), 60)

        engine = Echo()
        derive = deriving(memory, engine, at_once(1_000), recollect=held)
        await memory.join("alice", session="u")
        told = f"You told me:\n- {first.content}\n- {first.content}, too"
        said = await memory.say(told, author="bot", session="u")
        await derive(batch(*said))
        [(_, texts)] = engine.asked
        assert texts == (f"You told me:\n{RECALLED}\n- {first.content}, too",)
        stranger = await memory.say(first.content, author="bot", session="v")
        await derive(batch(*stranger))
        assert engine.asked[-1][1] == (first.content,)
