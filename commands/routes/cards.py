"""Peer cards: replace one."""

import msgspec
from litestar import Response, put
from litestar.params import FromPath
from pydantic import BaseModel

from commands.card import ReplaceCard, replace_card
from commands.routes.free_json import Text
from commands.routes.ports import GivenOrigin, GivenParse, GivenReach, GivenWrite
from commands.routes.reply import reply


class CardQuery(BaseModel):
    """Query of E15: whom the card is about, else the peer itself."""

    target: str | None = None


class CardUpdate(BaseModel):
    """Body of E15."""

    peer_card: list[Text]


class CardBody(msgspec.Struct, frozen=True):
    """A card as it is answered."""

    peer_card: tuple[str, ...]


@put(
    "/v3/workspaces/{workspace:str}/peers/{peer:str}/card",
    opt={"body": CardUpdate, "query": CardQuery},
    summary="Replace the card",
)
async def put_card(
    workspace: FromPath[str],
    peer: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
    reach: GivenReach,
) -> Response[CardBody]:
    """E15: always 200, with the card as it was sent."""
    query, body = await parse.query_and_body(CardQuery, CardUpdate)
    command = ReplaceCard(
        workspace=workspace,
        observer=peer,
        observed=peer if query.target is None else query.target,
        entries=tuple(body.peer_card),
    )
    reason = await origin.reason(workspace)
    written = await replace_card(write, reach, command, reason)
    return reply(CardBody(command.entries), written.position)
