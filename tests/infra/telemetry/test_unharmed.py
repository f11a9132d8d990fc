"""What is told of work never ends it."""

import logging

from infra.delivery import Delivery, FeedLimits
from infra.telemetry.unharmed import Unharmed, unharmed, unharmed_append
from processors.processor import Batch, Done
from tests.infra.telemetry.test_emitter import recorded
from tests.support.log import request, said

SECRET = "what nobody may read"  # noqa: S105  a mark


def fail(*_):
    raise ValueError(SECRET)


class BadBegin:
    begin = staticmethod(fail)


class BadEnd:
    def begin(self, *_):
        return fail


class Working:
    name = "working"
    handles = ()

    async def __call__(self, _batch):
        return Done()


async def test_a_delivery_goes_on_whatever_its_observers_do():
    observers = [Unharmed(BadBegin()), Unharmed(BadEnd())]
    deliver = Delivery(Working(), FeedLimits(), observers)
    assert await deliver(Batch("w/s", (recorded(said("one")),)), 0) is None


def test_a_failure_is_said_once(caplog):
    told = unharmed(fail, "otherwise")
    with caplog.at_level(logging.WARNING):
        assert [told(), told()] == ["otherwise"] * 2
    assert caplog.messages == ["something is not told"]


async def test_an_append_goes_on_whatever_follows_it(log):
    log.follow_appends(unharmed_append(fail))
    assert (await log.store.append(request("s"))).first == 1
    log.follow_appends(unharmed_append(lambda asked: (asked, fail)))
    assert (await log.store.append(request("s"))).first == 2
