"""Quarantine: see first what goes, then let it go as one unit."""

from typing import Annotated

import msgspec
from litestar import Response, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from pydantic import BaseModel, ConfigDict, Field

from commands.quarantine import (
    Quarantine,
    Quarantined,
    preview_quarantine,
    quarantine,
)
from commands.reach import Selection
from commands.routes.free_json import FreeObject, Text
from commands.routes.ports import GivenOrigin, GivenParse, GivenReach, GivenWrite
from commands.routes.reply import reply
from commands.routes.retractions import KeptBody, WentBody, Why, kept_of, went_of

Named = Annotated[Text, Field(min_length=1, max_length=512)]


class QuarantineSource(BaseModel):
    """An engine, by whatever is known of it: all that is given must fit."""

    model_config = ConfigDict(extra="forbid")

    engine: Named | None = None
    model: Named | None = None
    prompt: Named | None = None
    version: Named | None = None


class QuarantineBody(BaseModel):
    """What goes: all that follows from the messages, or from an engine's work on them.

    ``filters`` are those of message lists. With a ``source`` the messages stay.
    """

    filters: FreeObject | None = None
    source: QuarantineSource | None = None
    reason: Why | None = None


class SummaryTold(msgspec.Struct, frozen=True):
    """A summary that is withdrawn, and the one that is read instead, if any."""

    id: str
    session_id: str
    kind: str
    fallback: str | None


class MessagesTold(msgspec.Struct, frozen=True):
    """Messages of one session that are withheld from recall; they stay listed."""

    session_id: str
    ids: tuple[str, ...]


class CardLineTold(msgspec.Struct, frozen=True):
    """A line of a card that is not shown while what it rests on is gone."""

    observer_id: str
    observed_id: str
    id: str
    content: str


class QuarantinedBody(msgspec.Struct, frozen=True, kw_only=True):
    """What goes as one unit; without one it would go, and ``answers`` cite some of it.

    Answers are history and stay as they were given. They and ``cards`` are told by
    the preview.
    """

    unit: str | None
    retracted: list[WentBody]
    kept: list[KeptBody]
    summaries: list[SummaryTold]
    messages: list[MessagesTold]
    answers: tuple[str, ...]
    cards: list[CardLineTold]


@post(
    "/v3/workspaces/{workspace:str}/quarantine/preview",
    opt={"body": QuarantineBody},
    summary="Preview quarantine",
    status_code=HTTP_200_OK,
)
async def post_quarantine_preview(
    workspace: FromPath[str], parse: GivenParse, reach: GivenReach
) -> Response[QuarantinedBody]:
    """Tell all that a quarantine would take, and the answers that cite any of it."""
    body = await parse.body(QuarantineBody)
    shown = await preview_quarantine(reach, workspace, _selection(body))
    return reply(_body(shown), shown.taken.position)


@post(
    "/v3/workspaces/{workspace:str}/quarantine",
    opt={"body": QuarantineBody},
    summary="Quarantine",
    status_code=HTTP_201_CREATED,
)
async def post_quarantine(
    workspace: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
    reach: GivenReach,
) -> Response[QuarantinedBody]:
    """Take back everything downstream of a selection, as a unit to be undone."""
    body = await parse.body(QuarantineBody)
    reason = await origin.reason(workspace)
    command = Quarantine(
        workspace=workspace, selection=_selection(body), note=body.reason
    )
    done = await quarantine(write, reach, command, reason)
    return reply(_body(done), done.taken.position, created=True)


def _selection(body: QuarantineBody) -> Selection:
    source = body.source.model_dump(exclude_none=True) if body.source else {}
    return Selection(filters=body.filters or {}, source=source)


def _body(done: Quarantined) -> QuarantinedBody:
    taken = done.taken
    return QuarantinedBody(
        unit=done.unit,
        retracted=went_of(taken.conclusions),
        kept=kept_of(taken.kept),
        summaries=[
            SummaryTold(each.id, each.session, each.kind, each.fallback)
            for each in taken.summaries
        ],
        messages=[MessagesTold(each.session, each.ids) for each in taken.messages],
        answers=taken.answers,
        cards=[
            CardLineTold(each.observer, each.observed, each.id, each.text)
            for each in taken.cards
        ],
    )
