"""How events of former shapes are read as those of today.

An event's tag and fields never change. Where a fact must be told otherwise, it gets a
new tag (``message-added@2``), and an entry here says how the old one reads: its class
of then, the next tag, and a pure function from struct to struct. Entries chain.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from domain.event import Event, tag_of
from infra.codec.errors import Unreadable


class UpcastError(Unreadable):
    """An upcaster failed, or did not lead to the tag it names."""


class Upcaster(msgspec.Struct, frozen=True):
    """One step: events of ``old`` read as events tagged ``becomes``.

    ``old`` keeps its Personal marks and its ``sealed_for``, so that its seals open.
    """

    old: type[Event]
    becomes: str
    read: Callable[[Any], Event]


UPCASTERS: Final[Mapping[str, Upcaster]] = {}
"""By the stored tag of the old event."""


def upcast(event: Event, upcasters: Mapping[str, Upcaster]) -> Event:
    """Read an event as one of today.

    Raises:
        UpcastError: a step failed, or answered with another tag than it named.
    """
    tag = tag_of(event)
    while (step := upcasters.get(tag)) is not None:
        try:
            event = step.read(event)
        except Exception as bug:  # whatever it is, this event is not read
            # The text of an error nobody foresaw may quote what somebody said.
            name = type(bug).__name__
            raise UpcastError(f"{tag} does not read as {step.becomes}: {name}") from bug
        reached = tag_of(event)
        if reached == tag or reached != step.becomes:
            raise UpcastError(f"{tag} should read as {step.becomes}, not {reached}")
        tag = reached
    return event
