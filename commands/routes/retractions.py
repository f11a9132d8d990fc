"""Retract a conclusion, correct it, undo either."""

from typing import Annotated

import msgspec
from litestar import Response, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from pydantic import BaseModel, Field

from commands.correction import CorrectConclusion, correct
from commands.ports import Held
from commands.reach import Reach
from commands.retraction import (
    RetractConclusion,
    not_held,
    preview_retraction,
    retract,
)
from commands.routes.conclusions import ConclusionBody, Content, body_of
from commands.routes.free_json import Text
from commands.routes.ports import (
    GivenOrigin,
    GivenParse,
    GivenReach,
    GivenTextMemory,
    GivenWrite,
)
from commands.routes.reply import reply
from commands.undo import Undone, UndoRetraction, undo
from domain.retraction import MAX_NOTE, KeptConclusion, TakenConclusion

Why = Annotated[Text, Field(max_length=MAX_NOTE)]


class RetractionBody(BaseModel):
    """Why it goes, and whether for everybody who holds it or for this id's observer."""

    reason: Why | None = None
    everywhere: bool = True


class RetractionQuery(BaseModel):
    """Whether only to tell what would go."""

    dry_run: bool = False


class CorrectionBody(BaseModel):
    """What is right instead, and why."""

    content: Content
    reason: Why | None = None


class WentBody(msgspec.Struct, frozen=True):
    """A conclusion that goes, and the one it was built on, if that took it along."""

    id: str
    because: str | None


class KeptBody(msgspec.Struct, frozen=True):
    """A conclusion that stands, though it loses something it was built on."""

    id: str
    lost: str


class RetractedBody(msgspec.Struct, frozen=True):
    """What went as one unit; without one it would go."""

    unit: str | None
    retracted: list[WentBody]
    kept: list[KeptBody]


class CorrectedBody(msgspec.Struct, frozen=True):
    """What says it right, and what went as one unit."""

    unit: str | None
    conclusion: ConclusionBody
    retracted: list[WentBody]
    kept: list[KeptBody]


class UndoneBody(msgspec.Struct, frozen=True):
    """What holds again, what cannot, and what went for it.

    ``lost`` is erased meanwhile, or is a summary that was made anew.
    """

    unit: str
    reinstated: list[str]
    summaries: list[str]
    messages: list[str]
    lost: list[str]
    retracted: list[WentBody]


@post(
    "/v3/workspaces/{workspace:str}/conclusions/{conclusion:str}/retract",
    opt={"body": RetractionBody, "query": RetractionQuery},
    summary="Retract",
    status_code=HTTP_200_OK,
)
async def post_retraction(
    workspace: FromPath[str],
    conclusion: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
    reach: GivenReach,
) -> Response[RetractedBody]:
    """Retract it for everybody, with what was built on it, as a unit to be undone."""
    query, body = await parse.query_and_optional_body(RetractionQuery, RetractionBody)
    body = body or RetractionBody()
    reason = await origin.reason(workspace)
    held = await _held(reach, workspace, conclusion)
    if query.dry_run:
        everywhere = body.everywhere
        done = await preview_retraction(reach, workspace, held, everywhere=everywhere)
    else:
        command = RetractConclusion(
            workspace=workspace,
            held=held,
            everywhere=body.everywhere,
            note=body.reason,
        )
        done = await retract(write, reach, command, reason)
    answer = RetractedBody(done.unit, went_of(done.conclusions), kept_of(done.kept))
    return reply(answer, done.position)


@post(
    "/v3/workspaces/{workspace:str}/conclusions/{conclusion:str}/correct",
    opt={"body": CorrectionBody},
    summary="Correct",
    status_code=HTTP_201_CREATED,
)
async def post_correction(
    workspace: FromPath[str],
    conclusion: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
    text_memory: GivenTextMemory,
    reach: GivenReach,
) -> Response[CorrectedBody]:
    """Retract it and conclude this for all who held it, as a unit to be undone."""
    body = await parse.body(CorrectionBody)
    reason = await origin.reason(workspace)
    command = CorrectConclusion(
        workspace=workspace,
        held=await _held(reach, workspace, conclusion),
        content=body.content,
        note=body.reason,
    )
    done = await correct(write, reach, text_memory, command, reason)
    answer = CorrectedBody(
        done.retracted.unit,
        body_of(done.recorded),
        went_of(done.retracted.conclusions),
        kept_of(done.retracted.kept),
    )
    return reply(answer, done.retracted.position, created=True)


@post(
    "/v3/workspaces/{workspace:str}/retractions/{unit:str}/undo",
    summary="Undo",
    status_code=HTTP_200_OK,
)
async def post_undo(
    workspace: FromPath[str],
    unit: FromPath[str],
    origin: GivenOrigin,
    write: GivenWrite,
    reach: GivenReach,
) -> Response[UndoneBody]:
    """Reinstate all a unit took, as it was held; again changes nothing."""
    reason = await origin.reason(workspace)
    done = await undo(
        write, reach, UndoRetraction(workspace=workspace, unit=unit), reason
    )
    return reply(_undone(done), done.position)


async def _held(reach: Reach, workspace: str, conclusion: str) -> Held:
    held = await reach.held(workspace, conclusion)
    if held is None:
        raise not_held(workspace, conclusion)
    return held


def went_of(taken: tuple[TakenConclusion, ...]) -> list[WentBody]:
    """Return what is answered of conclusions that went."""
    return [WentBody(each.id, each.because) for each in taken]


def kept_of(kept: tuple[KeptConclusion, ...]) -> list[KeptBody]:
    """Return what is answered of conclusions that stand."""
    return [KeptBody(each.id, each.lost) for each in kept]


def _undone(done: Undone) -> UndoneBody:
    state = done.state
    lost = set(state.lost)
    messages = [message for each in state.messages for message in each.ids]
    return UndoneBody(
        unit=done.unit,
        reinstated=[each.id for each in state.conclusions if each.id not in lost],
        summaries=[each.id for each in state.summaries if each.id not in lost],
        messages=[each for each in messages if each not in lost],
        lost=list(state.lost),
        retracted=went_of(state.withdrawn),
    )
