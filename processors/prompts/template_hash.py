"""The hash of a prompt's template: of all its fixed words, and of where others go."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from processors.language_model import JsonSchema, Turn
from processors.reasoner import Said

BLANK: Final = (Said("{id}", "{author}", "{text}", datetime(2000, 1, 1, tzinfo=UTC)),)
"""What stands for a conversation in a template."""


def template_hash(*renderings: Sequence[Turn], form: JsonSchema | None = None) -> str:
    """Return the SHA-256 in hexadecimal of a prompt rendered with blanks.

    ``renderings`` are all the ways in which its fixed words are put together; ``form``
    is the schema that is asked for beside them, as the model is shown it.
    """
    shown = None
    if form is not None:
        shown = form.schema if form.shown is None else form.shown
    told = [[(turn.role, turn.content) for turn in each] for each in renderings]
    encoded = msgspec.json.encode((told, shown), order="deterministic")
    return hashlib.sha256(encoded).hexdigest()
