"""Why an event was recorded, as the bytes of the ``meta`` column."""

from typing import Final
from uuid import UUID

import msgspec

from domain.recorded import Cause

SCHEMA: Final = 1
"""The version of the envelope and of how data is sealed."""


class _Meta(msgspec.Struct, frozen=True, omit_defaults=True):
    v: int
    actor: str
    correlation_id: UUID
    causation_id: UUID | None = None
    command_id: UUID | None = None
    trace_parent: str | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Meta).decode


def encode_cause(cause: Cause) -> bytes:
    """Encode, leaving out what is absent."""
    return _encode(
        _Meta(
            SCHEMA,
            cause.actor,
            cause.correlation_id,
            cause.causation_id,
            cause.command_id,
            cause.trace_parent,
        )
    )


def decode_cause(meta: bytes) -> Cause:
    """Decode what :func:`encode_cause` made.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError
    """
    found = _decode(meta)
    return Cause(
        actor=found.actor,
        correlation_id=found.correlation_id,
        causation_id=found.causation_id,
        command_id=found.command_id,
        trace_parent=found.trace_parent,
    )
