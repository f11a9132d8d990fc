"""A session that began as a copy of another."""

from domain.event import Event


class SessionForked(Event, frozen=True, kw_only=True, tag="session-forked"):
    """All of a session that was copied is there: from now on it can be seen.

    The copies were recorded before, in as many appends as it took; they are messages
    1 to ``through_seq`` of ``source`` as they stood. ``message`` is the last of them
    where one was asked for.
    """

    session: str
    source: str
    through_seq: int
    message: str | None = None
