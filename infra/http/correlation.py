"""The story a request belongs to: that of its ``traceparent``, else a new one."""

import re
from uuid import UUID

from litestar.types import HTTPScope, Scope
from uuid_utils import compat

_TRACE = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_KEY = "palimpsest_correlation"


def correlation_of(scope: HTTPScope | Scope) -> UUID:
    """Return the correlation id of a request, the same each time it is asked for."""
    state = scope["state"]
    if _KEY not in state:
        trace = trace_parent_of(scope)
        state[_KEY] = UUID(trace[3:35]) if trace is not None else compat.uuid7()
    correlation: UUID = state[_KEY]
    return correlation


def trace_parent_of(scope: HTTPScope | Scope) -> str | None:
    """Return a well-formed W3C ``traceparent`` header, else None."""
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return value.decode() if _TRACE.fullmatch(value) else None
    return None
