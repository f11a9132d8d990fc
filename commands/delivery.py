"""Ask for deliveries to webhook endpoints, and record what came of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from commands.damaged import Damaged
from commands.decide import Decide, Reason
from commands.identity import processor_command
from commands.living import Source, decide_if_living
from commands.ports import ANY, Appended, CommandIdentity
from commands.webhook import watch_webhooks
from domain.event import Event
from domain.names import Stream, delivery_stream, public_id
from domain.recorded import Cause
from domain.webhook import (
    QueueType,
    WebhookAttemptFailed,
    WebhookDelivered,
    WebhookFailed,
    WebhookReplayRequested,
    WebhookRequested,
    Webhooks,
)

Outcome = WebhookDelivered | WebhookAttemptFailed | WebhookFailed


class AnnounceDrained(msgspec.Struct, frozen=True, kw_only=True):
    """A work unit of a session has nothing more to do; tell every endpoint once.

    ``name`` identifies the command within the workspace, ``position`` is that of
    what was done last.
    """

    workspace: str
    session: str
    queue_type: QueueType
    observed: str | None
    name: str
    position: int
    at: datetime
    cause: Cause


async def announce_drained(decide: Decide, command: AnnounceDrained) -> Appended | None:
    """Append ``WebhookRequested`` for each endpoint; None if nobody wants to hear.

    Raises:
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    identity = processor_command(command.workspace, command.name)
    webhooks = watch_webhooks(command.workspace)

    def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        state: Webhooks = states[0]
        return {
            delivery_stream(command.workspace, endpoint): [
                WebhookRequested(
                    workspace=command.workspace,
                    delivery=public_id(identity.id.bytes, ordinal),
                    endpoint=endpoint,
                    kind="queue.empty",
                    requested_at=command.at,
                    queue_type=command.queue_type,
                    session=command.session,
                    observed=command.observed,
                )
            ]
            for ordinal, endpoint in enumerate(state.endpoints)
        }

    source = Source(command.workspace, command.session, command.position)
    cause = msgspec.structs.replace(command.cause, command_id=identity.id)
    reason = Reason(cause, identity)
    return await decide_if_living(decide, source, (webhooks,), decision, reason)


async def record_outcome(
    decide: Decide, outcome: Outcome, *, round_: int, cause: Cause
) -> Appended | None:
    """Record what came of an attempt, once; None when the endpoint is gone.

    ``round_`` is the position of the request or replay the attempt belongs to. Where
    the endpoints cannot be read it is recorded all the same: it was sent.

    Raises:
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    named = (outcome.delivery, round_, outcome.attempt)
    identity = _attempt(outcome.workspace, *named)
    try:
        return await _append(decide, outcome, identity, cause)
    except Damaged:
        stream = delivery_stream(outcome.workspace, outcome.endpoint)
        reason = Reason(
            msgspec.structs.replace(cause, command_id=identity.id), identity
        )
        return await decide.append_at({stream: ANY}, (outcome,), reason)


async def recorded_outcome(
    decide: Decide, workspace: str, named: tuple[str, int, int]
) -> Appended | None:
    """Return what came of an attempt, None if nobody made it yet.

    ``named`` are its delivery, the round it belongs to and its number.

    Raises:
        Damaged: it was made, and what came of it cannot be read.
    """
    identity = _attempt(workspace, *named)
    cause = Cause(actor="deliver_webhooks", correlation_id=identity.id)
    return await decide.seen(workspace, Reason(cause, identity))


def _attempt(
    workspace: str, delivery: str, round_: int, attempt: int
) -> CommandIdentity:
    name = f"deliver_webhooks:{delivery}:{round_}-{attempt}"
    return processor_command(workspace, name)


async def replay_delivery(
    decide: Decide, event: WebhookReplayRequested, cause: Cause
) -> Appended | None:
    """Let a delivery be made again; None when its endpoint is gone."""
    moment = event.requested_at.isoformat()
    name = f"replay:{event.delivery}:{moment}"
    identity = processor_command(event.workspace, name)
    return await _append(decide, event, identity, cause)


async def _append(
    decide: Decide,
    event: Outcome | WebhookReplayRequested,
    identity: CommandIdentity,
    cause: Cause,
) -> Appended | None:
    def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        state: Webhooks = states[0]
        if event.endpoint not in state.endpoints:
            return {}
        return {delivery_stream(event.workspace, event.endpoint): [event]}

    reason = Reason(msgspec.structs.replace(cause, command_id=identity.id), identity)
    watched = (watch_webhooks(event.workspace),)
    return await decide(event.workspace, watched, decision, reason)
