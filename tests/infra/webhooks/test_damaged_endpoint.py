"""A delivery is sent once for each attempt, whatever cannot be read or shown of it."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from commands.decide import Decide
from commands.ports import ANY, AppendRequest, StreamAppend
from domain.names import delivery_stream, webhook_stream
from domain.webhook import WebhookCreated, WebhookDelivered, WebhookRequested
from infra.codec.errors import Unreadable
from infra.postgres.view_readers import open_view_readers
from infra.webhooks.dispatch import Dispatch, DispatchLimits
from processors.deliver_webhooks import DeliverWebhooks, Retries
from processors.sending import Sent, Waiting
from tests.support.damage import break_at, cut_off
from tests.support.embedded import until
from tests.support.log import CAUSE
from tests.support.projecting import projecting

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Sender:
    def __init__(self):
        self.sent = []

    async def send(self, url, _body, _parent=None):
        self.sent.append(url)
        return Sent(200)


class Endpoints:
    """Workspace w with two endpoints, and what is to be delivered to them."""

    def __init__(self, memory, dsn):
        self.memory, self.dsn, self.sender = memory, dsn, Sender()

    async def append(self, stream, *events):
        request = AppendRequest("w", (StreamAppend(stream, ANY, events),), CAUSE)
        return (await self.memory.log.store.append(request)).recorded

    async def begin(self, *names):
        created = [
            WebhookCreated(
                workspace="w", id=name, url=f"http://{name}/", created_at=NOW
            )
            for name in names
        ]
        return await self.append(webhook_stream("w"), *created)

    async def ask(self, endpoint, *names):
        for name in names:
            asked = WebhookRequested(
                workspace="w",
                delivery=name,
                endpoint=endpoint,
                kind="test.event",
                requested_at=NOW,
            )
            [recorded] = await self.append(delivery_stream("w", endpoint), asked)
        return recorded.position

    def deliver(self):
        """Return what delivers in a process that begins now."""
        return DeliverWebhooks(
            Decide(self.memory.log.store),
            self.sender,
            clock=lambda: NOW,
            retries=Retries(),
        )

    async def delivered(self):
        log = self.memory.log.follow()
        try:
            page = await log.read_log(after=0, limit=1_000)
        finally:
            log.close()
        return [e.event.delivery for e in page if isinstance(e.event, WebhookDelivered)]


@pytest.fixture
def endpoints(memory, database):
    return Endpoints(memory, database.dsn())


def waiting(round_, name="d"):
    return Waiting(
        workspace="w",
        id=name,
        endpoint="e",
        url="http://e/",
        kind="test.event",
        queue_type=None,
        session=None,
        observer=None,
        observed=None,
        requested_at=NOW,
        attempts=0,
        story=UUID(int=1),
        round=round_,
    )


async def test_what_came_of_it_is_recorded_though_the_endpoint_is_damaged(endpoints):
    [created] = await endpoints.begin("e")
    round_ = await endpoints.ask("e", "d")
    await break_at(endpoints.dsn, created.position, cut_off)
    positions = {await endpoints.deliver()(waiting(round_)) for _ in range(3)}
    assert positions == {round_ + 1}
    assert endpoints.sender.sent == ["http://e/"]
    assert await endpoints.delivered() == ["d"]
    await break_at(endpoints.dsn, round_ + 1, cut_off)
    with pytest.raises(Unreadable, match=f"position {round_ + 1}"):
        await endpoints.deliver()(waiting(round_))
    assert endpoints.sender.sent == ["http://e/"]


async def test_while_views_stand_still_each_is_sent_once_and_none_waits(endpoints):
    """More than an endpoint has slots for; also by a process that begins anew."""
    await endpoints.begin("e", "f")
    names = [f"d{n}" for n in range(6)]
    await endpoints.ask("e", *names)
    last = await endpoints.ask("f", "of-f")
    [stop] = await endpoints.memory.say("What views stop at.")
    mend = await break_at(endpoints.dsn, stop.position, cut_off)
    async with (
        projecting(endpoints.memory.log, endpoints.dsn) as (views, _),
        open_view_readers(endpoints.dsn) as readers,
    ):
        assert await views.wait_for(last, 60)
        await until(lambda: views.failed is not None)
        for _ in range(2):
            limits = DispatchLimits(each=2, pause=0.0, idle=0.02)
            dispatch = Dispatch(
                *(endpoints.deliver(), readers, views),
                clock=lambda: NOW,
                limits=limits,
            )
            running = asyncio.create_task(dispatch.run())
            await until(lambda of=dispatch: len(of._unshown) == len(names) + 1)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        sent = endpoints.sender.sent
        assert sorted(sent) == ["http://e/"] * len(names) + ["http://f/"]
        assert sorted(await endpoints.delivered()) == sorted([*names, "of-f"])
        await mend()
