"""A log with live views: conclusions are built on one another and taken back."""

from contextlib import asynccontextmanager
from uuid import UUID

from msgspec import json
from msgspec.structs import replace

from commands.correction import CorrectConclusion, correct
from commands.decide import Decide, Reason
from commands.parents import watch_named_session
from commands.ports import ANY, AppendRequest, CommandIdentity, StreamAppend
from commands.quarantine import Quarantine, preview_quarantine, quarantine
from commands.reach import Selection
from commands.retraction import RetractConclusion, preview_retraction, retract
from commands.summary import watch_summary
from commands.undo import UndoRetraction, undo
from commands.write import Write
from domain.conclusion import ConclusionDerived, Evidence
from domain.event import Engine
from domain.message import MessageMetadataChanged
from domain.names import (
    conclusion_stream,
    encode_id,
    pair_conclusion_stream,
    question_stream,
    session_stream,
    workspace_stream,
)
from domain.question import QuestionAnswered
from domain.session import MessageAdded, SessionCreated
from domain.summary import SummaryProduced
from domain.workspace import WorkspaceCreated
from infra.postgres.view_readers import open_view_readers
from infra.reach import StoredReach
from projections.message_search import Question, search_messages
from projections.session_context import Fitted, newest_that_fit
from projections.summaries import get_summaries
from tests.support.law import assert_rebuilt_equals_live
from tests.support.log import CAUSE
from tests.support.projecting import projecting
from tests.support.reactions import SAID_AT

ENGINE = Engine(name="test", version="1")


class Words:
    def count(self, text):
        return len(text.split())


class NoVectors:
    """Remembers nothing: no embedder answers."""

    async def remember(self, _workspace, _texts):
        return None


class Ground:
    """Workspace w; what is said and concluded in it, and what is taken back."""

    def __init__(self, log, views, readers, dsn):
        self.log, self.views, self.readers, self.dsn = log, views, readers, dsn
        self.decide = Decide(log.store)
        self._ids = 0
        self.write = Write(
            self.decide,
            store=log.store,
            views=views,
            clock=lambda: SAID_AT,
            new_id=self._new_id,
            tokens=Words(),
        )
        self.reach = StoredReach(log, readers, views)

    def _new_id(self):
        self._ids += 1
        return encode_id(self._ids)

    async def append(self, stream, *events):
        request = AppendRequest("w", (StreamAppend(stream, ANY, events),), CAUSE)
        appended = await self.log.store.append(request)
        self.decide.forget(stream.name)
        assert await self.views.wait_for(appended.last, 60)
        return appended.recorded

    async def begin(self, **configuration):
        """Found the workspace and session s, and let alice say two things."""
        await self.append(
            workspace_stream("w"),
            WorkspaceCreated(
                workspace="w",
                uid="u",
                created_at=SAID_AT,
                configuration=configuration,
            ),
        )
        await self.say("m1", "m2")

    async def say(self, *ids, session="s", author="alice"):
        opened = SessionCreated(
            workspace="w", session=session, uid=session, created_at=SAID_AT
        )
        words = [
            MessageAdded(
                workspace="w",
                session=session,
                id=each,
                seq=number,
                author=author,
                created_at=SAID_AT,
                tokens=number,
                content=f"words of {each}",
            )
            for number, each in enumerate(ids, start=1)
        ]
        await self.append(session_stream("w", session), opened, *words)

    async def mark(self, message, metadata):
        """Give a message of session s other metadata."""
        event = MessageMetadataChanged(
            workspace="w",
            session="s",
            author="alice",
            id=message,
            metadata=metadata,
        )
        await self.append(session_stream("w", "s"), event)

    async def answer(self, name, *, messages=(), conclusions=()):
        """Let alice be answered with what rests on these."""
        event = QuestionAnswered(
            workspace="w",
            id=name,
            peer="alice",
            target="alice",
            session=None,
            question="?",
            answer="!",
            conclusions=conclusions,
            messages=messages,
            level="low",
            as_of=1,
            answered_at=SAID_AT,
            engine=ENGINE,
        )
        await self.append(question_stream("w", "alice"), event)

    async def shown(self, filters=None, source=None):
        """Return what a quarantine would take."""
        selection = Selection(filters=filters or {}, source=source or {})
        return (await preview_quarantine(self.reach, "w", selection)).taken

    async def conclude(self, name, *sources, cites=(), **more):
        """Conclude something of alice in session s, or for bob in none."""
        session = more.pop("session", "s")
        if session is None:
            stream = pair_conclusion_stream("w", "bob", "alice")
            more["observer"] = "bob"
        else:
            stream = conclusion_stream("w", session)
        level = more.pop("level", "deductive" if sources else "explicit")
        event = ConclusionDerived(
            workspace="w",
            session=session,
            id=name,
            observed="alice",
            content=f"alice is {name}",
            content_key=name,
            occurred_at=SAID_AT,
            engine=more.pop("engine", ENGINE),
            level=level,
            evidence=more.pop("evidence", None)
            or tuple(Evidence(each, "s", int(each[1:])) for each in cites),
            sources=sources,
            **more,
        )
        await self.append(stream, event)

    def reason(self, key=None, actor="client"):
        cause = CAUSE
        command = None
        if key is not None:
            command = CommandIdentity(UUID(int=key), b"hash")
        if actor != "client":
            cause = type(CAUSE)(actor=actor, correlation_id=CAUSE.correlation_id)
        return Reason(cause, command)

    async def retract(self, name, *, key=None, **more):
        held = await self.reach.held("w", name)
        command = RetractConclusion(workspace="w", held=held, **more)
        return await retract(self.write, self.reach, command, self.reason(key))

    async def preview(self, name, *, everywhere=True):
        held = await self.reach.held("w", name)
        return await preview_retraction(self.reach, "w", held, everywhere=everywhere)

    async def correct(self, name, content, *, key=None):
        held = await self.reach.held("w", name)
        command = CorrectConclusion(workspace="w", held=held, content=content)
        reason = self.reason(key)
        return await correct(self.write, self.reach, NoVectors(), command, reason)

    async def quarantine(self, filters=None, *, source=None, key=None):
        """Preview, quarantine, and see that it took what was shown; return that."""
        selection = Selection(filters=filters or {}, source=source or {})
        shown = await self.shown(filters, source)
        command = Quarantine(workspace="w", selection=selection, note="why")
        done = await quarantine(self.write, self.reach, command, self.reason(key))
        same = {"answers": (), "cards": (), "position": 0}
        told, took = (replace(each, **same) for each in (shown, done.taken))
        assert key is not None or told == took
        return done

    async def sum_up(self, name, to_seq, *, parent=None, session="s", engine=ENGINE):
        """Sum a session up from behind its newest summary of a kind."""
        chain = watch_summary("w", session, "short")
        before = await self.decide.look(chain)
        event = SummaryProduced(
            workspace="w",
            session=session,
            id=name,
            kind="short",
            from_seq=before.to_seq + 1,
            to_seq=to_seq,
            message=f"m{to_seq}",
            content=f"summary {name}",
            tokens=2,
            created_at=SAID_AT,
            engine=engine,
            parent=before.id if parent is None else parent,
        )
        await self.append(chain.stream, event)

    async def summary(self, session="s"):
        """Return the newest short summary's id, in the views and for decisions."""
        assert await self.views.wait_for(await self.log.store.head(), 60)
        async with self.readers.acquire() as db:
            shown = (await get_summaries(db, "w", session)).get("short")
        known = await self.decide.look(watch_summary("w", session, "short"))
        assert known.id == (shown.id if shown else None)
        return known.id

    async def withheld(self, session="s"):
        """Return the messages that decisions know to be withheld."""
        state = await self.decide.look(watch_named_session("w", session))
        return set(state.withheld)

    async def recalled(self, session="s", query="words"):
        """Return the messages that a search finds, and those a context shows."""
        async with self.readers.acquire() as db:
            question = Question(tenant="w", query=query, limit=50, session=session)
            found = {each.id for each in await search_messages(db, question)}
            shown = await newest_that_fit(db, "w", session, Fitted(None, 0, 1000))
        read = {each["id"] for each in json.decode(bytes(shown))}
        assert found == read
        return read

    async def undo(self, unit, *, key=None):
        command = UndoRetraction(workspace="w", unit=unit)
        return await undo(self.write, self.reach, command, self.reason(key))

    async def live(self):
        """Return what holds, by the row's id: its observer and times derived."""
        assert await self.views.wait_for(await self.log.store.head(), 60)
        rows = await self.readers.fetch(
            "SELECT id, observer, times_derived FROM conclusion"
            " WHERE tenant = 'w' AND to_position IS NULL"
        )
        return {row["id"]: (row["observer"], row["times_derived"]) for row in rows}

    async def obey_the_law(self):
        await assert_rebuilt_equals_live(self.dsn, self.log.store)


@asynccontextmanager
async def ground(log, dsn):
    """Yield a ground; at the end, rebuilt views equal live ones."""
    async with projecting(log, dsn) as (prompt, _), open_view_readers(dsn) as readers:
        made = Ground(log, prompt, readers, dsn)
        yield made
        await made.obey_the_law()
