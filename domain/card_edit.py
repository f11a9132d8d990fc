"""An agent's edit of a peer card: the list it wants, told line by line (RS 5)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from domain.card import (
    Card,
    CardChanged,
    CardEntryAdded,
    CardEntryRemoved,
    CardEntryRevised,
    CardLine,
)
from domain.card_form import CardForm, fits_form, same_line

Changes = list[CardEntryAdded | CardEntryRevised | CardEntryRemoved]


class WantedLine(msgspec.Struct, frozen=True):
    """A line an agent wants, and the conclusions it says it rests on.

    ``revises`` is the id of the line in whose place it comes, None for a new one or
    one that stays.
    """

    text: str
    evidence: tuple[str, ...] = ()
    revises: str | None = None


class CardEdit(msgspec.Struct, frozen=True, kw_only=True):
    """The complete list an agent wants, and upon which card.

    ``version`` is that of the card it was shown, ``shown`` are the ids of the lines
    that were on it: what it was not shown it cannot mean to remove. ``ids`` are for
    new lines, one for each wanted; ``run`` is the dream.
    """

    workspace: str
    observer: str
    observed: str
    wanted: Sequence[WantedLine]
    shown: Collection[str]
    version: int
    ids: Sequence[str]
    run: str


class Edited(msgspec.Struct, frozen=True):
    """What an edit comes to: events, and the wanted lines that are refused.

    ``malformed`` are not of the form, ``baseless`` rest on nothing that holds,
    ``surplus`` are beyond the most a card may have.
    """

    changes: Changes
    malformed: tuple[str, ...] = ()
    baseless: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()


def edit_card(
    state: Card,
    edit: CardEdit,
    holding: Mapping[str, Sequence[str]],
    form: CardForm,
) -> Edited:
    """Decide an edit; ``holding`` are the conclusions that may be evidence.

    Each with the sessions it is from.

    Where nothing of what is wanted may be on a card, the card stays as it is.

    Raises:
        CardChanged: it is not the card the agent was shown.
    """
    if edit.version != state.version:
        raise CardChanged("The card was changed since it was read")
    return _Edit(state, edit, holding, form).decide()


class _Edit:
    """One decision: the lines that stay, and what becomes of each that is wanted."""

    def __init__(
        self,
        state: Card,
        edit: CardEdit,
        holding: Mapping[str, Sequence[str]],
        form: CardForm,
    ) -> None:
        lines = state.lines or ()
        self._edit = edit
        self._holding = holding
        self._form = form
        self._pinned = {same_line(line.text) for line in lines if line.pinned}
        self._own: Mapping[str, CardLine] = {
            line.id: line for line in lines if not line.pinned
        }
        self._room = form.lines - sum(line.pinned for line in lines)
        self._kept: set[str] = set()
        self._changes: Changes = []
        self._refused: dict[str, list[str]] = {
            "malformed": [],
            "baseless": [],
            "surplus": [],
        }
        self._wanted = 0

    def decide(self) -> Edited:
        met: set[str] = set(self._pinned)
        for wanted, id_ in zip(self._edit.wanted, self._edit.ids, strict=True):
            if (key := same_line(wanted.text)) in met:
                continue
            met.add(key)
            self._take(wanted, id_)
        if self._wanted:
            for id_ in self._own:
                if id_ in self._edit.shown and id_ not in self._kept:
                    self._changes.append(CardEntryRemoved(id=id_, **self._named()))
        return Edited(
            self._changes, **{why: tuple(texts) for why, texts in self._refused.items()}
        )

    def _take(self, wanted: WantedLine, id_: str) -> None:
        before = self._before(wanted)
        evidence = tuple(e for e in wanted.evidence if e in self._holding)
        stays = before is not None and self._stays(before, wanted.text)
        if not fits_form(wanted.text, self._form):
            self._refused["malformed"].append(wanted.text)
        elif not evidence and not stays:
            self._refused["baseless"].append(wanted.text)
        elif self._wanted >= self._room:
            self._refused["surplus"].append(wanted.text)
        else:
            self._wanted += 1
            self._write(wanted.text, evidence, before, id_)
            return
        if before is not None:
            self._kept.add(before.id)  # what is refused changes nothing

    def _write(
        self, text: str, evidence: tuple[str, ...], before: CardLine | None, id_: str
    ) -> None:
        told = sorted({each for of in evidence for each in self._holding[of]})
        said: dict[str, Any] = {
            "entry": text,
            "evidence": evidence,
            "sessions": tuple(told),
        }
        said |= self._named()
        if before is None:
            self._changes.append(CardEntryAdded(id=id_, **said))
            return
        self._kept.add(before.id)
        known = set(evidence) <= set(before.evidence)
        if not (known and self._stays(before, text)):
            self._changes.append(CardEntryRevised(id=before.id, **said))

    def _before(self, wanted: WantedLine) -> CardLine | None:
        """Return the line that stays, or in whose place this one comes."""
        key = same_line(wanted.text)
        for line in self._own.values():
            if same_line(line.text) == key:
                return line
        named = self._own.get(wanted.revises or "")
        return None if named is None or named.id in self._kept else named

    def _stays(self, before: CardLine, text: str) -> bool:
        """Tell whether a line says what it says; one that is not shown says nothing."""
        same = same_line(before.text) == same_line(text)
        return same and before.id in self._edit.shown

    def _named(self) -> dict[str, Any]:
        edit = self._edit
        return {
            "workspace": edit.workspace,
            "observer": edit.observer,
            "observed": edit.observed,
            "run": edit.run,
        }
