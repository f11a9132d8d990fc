"""Say messages in a session: what is not there yet is made in the same append."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from commands.decide import Reason
from commands.parents import (
    found_peers,
    found_session,
    found_workspace,
    refuse_scopes,
    watch_peers,
    watch_session,
    watch_workspace,
)
from commands.ports import TokenCounter
from commands.proposal import Proposal
from commands.write import Birth, Write
from domain.configuration import Configuration, resolve
from domain.membership import is_observed, join_authors
from domain.message import Draft
from domain.message import add_messages as add
from domain.peer import Peer
from domain.session import MessageAdded, Session
from domain.workspace import Workspace

_AT_ONCE = 20_000
"""Characters counted on the event loop; more are counted in a thread."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it was sent; ``created_at`` None means now."""

    author: str
    content: str
    metadata: dict[str, Any] = {}
    configuration: Configuration | None = None
    created_at: datetime | None = None


class AddMessages(msgspec.Struct, frozen=True, kw_only=True):
    """Say these messages in this session, in this order (HC E32)."""

    workspace: str
    session: str
    said: Sequence[Said]


class MessagesAdded(msgspec.Struct, frozen=True):
    """The messages as recorded, and the position by which all can be read."""

    messages: tuple[MessageAdded, ...]
    position: int


async def add_messages(
    write: Write, command: AddMessages, reason: Reason
) -> MessagesAdded:
    """Add all or none; authors become members, parents are made on demand.

    Raises:
        Invalid: the workspace, the session or an author has an impossible name, or
            an author is a scope.
    """
    workspace = watch_workspace(command.workspace)
    session = watch_session(command.workspace, command.session)
    authors = watch_peers(command.workspace, (each.author for each in command.said))
    birth = Birth(write.clock(), write.new_id)
    drafts = await _drafts(write, command.said, birth.at)
    named = (command.workspace, command.session)

    def decision(proposal: Proposal) -> None:
        found_workspace(proposal, workspace, birth)
        found_session(proposal, command.session, session, birth)
        refuse_scopes(proposal, authors)
        found_peers(proposal, authors, birth)
        here = proposal.state(session)
        proposal.record(session, join_authors(here, named, authors, birth.at))
        scene = _Scene(
            write.limits.configuration,
            (proposal.state(workspace), proposal.state(session)),
            {name: proposal.state(peer) for name, peer in authors.items()},
        )
        asked = [scene.settle(*each) for each in zip(drafts, command.said, strict=True)]
        proposal.record(session, add(scene.session, named, asked))

    written = await write(session, (workspace, *authors.values()), decision, reason)
    messages = tuple(e for e in written.events if isinstance(e, MessageAdded))
    return MessagesAdded(messages, written.position)


class _Scene:
    """Workspace, session and authors as they stand when something is said.

    ``deployment`` is what holds where none of them says otherwise.
    """

    def __init__(
        self,
        deployment: Configuration,
        within: tuple[Workspace, Session],
        peers: dict[str, Peer],
    ) -> None:
        workspace, self.session = within
        self._peers = peers
        self._levels = (deployment, workspace.configuration, self.session.configuration)
        self._settings = resolve(*self._levels)

    def settle(self, draft: Draft, said: Said) -> Draft:
        """Complete a draft by the settings in force for it (HC 5.3)."""
        settings = self._settings
        if said.configuration:
            settings = resolve(*self._levels, said.configuration)
        observed = is_observed(
            self.session, said.author, self._peers[said.author].observe_me
        )
        return msgspec.structs.replace(
            draft,
            derive=settings.reasoning and observed,
            short_every=settings.messages_per_short_summary
            if settings.summary
            else None,
            long_every=settings.messages_per_long_summary if settings.summary else None,
            instructions=resolve(said.configuration).custom_instructions,
            language=settings.language,
        )


async def _drafts(write: Write, said: Sequence[Said], now: datetime) -> list[Draft]:
    """Draft each message as though nothing were asked of it yet."""
    counts = await _count(write.tokens, [each.content for each in said])
    return [
        Draft(
            id=write.new_id(),
            author=each.author,
            content=each.content,
            metadata=each.metadata,
            created_at=now if each.created_at is None else each.created_at,
            tokens=tokens,
            derive=False,
            short_every=None,
            long_every=None,
            received_at=None if each.created_at is None else now,
        )
        for each, tokens in zip(said, counts, strict=True)
    ]


async def _count(tokens: TokenCounter, contents: list[str]) -> list[int]:
    """Count tokens, off the event loop when that would hold it up."""
    if sum(map(len, contents)) <= _AT_ONCE:
        return [tokens.count(content) for content in contents]
    return await asyncio.to_thread(lambda: [tokens.count(each) for each in contents])
