"""What bodies may hold together, and how long each may take."""

import asyncio

import pytest

from commands.ports import Overloaded
from infra.http.intake import BodyTooSlow, ClientGone, Intake, IntakeLimits

LIMITS = IntakeLimits(held=100, free=10, pause=0.05, whole=0.2)


class Reading:
    """An application that reads a body whole and keeps it until it is told to go."""

    def __init__(self):
        self.may_answer = asyncio.Event()
        self.read = []
        self.failed = []

    async def __call__(self, _scope, receive, _send):
        try:
            more = True
            while more:
                message = await receive()
                self.read.append(message["body"])
                more = message["more_body"]
        except (Overloaded, BodyTooSlow, ClientGone) as failure:
            self.failed.append(type(failure))
            return
        await self.may_answer.wait()


def asking(intake, *parts):
    """Send parts, bytes or seconds to wait, as one request; None hangs up."""

    async def receive():
        while True:
            part = next(coming)
            if part is None:
                return {"type": "http.disconnect"}
            if isinstance(part, bytes):
                return {"type": "http.request", "body": part, "more_body": part != b""}
            await asyncio.sleep(part)

    coming = iter(parts)
    return asyncio.create_task(intake({"type": "http"}, receive, None))


@pytest.fixture
def reading():
    return Reading()


@pytest.fixture
def intake(reading):
    return Intake(reading, LIMITS)


async def until(happened):
    async with asyncio.timeout(60):
        while not happened():  # noqa: ASYNC110  what happens is counted elsewhere
            await asyncio.sleep(0)


async def test_much_is_refused_while_much_is_held_and_little_is_served(intake, reading):
    big = asking(intake, b"x" * 60, b"x" * 40, b"")
    await until(lambda: len(reading.read) == 3)
    await asking(intake, b"y" * 60, b"")
    assert reading.failed == [Overloaded]
    small = asking(intake, b"z" * 10, b"")
    await until(lambda: len(reading.read) == 5)
    reading.may_answer.set()
    await asyncio.gather(big, small)
    await asking(intake, b"w" * 110, b"")
    assert reading.failed == [Overloaded]


@pytest.mark.parametrize("parts", [(b"x", 60), (b"x", *(0.01, b"x") * 100, b"")])
async def test_a_body_that_does_not_come_is_not_waited_for(intake, reading, parts):
    await asking(intake, *parts)
    assert reading.failed == [BodyTooSlow]


async def test_who_hangs_up_half_way_leaves_nothing_held(intake, reading):
    for _ in range(5):
        await asking(intake, b"x" * 90, None)
    assert reading.failed == [ClientGone] * 5
