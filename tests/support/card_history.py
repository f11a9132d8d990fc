"""What may happen to cards, for arbitrary histories of one small workspace."""

from collections.abc import Sequence

from domain.card import (
    CardEntryAdded,
    CardEntryRemoved,
    CardEntryRevised,
    CardReplacedByOwner,
)
from domain.conclusion import ConclusionDerived
from domain.event import Event

LINES = ("IDENTITY: Bob", "ATTRIBUTE: Tall", "entry 1")


def card_event(
    observer: str,
    observed: str,
    number: int,
    before: Sequence[Event],
    concluded: Sequence[ConclusionDerived],
) -> Event:
    """Return one change of a card: by its owner, or of a line by an agent."""
    named = {"workspace": "w", "observer": observer, "observed": observed}
    lines = [each.id for each in before if isinstance(each, CardEntryAdded)]
    if number % 4 == 0 or not concluded:
        entries = tuple(LINES[n % 3] for n in range(number % 5))
        return CardReplacedByOwner(entries=entries, **named)
    rests_on = concluded[number % len(concluded)]
    if number % 4 == 1 and lines:
        return CardEntryRemoved(id=lines[number % len(lines)], **named)
    said = {
        "entry": LINES[number % 3],
        "evidence": (rests_on.id,),
        "sessions": (rests_on.session or "",),
        **named,
    }
    if number % 4 == 2 and lines:
        return CardEntryRevised(id=lines[number % len(lines)], **said)
    return CardEntryAdded(id=f"line-{len(before)}", **said)
