"""Scopes as a question may name them; none can be made yet, so none is found."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, StringConstraints

from domain.errors import Invalid, NotFound
from domain.names import NAME_PATTERN

ScopeName = Annotated[
    str, StringConstraints(min_length=1, max_length=506, pattern=NAME_PATTERN)
]
"""The public name of a scope (HC 1.2)."""

ScopeOption = (
    ScopeName | Annotated[list[ScopeName], Field(min_length=1, max_length=100)]
)
"""One scope, or up to a hundred whose sessions are joined."""

NEEDS_WIDE_KEY = "`scope` requires a workspace- or admin-level key"
"""What a peer's or a session's key is told that names a scope (HC 1.12)."""

_PREFIX = "scope."


def refuse_scope(scope: str | Sequence[str] | None, workspace: str) -> None:
    """Answer a named scope: there is none of that name.

    Raises:
        NotFound
    """
    if scope is None:
        return
    name = scope if isinstance(scope, str) else scope[0]
    raise NotFound(f"Scope {name} not found in workspace {workspace}")


def refuse_reserved(*peers: str | None) -> None:
    """Refuse a name of the scopes' namespace where an observed peer is needed.

    Raises:
        Invalid
    """
    for peer in peers:
        if peer is not None and peer.startswith(_PREFIX):
            raise Invalid(
                f"Peer name(s) {[peer]} are in the reserved scope namespace and do not"
                " exist, so they may become scopes later. Name an ordinary peer."
            )
