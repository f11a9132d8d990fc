"""The messages of a session's stream: of the session there is, not of one erased."""

from typing import Final

from commands.decide import Decide
from commands.parents import watch_named_session
from domain.recorded import Recorded
from domain.session import MessageAdded
from processors.ports import StreamReader

_PAGE: Final = 128


class ReadSaid:
    """Reads on in the streams of sessions."""

    def __init__(self, decide: Decide, streams: StreamReader) -> None:
        self._decide = decide
        self._streams = streams

    async def __call__(
        self, named: tuple[str, str], *, version: int, seq: int, most: int | None
    ) -> list[Recorded]:
        """Return messages with numbers above ``seq`` and versions above ``version``.

        They are ``most`` at least, or all there are. What was said before the session
        was erased is of another one, though its numbers are the same. A message's
        version in its stream is never below its number.
        """
        session = watch_named_session(*named)
        begun = (await self._decide.look(session)).erased_through
        found: list[Recorded] = []
        while True:
            page = await self._streams.read_stream(
                session.stream.name, after=version, limit=_PAGE
            )
            found += [
                each
                for each in page
                if isinstance(each.event, MessageAdded)
                and each.event.seq > seq
                and each.position > begun
            ]
            if len(page) < _PAGE or (most is not None and len(found) >= most):
                return found
            version = page[-1].version
