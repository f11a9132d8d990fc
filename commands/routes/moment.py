"""The moment of the past a door is asked about, as a query string says it."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from domain.errors import Invalid
from domain.moment import read_moment


def _moment(sent: Any) -> int | datetime:
    try:
        return read_moment(str(sent))
    except Invalid as wrong:
        raise ValueError(str(wrong)) from None


AsOf = Annotated[
    int | datetime,
    BeforeValidator(_moment),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "format": "date-time"},
            ]
        }
    ),
]
"""A position, or an RFC 3339 time with its offset; the reads take the same."""
