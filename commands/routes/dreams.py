"""Dreams: ask for one (E07)."""

from typing import Annotated, Literal

from litestar import Response, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_204_NO_CONTENT
from pydantic import BaseModel, Field

from commands.dream import ScheduleDream, schedule_dream
from commands.routes.ports import GivenOrigin, GivenParse, GivenWrite
from commands.routes.reply import done
from domain.names import MAX_NAME

Name = Annotated[str, Field(max_length=MAX_NAME)]


class DreamRequest(BaseModel):
    """Body of E07; without ``observed`` a peer dreams of itself."""

    observer: Name
    observed: Name | None = None
    dream_type: Literal["omni", "card_refresh"]
    session_id: Name | None = None
    rebuild: bool = False


@post(
    "/v3/workspaces/{workspace:str}/schedule_dream",
    opt={"body": DreamRequest},
    summary="Schedule",
    status_code=HTTP_204_NO_CONTENT,
)
async def post_dream(
    workspace: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[None]:
    """E07: 204, also when an equal one waits or runs."""
    body = await parse.body(DreamRequest)
    command = ScheduleDream(
        workspace=workspace,
        observer=body.observer,
        observed=body.observer if body.observed is None else body.observed,
        kind=body.dream_type,
        rebuild=body.rebuild,
        session=body.session_id,
    )
    written = await schedule_dream(write, command, await origin.reason(workspace))
    return done(written.position)
