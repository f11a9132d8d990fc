"""The master key: it wraps data keys, gives others of its kind, and seals nothing.

Thirty-two random bytes, made on the first start beside the data (mode 0600) or given
by settings as base64. Whoever loses it loses every personal field.
"""

import hmac
import os
from base64 import b64decode
from binascii import Error as NotBase64
from pathlib import Path
from struct import Struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.event import Subject
from infra.codec.seal import NONCE
from infra.kept_secret import kept_secret

LENGTH: Final = 32
FILE: Final = "master.key"

_LENGTHS: Final = Struct(">IIIQ")  # of tenant, session and peer; the key's number


class MasterKeyUnusable(Exception):  # noqa: N818  says what it is
    """The master key is malformed, or not the one these data keys were wrapped by."""


class MasterKeyMissing(MasterKeyUnusable):
    """There is none yet where it is looked for, and none may be made there."""


class MasterKey:
    """Wraps data keys so that each opens for its own subject and number only."""

    __slots__ = ("_aead", "_secret")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != LENGTH:
            raise MasterKeyUnusable(f"a master key is {LENGTH} bytes")
        self._aead = AESGCM(secret)
        self._secret = secret

    def derive(self, purpose: bytes) -> bytes:
        """Return another secret of thirty-two bytes, from which none finds this one."""
        return hmac.digest(self._secret, purpose, "sha256")

    def wrap(self, secret: bytes, subject: Subject, number: int) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + self._aead.encrypt(nonce, secret, _place(subject, number))

    def unwrap(self, wrapped: bytes, subject: Subject, number: int) -> bytes:
        """Return the data key.

        Raises:
            MasterKeyUnusable: it was wrapped by another master key, or changed.
        """
        try:
            return self._aead.decrypt(
                wrapped[:NONCE], wrapped[NONCE:], _place(subject, number)
            )
        except (InvalidTag, ValueError) as error:
            raise MasterKeyUnusable(
                "this is not the master key the data keys were wrapped by"
            ) from error


def read_master_key(text: str) -> MasterKey:
    """Read a key from settings: base64 of thirty-two bytes.

    Raises:
        MasterKeyUnusable
    """
    try:
        return MasterKey(b64decode(text, validate=True))
    except (NotBase64, ValueError, MasterKeyUnusable) as error:
        raise MasterKeyUnusable(
            f"KEYS_MASTER_KEY is not {LENGTH} bytes in base64"
        ) from error


def kept_master_key(folder: Path) -> MasterKey:
    """Return the key kept in a data folder, made there if there is none.

    Whoever dies while making it leaves no half a key; of two who make it at once,
    one wins and both use it.

    Raises:
        MasterKeyUnusable: the file is not a key.
        OSError: the folder cannot be read or written.
    """
    path = folder / FILE
    try:
        return MasterKey(kept_secret(path, LENGTH))
    except MasterKeyUnusable as error:
        raise MasterKeyUnusable(f"{path} is not a key of {LENGTH} bytes") from error


def _place(subject: Subject, number: int) -> bytes:
    texts = (
        subject.tenant.encode(),
        (subject.session or "").encode(),
        subject.peer.encode(),
    )
    return b"".join((_LENGTHS.pack(*map(len, texts), number), *texts))
