"""A session that begins as a copy of another."""

from datetime import datetime

from domain.erasure import SessionDeleted
from domain.errors import NotFound
from domain.event import Event
from domain.scope_membership import join_scopes
from domain.session import PeerJoined, Session, SessionCreated


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


def check_source(source: Session) -> None:
    """Refuse to copy what is not there, or is deleted.

    Raises:
        NotFound
    """
    if not source.active:
        raise NotFound("Original session not found")


def fork_session(
    source: Session, fork: Session, forked: SessionForked, named: tuple[str, datetime]
) -> list[Event]:
    """Open the copy, with all who ever were in the source, and its scopes (HC E22).

    ``named`` is its row id and the time; one that was opened before stays as it is.

    Raises:
        NotFound: there is no such source.
    """
    if fork.exists:
        return []
    check_source(source)
    uid, at = named
    place = (forked.workspace, forked.session)
    opened = SessionCreated(
        workspace=forked.workspace,
        session=forked.session,
        uid=uid,
        created_at=at,
        metadata=source.metadata,
        configuration=source.configuration,
    )
    joined = [
        PeerJoined(
            workspace=forked.workspace,
            session=forked.session,
            peer=peer,
            joined_at=at,
            observe_me=member.observe_me,
            observe_others=member.observe_others,
        )
        for peer, member in source.members.items()
    ]
    return [opened, *joined, *join_scopes(fork, place, source.scopes, at), forked]


def abandon_fork(fork: Session, event: SessionDeleted) -> list[SessionDeleted]:
    """Delete copies that were never opened; what is open or gone stays as it is."""
    unopened = fork.last_seq > 0 and not fork.exists and not fork.deleted
    return [event] if unopened else []
