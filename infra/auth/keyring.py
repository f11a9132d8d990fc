"""Makes keys and reads them: JSON Web Tokens under one shared secret (HC 4.2)."""

import math
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from jwt import PyJWS
from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import PyJWTError

from infra.auth.claims import Claims
from infra.auth.errors import SecretUnusable, Unauthorized

_ALGORITHM: Final = "HS256"
_ENOUGH: Final = 32
"""Bytes of a secret that make guessing it as hard as HS256 is."""
_HEADER: Final = {"typ": "JWT"}


class _Hmac(HMACAlgorithm):
    """Takes a short secret without a word each time: that is said at the start."""

    def check_key_length(self, _key: bytes) -> None:
        return None


class _Payload(msgspec.Struct, omit_defaults=True):
    """A token's payload on the wire; unknown claims are ignored.

    ``t`` is when it was made: it makes keys differ, and is not checked.
    """

    t: Any = ""
    exp: str | float | None = None
    ad: bool | None = None
    w: str | None = None
    p: str | None = None
    s: str | None = None


class Keyring:
    """Everything done with the secret, which is not shown, nor is a key.

    ``is_short`` says that the secret is easier to guess than it could be.
    """

    def __init__(self, secret: str) -> None:
        """Take the secret as UTF-8.

        Raises:
            SecretUnusable: it is empty, or a public key that anyone may know.
        """
        self._secret = secret.encode()
        self.is_short = len(self._secret) < _ENOUGH
        self._signer = PyJWS(algorithms=[])
        self._signer.register_algorithm(_ALGORITHM, _Hmac(HMACAlgorithm.SHA256))
        if not secret.strip():
            raise SecretUnusable("AUTH_USE_AUTH is on, so AUTH_JWT_SECRET must be set")
        try:
            self.make(Claims(admin=True), made_at=datetime.now(UTC))
        except PyJWTError:
            raise SecretUnusable(
                "AUTH_JWT_SECRET must be a secret text, not a key file"
            ) from None

    def make(
        self,
        claims: Claims,
        *,
        made_at: datetime,
        expires_at: datetime | None = None,
    ) -> str:
        """Return a new key; claims that are None are left out."""
        payload = _Payload(
            t=made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            exp=None if expires_at is None else _aware(expires_at).isoformat(),
            ad=claims.admin or None,
            w=claims.workspace,
            p=claims.peer,
            s=claims.session,
        )
        return self._signer.encode(
            msgspec.json.encode(payload),
            self._secret,
            algorithm=_ALGORITHM,
            headers=_HEADER,
        )

    def read(self, key: str, *, now: datetime) -> Claims:
        """Return what a key claims; an empty claim is none.

        Raises:
            Unauthorized: not signed by us with HS256, malformed, or expired.
        """
        try:
            signed = self._signer.decode(key, self._secret, algorithms=[_ALGORITHM])
            payload = msgspec.json.decode(signed, type=_Payload)
            expires_at = _seconds(payload.exp)
        except (PyJWTError, ValueError, RecursionError):
            raise Unauthorized("Invalid JWT") from None
        if expires_at is not None and expires_at <= now.timestamp():
            raise Unauthorized("JWT expired")
        claims = Claims(
            admin=bool(payload.ad),
            workspace=payload.w or None,
            peer=payload.p or None,
            session=payload.s or None,
        )
        if (claims.peer or claims.session) and not (claims.workspace or claims.admin):
            raise Unauthorized(
                "Invalid JWT scope: peer/session token missing workspace"
            )
        return claims


def _seconds(exp: str | float | None) -> float | None:
    """Read an expiry in seconds since 1970, or an ISO text as ours are (HC 4.2)."""
    if exp is None or exp == "":
        return None
    if isinstance(exp, str):
        return _aware(datetime.fromisoformat(exp)).timestamp()
    if not math.isfinite(exp):
        raise ValueError("an expiry must be a moment")
    return exp


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
