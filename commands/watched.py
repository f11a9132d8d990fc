"""A stream a decision looks at, and how its state is folded."""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from domain.erasure import StreamErased
from domain.event import Event
from domain.names import Stream

S = TypeVar("S")


class Watched(msgspec.Struct, Generic[S], frozen=True):
    """A stream a decision looks at, and how its state is folded.

    What is decided is appended only if nothing was added to it meanwhile, by any
    process, also if the decision adds nothing to it itself. Where it cannot be read,
    ``despite_damage`` has it folded of what is left: that is for who erases.
    """

    stream: Stream
    initial: S
    evolve: Callable[[S, Event], S]
    despite_damage: bool = False

    def after(self, state: S, event: Event) -> S:
        """Fold one event; where a stream is erased, everything begins anew."""
        if isinstance(event, StreamErased):
            state = self.initial
        return self.evolve(state, event)
