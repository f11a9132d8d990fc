"""The key that signs checkpoints of the log: Ed25519, apart from all other keys.

Its thirty-two bytes are made on the first start beside the data (mode 0600) or given
by settings. Whoever reads them can sign another history; whoever loses them loses
nothing but that: the next start signs with a new key, and says so.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from infra.kept_secret import kept_secret

LENGTH: Final = 32
FILE: Final = "signing.key"

_ID: Final = 16


class SigningKeyUnusable(Exception):  # noqa: N818  says what it is
    """The signing key, or a public key to check by, is malformed."""


class SigningKey:
    """Signs; ``public_key`` is what anybody checks its signatures by."""

    __slots__ = ("_key", "public_key")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != LENGTH:
            raise SigningKeyUnusable(f"a signing key is {LENGTH} bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.public_key = self._key.public_key().public_bytes_raw()

    def sign(self, text: bytes) -> bytes:
        return self._key.sign(text)


def read_signing_key(text: str) -> SigningKey:
    """Read a key from settings: base64 of thirty-two bytes.

    Raises:
        SigningKeyUnusable
    """
    try:
        return SigningKey(b64decode(text, validate=True))
    except (NotBase64, ValueError, SigningKeyUnusable) as error:
        raise SigningKeyUnusable(
            f"KEYS_SIGNING_KEY is not {LENGTH} bytes in base64"
        ) from error


def kept_signing_key(folder: Path) -> SigningKey:
    """Return the key kept in a data folder, made there if there is none.

    Raises:
        SigningKeyUnusable: the file is not a key.
        OSError: the folder cannot be read or written.
    """
    path = folder / FILE
    try:
        return SigningKey(kept_secret(path, LENGTH))
    except SigningKeyUnusable as error:
        raise SigningKeyUnusable(f"{path} is not a key of {LENGTH} bytes") from error


def key_id(public_key: bytes) -> str:
    """Return a short name of a public key, for people: the begin of its SHA-256."""
    return sha256(public_key).hexdigest()[:_ID]


def read_public_key(text: str) -> bytes:
    """Read a public key as ``palimpsest checkpoint`` prints it: 64 hex digits.

    Raises:
        SigningKeyUnusable
    """
    try:
        public_key = bytes.fromhex(text)
        Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError as error:
        raise SigningKeyUnusable("a public key is 64 hex digits") from error
    return public_key


def is_signed(text: bytes, signature: bytes, public_key: bytes) -> bool:
    """Tell whether the owner of a public key signed these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True
