"""A peer card: the short list of what one peer holds of another (RS 5)."""

from typing import ClassVar

import msgspec

from domain.event import Event, Personal


class CardReplacedByOwner(
    Event, frozen=True, kw_only=True, tag="card-replaced-by-owner"
):
    """The owner set the whole card, in this order (HC E15)."""

    sealed_for: ClassVar[tuple[str | None, str | None]] = (None, "observed")

    observer: str
    observed: str
    entries: Personal[tuple[str, ...]]


class Card(msgspec.Struct, frozen=True):
    """The card as it stands; None when it was never set."""

    entries: tuple[str, ...] | None = None


def evolve_card(state: Card, event: Event) -> Card:
    """Fold one event into the state; events of other aggregates change nothing."""
    if isinstance(event, CardReplacedByOwner):
        return Card(event.entries)
    return state


def replace_card(
    state: Card, named: tuple[str, str, str], entries: tuple[str, ...]
) -> list[CardReplacedByOwner]:
    """Replace the card of (workspace, observer, observed); equal is no event."""
    if state.entries == entries:
        return []
    workspace, observer, observed = named
    return [
        CardReplacedByOwner(
            workspace=workspace, observer=observer, observed=observed, entries=entries
        )
    ]
