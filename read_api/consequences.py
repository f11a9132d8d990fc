"""Consequences: all that was made of one message, directly and over several steps."""

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from domain.errors import NotFound
from projections.as_of import NOW
from projections.evidence import resting_on
from projections.ports import Connection, Database, Views
from projections.quotes import quote_messages
from read_api.card_lines import RestingCardLine
from read_api.lineage import BOUNDS, CHARACTERS, find_forward
from read_api.lineage_answers import (
    CitingAnswer,
    CoveringSummary,
    LineageConclusion,
    QuotedMessage,
    message_shown,
)
from read_api.moment import ReadQuery, answer, reached
from read_api.ports import Injected, Parse


class Consequences(msgspec.Struct, frozen=True, kw_only=True):
    """What rests on a message: a conclusion of depth 1 cites it, one of 2 such a one.

    Answers are those that quote it, or cite any of these conclusions; ``cards`` are
    lines that rest on them. ``truncated`` says that there is more than is shown.
    """

    message: QuotedMessage
    conclusions: list[LineageConclusion]
    summaries: list[CoveringSummary]
    answers: list[CitingAnswer]
    cards: list[RestingCardLine]
    truncated: bool


@get(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/messages/{message:str}"
    "/consequences",
    opt={"query": ReadQuery},
)
async def get_consequences(
    workspace: FromPath[str],
    session: FromPath[str],
    message: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Consequences]:
    """Tell what was concluded, summed up and answered from a message.

    What is shown is of the whole workspace, so it takes a key of the workspace.
    """
    moment = await reached(views, parse.query(ReadQuery))
    async with database.acquire() as db:
        found = await find_consequences(db, workspace, message, moment.as_of)
    if found is None or found.message.session_id != session:
        raise NotFound(f"Message with ID {message} not found")
    return answer(found, moment)


async def find_consequences(
    db: Connection, tenant: str, message: str, as_of: int = NOW
) -> Consequences | None:
    """Return what rests on a message; None if there is none of this id."""
    quoted = await quote_messages(db, tenant, [message], CHARACTERS, as_of)
    if not quoted:
        return None
    citing = await resting_on(db, tenant, [message], as_of)
    origins = list(dict.fromkeys(each.conclusion for each in citing))
    forward, whole = await find_forward(
        db, tenant, origins[: BOUNDS.width], [message], as_of, inclusive=True
    )
    return Consequences(
        message=message_shown(quoted[0]),
        conclusions=forward.conclusions,
        summaries=forward.summaries,
        answers=forward.answers,
        cards=forward.cards,
        truncated=not (whole and len(origins) <= BOUNDS.width),
    )
