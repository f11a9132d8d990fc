"""Answers questions with what memory holds, quoted, without a model (RS 7)."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Final

from commands.asking import Answered, AskedQuestion
from processors.offline.answer import answer
from processors.offline.fill import fill
from processors.offline.known import Known
from processors.offline_reasoner import offline_engine
from processors.recall import MemorySearch, Recollection

QUOTES: Final = {"minimal": 3, "low": 5, "medium": 5, "high": 8, "max": 10}
"""Most things quoted at each reasoning level."""

_CANDIDATES: Final = 25
"""Explicit conclusions looked at, as many others and as many messages (RS 0)."""


class AnswerQuestion:
    """Fulfils ``commands.ports.Answerer``: ranks what is known and quotes the best.

    Every quote carries its date and the ids of its messages; where nothing is known
    the answer says so. A form is filled with the quotes (``processors.offline.fill``).
    """

    def __init__(self, memory: MemorySearch) -> None:
        self._memory = memory

    async def answer(self, question: AskedQuestion) -> Answered:
        """Return what memory tells, and what of it was quoted."""
        begun = asyncio.get_running_loop().time()
        recalled = await self._memory.recall(question, _CANDIDATES)
        told = answer(
            question.query,
            [_known(each) for each in recalled.found],
            limit=QUOTES.get(question.level, QUOTES["low"]),
        )
        by_id = {each.id: each for each in recalled.found}
        cited = [by_id[each] for each in told.cited]
        conclusions = [each for each in cited if each.kind == "conclusion"]
        messages = [each.id for each in cited if each.kind == "message"]
        for conclusion in conclusions:
            messages.extend(conclusion.evidence)
        content = told.text
        if question.form is not None:
            filled = fill(question.form.schema, told.lines)
            content = json.dumps(filled, ensure_ascii=False)
        return Answered(
            content=content,
            conclusions=tuple(each.id for each in conclusions),
            messages=tuple(dict.fromkeys(messages)),
            as_of=recalled.as_of,
            engine=offline_engine(begun),
        )

    async def stream(
        self, question: AskedQuestion
    ) -> AsyncGenerator[str | Answered, None]:
        """Yield the answer line by line; it is whole before the first."""
        answered = await self.answer(question)
        for line in answered.content.splitlines(keepends=True):
            yield line
        yield answered


def _known(found: Recollection) -> Known:
    return Known(
        kind=found.kind,
        id=found.id,
        text=found.text,
        at=found.at,
        peer=found.peer,
        score=found.similarity,
        evidence=found.evidence,
    )
