"""Messages withheld from recall: said and listed, but nothing is drawn from them."""

from collections.abc import Mapping

from domain.event import Event


class MessagesWithheld(Event, frozen=True, kw_only=True, tag="messages-withheld"):
    """These messages, by public id, are not recalled until the unit is undone.

    They are listed as before; no search, context, answer, conclusion or summary uses
    them.
    """

    session: str
    messages: tuple[str, ...]
    unit: str
    reason: str
    actor: str


class MessagesRestored(Event, frozen=True, kw_only=True, tag="messages-restored"):
    """What the unit withheld of these messages is recalled again."""

    session: str
    messages: tuple[str, ...]
    unit: str
    reason: str
    actor: str


def after_withholding(withheld: Mapping[str, str], event: Event) -> dict[str, str]:
    """Return which messages are withheld, by which unit: the first that did."""
    match event:
        case MessagesWithheld():
            return {**dict.fromkeys(event.messages, event.unit), **withheld}
        case MessagesRestored():
            gone = {m for m in event.messages if withheld.get(m) == event.unit}
            return {m: unit for m, unit in withheld.items() if m not in gone}
        case _:
            return dict(withheld)


def withhold(
    withheld: Mapping[str, str], event: MessagesWithheld
) -> list[MessagesWithheld]:
    """Withhold those that are not withheld yet."""
    fresh = tuple(each for each in event.messages if each not in withheld)
    if not fresh:
        return []
    return [
        MessagesWithheld(
            workspace=event.workspace,
            session=event.session,
            messages=fresh,
            unit=event.unit,
            reason=event.reason,
            actor=event.actor,
        )
    ]


def restore(
    withheld: Mapping[str, str], event: MessagesRestored
) -> list[MessagesRestored]:
    """Restore what the unit withheld; nothing once the session is erased."""
    held = tuple(m for m in event.messages if withheld.get(m) == event.unit)
    if not held:
        return []
    return [
        MessagesRestored(
            workspace=event.workspace,
            session=event.session,
            messages=held,
            unit=event.unit,
            reason=event.reason,
            actor=event.actor,
        )
    ]
