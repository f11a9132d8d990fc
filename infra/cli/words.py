"""Words that are typed, held to the bounds of those that come over HTTP."""

from typing import Annotated, TypeVar

import typer

from domain.retraction import MAX_NOTE

T = TypeVar("T", str, str | None, list[str] | None)


def readable(typed: T) -> T:
    """Refuse bytes that are no text: nothing can store or find them."""
    for each in typed if isinstance(typed, list) else [typed]:
        try:
            (each or "").encode()
        except UnicodeEncodeError:
            raise typer.BadParameter("it is not UTF-8") from None
    return typed


def said(typed: str) -> str:
    """Refuse to say nothing."""
    if not typed.strip():
        raise typer.BadParameter("it must not be empty")
    return readable(typed)


def _brief(typed: str | None) -> str | None:
    if len(typed or "") > MAX_NOTE:
        raise typer.BadParameter(f"it must be at most {MAX_NOTE} characters")
    return readable(typed)


Why = Annotated[
    str | None, typer.Option(help="Why, in your own words.", callback=_brief)
]
