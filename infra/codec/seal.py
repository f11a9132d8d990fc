"""Seals bytes under a data key so that they open in their own place only.

AES-256-GCM with a random nonce in front. What a seal belongs to is authenticated
with it: tenant, stream, type, event id and key number (architecture section 2), the
lengths of the texts before them, so that no two places spell the same.
"""

from os import urandom
from struct import Struct
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.codec.errors import Unreadable

NONCE: Final = 12
KEY: Final = 32

_LENGTHS: Final = Struct(">IIIQ")  # of tenant, stream and type; the key's number


class DataKey:
    """A key for personal fields: its number in the key table, and the means to use it.

    ``secret`` is kept for what is derived from it; it is never shown.
    """

    __slots__ = ("_aead", "number", "secret")

    def __init__(self, number: int, secret: bytes) -> None:
        self.number = number
        self.secret = secret
        self._aead = AESGCM(secret)

    def __repr__(self) -> str:
        return f"DataKey({self.number})"

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Return nonce and ciphertext."""
        nonce = urandom(NONCE)
        return nonce + self._aead.encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            Unreadable: changed, moved here from another place, or another key.
        """
        try:
            return self._aead.decrypt(sealed[:NONCE], sealed[NONCE:], place)
        except (InvalidTag, ValueError) as error:
            raise Unreadable("A seal does not open in its place") from error


def place_of(tenant: str, stream: str, tag: str, event: UUID, key: int) -> bytes:
    """Spell what a seal is bound to."""
    texts = (tenant.encode(), stream.encode(), tag.encode())
    return b"".join(
        (_LENGTHS.pack(*map(len, texts), key), *texts, event.bytes),
    )
