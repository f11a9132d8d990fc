"""Webhook endpoints of a workspace, and what is asked to be delivered to them."""

import msgspec

from commands.decide import Reason
from commands.parents import watch_named_workspace
from commands.proposal import Proposal
from commands.watched import Watched
from commands.write import Write, Written
from domain.errors import NotFound
from domain.names import delivery_stream, is_name, webhook_stream
from domain.webhook import (
    WebhookCreated,
    WebhookDeleted,
    WebhookRequested,
    Webhooks,
    evolve_webhooks,
)
from domain.webhook import create_webhook as create
from domain.webhook import delete_webhook as delete


class CreateWebhook(msgspec.Struct, frozen=True):
    """Let this URL hear what happens in the workspace (HC E48)."""

    workspace: str
    url: str


class DeleteWebhook(msgspec.Struct, frozen=True):
    """Let this endpoint hear nothing more (HC E50)."""

    workspace: str
    endpoint: str


def watch_webhooks(workspace: str) -> Watched[Webhooks]:
    """Look at the endpoints of a workspace."""
    return Watched(webhook_stream(workspace), Webhooks(), evolve_webhooks)


async def create_webhook(
    write: Write, command: CreateWebhook, reason: Reason
) -> Written[Webhooks]:
    """Add an endpoint unless there is one of this URL.

    Raises:
        NotFound: there is no such workspace.
        Conflict: it has as many endpoints as it may.
    """
    workspace = watch_named_workspace(command.workspace)
    webhooks = watch_webhooks(command.workspace)
    created = WebhookCreated(
        workspace=command.workspace,
        id=write.new_id(),
        url=command.url,
        created_at=write.clock(),
    )

    def decision(proposal: Proposal) -> None:
        found = proposal.state(workspace)
        if not found.exists or found.erasing:
            raise NotFound(f"Workspace {command.workspace} not found")
        state = proposal.state(webhooks)
        proposal.record(webhooks, create(state, created, write.limits.webhooks))

    return await write(webhooks, (workspace,), decision, reason)


async def delete_webhook(
    write: Write, command: DeleteWebhook, reason: Reason
) -> Written[Webhooks]:
    """Remove an endpoint; what waits for it is not delivered.

    Raises:
        NotFound: the workspace has none of this id.
    """
    deleted = WebhookDeleted(workspace=command.workspace, id=command.endpoint)
    if not is_name(command.workspace):
        delete(Webhooks(), deleted)
    webhooks = watch_webhooks(command.workspace)

    def decision(proposal: Proposal) -> None:
        proposal.record(webhooks, delete(proposal.state(webhooks), deleted))

    return await write(webhooks, (), decision, reason)


async def try_webhooks(
    write: Write, workspace: str, reason: Reason
) -> Written[Webhooks] | None:
    """Ask for a ``test.event`` at every endpoint; nothing where nothing is signed."""
    if not write.limits.signs_webhooks or not is_name(workspace):
        return None
    webhooks, now = watch_webhooks(workspace), write.clock()
    drawn: dict[str, str] = {}

    def decision(proposal: Proposal) -> None:
        for endpoint in proposal.state(webhooks).endpoints:
            requested = WebhookRequested(
                workspace=workspace,
                delivery=drawn.setdefault(endpoint, write.new_id()),
                endpoint=endpoint,
                kind="test.event",
                requested_at=now,
            )
            proposal.add(delivery_stream(workspace, endpoint), requested)

    return await write(webhooks, (), decision, reason)
