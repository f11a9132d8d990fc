"""The id of something to be created, as it stands in a body."""

from typing import Annotated

from pydantic import AliasChoices, Field

from domain.names import MAX_NAME, NAME_PATTERN

NewName = Annotated[
    str,
    Field(
        validation_alias=AliasChoices("id", "name"),
        min_length=1,
        max_length=MAX_NAME,
        pattern=NAME_PATTERN,
    ),
]
"""``id``, or ``name``; the one that is there is the one errors speak of (HC 1.3)."""
