"""The tool that brings a peer card in line with what is concluded (RS 5)."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from commands.card import EditCard, edit_card
from commands.grounds import Ground
from domain.card import CardChanged, CardEntryAdded, CardEntryRemoved, CardEntryRevised
from domain.card_edit import Edited, WantedLine
from domain.card_form import KINDS, CardForm, samples_of
from processors.dream_run import CardShown, DreamRun, ReadCard
from processors.tools.items import listed, read_items
from processors.tools.tool import ToolError, ToolResult

MOST: Final = 100
"""Most lines that are read of one call; more than a card may have."""

_TAGGED: Final = ", ".join(KINDS)


class Line(msgspec.Struct, frozen=True):
    """One line of the card."""

    content: Annotated[
        str, Meta(min_length=1, description=f"Begins with one of {_TAGGED}")
    ]
    source_ids: Annotated[
        tuple[str, ...],
        Meta(
            max_length=50,
            description="Labels of the conclusions a new or changed line rests on.",
        ),
    ] = ()
    revises: Annotated[
        str, Meta(description="Label of the line in whose place it comes.")
    ] = ""


class Arguments(msgspec.Struct, frozen=True):
    """See the tool."""

    entries: Annotated[
        tuple[Any, ...],
        listed(Line, MOST, "The complete new card: what is left out is taken off."),
    ]


class UpdatePeerCard:
    """Tells the list a model wants line by line, on the card it was shown.

    Where somebody changed the card meanwhile the model is shown that one, and nothing
    is changed. ``card`` is what the prompt shows.
    """

    name = "update_peer_card"
    description = (
        "Bring the peer card in line: give the complete list of lines. A line that "
        "stays is given as it is; a new one names the conclusions it rests on."
    )
    arguments = Arguments

    def __init__(
        self, run: DreamRun, card: CardShown, read_card: ReadCard, form: CardForm
    ) -> None:
        self._run = run
        self._card = card
        self._read_card = read_card
        self._form = form

    async def __call__(self, arguments: Arguments, /) -> ToolResult:
        """Edit the card."""
        items = read_items(arguments.entries, Line)
        lines = [each for each in items if isinstance(each, Line)]
        unread = [f"Refused: {each}" for each in items if isinstance(each, str)]
        self._run.tally.refused += len(unread)
        known = await self._run.find([n for each in lines for n in each.source_ids])
        command = self._command(lines, known)
        try:
            appended, edited = await edit_card(self._run.decide, command)
        except CardChanged:
            self._card = await self._read_card(self._run.task.pair)
            raise ToolError(
                "The card was changed meanwhile; nothing was done. It is now:\n"
                f"{card_lines(self._card)}"
            ) from None
        changes = () if appended is None else appended.recorded
        done = [_changed(each.event) for each in changes]
        self._run.tally.card_changes += len(done)
        at = None if appended is None else appended.last
        self._card = await self._read_card(self._run.task.pair, at)
        told = [*(each for each in done if each), *_refused(edited), *unread]
        self._run.tally.refused += 0 if edited is None else len(_all(edited))
        return ToolResult(
            "\n".join([*(told or ["Nothing is changed."]), "The card is now:"])
            + f"\n{card_lines(self._card)}"
        )

    def _command(self, lines: list[Line], known: Mapping[str, Ground]) -> EditCard:
        task = self._run.task
        workspace, observer, observed = task.pair
        labels = {f"k{n}": id_ for n, (id_, _) in enumerate(self._card.lines, 1)}
        wanted = tuple(_wanted(each, known, labels) for each in lines)
        return EditCard(
            workspace=workspace,
            observer=observer,
            observed=observed,
            name=self._run.next_name(self.name),
            run=task.dream.id,
            position=task.scheduled_at,
            wanted=wanted,
            shown=tuple(id_ for id_, _ in self._card.lines if id_),
            version=self._card.version,
            grounds=tuple({each.id: each for each in known.values()}.values()),
            form=self._form,
            cause=task.cause,
        )


def _wanted(
    line: Line, known: Mapping[str, Ground], labels: Mapping[str, str]
) -> WantedLine:
    found = [known[name].id for name in line.source_ids if name in known]
    return WantedLine(
        line.content,
        tuple(dict.fromkeys(found)),
        labels.get(line.revises.strip("[] ").lower()),
    )


def card_lines(card: CardShown) -> str:
    """Write a card's lines with labels; what the owner set is marked."""
    lines = [
        f"[k{number}] {' '.join(text.split())}" + ("" if id_ else " (set by its owner)")
        for number, (id_, text) in enumerate(card.lines, 1)
    ]
    return "\n".join(lines) or "(empty)"


def _changed(event: object) -> str:
    match event:
        case CardEntryAdded():
            return f"Added: {event.entry}"
        case CardEntryRevised():
            return f"Revised: {event.entry}"
        case CardEntryRemoved():
            return "Taken off: one line"
        case _:
            return ""


def _all(edited: Edited) -> tuple[str, ...]:
    return (*edited.malformed, *edited.baseless, *edited.surplus)


def _refused(edited: Edited | None) -> list[str]:
    """Tell what was refused and why, with a few samples of each."""
    if edited is None:
        return []
    reasons = {
        f"not of the form (one of {_TAGGED} a space, something said, short)": (
            edited.malformed
        ),
        "named no conclusion that is held": edited.baseless,
        "beyond the most lines a card may have": edited.surplus,
    }
    return [
        f"Refused, {len(texts)}, {why}: " + " | ".join(samples_of(texts))
        for why, texts in reasons.items()
        if texts
    ]
