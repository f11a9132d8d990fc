"""What is told beside a question: cards where they are used, history that fits."""

from datetime import timedelta

import msgspec

from commands.asking import AskedQuestion
from domain.card import CardEntryAdded, CardReplacedByOwner
from domain.conclusion import ConclusionDerived
from domain.event import Engine
from domain.session import SessionConfigured, SessionCreated
from domain.workspace import WorkspaceConfigured, WorkspaceCreated
from infra.answer_background import ViewBackground
from tests.support.projecting import append
from tests.support.reactions import SAID_AT
from tests.support.seeing import seen

ASKED = AskedQuestion(
    workspace="w",
    peer="alice",
    target="alice",
    session=None,
    query="What?",
    level="low",
)
OWN = CardReplacedByOwner(
    workspace="w", observer="alice", observed="alice", entries=("Name: Alice",)
)
OF_BOB = CardReplacedByOwner(
    workspace="w", observer="alice", observed="bob", entries=("Role: tutor",)
)
BORN = WorkspaceCreated(workspace="w", uid="u", created_at=SAID_AT)


def asking(**changed):
    return msgspec.structs.replace(ASKED, **changed)


async def test_cards_are_told_of_the_peer_and_of_its_target(database, opened):
    await append(opened, [BORN, OWN, OF_BOB])
    async with seen(database, opened) as views:
        gather = ViewBackground(views.readers, cards=True, history_tokens=100)
        own = await gather(ASKED)
        both = await gather(asking(target="bob"))
        nobodys = await gather(asking(peer="bob", target="bob"))
        everybodys = await gather(asking(peer=None, target=None))
    assert (own.card, own.target_card) == (("Name: Alice",), ())
    assert (both.card, both.target_card) == (("Name: Alice",), ("Role: tutor",))
    assert nobodys.card == everybodys.card == ()


async def test_cards_are_used_as_the_nearest_configuration_says(database, opened):
    session = SessionCreated(workspace="w", session="s", uid="u", created_at=SAID_AT)
    off = {"peer_card": {"use": False}}
    configured = WorkspaceConfigured(workspace="w", metadata={}, configuration=off)
    on = SessionConfigured(
        workspace="w",
        session="s",
        metadata={},
        configuration={"peer_card": {"use": True}},
    )
    await append(opened, [BORN, session, OWN])
    async with seen(database, opened) as views:
        never = ViewBackground(views.readers, cards=False, history_tokens=100)
        assert (await never(ASKED)).card == ()
    await append(opened, [configured, on])
    async with seen(database, opened) as views:
        gather = ViewBackground(views.readers, cards=True, history_tokens=100)
        assert (await gather(ASKED)).card == ()
        assert (await gather(asking(session="s"))).card == ("Name: Alice",)


async def test_history_is_the_newest_that_fits_oldest_first(memory, database, opened):
    # Four characters are a token here.
    await memory.say("x" * 40, "y" * 40, "z" * 40)
    async with seen(database, opened) as views:
        pinned = asking(session="s")
        for room, told in ((30, "xyz"), (29, "yz"), (9, ""), (0, "")):
            gather = ViewBackground(views.readers, cards=True, history_tokens=room)
            history = (await gather(pinned)).history
            assert "".join(each.text[0] for each in history) == told
        assert (await gather(ASKED)).history == ()
    assert all(each.author == "alice" for each in history)


async def test_of_a_card_is_told_what_the_sessions_asked_cover(database, opened):
    """What an owner set says of no session where it is from (RS 13.1 W44)."""
    ski = ConclusionDerived(
        workspace="w",
        session="s",
        id="c1",
        observed="alice",
        content="alice skis",
        content_key="alice skis",
        occurred_at=SAID_AT,
        engine=Engine(name="scripted", version="1"),
    )
    line = CardEntryAdded(
        workspace="w",
        observer="alice",
        observed="alice",
        id="e1",
        entry="ATTRIBUTE: skis",
        evidence=("c1",),
        sessions=("s",),
    )
    await append(opened, [BORN, OWN, ski, line])
    async with seen(database, opened) as views:
        gather = ViewBackground(views.readers, cards=True, history_tokens=100)
        asked = (None, ("s",), ("t",), ())
        found = [await gather(asking(sessions=listed)) for listed in asked]
    assert [each.rests_on for each in found] == [("c1",), ("c1",), (), ()]
    told = [each.card for each in found]
    assert told == [("Name: Alice", "ATTRIBUTE: skis"), ("ATTRIBUTE: skis",), (), ()]


async def test_a_question_of_the_past_has_its_day(memory, database, opened):
    [said] = await memory.say("Hello")
    await memory.say("And bye")
    moment = SAID_AT + timedelta(days=1)
    async with seen(database, opened) as views:
        gather = ViewBackground(views.readers, cards=True, history_tokens=100)
        now = await gather(ASKED)
        then = await gather(asking(as_of=said.position))
        named = await gather(asking(as_of=said.position, moment=moment))
        never = await gather(asking(as_of=0))
    assert now.then is never.then is None
    assert then.then == said.recorded_at
    assert named.then == moment
