"""A model's answer read as a JSON value of a schema, or why it is not one."""

import json
from collections.abc import Mapping
from typing import Any

from infra.llm.mended_json import mend_json


class NotOfSchema(Exception):  # noqa: N818  says what it is
    """The answer does not fit; ``str()`` tells the model why and may hold content."""


def read_answer(text: str, schema: Mapping[str, Any], *, cut: bool = False) -> Any:
    """Return the value an answer holds, also from within fences or prose.

    What is not quite JSON is mended; ``cut`` says that the answer ended for want of
    room, and then its last item is left out (RS 8.5).

    Raises:
        NotOfSchema: it holds none, or it breaks the schema.
    """
    value = _decoded(text, cut=cut)
    _check_writable(value)
    import jsonschema  # noqa: PLC0415  3 MB nobody needs without structured answers

    checker = jsonschema.Draft202012Validator(schema)
    wrong = next(checker.iter_errors(value), None)
    if wrong is not None:
        raise NotOfSchema(f"{wrong.json_path}: {wrong.message}"[:1_000])
    return value


def clean(text: str) -> str:
    """Return a text without what neither UTF-8 nor a database can hold."""
    return text.replace("\x00", "").encode(errors="replace").decode()


def is_object(text: str) -> bool:
    """Tell whether a text is a JSON object, all of it."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _check_writable(value: Any) -> None:
    """Refuse what cannot be written down, or is not read again as it was."""
    try:
        spelled = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        raise NotOfSchema("it has what is no number, or nests too deep") from None
    if "\\u0000" in spelled or not _is_text(spelled):
        raise NotOfSchema("it has NUL or lone surrogates in a text")


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decoded(text: str, *, cut: bool) -> Any:
    inner = text.strip()
    first, last = inner.find("{"), inner.rfind("}")
    for candidate in (inner, inner[first : last + 1]):
        try:
            return json.loads(candidate)
        except (ValueError, RecursionError):
            continue
    try:
        return mend_json(inner, cut=cut)
    except ValueError:
        reason = "it was cut off; be shorter" if cut else "it is not JSON"
        raise NotOfSchema(reason) from None


def fulfils_strict(schema: Any) -> bool:
    """Tell whether a schema may be asked for with ``strict``.

    OpenAI's rule: every object names all its properties as required and allows no
    others. Anything else is refused with ``strict``, and only asked for without.
    """
    if isinstance(schema, list):
        return all(map(fulfils_strict, schema))
    if not isinstance(schema, dict):
        return True
    if "properties" in schema or schema.get("type") == "object":
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            return False
        if set(schema.get("required", ())) != set(properties):
            return False
    return "oneOf" not in schema and all(map(fulfils_strict, schema.values()))
