"""The API described: an OpenAPI document made from the doors, and a page to read it."""

from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from typing import Any, get_args

import msgspec
from litestar import Litestar, MediaType, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIType
from litestar.routes import HTTPRoute
from pydantic import BaseModel

from infra.http.described_responses import (
    IDEMPOTENCY_KEY,
    describe_responses,
    is_write,
)

TITLE = "Palimpsest API"
_REF = "#/components/schemas/"
_PAGES = ["/docs", "/redoc", "/docs/oauth2-redirect"]


def description_routes() -> list[HTTPRouteHandler]:
    """Return the document and the page to read it, which loads nothing from afar.

    The page is also where others look for it (HC 1.14).
    """
    document: bytes | None = None

    @get("/openapi.json", opt={"hidden": True}, sync_to_thread=False)
    def openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
        nonlocal document
        if document is None:
            document = msgspec.json.encode(describe(request.app))
        return Response(document, media_type=MediaType.JSON)

    @get(_PAGES, opt={"hidden": True}, sync_to_thread=False)
    def docs() -> Response[str]:
        page = files("infra.http").joinpath("docs.html").read_text()
        return Response(page, media_type=MediaType.HTML)

    return [openapi, docs]


def describe(app: Litestar) -> dict[str, Any]:
    """Return the OpenAPI 3.1.0 document of all doors.

    A door says what it reads by ``opt``: ``body`` and ``query`` are its pydantic
    models, ``streams`` that it may answer in events, ``existing`` that it answers 200
    for what was there, ``hidden`` leaves it out; its annotation says what it answers.
    """
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for path, method, handler in sorted(_operations(app), key=lambda o: o[:2]):
        paths.setdefault(path, {})[method] = _operation(path, method, handler, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": version("palimpsest-memory")},
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _operations(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        path = "/".join(
            f"{{{part.name}}}" if not isinstance(part, str) else part
            for part in ("", *route.path_components)
        )
        for handler in route.route_handlers:
            if handler.opt.get("hidden"):
                continue
            for method in handler.http_methods - {"OPTIONS"}:
                yield path or "/", method.lower(), handler


def _operation(
    path: str, method: str, handler: HTTPRouteHandler, schemas: dict[str, Any]
) -> dict[str, Any]:
    words = (handler.fn.__doc__ or "").strip().splitlines()
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    parameters = [_parameter("path", name, {"type": "string"}, True) for name in names]
    if (query := handler.opt.get("query")) is not None:
        parameters += _query(query, schemas)
    operation: dict[str, Any] = {
        "operationId": handler.handler_name,
        "summary": handler.summary or handler.handler_name.replace("_", " "),
        "description": words[0] if words else "",
        "tags": [_tag(path)],
        "parameters": parameters,
        "responses": describe_responses(
            path,
            method,
            handler,
            _json(_answered(handler, schemas)) | _streamed(handler),
        ),
    }
    if is_write(path, method, handler):
        parameters.append(IDEMPOTENCY_KEY)
    if (body := handler.opt.get("body")) is not None:
        operation["requestBody"] = {"content": _json(_model(body, schemas))}
    if (form := handler.opt.get("form")) is not None:
        operation["requestBody"] = {"content": _form(form, schemas)}
    return operation


def _streamed(handler: HTTPRouteHandler) -> dict[str, Any]:
    if not handler.opt.get("streams"):
        return {}
    return {"text/event-stream": {"schema": {"type": "string"}}}


def _tag(path: str) -> str:
    """Return the noun a path is about: its last fixed part that is a collection."""
    nouns = (
        "webhooks",
        "scopes",
        "retractions",
        "quarantine",
        "conclusions",
        "messages",
        "sessions",
        "peers",
        "workspaces",
    )
    return next((noun for noun in nouns if noun in path.split("/")), "server")


def _query(model: type[BaseModel], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    schema = _inlined(model, schemas)
    required = schema.get("required", [])
    return [
        _parameter("query", name, of, name in required)
        for name, of in schema.get("properties", {}).items()
    ]


def _parameter(
    place: str,
    name: str,
    schema: dict[str, Any],
    required: bool,  # noqa: FBT001  a fact about the parameter
) -> dict[str, Any]:
    return {"in": place, "name": name, "required": required, "schema": schema}


def _model(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, Any]:
    schemas[model.__name__] = _inlined(model, schemas)
    return {"$ref": _REF + model.__name__}


def _inlined(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=_REF + "{model}")
    schemas.update(schema.pop("$defs", {}))
    return schema


def _answered(handler: HTTPRouteHandler, schemas: dict[str, Any]) -> dict[str, Any]:
    annotation = handler.parsed_fn_signature.return_type.annotation
    answer = next(iter(get_args(annotation)), annotation)
    try:
        [schema], parts = msgspec.json.schema_components(
            [answer], ref_template=_REF + "{name}"
        )
    except (TypeError, RuntimeError):
        return {"type": OpenAPIType.OBJECT.value}
    schemas.update(parts)
    return schema


def _form(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, Any]:
    """Describe a form: the texts of the model, and the file beside them."""
    schema = _inlined(model, schemas)
    texts = {name: {"type": "string"} for name in schema["properties"]}
    return {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    **texts,
                },
                "required": ["file", *schema.get("required", [])],
            }
        }
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
