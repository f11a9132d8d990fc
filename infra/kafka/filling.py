"""Fills the next generation of the topic from the log, beside a running relay."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Final

import msgspec

from infra.kafka.generations import FillingUnderWay, Generation
from infra.kafka.read_ahead import ReadAhead
from infra.kafka.relay import Relay, RelayParts
from infra.kafka.tails import TopicUnusable
from infra.kafka.topic_writer import TopicWriter
from infra.kafka.topics import delete_topic, make_topic, serving_generation
from infra.postgres.leadership import lead
from infra.stopping import stop
from infra.telemetry.observers import RelayObserver

_PATIENCE: Final = 3.0
"""Seconds another command has to be done; whoever was killed is followed sooner."""

_NEAR: Final = 1_000
"""Events before the head at which it counts as full: who lets it serve adds them."""

_LOOK: Final = 0.2


class Filled(msgspec.Struct, frozen=True):
    """How far the next generation is: everything up to ``position`` of ``head``.

    ``begun_at`` is the position this command went on from, ``seconds`` its time so far.
    """

    topic: str
    position: int
    head: int
    begun_at: int
    seconds: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return (self.position - self.begun_at) / max(self.seconds, 0.001)

    @property
    def remaining(self) -> float | None:
        """Seconds until it is full, None while that is not known."""
        rate = self.rate
        return None if rate <= 0 else max(0, self.head - self.position) / rate


Told = Callable[[Filled], None]


async def fill_next(
    parts: RelayParts, partitions: int | None, observer: RelayObserver, told: Told
) -> Generation:
    """Fill a generation of so many partitions, or as many as now, and let it serve.

    A running relay changes over to it; where there is none, this process does. Broken
    off, it goes on where it was when it is asked for again. Where so many serve, there
    is nothing to do.

    Raises:
        FillingUnderWay, NoBrokers, LeadershipLost
        kafka.errors.KafkaError, asyncpg.PostgresError, OSError
    """
    leading = lead(parts.dsn, f"filling of {parts.settings.kafka_topic}")
    try:
        async with asyncio.timeout(_PATIENCE):
            led = await leading.__aenter__()
    except TimeoutError as error:
        raise FillingUnderWay(
            "another command fills the next generation of the topic now"
        ) from error
    try:
        return await led.during(_fill_next(parts, partitions, observer, told))
    finally:
        await leading.__aexit__(None, None, None)


async def _fill_next(
    parts: RelayParts, partitions: int | None, observer: RelayObserver, told: Told
) -> Generation:
    serving = await serving_generation(parts.generations, parts.settings)
    wanted = partitions or serving.partitions
    if partitions == serving.partitions and not await _is_begun(parts):
        return serving
    while True:
        following = await _begun(parts, wanted)
        made = await make_topic(parts.settings, following.topic, wanted)
        full = None
        with suppress(TopicUnusable):
            if made == wanted:
                full = await _filled(parts, following, told)
        if full is not None:
            return await _served(parts, full, observer)
        # Somebody else's topic has the name: it is left alone, and the next one taken.
        await parts.generations.turn(following, "lost")


async def _is_begun(parts: RelayParts) -> bool:
    """Tell whether an earlier command was broken off before its generation served."""
    states = {each.state for each in await parts.generations.all()}
    return not states.isdisjoint(("filling", "full"))


async def _begun(parts: RelayParts, partitions: int) -> Generation:
    """Return the one to fill: what an earlier command began, or a new one."""
    generations = parts.generations
    for each in await generations.all():
        if each.state in ("filling", "full"):
            if each.partitions == partitions:
                return each
            await generations.turn(each, "lost")
            await delete_topic(parts.settings, each.topic)
    return await generations.add(partitions)


async def _filled(parts: RelayParts, following: Generation, told: Told) -> Generation:
    """Write what it has not yet, up to the head of the log as it is by then."""
    if following.state == "full":
        return following
    log, begun = parts.log, monotonic()
    async with (
        TopicWriter.open(parts.settings, following, log) as writer,
        ReadAhead(log) as ahead,
    ):
        begun_at = writer.position
        while writer.position + _NEAR < (head := await log.head()):
            rows = await ahead.after(writer.position)
            await writer.write(await parts.page(following.topic, rows))
            following = await parts.generations.move(
                following, writer.position, writer.tails
            )
            head, seconds = max(head, writer.position), monotonic() - begun
            told(Filled(following.topic, writer.position, head, begun_at, seconds))
    return await parts.generations.turn(following, "full")


async def _served(
    parts: RelayParts, full: Generation, observer: RelayObserver
) -> Generation:
    """Wait until a relay lets it serve: one that runs, or else one of our own."""
    own = asyncio.create_task(Relay(parts, observer).run())
    try:
        while True:
            serving = await parts.generations.serving()
            if serving is not None and serving.number >= full.number:
                return serving
            await asyncio.sleep(_LOOK)
    finally:
        await stop(own)
