"""One request read as pydantic models, with everything wrong with it in one list."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from pydantic import BaseModel, ValidationError

from commands.ports import Limits
from commands.routes.ports import SentFile
from infra.http.form import FILE, Form, read_form

B = TypeVar("B")
Q = TypeVar("Q")

Item = dict[str, Any]

MAX_ITEMS = 500
"""Most items one answer lists; a reader needs no more to find the mistake."""

_MAX_PARAMETERS = 5_000
_ABSENT = object()
_USUAL = Limits()


class ValidationFailed(Exception):  # noqa: N818  says what happened
    """The request does not fit its model; ``items`` say where (HC 1.13)."""

    def __init__(self, items: Sequence[Item]) -> None:
        super().__init__(f"{len(items)} item(s)")
        self.items = list(items[:MAX_ITEMS])


class RequestParse:
    """Fulfils the ``Parse`` ports: reads one request's query string and body."""

    def __init__(
        self,
        request: Request[Any, Any, Any],
        count_tokens: Callable[[str], int],
        limits: Limits = _USUAL,
    ) -> None:
        self._request = request
        self._context = {"count_tokens": count_tokens, "limits": limits}

    def query(self, model: type[Q]) -> Q:
        """Return the query string; unknown parameters are ignored."""
        items: list[Item] = []
        value = self._query(model, items)
        return _accepted(value, items)

    async def body(self, model: type[B]) -> B:
        """Return the body, which must be there; a ``RootModel`` is a bare value."""
        items: list[Item] = []
        value = self._body(model, await self._json(), items)
        return _accepted(value, items)

    async def query_and_body(self, query: type[Q], body: type[B]) -> tuple[Q, B]:
        """Return both; what is wrong with either is in one list."""
        read = await self._json()
        items: list[Item] = []
        asked = self._query(query, items)
        sent = self._body(body, read, items)
        return _accepted(asked, items), _accepted(sent, items)

    async def query_and_optional_body(
        self, query: type[Q], body: type[B]
    ) -> tuple[Q, B | None]:
        """Return both, None for a body that is absent, empty or ``null``."""
        read = await self._json()
        items: list[Item] = []
        asked = self._query(query, items)
        if read is _ABSENT or read is None:
            return _accepted(asked, items), None
        sent = self._body(body, read, items)
        return _accepted(asked, items), _accepted(sent, items)

    async def upload(self, fields: type[B], most: int) -> tuple[B, SentFile]:
        """Return a form's fields and its file, which must be there."""
        form = await read_form(self._request, most)
        items = _items_of_file(form)
        sent = self._validated(fields, form.texts, "body", items)
        return _accepted(sent, items), cast("SentFile", form.file)

    def _query(self, model: type[Q], items: list[Item]) -> Q | None:
        asked = self._request.scope["query_string"]
        if not asked and (usual := _usual(model)) is not None:  # type: ignore[arg-type]  # classes are hashable
            return cast("Q", usual)
        sent = read_query(asked, model)
        return self._validated(model, sent, "query", items)

    def _body(self, model: type[B], read: Any, items: list[Item]) -> B | None:
        if read is _ABSENT or read is None:
            items.append(_missing())
            return None
        return self._validated(model, read, "body", items)

    def _validated(
        self, model: type[B], value: Any, place: str, items: list[Item]
    ) -> B | None:
        assert issubclass(model, BaseModel)  # noqa: S101  the port cannot name pydantic
        try:
            return model.model_validate(
                value, from_attributes=True, context=self._context
            )
        except ValidationError as error:
            items.extend(_items(error, place))
            return None

    async def _json(self) -> Any:
        """Return the decoded body, its bytes if it is not declared as JSON."""
        body = await self._request.body()
        if not body:
            return _ABSENT
        if not is_json(self._request.headers.get("content-type", "")):
            return body
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return read_leniently(body)


def is_json(content_type: str) -> bool:
    """Tell whether a body so declared is parsed as JSON (HC 1.1)."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def read_leniently(body: bytes) -> Any:
    """Decode what the fast decoder refused, or say where it stops being JSON.

    Lone surrogates pass here, so that the field that holds one can be named.

    Raises:
        ValidationFailed: it is not JSON.
    """
    try:
        return json.loads(body.decode(), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _not_json(error.pos, error.msg) from None
    except UnicodeDecodeError as error:
        raise _not_json(error.start, "Invalid UTF-8") from None
    except RecursionError:
        raise _not_json(0, "Nested too deeply") from None
    except ValueError as error:
        raise _not_json(0, str(error)) from None


def read_query(query: bytes, model: type[Any]) -> dict[str, Any]:
    """Return what the model asks for: lists whole, of anything else the last."""
    if not query:
        return {}
    lists = _lists(model)  # type: ignore[arg-type]  # classes are hashable
    sent: dict[str, Any] = {}
    try:
        pairs = parse_qsl(
            query.decode("latin-1"),
            keep_blank_values=True,
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError:
        raise ValidationFailed(
            [_item("too_long", ["query"], "Too many query parameters", None)]
        ) from None
    for name, value in pairs:
        if name in lists:
            sent.setdefault(name, []).append(value)
        else:
            sent[name] = value
    return sent


@cache
def _usual(model: type[BaseModel]) -> BaseModel | None:
    """Return what no query at all means, None if something must be asked."""
    if any(field.is_required() for field in model.model_fields.values()):
        return None
    return model.model_validate({})


@cache
def _lists(model: type[Any]) -> frozenset[str]:
    """Return the names of a query model's fields that may be repeated."""
    return frozenset(
        field.alias or name
        for name, field in model.model_fields.items()
        if any(
            get_origin(arm) is list
            for arm in (field.annotation, *get_args(field.annotation))
        )
    )


def _accepted(value: B | None, items: list[Item]) -> B:
    if items or value is None:
        raise ValidationFailed(items)
    return value


def _items(error: ValidationError, place: str) -> list[Item]:
    """Spell pydantic's errors as FastAPI does."""
    return [
        _item(each["type"], [place, *each["loc"]], each["msg"], each["input"])
        | ({"ctx": _plain_ctx(each["ctx"])} if "ctx" in each else {})
        for each in error.errors(include_url=False)[:MAX_ITEMS]
    ]


def _plain_ctx(ctx: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: {} if isinstance(value, Exception) else value for key, value in ctx.items()
    }


def _item(kind: str, loc: list[Any], message: str, value: Any) -> Item:
    return {"type": kind, "loc": loc, "msg": message, "input": value}


def _items_of_file(form: Form) -> list[Item]:
    if form.file is not None:
        return []
    if form.sent is None:
        return [_item("missing", ["body", FILE], "Field required", None)]
    told = "Value error, Expected UploadFile, received: <class 'str'>"
    item = _item("value_error", ["body", FILE], told, form.sent)
    return [item | {"ctx": {"error": {}}}]


def _missing() -> Item:
    return _item("missing", ["body"], "Field required", None)


def _not_json(offset: int, error: str) -> ValidationFailed:
    item = _item("json_invalid", ["body", offset], "JSON decode error", {})
    return ValidationFailed([item | {"ctx": {"error": error}}])


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
