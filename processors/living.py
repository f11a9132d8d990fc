"""Keeps from a processor what is erased, or about to be."""

from commands.decide import Decide
from commands.living import Source, is_living
from domain.recorded import Recorded
from processors.processor import Batch, Done, Outcome, Processor


class Living:
    """Hands on only events whose session and workspace are neither.

    So a key that was parked on an event of a session comes free with its erasure, and
    a processor that begins anew never takes a session for the next one of its id.
    """

    def __init__(self, processor: Processor, decide: Decide) -> None:
        self.name = processor.name
        self.handles = processor.handles
        self._processor = processor
        self._decide = decide

    async def __call__(self, batch: Batch) -> Outcome:
        """Hand on what is living of a batch."""
        alive = [each for each in batch.events if await self._lives(each)]
        if not alive:
            return Done()
        return await self._processor(Batch(batch.ordering_key, tuple(alive)))

    async def _lives(self, recorded: Recorded) -> bool:
        session = getattr(recorded.event, "session", None)
        source = Source(recorded.tenant, session, recorded.position)
        return await is_living(self._decide, source)
