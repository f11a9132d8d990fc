"""What a processor is, what it is fed, and the three ways it may answer."""

from datetime import timedelta
from typing import Protocol

import msgspec

from domain.event import Event
from domain.recorded import Recorded


class Done(msgspec.Struct, frozen=True):
    """The batch is dealt with; it will not come again."""


class Retry(msgspec.Struct, frozen=True):
    """It may succeed later: the key waits ``after``, other keys go on."""

    after: timedelta
    reason: str


class Park(msgspec.Struct, frozen=True):
    """It cannot succeed as it stands: the key stops until someone says so."""

    reason: str


Outcome = Done | Retry | Park


class Batch(msgspec.Struct, frozen=True):
    """Consecutive events of one ordering key, in position order, never empty.

    How a key's events are cut into batches may differ between deliveries; what was
    delivered before may come again.
    """

    ordering_key: str
    events: tuple[Recorded, ...]


class Processor(Protocol):
    """A reaction named verb_noun, fed one ordering key at a time."""

    name: str
    handles: tuple[type[Event], ...]

    async def __call__(self, batch: Batch) -> Outcome: ...
