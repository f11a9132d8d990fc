"""Peer cards, as they stand and as they stood."""

from collections.abc import Sequence
from typing import Final

import msgspec

from domain.card import (
    Card,
    CardChange,
    CardEntryAdded,
    CardEntryRemoved,
    CardEntryRevised,
    CardLine,
    CardReplacedByOwner,
    evolve_card,
)
from domain.recorded import Recorded
from projections.as_of import NOW, holding
from projections.columns import as_json
from projections.condition import Bind
from projections.erasable import Erased
from projections.intervals import Intervals, Values
from projections.ports import Connection


class Cards:
    """The table ``card``: one row for each state of what a peer holds of another.

    ``lines`` are ``domain.card.CardLine``. Whether a line is shown is decided when it
    is asked for: an agent's stands while everything it rests on is held by the card's
    owner, so that it is withdrawn with a retraction and back with its undoing.
    """

    name = "cards"
    version = 2
    tables = """
        CREATE TABLE card (
            tenant        text COLLATE "C" NOT NULL,
            observer      text COLLATE "C" NOT NULL,
            observed      text COLLATE "C" NOT NULL,
            lines         jsonb NOT NULL,
            version       integer NOT NULL,
            from_position bigint NOT NULL,
            to_position   bigint,
            PRIMARY KEY (tenant, observer, observed, from_position)
        );
    """
    indexes = """
        CREATE UNIQUE INDEX card_current ON card (tenant, observer, observed)
            WHERE to_position IS NULL;
        CREATE INDEX card_evidence ON card USING gin (lines jsonb_path_ops);
    """
    handles = (
        CardReplacedByOwner,
        CardEntryAdded,
        CardEntryRevised,
        CardEntryRemoved,
    )

    def __init__(self) -> None:
        self._rows = Intervals(
            "card",
            key={"tenant": "text", "observer": "text", "observed": "text"},
            values={"lines": "jsonb", "version": "int"},
        )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        key = {"tenant": "workspace", "observer": "observer", "observed": "observed"}
        await self._rows.fold(db, batch, key, _step)

    async def erase(self, db: Connection, erased: Erased) -> None:
        """Take out lines that rest on what is erased, at every moment before."""
        if erased.session is None and erased.origin is None:
            await db.execute(_FORGET, erased.tenant, erased.position)
            return
        told = "sessions" if erased.origin is None else "evidence"
        name = erased.session if erased.origin is None else erased.origin
        resting = msgspec.json.encode([{told: [name]}]).decode()
        await db.execute(_BLOT, erased.tenant, erased.position, told, name, resting)


class ShownLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a card as it is shown; see ``domain.card.CardLine``."""

    id: str
    text: str
    evidence: tuple[str, ...]
    run: str

    @property
    def pinned(self) -> bool:
        """Tell whether the owner set it."""
        return not self.id


class ShownCard(msgspec.Struct, frozen=True):
    """The lines of a card that are shown, and how often it was changed."""

    lines: list[ShownLine]
    version: int


async def get_card(
    db: Connection,
    tenant: str,
    observer: str,
    observed: str,
    as_of: int = NOW,
    sessions: Sequence[str] | None = None,
) -> list[str] | None:
    """Return the entries in their order at a position, None if it was never set."""
    card = await show_card(db, (tenant, observer, observed), as_of, sessions)
    return None if card is None else [line.text for line in card.lines]


async def show_card(
    db: Connection,
    named: tuple[str, str, str],
    as_of: int = NOW,
    sessions: Sequence[str] | None = None,
) -> ShownCard | None:
    """Return the card of (workspace, observer, observed), None if it was never set.

    Of an agent's lines those are shown whose evidence is held then. Where ``sessions``
    confine what is recalled, only lines of which all that they rest on was said in
    these are: what the owner set is not.
    """
    bind = Bind(*named)
    row = await db.fetchrow(
        "SELECT c.lines::text AS lines, c.version FROM card AS c"  # noqa: S608  every value is bound
        " WHERE c.tenant = $1 AND c.observer = $2 AND c.observed = $3"
        f" AND {holding(as_of, 'c')(bind)}",
        *bind.values,
    )
    if row is None:
        return None
    lines = msgspec.json.decode(row["lines"], type=list[CardLine])
    wanted = sorted({each for line in lines for each in line.evidence})
    held = await _held(db, named, wanted, as_of) if wanted else set()
    return ShownCard(
        [
            ShownLine(id=e.id, text=e.text, evidence=e.evidence, run=e.run)
            for e in lines
            if held.issuperset(e.evidence) and _within(e, sessions)
        ],
        row["version"],
    )


async def _held(
    db: Connection, named: tuple[str, str, str], origins: Sequence[str], as_of: int
) -> set[str]:
    tenant, observer, _ = named
    bind = Bind(tenant, list(origins), observer)
    rows = await db.fetch(
        "SELECT DISTINCT c.origin FROM conclusion AS c WHERE c.tenant = $1"  # noqa: S608  every value is bound
        " AND c.origin = ANY ($2::text[]) AND c.observer = $3"
        f" AND {holding(as_of, 'c')(bind)}",
        *bind.values,
    )
    return {row["origin"] for row in rows}


def _within(line: CardLine, sessions: Sequence[str] | None) -> bool:
    """Tell whether all that a line rests on was said in these sessions."""
    if sessions is None:
        return True
    return bool(line.sessions) and set(line.sessions) <= set(sessions)


class CardRow(msgspec.Struct, frozen=True):
    """A line of somebody's card that rests on a conclusion."""

    observer: str
    observed: str
    line: str
    text: str
    evidence: list[str]


async def find_card_lines(
    db: Connection,
    tenant: str,
    conclusions: Sequence[str],
    limit: int,
    as_of: int = NOW,
) -> list[CardRow]:
    """Return the lines that rest on any of these, by the ids they were derived under.

    They are those of the cards as they stand then, withdrawn or not.
    """
    bind = Bind(tenant, list(conclusions), limit)
    rows = await db.fetch(
        _RESTING.format(holding=holding(as_of, "t")(bind)), *bind.values
    )
    return [CardRow(*(row[n] for n in CardRow.__struct_fields__)) for row in rows]


def _step(before: Values | None, recorded: Recorded) -> Values | None:
    event = recorded.event
    if not isinstance(event, CardChange):
        return None
    state = Card()
    if before is not None:
        known = msgspec.json.decode(before["lines"], type=tuple[CardLine, ...])
        state = Card(known, before["version"])
    after = evolve_card(state, event)
    lines = as_json(msgspec.to_builtins(after.lines))
    return {"lines": lines, "version": after.version}


_BLOT: Final = """
    UPDATE card AS t SET lines = (
        SELECT coalesce(jsonb_agg(l.line ORDER BY l.n), '[]'::jsonb)
        FROM jsonb_array_elements(t.lines) WITH ORDINALITY AS l(line, n)
        WHERE NOT l.line -> $3::text ? $4::text
    )
    WHERE t.tenant = $1 AND t.from_position < $2 AND t.lines @> $5::jsonb
"""

_FORGET: Final = "DELETE FROM card WHERE tenant = $1 AND from_position < $2"

# Who keeps such a line holds, or held, what it rests on.
_RESTING: Final = """
    SELECT t.observer, t.observed, l.line ->> 'id' AS line, l.line ->> 'text' AS text,
        ARRAY(SELECT jsonb_array_elements_text(l.line -> 'evidence')) AS evidence
    FROM (SELECT DISTINCT observer, observed FROM conclusion
        WHERE tenant = $1 AND origin = ANY ($2::text[])) AS p
    JOIN card AS t ON t.tenant = $1 AND t.observer = p.observer
        AND t.observed = p.observed AND {holding}
    CROSS JOIN LATERAL jsonb_array_elements(t.lines) WITH ORDINALITY AS l(line, n)
    WHERE EXISTS (SELECT FROM jsonb_array_elements_text(l.line -> 'evidence') AS e(id)
        WHERE e.id = ANY ($2::text[]))
    ORDER BY t.observer, t.observed, l.n LIMIT $3
"""
