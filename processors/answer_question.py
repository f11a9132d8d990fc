"""Answers questions with what memory holds, quoted, without a model (RS 7)."""

from typing import Final

from commands.ports import Answered, AskedQuestion
from domain.event import Engine
from processors.offline.answer import answer
from processors.offline.engine import ENGINE
from processors.offline.known import Known
from processors.ports import MemorySearch, Recollection

QUOTES: Final = {"minimal": 3, "low": 5, "medium": 5, "high": 8, "max": 10}
"""Most things quoted at each reasoning level."""

_CANDIDATES: Final = 25
"""Conclusions looked at, and as many messages (RS 0, dialectic prefetch)."""


class AnswerQuestion:
    """Fulfils ``commands.ports.Answerer``: ranks what is known and quotes the best.

    Every quote carries its date and the ids of its messages; where nothing is known
    the answer says so.
    """

    def __init__(self, memory: MemorySearch) -> None:
        self._memory = memory

    async def answer(self, question: AskedQuestion) -> Answered:
        """Return what memory tells, and what of it was quoted."""
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
        return Answered(
            content=told.text,
            conclusions=tuple(each.id for each in conclusions),
            messages=tuple(dict.fromkeys(messages)),
            as_of=recalled.as_of,
            engine=Engine(name=ENGINE.name, version=ENGINE.version),
        )


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
