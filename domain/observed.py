"""Who may be observed: a scope observes, and is never observed (HC 2.6).

A name of the scopes' namespace that nobody has yet may become a scope, so where one
would be observed it is refused too. An ordinary peer of long ago that carries such a
name is an ordinary peer everywhere. The texts are those of HC 1.12.
"""

from domain.errors import Invalid
from domain.names import is_reserved
from domain.peer import Peer

NO_CHAT = (
    "No representation is formed of a scope, so a scope cannot be a chat observer or"
    " target."
)
"""What is said to one who would chat with a scope, or about one (HC 1.12)."""

_ADVICE = "Use the scopes routes, or name an ordinary peer."


def refuse_scope(state: Peer, peer: str, advice: str = _ADVICE) -> None:
    """Refuse a scope where an ordinary peer is needed.

    Raises:
        Invalid
    """
    if state.is_scope:
        raise Invalid(f"Peer name(s) {[peer]} are scopes. {advice}")


def refuse_unobservable(state: Peer, peer: str, advice: str = _ADVICE) -> None:
    """Refuse what is a scope or may become one where a peer is to be observed.

    Raises:
        Invalid
    """
    refuse_scope(state, peer, advice)
    if is_reserved(peer) and not state.exists:
        raise Invalid(
            f"Peer name(s) {[peer]} are in the reserved scope namespace and do not"
            f" exist, so they may become scopes later. {advice}"
        )
