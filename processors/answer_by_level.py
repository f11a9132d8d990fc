"""Has each reasoning level answered by what it is configured to run on (RS 7.2)."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from commands.asking import Answered, Answerer, AskedQuestion


class AnswerByLevel:
    """Fulfils ``commands.ports.Answerer``: asks the one of the question's level."""

    def __init__(self, levels: Mapping[str, Answerer]) -> None:
        self._levels = levels

    async def answer(self, question: AskedQuestion) -> Answered:
        """See the port."""
        return await self._levels[question.level].answer(question)

    async def stream(
        self, question: AskedQuestion
    ) -> AsyncGenerator[str | Answered, None]:
        """See the port."""
        async with aclosing(self._levels[question.level].stream(question)) as pieces:
            async for piece in pieces:
                yield piece
