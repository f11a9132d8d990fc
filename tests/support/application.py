"""The write side behind its HTTP application, over a real log."""

import itertools
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from httpx import ASGITransport, AsyncClient, Response

from commands.asking import Answered, AskedQuestion, Chat, CitedEvidence, Unanswered
from commands.decide import Decide
from commands.ports import StoredMessage
from commands.routes import ROUTES
from commands.write import Write
from domain.errors import NotFound
from domain.event import Engine, tag_of
from domain.message import MessageMetadataChanged
from domain.moment import NOW
from domain.names import encode_id
from domain.session import MessageAdded
from infra.files.pdf import PdfReader
from infra.http.app import AppSettings, create_app
from infra.postgres.event_store import PostgresEventStore
from infra.postgres.log import PostgresLog

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class SteppingClock:
    """Noon, and a second later each time it is asked."""

    def __init__(self) -> None:
        self._seconds = itertools.count()

    def __call__(self) -> datetime:
        return NOON + timedelta(seconds=next(self._seconds))


class CountedIds:
    """Public ids that count."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def __call__(self) -> str:
        return encode_id(next(self._numbers))


class WordCounter:
    """A token counter that counts words."""

    def count(self, text: str) -> int:
        return len(text.split())


class WaitedFor:
    """Views that are always there; remembers how far each write waited."""

    def __init__(self) -> None:
        self.positions: list[int] = []

    async def wait_for(self, position: int, timeout: float) -> bool:  # noqa: ASYNC109  the port's own bound
        self.positions.append(position)
        return timeout > 0


class ScriptedAnswerer:
    """Answers what it was told to, and remembers the questions."""

    def __init__(self) -> None:
        self.content = "Tea."
        self.failing = False
        self.asked: list[AskedQuestion] = []

    async def answer(self, question: AskedQuestion) -> Answered:
        self.asked.append(question)
        return Answered(
            content=self.content,
            conclusions=("c1",),
            messages=("m1",),
            as_of=1 if question.as_of == NOW else question.as_of,
            engine=Engine(name="scripted", version="1"),
        )

    async def stream(self, question: AskedQuestion):
        answered = await self.answer(question)
        if self.failing:
            yield answered.content
            raise Unanswered(None)
        for word in re.findall(r"\s*\S+", answered.content):
            yield word
        yield answered


async def no_scopes(workspace: str, *_: object):
    raise NotFound(f"Scope work not found in workspace {workspace}")


async def same_position(moment: object):
    return moment if isinstance(moment, int) else 7


async def no_evidence(*_: object) -> CitedEvidence:
    return CitedEvidence()


class NoActiveSessions:
    """Knows of no active session, or says what it was told to."""

    def __init__(self) -> None:
        self.found = False

    async def any(self, workspace: str) -> bool:
        return self.found and bool(workspace)


class LoggedMessages:
    """Finds messages in the log, which is short here."""

    def __init__(self, store: PostgresEventStore) -> None:
        self._store = store

    async def __call__(
        self, workspace: str, session: str, message: str
    ) -> StoredMessage | None:
        found = None
        for recorded in await self._store.read_log(after=0, limit=5_000):
            match recorded.event:
                case MessageAdded() as event if (
                    event.workspace,
                    event.session,
                    event.id,
                ) == (workspace, session, message):
                    found = StoredMessage(
                        id=event.id,
                        author=event.author,
                        content=event.content,
                        metadata=event.metadata,
                        created_at=event.created_at.astimezone(UTC),
                        tokens=event.tokens,
                    )
                case MessageMetadataChanged() as event if found and event.id == message:
                    found = msgspec.structs.replace(found, metadata=event.metadata)
        return found


class Application:
    """An HTTP client of the write side, and a look into its log."""

    def __init__(self, store: PostgresEventStore) -> None:
        self.store = store
        self.views = WaitedFor()
        self.answerer = ScriptedAnswerer()
        self.find_message = LoggedMessages(store)
        self.active_sessions = NoActiveSessions()
        self.ready = True
        tokens = WordCounter()
        self.decide = Decide(store)
        write = Write(
            self.decide,
            store=store,
            views=self.views,
            clock=SteppingClock(),
            new_id=CountedIds(),
            tokens=tokens,
        )
        self.asgi = create_app(
            ROUTES,
            {
                "write": write,
                "chat": Chat(self.answerer, no_evidence, no_scopes, same_position),
                "active_sessions": self.active_sessions,
                "deletion_grace": timedelta(seconds=5),
                "pdf_text": PdfReader(),
                "text_memory": None,
                "find_held": None,
                "reach": None,
                "wake_derivation": None,
                "find_message": self.find_message,
            },
            AppSettings(is_ready=lambda: self.ready, count_tokens=tokens.count),
        )
        self.http = AsyncClient(
            transport=ASGITransport(self.asgi, raise_app_exceptions=False),
            base_url="http://palimpsest.test",
        )

    async def send(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> Response:
        """Send JSON, or bytes declared as JSON."""
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.http.request(
            method,
            f"/v3/workspaces{path}",
            content=content,
            headers={"content-type": "application/json"}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )

    async def post(self, path: str, body: object = None, **headers: str) -> Response:
        return await self.send("POST", path, body, **headers)

    async def put(self, path: str, body: object = None, **headers: str) -> Response:
        return await self.send("PUT", path, body, **headers)

    async def recorded(self, after: int = 0) -> list[str]:
        """Name the events in the log, in order."""
        page = await self.store.read_log(after=after, limit=1_000)
        return [tag_of(each.event) for each in page]


@pytest.fixture
async def app(log: PostgresLog) -> AsyncIterator[Application]:
    application = Application(log.store)
    async with application.http:
        yield application


def positions_of(responses: Iterator[Response]) -> list[int]:
    """Return what the answers say they are readable at."""
    return [int(each.headers["x-position"]) for each in responses]
