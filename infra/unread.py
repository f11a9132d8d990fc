"""Events that cannot be read here: whose they may be, and what becomes of their key.

A projection stops at them. A processor holds the key: what it passes over it never
sees again, though it could be read tomorrow.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import takewhile

from domain.event import Event, tag_of
from domain.recorded import Recorded
from infra.codec.damaged import Damaged
from infra.codec.unknown import Unknown
from processors.processor import Park, Retry


def is_unread(recorded: Recorded) -> bool:
    """Tell whether an event is damaged, or of a type this version does not know."""
    return isinstance(recorded.event, Damaged | Unknown)


def readable(events: Iterable[Recorded]) -> Sequence[Recorded]:
    """Return the events before the first that cannot be read."""
    return tuple(takewhile(lambda each: not is_unread(each), events))


class Handled:
    """Tells which events a processor is fed: what it handles, and what may be that."""

    def __init__(self, handles: tuple[type[Event], ...]) -> None:
        self._handles = handles
        self._names = {_name(tag_of(each)) for each in handles}

    def has(self, recorded: Recorded) -> bool:
        """Tell by the name where it cannot be read: ``message-added`` of any ``@2``.

        A name nobody here knows is passed over: it would keep every processor, erasure
        included, for as long as workers of a version before run.
        """
        event = recorded.event
        if isinstance(event, Damaged | Unknown):
            return _name(event.stored_type) in self._names
        return isinstance(event, self._handles)


def outcome_of(event: Event, patience: timedelta) -> Retry | Park:
    """Return what becomes of the key of an event that cannot be read.

    Another version that knows its type goes on by itself; damage is somebody's to mend.
    """
    match event:
        case Unknown():
            return Retry(patience, f"No type of this version: {event.stored_type}")
        case Damaged():
            return Park(event.reason)
        case _:
            raise TypeError(f"{type(event).__name__} can be read")


def _name(tag: str) -> str:
    return tag.partition("@")[0]
