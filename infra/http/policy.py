"""Which key opens which route: the whole of HC 4.3 in one table.

A route that is not here is opened by admins alone, and a test fails.
"""

import re
from enum import Enum, auto
from typing import Final


class Door(Enum):
    """Who may pass, beside admins."""

    OPEN = auto()
    """Everybody, without a key."""
    ADMIN = auto()
    """Admins alone."""
    SELF = auto()
    """Any valid key; the handler checks what it names (HC 4.4)."""
    WORKSPACE = auto()
    """A key of the workspace."""
    PEER = auto()
    """That, or of the peer."""
    SESSION_WRITE = auto()
    """A key of the workspace or of the session."""
    SESSION_READ = auto()
    """That, or of a peer that is an active member."""


_W: Final = "/v3/workspaces/{workspace}"
_P: Final = _W + "/peers/{peer}"
_S: Final = _W + "/sessions/{session}"

POLICY: Final[dict[tuple[str, str], Door]] = {
    ("GET", "/health"): Door.OPEN,
    ("GET", "/metrics"): Door.OPEN,
    ("GET", "/openapi.json"): Door.OPEN,
    ("GET", "/asyncapi.json"): Door.ADMIN,
    ("GET", "/docs"): Door.OPEN,
    ("GET", "/docs/oauth2-redirect"): Door.OPEN,
    ("GET", "/redoc"): Door.OPEN,
    ("POST", "/v3/keys"): Door.ADMIN,
    ("POST", "/v3/workspaces"): Door.SELF,
    ("POST", "/v3/workspaces/list"): Door.ADMIN,
    ("PUT", _W): Door.WORKSPACE,
    ("DELETE", _W): Door.WORKSPACE,
    ("POST", _W + "/search"): Door.WORKSPACE,
    ("POST", _W + "/chat"): Door.WORKSPACE,
    ("GET", _W + "/queue/status"): Door.WORKSPACE,
    ("GET", _W + "/usage"): Door.WORKSPACE,
    ("POST", _W + "/schedule_dream"): Door.WORKSPACE,
    ("GET", _W + "/dreams"): Door.WORKSPACE,
    ("POST", _W + "/peers/list"): Door.WORKSPACE,
    ("POST", _W + "/peers"): Door.SELF,
    ("PUT", _P): Door.PEER,
    ("POST", _P + "/sessions"): Door.PEER,
    ("POST", _P + "/chat"): Door.PEER,
    ("POST", _P + "/representation"): Door.PEER,
    ("GET", _P + "/card"): Door.PEER,
    ("PUT", _P + "/card"): Door.PEER,
    ("GET", _P + "/card/lines"): Door.PEER,
    ("GET", _P + "/context"): Door.PEER,
    ("POST", _P + "/search"): Door.PEER,
    ("POST", _W + "/sessions/list"): Door.WORKSPACE,
    ("POST", _W + "/sessions"): Door.SELF,
    ("PUT", _S): Door.SESSION_WRITE,
    ("DELETE", _S): Door.SESSION_WRITE,
    ("POST", _S + "/clone"): Door.SESSION_WRITE,
    ("POST", _S + "/peers"): Door.SESSION_WRITE,
    ("PUT", _S + "/peers"): Door.SESSION_WRITE,
    ("DELETE", _S + "/peers"): Door.SESSION_WRITE,
    ("GET", _S + "/peers"): Door.SESSION_READ,
    ("GET", _S + "/peers/{peer}/config"): Door.SESSION_READ,
    ("PUT", _S + "/peers/{peer}/config"): Door.SESSION_WRITE,
    ("GET", _S + "/context"): Door.SESSION_READ,
    ("GET", _S + "/summaries"): Door.SESSION_READ,
    ("POST", _S + "/search"): Door.SESSION_READ,
    ("POST", _S + "/messages"): Door.SESSION_WRITE,
    ("POST", _S + "/messages/upload"): Door.SESSION_WRITE,
    ("POST", _S + "/messages/list"): Door.SESSION_READ,
    ("GET", _S + "/messages/{message}"): Door.SESSION_READ,
    ("PUT", _S + "/messages/{message}"): Door.SESSION_WRITE,
    ("GET", _S + "/messages/{message}/consequences"): Door.WORKSPACE,
    ("POST", _S + "/derivation/flush"): Door.SESSION_WRITE,
    ("POST", _S + "/derivation/redrive"): Door.SESSION_WRITE,
    ("GET", _W + "/derivations"): Door.WORKSPACE,
    ("POST", _W + "/conclusions"): Door.WORKSPACE,
    ("POST", _W + "/conclusions/list"): Door.WORKSPACE,
    ("POST", _W + "/conclusions/query"): Door.WORKSPACE,
    ("GET", _W + "/conclusions/{conclusion}"): Door.WORKSPACE,
    ("GET", _W + "/conclusions/{conclusion}/lineage"): Door.WORKSPACE,
    ("GET", _W + "/answers/{answer}/lineage"): Door.WORKSPACE,
    ("DELETE", _W + "/conclusions/{conclusion}"): Door.WORKSPACE,
    ("POST", _W + "/conclusions/{conclusion}/retract"): Door.WORKSPACE,
    ("POST", _W + "/conclusions/{conclusion}/correct"): Door.WORKSPACE,
    ("GET", _W + "/retractions"): Door.WORKSPACE,
    ("GET", _W + "/retractions/{unit}"): Door.WORKSPACE,
    ("POST", _W + "/retractions/{unit}/undo"): Door.WORKSPACE,
    ("POST", _W + "/quarantine"): Door.WORKSPACE,
    ("POST", _W + "/quarantine/preview"): Door.WORKSPACE,
    ("POST", _W + "/scopes"): Door.WORKSPACE,
    ("POST", _W + "/scopes/list"): Door.WORKSPACE,
    ("GET", _W + "/scopes/{scope}"): Door.WORKSPACE,
    ("POST", _W + "/scopes/{scope}/sessions"): Door.WORKSPACE,
    ("DELETE", _W + "/scopes/{scope}/sessions/{session}"): Door.WORKSPACE,
    ("POST", _W + "/scopes/{scope}/sessions/list"): Door.WORKSPACE,
    ("GET", _W + "/scopes/{scope}/status"): Door.WORKSPACE,
    ("POST", _W + "/webhooks"): Door.WORKSPACE,
    ("GET", _W + "/webhooks"): Door.WORKSPACE,
    ("DELETE", _W + "/webhooks/{endpoint}"): Door.WORKSPACE,
    ("GET", _W + "/webhooks/test"): Door.WORKSPACE,
}

_PARAMETER = re.compile(r"\{[^}]*\}")


def door_of(method: str, template: str) -> Door:
    """Return who may pass a route; its parameters may have any names."""
    return _DOORS.get((method, _shape(template)), Door.ADMIN)


def _shape(template: str) -> str:
    return _PARAMETER.sub("{}", template)


_DOORS: Final = {
    (method, _shape(path)): door for (method, path), door in POLICY.items()
}
