"""Events of one append may belong to several stories."""

from uuid import uuid4

import pytest

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.names import workspace_stream
from domain.recorded import Cause
from domain.workspace import WorkspaceConfigured
from tests.support.reactions import memory, opened

__all__ = ["memory", "opened"]

EVENT = WorkspaceConfigured(workspace="w", metadata={}, configuration={})


def request(causes):
    stream = StreamAppend(workspace_stream("w"), ANY, (EVENT, EVENT), causes)
    shared = Cause(actor="client", correlation_id=uuid4())
    return AppendRequest(tenant="w", streams=(stream,), cause=shared)


async def test_each_event_keeps_the_cause_it_was_given(memory):
    causes = tuple(Cause(actor=name, correlation_id=uuid4()) for name in ("a", "b"))
    appended = await memory.log.store.append(request(causes))
    assert [each.cause for each in appended.recorded] == list(causes)
    assert [each.cause for each in await memory.recorded()] == list(causes)


async def test_without_causes_of_their_own_they_share_the_requests(memory):
    shared = request(None)
    appended = await memory.log.store.append(shared)
    assert [each.cause for each in appended.recorded] == [shared.cause] * 2


async def test_a_cause_too_few_is_refused(memory):
    with pytest.raises(ValueError, match="a cause of its own"):
        await memory.log.store.append(
            request((Cause(actor="a", correlation_id=uuid4()),))
        )
