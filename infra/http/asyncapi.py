"""The topics described: AsyncAPI, and in it the JSON Schema of every event."""

import msgspec
from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler

from infra.asyncapi.document import document_of
from infra.settings.kafka import KafkaSettings


def asyncapi_route(settings: KafkaSettings) -> HTTPRouteHandler:
    """Return ``GET /asyncapi.json``; it is made when it is first asked for.

    It names the brokers, so where keys are wanted it takes one of an admin: whoever
    may read a topic reads every workspace (``infra/http/policy.py``).
    """
    document: bytes | None = None

    @get("/asyncapi.json", opt={"hidden": True}, sync_to_thread=False)
    def asyncapi() -> Response[bytes]:
        nonlocal document
        if document is None:
            document = msgspec.json.encode(document_of(settings))
        return Response(document, media_type=MediaType.JSON)

    return asyncapi
