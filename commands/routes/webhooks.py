"""Webhook endpoints: create, delete, test (HC 2.7)."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath
from pydantic import AfterValidator, BaseModel, Field

from commands.routes.ports import GivenOrigin, GivenParse, GivenWrite
from commands.routes.reply import done, reply
from commands.webhook import (
    CreateWebhook,
    DeleteWebhook,
    create_webhook,
    delete_webhook,
    try_webhooks,
)
from domain.webhook import MAX_URL, WebhookCreated, is_webhook_url


def _checked(url: str) -> str:
    if not is_webhook_url(url):
        raise ValueError("Invalid URL format")
    return url


class WebhookCreate(BaseModel):
    """Body of E48."""

    url: Annotated[str, Field(max_length=MAX_URL), AfterValidator(_checked)]


class WebhookBody(msgspec.Struct, frozen=True):
    """An endpoint as it is answered (HC 1.17)."""

    id: str
    workspace_id: str
    url: str
    created_at: datetime


@post(
    "/v3/workspaces/{workspace:str}/webhooks",
    opt={"body": WebhookCreate, "existing": True},
    summary="Get or create",
)
async def post_webhook(
    workspace: FromPath[str], parse: GivenParse, origin: GivenOrigin, write: GivenWrite
) -> Response[WebhookBody]:
    """E48: 201 when made, 200 when the URL was there."""
    body = await parse.body(WebhookCreate)
    reason = await origin.reason(workspace)
    written = await create_webhook(write, CreateWebhook(workspace, body.url), reason)
    made = any(isinstance(event, WebhookCreated) for event in written.events)
    endpoint = written.state.at(body.url)
    assert endpoint is not None  # noqa: S101  it was there, or was made
    content = WebhookBody(endpoint.id, workspace, endpoint.url, endpoint.created_at)
    return reply(content, written.position, created=made)


@delete(
    "/v3/workspaces/{workspace:str}/webhooks/{endpoint:str}",
    summary="Delete",
    status_code=204,
)
async def delete_webhook_route(
    workspace: FromPath[str],
    endpoint: FromPath[str],
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[None]:
    """E50: what waits for it is not delivered."""
    reason = await origin.reason(workspace)
    written = await delete_webhook(write, DeleteWebhook(workspace, endpoint), reason)
    return done(written.position)


@get("/v3/workspaces/{workspace:str}/webhooks/test", summary="Test")
async def get_webhook_test(
    workspace: FromPath[str], origin: GivenOrigin, write: GivenWrite
) -> Response[None]:
    """E51: JSON ``null``; every endpoint is sent a ``test.event``."""
    written = await try_webhooks(write, workspace, await origin.reason(workspace))
    return reply(None, 0 if written is None else written.position)
