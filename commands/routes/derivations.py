"""Derive what waits in a session now; derive what failed or was passed over again."""

import msgspec
from litestar import Response, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK

from commands.derivation_requests import (
    RequestDerivation,
    Requested,
    request_derivation,
)
from commands.routes.ports import GivenOrigin, GivenWakeDerivation, GivenWrite
from commands.routes.reply import reply
from domain.derivation import Asked


class MessagesBody(msgspec.Struct, frozen=True):
    """Messages of the session by their numbers, counted from 1."""

    first: int
    last: int


class AskedBody(msgspec.Struct, frozen=True):
    """What is derived now: what waited, and each range that was passed over before.

    ``waiting`` is null where nothing waits, or it was asked for already.
    """

    waiting: MessagesBody | None
    redriven: list[MessagesBody]


@post(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/derivation/flush",
    summary="Flush Derivation",
    status_code=HTTP_200_OK,
)
async def post_derivation_flush(
    workspace: FromPath[str],
    session: FromPath[str],
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[AskedBody]:
    """Have a model reason about what was said without waiting for more of it."""
    return _answer(await _ask(write, origin, (workspace, session), "flush"))


@post(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/derivation/redrive",
    summary="Redrive Derivation",
    status_code=HTTP_200_OK,
)
async def post_derivation_redrive(
    workspace: FromPath[str],
    session: FromPath[str],
    origin: GivenOrigin,
    write: GivenWrite,
    wake_derivation: GivenWakeDerivation,
) -> Response[AskedBody]:
    """Try what failed at once, and what was passed over once more, exactly once."""
    done = await _ask(write, origin, (workspace, session), "redrive")
    await wake_derivation(workspace, session)
    return _answer(done)


async def _ask(
    write: GivenWrite, origin: GivenOrigin, named: tuple[str, str], why: Asked
) -> Requested:
    reason = await origin.reason(named[0])
    command = RequestDerivation(workspace=named[0], session=named[1], reason=why)
    return await request_derivation(write, command, reason)


def _answer(done: Requested) -> Response[AskedBody]:
    waiting = None if done.waiting is None else MessagesBody(*done.waiting)
    redriven = [MessagesBody(*each) for each in done.redriven]
    return reply(AskedBody(waiting, redriven), done.position)
