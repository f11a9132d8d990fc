"""Peer cards, as they stand and as they stood."""

from collections.abc import Sequence

from domain.card import CardReplacedByOwner
from domain.recorded import Recorded
from projections.as_of import NOW, holding
from projections.columns import as_json
from projections.condition import Bind
from projections.intervals import Intervals, Values
from projections.ports import Connection


class Cards:
    """The table ``card``: one row for each state of what a peer holds of another."""

    name = "cards"
    version = 1
    tables = """
        CREATE TABLE card (
            tenant        text COLLATE "C" NOT NULL,
            observer      text COLLATE "C" NOT NULL,
            observed      text COLLATE "C" NOT NULL,
            entries       text[] NOT NULL,
            from_position bigint NOT NULL,
            to_position   bigint,
            PRIMARY KEY (tenant, observer, observed, from_position)
        );
    """
    indexes = """
        CREATE UNIQUE INDEX card_current ON card (tenant, observer, observed)
            WHERE to_position IS NULL;
    """
    handles = (CardReplacedByOwner,)

    def __init__(self) -> None:
        self._rows = Intervals(
            "card",
            key={"tenant": "text", "observer": "text", "observed": "text"},
            values={"entries": "jsonb"},
            stored={"entries": "ARRAY(SELECT jsonb_array_elements_text(g.entries))"},
            births=(CardReplacedByOwner,),
        )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        key = {"tenant": "workspace", "observer": "observer", "observed": "observed"}
        await self._rows.fold(db, batch, key, _step)


async def get_card(
    db: Connection, tenant: str, observer: str, observed: str, as_of: int = NOW
) -> list[str] | None:
    """Return the entries in their order at a position, None if it was never set."""
    bind = Bind(tenant, observer, observed)
    entries = await db.fetchval(
        "SELECT entries FROM card WHERE tenant = $1 AND observer = $2"  # noqa: S608  every value is bound
        f" AND observed = $3 AND {holding(as_of)(bind)}",
        *bind.values,
    )
    return list(entries) if entries is not None else None


def _step(_before: Values | None, recorded: Recorded) -> Values | None:
    event = recorded.event
    if not isinstance(event, CardReplacedByOwner):
        return None
    return {"entries": as_json(event.entries)}
