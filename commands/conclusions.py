"""Conclude what a client says: each held by the one observer it names."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from commands.decide import Reason
from commands.parents import (
    check_settled,
    watch_named_peer,
    watch_named_session,
    watch_named_workspace,
)
from commands.ports import Remembered, TextMemory, TokenCounter
from commands.proposal import Proposal
from commands.watched import Watched
from commands.write import Write
from domain.conclusion import ConclusionDerived, content_key
from domain.embedding import Embedded, EmbeddingRecorded
from domain.errors import Invalid, NotFound
from domain.event import Engine
from domain.names import (
    Stream,
    conclusion_stream,
    embedding_stream,
    pair_conclusion_stream,
)
from domain.observed import refuse_scope
from domain.peer import Peer
from domain.recorded import Recorded
from domain.session import Session, check_active

MOST_TOKENS = 8192
"""Longest conclusion in tokens (HC E37)."""

CLIENT = Engine(name="client", version="1")
"""What makes a conclusion that a client says: no engine but itself."""


class Concluded(msgspec.Struct, frozen=True, kw_only=True):
    """What ``observer`` holds of ``observed``, in a session or in none."""

    observer: str
    observed: str
    content: str
    session: str | None = None


class CreateConclusions(msgspec.Struct, frozen=True, kw_only=True):
    """Conclude all of these, in this order, or none (HC E37)."""

    workspace: str
    concluded: Sequence[Concluded]


class ConclusionsCreated(msgspec.Struct, frozen=True):
    """The conclusions as recorded, in the order asked, and where all can be read."""

    recorded: tuple[Recorded, ...]
    position: int


async def create_conclusions(
    write: Write, memory: TextMemory, command: CreateConclusions, reason: Reason
) -> ConclusionsCreated:
    """Record each as a conclusion of its own, its vector stored before it.

    Equal ones do not meet (RS 2.6). Without an embedder they get their vectors later.

    Raises:
        Invalid: one is too long, or tells of a scope.
        NotFound: a peer or a session is not there, or no longer.
    """
    for each in command.concluded:
        check_length(each.content, write.tokens)
    peers = _watch_peers(command)
    sessions = _watch_sessions(command)
    workspace = watch_named_workspace(command.workspace)
    watched: list[Watched[Any]] = [workspace, *peers.values(), *sessions.values()]
    now = write.clock()
    events = [
        (
            _stream_of(command.workspace, each),
            _derived(command.workspace, each, write.new_id(), now),
        )
        for each in command.concluded
    ]
    remembered = None
    if await _all_there(write, watched):
        texts = [event.content for _, event in events]
        remembered = await memory.remember(command.workspace, texts)

    def decision(proposal: Proposal) -> None:
        check_settled(proposal, workspace)
        for name, peer in peers.items():
            _check_peer(proposal.state(peer), (command.workspace, name))
        for each in command.concluded:
            refuse_scope(proposal.state(peers[each.observed]), each.observed)
        for name, session in sessions.items():
            check_active(proposal.state(session), (command.workspace, name))
        for stream, event in (*events, *record_vectors(events, remembered)):
            proposal.add(stream, event)

    written = await write(watched[0], watched[1:], decision, reason)
    if remembered is not None:
        await memory.searchable(written.position)
    recorded = _in_order(command, written.recorded)
    return ConclusionsCreated(recorded, written.position)


def check_length(content: str, tokens: TokenCounter) -> None:
    """Refuse a conclusion of too many tokens (HC E37).

    Raises:
        Invalid
    """
    # A token has at least one byte, so an ordinary text needs no counting.
    if len(content.encode()) > MOST_TOKENS and tokens.count(content) > MOST_TOKENS:
        raise Invalid(f"Conclusion exceeds maximum token limit of {MOST_TOKENS}.")


def _check_peer(state: Peer, named: tuple[str, str]) -> None:
    if not state.exists:
        workspace, peer = named
        raise NotFound(f"Peer {peer} not found in workspace {workspace}")


def _watch_peers(command: CreateConclusions) -> dict[str, Watched[Peer]]:
    return {
        name: watch_named_peer(command.workspace, name)
        for each in command.concluded
        for name in (each.observer, each.observed)
    }


def _watch_sessions(command: CreateConclusions) -> dict[str, Watched[Session]]:
    return {
        each.session: watch_named_session(command.workspace, each.session)
        for each in command.concluded
        if each.session is not None
    }


async def _all_there(write: Write, watched: Iterable[Watched[Any]]) -> bool:
    """Tell whether it is worth asking an embedder; the decision looks again."""
    for each in watched:
        if (await write.decide.look(each)).exists:
            continue
        if not (await write.decide.look_anew(each)).exists:
            return False
    return True


def _derived(
    workspace: str, concluded: Concluded, id_: str, now: datetime
) -> ConclusionDerived:
    return ConclusionDerived(
        workspace=workspace,
        session=concluded.session,
        id=id_,
        observed=concluded.observed,
        content=concluded.content,
        content_key=content_key(concluded.content),
        occurred_at=now,
        engine=CLIENT,
        observer=concluded.observer,
    )


def _in_order(
    command: CreateConclusions, recorded: Sequence[Recorded]
) -> tuple[Recorded, ...]:
    """Return what was recorded as it was asked for: streams keep their own order."""
    of_stream: dict[str, list[Recorded]] = {}
    for each in recorded:
        if isinstance(each.event, ConclusionDerived):
            of_stream.setdefault(each.stream, []).append(each)
    following = {name: iter(found) for name, found in of_stream.items()}
    return tuple(
        next(following[_stream_of(command.workspace, each).name])
        for each in command.concluded
    )


def _stream_of(workspace: str, concluded: Concluded) -> Stream:
    if concluded.session is not None:
        return conclusion_stream(workspace, concluded.session)
    return pair_conclusion_stream(workspace, concluded.observer, concluded.observed)


def record_vectors(
    events: Sequence[tuple[Stream, ConclusionDerived]], remembered: Remembered | None
) -> Iterator[tuple[Stream, EmbeddingRecorded]]:
    """Record what was remembered, for each ordering key by itself.

    It tells nothing of how far a key's other texts have vectors.
    """
    if remembered is None:
        return
    of_key: dict[Stream, list[Embedded]] = {}
    sessions: dict[Stream, str | None] = {}
    for (stream, event), print_ in zip(events, remembered.fingerprints, strict=True):
        key = embedding_stream(event.workspace, stream.ordering_key)
        of_key.setdefault(key, []).append(Embedded("conclusion", event.id, print_))
        sessions[key] = event.session
    for key, items in of_key.items():
        recorded = EmbeddingRecorded(
            workspace=key.tenant,
            session=sessions[key],
            model=remembered.model,
            dimensions=remembered.dimensions,
            items=tuple(items),
        )
        yield key, recorded
