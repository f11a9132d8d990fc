"""Old idempotency keys are forgotten; a lost database only delays it."""

import asyncio

from infra.sweep import sweep_daily


class SweptLog:
    """Remembers how it was swept."""

    def __init__(self):
        self.days = asyncio.Queue()
        self.calls_days = asyncio.Queue()

    async def sweep_commands(self, days):
        await self.days.put(days)
        return 0

    async def sweep_calls(self, days):
        await self.calls_days.put(days)
        return 0


class SweptClones:
    """Remembers how many days were waited for a clone to be carried on."""

    def __init__(self):
        self.days = asyncio.Queue()

    async def give_up(self, days):
        await self.days.put(days)
        return 1


async def test_a_server_sweeps_when_it_starts_and_then_waits_a_day():
    log = SweptLog()
    clones = SweptClones()
    sweeping = asyncio.create_task(sweep_daily(log, clones, 7, 3))
    assert await asyncio.wait_for(log.days.get(), 60) == 7
    assert await asyncio.wait_for(clones.days.get(), 60) == 7
    assert await asyncio.wait_for(log.calls_days.get(), 60) == 3
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
    assert log.days.empty()
