"""What erasing needs of the world: the stores, and what to take out of them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from commands.erasure import Bereft
from domain.names import Stream
from domain.question import QuestionAnswered


class Holdings(Protocol):
    """The stores beside the log, and what to take out of them to erase something.

    Each method may be called again at any time and then does what is left to do; it
    raises ``Unavailable`` when it may succeed later.
    """

    async def head(self) -> int:
        """Return the highest position of the log."""
        ...

    async def bereft(self, workspace: str, session: str) -> Sequence[Bereft]:
        """Return conclusions outside a session that rest on nothing but it."""
        ...

    async def destroy_keys(self, workspace: str, session: str | None) -> None:
        """Make unreadable what a session, or all of a workspace, sealed."""
        ...

    async def forget_answers(self, workspace: str, session: str) -> None:
        """Make unreadable what was answered, anywhere, from what a session holds."""
        ...

    async def forget_answer(self, workspace: str, question: str) -> None:
        """Make unreadable what was asked and answered under this id."""
        ...

    async def quoted(
        self, position: int, answered: QuestionAnswered
    ) -> Sequence[str] | None:
        """Return the sessions an answer quotes; None if some of it is erased.

        The views know by then all there was up to a position.
        """
        ...

    async def forget_vectors(
        self, workspace: str, session: str | None, conclusions: Sequence[str]
    ) -> None:
        """Forget recorded vectors of texts nothing else in the workspace holds.

        They are those of the session and of these conclusions; without a session all.
        """
        ...

    async def unpark(self, workspace: str, session: str | None) -> None:
        """Let go on what is parked, so that it finds nothing left to do."""
        ...

    async def streams_of_session(
        self, workspace: str, session: str
    ) -> Sequence[Stream]:
        """Return the streams of what happened in a session or is derived from it."""
        ...

    async def streams_of_workspace(
        self, workspace: str, through: int
    ) -> Mapping[Stream, int]:
        """Return streams that do not end yet and have no event beyond a position.

        With each the version it is at.
        """
        ...
