"""Conclusions: make some, delete one."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, delete, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_201_CREATED, HTTP_204_NO_CONTENT
from pydantic import AfterValidator, AliasChoices, BaseModel, Field

from commands.conclusions import Concluded, CreateConclusions, create_conclusions
from commands.retraction import RetractConclusion, not_held, retract
from commands.routes.free_json import strip_nul
from commands.routes.ports import (
    GivenFindHeld,
    GivenOrigin,
    GivenParse,
    GivenReach,
    GivenTextMemory,
    GivenWrite,
)
from commands.routes.reply import done, reply
from domain.conclusion import MAX_CONCLUSION, ConclusionDerived
from domain.recorded import Recorded

MAX_BATCH = 100
"""Most conclusions in one request (HC 10)."""


def _not_only_nul(text: str) -> str:
    text = strip_nul(text)
    if not text:
        raise ValueError("content must not be empty")
    return text


Content = Annotated[
    str,
    Field(min_length=1, max_length=MAX_CONCLUSION),
    AfterValidator(_not_only_nul),
]


class NewConclusion(BaseModel):
    """One conclusion of E37; a level is not taken: it is always explicit."""

    content: Content
    observer_id: str
    observed_id: str
    session_id: str | None = None


class NewConclusions(BaseModel):
    """Body of E37; older clients say ``observations`` (HC 1.3)."""

    conclusions: Annotated[
        list[NewConclusion],
        Field(
            validation_alias=AliasChoices("conclusions", "observations"),
            min_length=1,
            max_length=MAX_BATCH,
        ),
    ]


class ConclusionBody(msgspec.Struct, frozen=True):
    """A conclusion as it is answered (HC 1.17, 7.5)."""

    id: str
    content: str
    observer_id: str
    observed_id: str
    session_id: str | None
    level: str
    created_at: datetime
    source_ids: tuple[str, ...]
    times_derived: int


@post(
    "/v3/workspaces/{workspace:str}/conclusions",
    opt={"body": NewConclusions},
    summary="Create",
    status_code=HTTP_201_CREATED,
)
async def post_conclusions(
    workspace: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
    text_memory: GivenTextMemory,
) -> Response[list[ConclusionBody]]:
    """E37: all of them in order, or none; found by their meaning at once."""
    body = await parse.body(NewConclusions)
    command = CreateConclusions(
        workspace=workspace,
        concluded=[
            Concluded(
                observer=each.observer_id,
                observed=each.observed_id,
                content=each.content,
                session=each.session_id,
            )
            for each in body.conclusions
        ],
    )
    reason = await origin.reason(workspace)
    created = await create_conclusions(write, text_memory, command, reason)
    answer = [body_of(each) for each in created.recorded]
    return reply(answer, created.position, created=True)


@delete(
    "/v3/workspaces/{workspace:str}/conclusions/{conclusion:str}",
    summary="Delete",
    status_code=HTTP_204_NO_CONTENT,
)
async def delete_conclusion(
    workspace: FromPath[str],
    conclusion: FromPath[str],
    origin: GivenOrigin,
    write: GivenWrite,
    find_held: GivenFindHeld,
    reach: GivenReach,
) -> Response[None]:
    """E40: retracted for its observer; whoever else holds it keeps it.

    What the observer holds that was built on it goes too, as one unit to be undone.
    """
    reason = await origin.reason(workspace)
    held = await find_held(workspace, conclusion)
    if held is None:
        raise not_held(workspace, conclusion)
    command = RetractConclusion(
        workspace=workspace, held=held, kind="delete", everywhere=False
    )
    retracted = await retract(write, reach, command, reason)
    return done(retracted.position)


def body_of(recorded: Recorded) -> ConclusionBody:
    """Return what is answered of a conclusion a client made."""
    event = recorded.event
    if not isinstance(event, ConclusionDerived):  # pragma: no cover  never recorded so
        raise TypeError(type(event).__name__)
    return ConclusionBody(
        id=event.id,
        content=event.content,
        observer_id=event.observer or event.observed,
        observed_id=event.observed,
        session_id=event.session,
        level=event.level,
        created_at=recorded.recorded_at,
        source_ids=event.sources,
        times_derived=1,
    )
