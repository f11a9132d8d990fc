"""Who holds a conclusion: what opens as it is drawn, drawn again and retracted."""

from collections.abc import Sequence

import msgspec

from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReinstated,
    ConclusionRetracted,
    ConclusionReworded,
)
from domain.names import public_id
from domain.recorded import Recorded
from projections.columns import as_json, as_text, as_utc
from projections.intervals import Values


class Holding(msgspec.Struct):
    """The newest row of one id; not ``open`` once it was retracted.

    ``lost`` is the position at which it was, ``unit`` what it was retracted with.
    """

    row: Values
    open: bool = True
    lost: int = 0
    unit: str = ""


class Places(msgspec.Struct, frozen=True):
    """Which scopes a session is in at a moment, since when, and which it has left.

    Scopes are named by their hidden peers, moments are positions.
    """

    since: dict[str, int] = {}
    left: dict[str, int] = {}


class Holdings:
    """The rows of some conclusions, as they stand while a batch is folded."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], dict[str, Holding]] = {}

    def remember(self, holding: Holding) -> None:
        """Take a row into account; of one observer the newest is given last."""
        row = holding.row
        rows = self._known.setdefault((row["tenant"], row["origin"]), {})
        rows[row["id"]] = holding

    def derive(
        self, event: ConclusionDerived, recorded: Recorded, others: Sequence[str]
    ) -> list[Values]:
        """Return the rows of a new conclusion, one for each who heard it.

        What corrects another is for those who hold that.
        """
        first = _first(event, recorded)
        if event.corrects is not None:
            others = [*self._holders(event.workspace, event.corrects), *others]
        heard = [o for o in dict.fromkeys(others) if o != first["observer"]]
        heard = [] if event.observer is not None else heard
        rows = [first, *(_seen_by(first, observer) for observer in heard)]
        self._known.pop((event.workspace, event.id), None)
        for row in rows:
            self.remember(Holding(row))
        return rows

    def _holders(self, workspace: str, origin: str) -> list[str]:
        rows = self._known.get((workspace, origin), {})
        return sorted(each.row["observer"] for each in rows.values() if each.open)

    def reinforce(
        self, event: ConclusionReinforced, recorded: Recorded, others: Sequence[str]
    ) -> list[Values]:
        """Count once more for those who heard it; new to some, it begins for them.

        Who retracted it holds it anew, as another conclusion. Put in other words, it
        is in these for who hears it first, and for who heard it if they say more:
        what others heard besides stays theirs.
        """
        rows = self._known.get((event.workspace, event.id), {})
        if event.id not in rows:
            return []
        first = rows[event.id].row
        times = [holding.row["occurred_at"] for holding in rows.values()]
        occurred_at = max(as_utc(event.occurred_at), *times)
        heard = [first["observer"], *(() if first["named"] else others)]
        newest = {holding.row["observer"]: holding for holding in rows.values()}
        opened: list[Values] = []
        for observer in heard:
            before = newest.get(observer)
            if before is None:
                row = _begun(_seen_by(first, observer), recorded)
            elif before.open:
                drawn = before.row["times_derived"] + 1
                row = {**before.row, "times_derived": drawn}
            else:
                row = _begun(_seen_by(first, observer, recorded.id.hex), recorded)
            heard_first = before is None or not before.open
            if isinstance(event, ConclusionReworded) and (event.fuller or heard_first):
                row["content"] = as_text(event.content)
            row["occurred_at"] = occurred_at
            self.remember(Holding(row))
            opened.append(row)
        return opened

    def is_explicit(self, event: ConclusionReinforced) -> bool:
        """Tell whether what is drawn again was said, not inferred."""
        rows = self._known.get((event.workspace, event.id), {})
        return event.id in rows and rows[event.id].row["level"] == "explicit"

    def retract(self, event: ConclusionRetracted, position: int) -> None:
        """Let the observer, or everybody, no longer hold it."""
        for holding in self._known.get((event.workspace, event.id), {}).values():
            if holding.open and event.observer in (None, holding.row["observer"]):
                holding.open = False
                holding.lost = position
                holding.unit = event.unit

    def reinstate(
        self, event: ConclusionReinstated, recorded: Recorded, places: Places
    ) -> list[Values]:
        """Return the rows of those who lost it by the unit, as they were.

        Who holds it anew keeps that. A scope that its session has left since does not
        hold it again; one that the session came into since holds it as if it had
        been there then (RS 2.8).
        """
        rows = self._known.get((event.workspace, event.id), {})
        holders = {each.row["observer"] for each in rows.values() if each.open}
        opened: list[Values] = []
        for each in list(rows.values()):
            observer = each.row["observer"]
            lost = not each.open and event.unit and each.unit == event.unit
            asked = event.observer in (None, observer) and observer not in holders
            if lost and asked and places.left.get(observer, 0) <= each.lost:
                holders.add(observer)
                opened.append({**each.row})
            elif lost and asked and each.row["named"] and observer in places.since:
                holders.add(observer)
                opened.append(_brought(each.row, observer, recorded))
            if lost and asked and observer == each.row["observed"]:
                new = [p for p, since in places.since.items() if since > each.lost]
                new = [p for p in new if p not in holders and _told(each.row)]
                holders.update(new)
                opened += [_brought(each.row, peer, recorded) for peer in new]
        for row in opened:
            self.remember(Holding(row))
        return opened


def row_id(origin: str, observer: str, anew: str = "") -> str:
    """Return the id of a conclusion as another peer than the observed sees it.

    ``anew`` tells one held again after it was retracted from the one before.
    """
    text = f"{origin}\n{observer}\n{anew}" if anew else f"{origin}\n{observer}"
    return public_id(text.encode(), 0)


def _first(event: ConclusionDerived, recorded: Recorded) -> Values:
    return {
        "tenant": event.workspace,
        "id": event.id,
        "origin": event.id,
        "observer": event.observer or event.observed,
        "observed": event.observed,
        "session": event.session,
        "level": event.level,
        "content": as_text(event.content),
        "occurred_at": as_utc(event.occurred_at),
        "created_at": recorded.recorded_at,
        "born": recorded.position,
        "times_derived": 1,
        "sources": as_json(event.sources),
        "generation": event.generation,
        "named": event.observer is not None,
        "sessions": as_json(_sessions(event)),
    }


def _sessions(event: ConclusionDerived) -> tuple[str, ...]:
    """Return where all it rests on was said; nothing if that is not told."""
    if event.level == "explicit":
        return (event.session or "",)
    return event.sessions


def _told(row: Values) -> bool:
    """Tell whether a scope holds what its sessions tell of this kind."""
    return row["level"] == "explicit" and not row["named"]


def _brought(row: Values, observer: str, recorded: Recorded) -> Values:
    id_ = row_id(row["origin"], observer, recorded.id.hex)
    return {**row, "id": id_, "observer": observer, "born": recorded.position}


def _seen_by(first: Values, observer: str, anew: str = "") -> Values:
    id_ = row_id(first["origin"], observer, anew)
    return {**first, "id": id_, "observer": observer}


def _begun(row: Values, recorded: Recorded) -> Values:
    return {
        **row,
        "created_at": recorded.recorded_at,
        "born": recorded.position,
        "times_derived": 1,
    }
