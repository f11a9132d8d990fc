"""A real log, words said in it, and what followed: for tests of processors."""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from commands.decide import Decide, Reason
from commands.derivation import watch_derivation
from commands.watched import Watched
from domain.derivation import Asked
from domain.deriving import redrive, request
from domain.event import Engine, Event
from domain.membership import Role, join_peers
from domain.message import Draft, add_messages
from domain.names import Stream, session_stream
from domain.recorded import Cause, Recorded
from domain.session import PeerLeft, Session, evolve_session
from infra.master_key import MasterKey
from infra.postgres.embedded import ClusterAddress
from infra.postgres.log import LogSettings, PostgresLog
from infra.postgres.migrate import migrate
from processors.derive_conclusions import DeriveConclusions, Gathering
from processors.gates import Gates
from processors.language_model import Purpose
from processors.ports import KnownWords
from processors.processor import Batch
from processors.reasoner import Drawn, Fact, Reasoner, Said, SummedUp, Window
from processors.said_again import SaidAgain

_KEY = MasterKey(os.urandom(32))
SAID_AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
async def opened(database: ClusterAddress) -> AsyncIterator[PostgresLog]:
    """Open the log of a fresh database."""
    await migrate(database.dsn())
    async with as_one_process(database) as log:
        yield log


def as_one_process(
    database: ClusterAddress,
) -> AbstractAsyncContextManager[PostgresLog]:
    """Open the log as one of several processes that hear nothing of each other."""
    return PostgresLog.open(database.dsn(), _KEY, LogSettings(announces=False))


class Memory:
    """A log to say things in and to look for what followed."""

    def __init__(self, log: PostgresLog) -> None:
        self.log = log
        self.decide = Decide(log.store)

    async def say(
        self,
        *texts: str,
        author: str = "alice",
        session: str = "s",
        workspace: str = "w",
        derive: bool = True,
        instructions: str | None = None,
        short_every: int | None = None,
        long_every: int | None = None,
        story: UUID | None = None,
    ) -> list[Recorded]:
        """Append messages in one request and return them as recorded."""
        stream = session_stream(workspace, session)
        drafts = [
            Draft(
                id=uuid4().hex[:21],
                author=author,
                content=text,
                metadata={},
                created_at=SAID_AT + timedelta(minutes=number),
                tokens=len(text) // 4,
                derive=derive,
                instructions=instructions,
                short_every=short_every,
                long_every=long_every,
            )
            for number, text in enumerate(texts)
        ]
        cause = Cause(actor="client", correlation_id=story or uuid4())
        appended = await self.decide(
            workspace,
            [Watched(stream, Session(), evolve_session)],
            lambda states: {
                stream: add_messages(states[0], (workspace, session), drafts)
            },
            Reason(cause),
        )
        return list(appended.recorded)

    async def join(
        self,
        *peers: str,
        session: str = "s",
        workspace: str = "w",
        observe_others: bool | None = None,
    ) -> None:
        """Let peers join a session: events between the messages."""
        stream = session_stream(workspace, session)
        roles = dict.fromkeys(peers, Role(observe_others=observe_others))
        await self.decide(
            workspace,
            [Watched(stream, Session(), evolve_session)],
            lambda states: {
                stream: join_peers(states[0], (workspace, session), roles, SAID_AT)
            },
            Reason(Cause(actor="client", correlation_id=uuid4())),
        )

    async def leave(self, peer: str, *, session: str = "s") -> None:
        """Let a peer leave a session that may never have been opened."""
        left = PeerLeft(workspace="w", session=session, peer=peer, left_at=SAID_AT)
        stream = session_stream("w", session)
        await self.decide(
            "w",
            [Watched(stream, Session(), evolve_session)],
            lambda _: {stream: [left]},
            Reason(Cause(actor="client", correlation_id=uuid4())),
        )

    async def ask(self, reason: Asked, session: str = "s") -> list[Recorded]:
        """Ask that what waits or failed be derived; return what that recorded."""
        named = ("w", session)
        derivation = watch_derivation(*named)
        said = Watched(session_stream(*named), Session(), evolve_session)

        def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
            state, last = states[0], states[1].last_seq
            events: list[Event] = []
            if reason == "redrive":
                events += redrive(state, named)
            events += request(state, named, last, reason)
            return {derivation.stream: events}

        appended = await self.decide(
            "w",
            [derivation, said],
            decision,
            Reason(Cause(actor="client", correlation_id=uuid4())),
        )
        return [] if appended is None else list(appended.recorded)

    async def recorded(self, *kinds: type[Event]) -> list[Recorded]:
        """Return all events of these kinds (of any, if none) in order."""
        kinds = kinds or (Event,)
        found: list[Recorded] = []
        after = 0
        while page := await self.log.store.read_log(after=after, limit=1_000):
            found += [each for each in page if isinstance(each.event, kinds)]
            after = page[-1].position
        return found

    async def events(self, *kinds: type[Event]) -> list[Event]:
        return [each.event for each in await self.recorded(*kinds)]


@pytest.fixture
async def memory(opened: PostgresLog) -> Memory:
    return Memory(opened)


def deriving(
    memory: Memory,
    reasoner: Reasoner | None = None,
    gathers: Gathering | None = None,
    *,
    decide: Decide | None = None,
    clock: Callable[[], datetime] | None = None,
    said_again: SaidAgain | None = None,
    recollect: KnownWords | None = None,
) -> DeriveConclusions:
    """Make the processor that derives, in a process of its own if it decides so."""
    return DeriveConclusions(
        decide or memory.decide,
        memory.log.store,
        reasoner or Echo(),
        clock=clock or (lambda: datetime.now(UTC)),
        gathers=gathers,
        said_again=said_again,
        recollect=recollect,
    )


def at_once(tokens: int) -> Gathering:
    """Have what waits read at once, so many tokens in a call."""
    return Gathering(Gates(flush=True), tokens)


def batch(*events: Recorded) -> Batch:
    """Make what a feed would deliver of one session."""
    return Batch("w/s", events)


class Echo:
    """A reasoner that takes each message for a fact, and counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
        self.windows: list[Window] = []
        self.told: str | None = None
        self.purposes: list[Purpose | None] = []

    @property
    def engine(self) -> Engine:
        return Engine(name="echo", version="1")

    async def derive(self, window: Window) -> Drawn:
        self.windows.append(window)
        self.told = window.instructions
        self.purposes.append(window.purpose)
        self.asked.append((window.observed, tuple(each.text for each in window.said)))
        facts = (
            Fact(each.author, f"{each.author} says {each.text}", (each.id,))
            for each in window.said
            if each.author in window.observed and each.text.startswith("I ")
        )
        return Drawn(tuple(facts), self.engine)

    async def summarize(
        self,
        kind: str,
        previous: str,
        window: Sequence[Said],
        *,
        purpose: Purpose | None = None,
    ) -> SummedUp:
        self.purposes.append(purpose)
        text = f"{kind}:{previous}|" + ",".join(each.text for each in window)
        return SummedUp(text, self.engine)
