"""JSON a client may shape freely: metadata, and settings nobody here knows."""

import math
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticKnownError

MAX_KEYS = 100
"""Most top-level keys of metadata (HC 1.6)."""

MAX_DEPTH = 5
"""Deepest nesting of objects in metadata, the root counting as 1 (HC 1.6)."""

_MAX_NESTING = 100
"""Deepest nesting of anything, arrays included, that is still stored."""


def strip_nul(text: str) -> str:
    """Remove NUL characters, which are silently dropped everywhere (HC 1.6)."""
    return text.replace("\x00", "") if "\x00" in text else text


def as_text(text: str) -> str:
    """Return a text without NULs; one with half a character is no Unicode (422)."""
    try:
        return _clean_text(text)
    except ValueError:
        raise PydanticKnownError("string_unicode") from None


def clean(value: Any, level: int = 1) -> Any:
    """Return the value without NULs.

    Raises:
        ValueError: it cannot be stored: too deep, not finite, not Unicode.
    """
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("numbers must be finite")
    if isinstance(value, dict | list):
        if level > _MAX_NESTING:
            raise ValueError(f"must not be nested deeper than {_MAX_NESTING} levels")
        if isinstance(value, list):
            return [clean(each, level + 1) for each in value]
        return {_clean_text(k): clean(v, level + 1) for k, v in value.items()}
    return value


def _clean_text(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("text must be valid Unicode") from None
    return strip_nul(text)


def _clean_metadata(value: dict[str, Any]) -> dict[str, Any]:
    if len(value) > MAX_KEYS:
        raise ValueError(f"metadata must not have more than {MAX_KEYS} top-level keys")
    cleaned: dict[str, Any] = clean(value)
    if not _within(cleaned, MAX_DEPTH):
        raise ValueError(f"metadata must not be nested deeper than {MAX_DEPTH} levels")
    return cleaned


def _within(value: dict[str, Any], depth: int) -> bool:
    """Tell whether objects in objects go no deeper; arrays are not looked into."""
    return depth > 0 and all(
        _within(each, depth - 1) for each in value.values() if isinstance(each, dict)
    )


Text = Annotated[str, AfterValidator(as_text)]
"""A text without NULs."""

FreeObject = Annotated[dict[str, Any], AfterValidator(clean)]
"""An object of any shape."""

Metadata = Annotated[dict[str, Any], AfterValidator(_clean_metadata)]
"""An object of any shape within the limits of HC 1.6."""
