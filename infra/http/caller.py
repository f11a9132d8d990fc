"""Who asks, as handlers may question it (HC 4)."""

from collections.abc import Awaitable, Callable, Sequence

from infra.auth.claims import Claims
from infra.auth.errors import Unauthorized

NOT_PERMISSIONED = "JWT not permissioned for this resource"
NOT_YOURS = "Unauthorized access to resource"

AreActive = Callable[[str, str, Sequence[str]], Awaitable[bool]]
"""Tells whether a peer is an active member of each session of a workspace."""

_LONGEST_ACTOR = 600


class RequestCaller:
    """Fulfils the ``Caller`` ports from the claims of one key."""

    def __init__(
        self, claims: Claims, are_active: AreActive, *, anonymous: bool = False
    ) -> None:
        self.is_admin = claims.admin
        self.workspace = claims.workspace
        self.peer = claims.peer
        self.session = claims.session
        self._are_active = are_active
        self._anonymous = anonymous

    @property
    def is_narrow(self) -> bool:
        """Whether the key is one of a peer or a session."""
        return not self.is_admin and (self.peer or self.session) is not None

    @property
    def actor(self) -> str:
        """Who recorded events say was there: never the key (``Cause.actor``)."""
        if self._anonymous:
            return "client"
        if self.is_admin:
            return "admin"
        if self.session is not None:
            return _named("session", self.session)
        if self.peer is not None:
            return _named("peer", self.peer)
        return _named("workspace", self.workspace or "")

    def refuse_narrow(self, detail: str) -> None:
        """Let only those pass whose key is the workspace's or an admin's.

        Raises:
            Unauthorized
        """
        if self.is_narrow:
            raise Unauthorized(detail)

    def check_own(self, peer: str) -> None:
        """Refuse a peer's key where another peer is named.

        Raises:
            Unauthorized
        """
        if not self.is_admin and self.peer not in {None, peer}:
            raise Unauthorized(NOT_PERMISSIONED)

    def check_names(
        self, workspace: str, *, peer: str | None = None, session: str | None = None
    ) -> None:
        """Authorise a get-or-create by the ids it names (HC 4.4).

        Raises:
            Unauthorized
        """
        if self.is_admin:
            return
        if (
            self.workspace != workspace
            or (peer is not None and self.peer not in {None, peer})
            or (session is not None and self.session not in {None, session})
        ):
            raise Unauthorized(NOT_YOURS)

    async def check_active_member(
        self, workspace: str, sessions: Sequence[str]
    ) -> None:
        """Refuse a peer's key unless the peer is an active member of each session.

        Raises:
            Unauthorized
        """
        if self.is_admin or self.peer is None or not sessions:
            return
        if not await self._are_active(workspace, self.peer, sessions):
            raise Unauthorized(NOT_PERMISSIONED)


async def _everywhere(_workspace: str, _peer: str, _sessions: Sequence[str]) -> bool:
    return True


ANYONE = RequestCaller(Claims(admin=True), _everywhere, anonymous=True)
"""Whoever asks a server without keys: an admin (HC 4.1)."""


def _named(kind: str, name: str) -> str:
    return f"{kind}:{name.replace(chr(0), '')}"[:_LONGEST_ACTOR]
