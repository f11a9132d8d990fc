"""A peer card line by line: who wrote each, and what it rests on."""

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from projections.cards import CardRow, show_card
from projections.ports import Database, Views
from read_api.cards import CardQuery, card_of
from read_api.moment import answer, reached
from read_api.ports import Injected, Parse


class CardLineShown(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a card.

    What the owner set is ``pinned`` and has no id; an agent's rests on conclusions,
    by the ids they were derived under, and was last written in the dream ``run``.
    """

    id: str | None
    content: str
    pinned: bool
    conclusion_ids: tuple[str, ...]
    run: str | None


class CardLines(msgspec.Struct, frozen=True):
    """The lines in their order, null when the card was never set; and its version."""

    lines: list[CardLineShown] | None
    version: int


class RestingCardLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a card, and the conclusions it rests on.

    It is shown on the card while those hold.
    """

    id: str
    observer_id: str
    observed_id: str
    content: str
    conclusion_ids: list[str]


def card_line_shown(row: CardRow) -> RestingCardLine:
    """Show a line that rests on something."""
    return RestingCardLine(
        id=row.line,
        observer_id=row.observer,
        observed_id=row.observed,
        content=row.text,
        conclusion_ids=row.evidence,
    )


@get(
    "/v3/workspaces/{workspace:str}/peers/{peer:str}/card/lines",
    opt={"query": CardQuery},
)
async def get_card_lines(
    workspace: FromPath[str],
    peer: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[CardLines]:
    """Return a card with what each of its lines rests on."""
    query = parse.query(CardQuery)
    moment = await reached(views, query)
    target = peer if query.target is None else query.target
    async with database.acquire() as db:
        await card_of(db, workspace, peer, target, moment.as_of)
        card = await show_card(db, (workspace, peer, target), moment.as_of)
    if card is None:
        return answer(CardLines(None, 0), moment)
    lines = [
        CardLineShown(
            id=line.id or None,
            content=line.text,
            pinned=line.pinned,
            conclusion_ids=line.evidence,
            run=line.run or None,
        )
        for line in card.lines
    ]
    return answer(CardLines(lines, card.version), moment)
