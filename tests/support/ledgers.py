"""A ledger over a real log and its views, and a model to be asked through it."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

from domain.budget import Budget
from domain.event import Call
from infra.ledger.estimate import Estimate
from infra.ledger.ledger import Ledger
from infra.ledger.settler import Settler
from infra.llm.journalled_model import JournalledModel
from infra.postgres.view_readers import open_view_readers
from infra.settings.price import Price
from processors.language_model import (
    Completion,
    Prompt,
    Purpose,
    Structured,
    Turn,
    Usage,
)
from tests.support.projecting import projecting

PRICES = {"m": Price(input=1, output=10)}
"""A micro a token given, ten a token answered."""


class Words:
    """Counts words for tokens."""

    def count(self, text):
        return len(text.split())


class Answering:
    """A model that answers, at once or once it may; ``asked`` is what it was."""

    transport = "openai"
    model = "m"

    def __init__(self, usage=None, *, open_=True):
        self.usage = usage or Usage(input=100, output=10)
        self.parameters = {}
        self.asked = []
        self.failure = None
        self.begun = asyncio.Event()
        self.may = asyncio.Event()
        if open_:
            self.may.set()

    async def complete(self, prompt):
        self.asked.append(prompt)
        self.begun.set()
        await self.may.wait()
        if self.failure is not None:
            raise self.failure
        return Completion(
            text=f"Answer {len(self.asked)}.", model="m", usage=self.usage
        )

    async def structured(self, prompt, _schema):
        completion = await self.complete(prompt)
        return Structured({"n": len(self.asked)}, completion)

    async def stream(self, prompt, _schema=None):
        self.asked.append(prompt)
        for piece in ("One ", "two ", "three."):
            yield piece
            await self.may.wait()
            if self.failure is not None:
                raise self.failure
        yield Completion(
            text="One two three.", model="m", usage=self.usage, call=Call(attempts=2)
        )


class Books:
    """What a process has of a ledger; ``another`` is what a second one has."""

    def __init__(self, log, decide, views, readers):
        self.log, self.decide, self.views, self.readers = log, decide, views, readers
        self.settler = Settler(log.calls, decide, views)
        self.now = datetime.now(UTC)

    def model(self, inner, budget=Budget(), prices=PRICES):  # noqa: B008  it is frozen
        ledger = Ledger(
            self.log.calls,
            self.log.keys,
            self.settler,
            otherwise=budget,
            retry_seconds=30,
            new_id=uuid4,
            clock=lambda: self.now,
        )
        return JournalledModel(inner, ledger, Estimate(["m"], prices, Words()))

    def another(self):
        return Books(self.log, self.decide, self.views, self.readers)

    async def rows(self, statement, *arguments):
        async with self.readers.acquire() as db:
            return [dict(row) for row in await db.fetch(statement, *arguments)]


@asynccontextmanager
async def keeping_books(memory, dsn):
    """A ledger that settles when it is told to; at the end the law holds."""
    async with (
        projecting(memory.log, dsn) as (prompt, _),
        open_view_readers(dsn, size=2) as readers,
    ):
        yield Books(memory.log, memory.decide, prompt, readers)


def prompt(text="How are you?", *, max_tokens=50, **purpose):
    """Ask something for a workspace; ``purpose`` as in the port."""
    given = {"workspace": "w", "feature": "dialectic.answer"} | purpose
    return Prompt(
        turns=(Turn("user", text),), max_tokens=max_tokens, purpose=Purpose(**given)
    )
