"""Puts what is known into a form, inventing nothing where a value is unknown."""

from collections.abc import Mapping, Sequence
from typing import Any

from processors.offline.fits import fits

Node = Mapping[str, Any]


def fill(form: Node, known: Sequence[str]) -> Any:
    """Return a value of an ``AnswerForm.schema`` that says no more than ``known``.

    Texts quote what is known, lists of texts quote it line by line. All else is
    unknown to an engine that only quotes: a default if there is one, null where that
    is allowed, else the emptiest value: "", 0, false, [], the first of an
    enumeration. What need not be there is left out, unless it can quote.
    """
    if _has_default(form) and not (known and _can_quote(form)):
        return form["default"]
    if "anyOf" in form:
        return fill(_preferred(form["anyOf"], known), known)
    if "enum" in form:
        return None if None in form["enum"] else form["enum"][0]
    return _typed(form, known)


def _typed(form: Node, known: Sequence[str]) -> Any:
    match form["type"]:
        case "object":
            return _object(form, known)
        case "array":
            inner = form.get("items", {"type": "string"})
            return [line for line in known if _quotes(inner)]
        case "string":
            return "\n".join(known)
        case kind:
            return {"boolean": False, "integer": 0, "number": 0}.get(kind)


def _object(form: Node, known: Sequence[str]) -> dict[str, Any]:
    return {
        name: fill(each, known)
        for name, each in form["properties"].items()
        if name in form["required"] or _tells(each, known)
    }


def _preferred(options: Sequence[Node], known: Sequence[str]) -> Node:
    """Choose what can quote if there is something to quote, else null, else any."""
    if known:
        for option in options:
            if _can_quote(option):
                return option
    for option in options:
        if option.get("type") == "null" or None in option.get("enum", ()):
            return option
    return options[0]


def _tells(form: Node, known: Sequence[str]) -> bool:
    """Tell whether a value of this form need not be there and still says something."""
    return _has_default(form) or (bool(known) and _can_quote(form))


def _has_default(form: Node) -> bool:
    return "default" in form and fits(form["default"], form)


def _can_quote(form: Node) -> bool:
    if "anyOf" in form:
        return any(_can_quote(each) for each in form["anyOf"])
    if form.get("type") == "array":
        return _quotes(form.get("items", {"type": "string"}))
    return _quotes(form)


def _quotes(form: Node) -> bool:
    return form.get("type") == "string"
