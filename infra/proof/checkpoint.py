"""A signed checkpoint: somebody with a key saw the log end in exactly this event.

The link covers every byte recorded up to there, so whoever keeps one checkpoint
elsewhere can tell later whether the log still holds that history.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec

from infra.proof.signing_key import SigningKey, is_signed, key_id

_HEX: Final = re.compile(r"([0-9a-f]{2})+")


class CheckpointUnusable(Exception):  # noqa: N818  says what it is
    """What was given is no checkpoint."""


class Ending(msgspec.Struct, frozen=True):
    """The last event of a commit: its position, its id and the link on it."""

    position: int
    event: UUID
    link: bytes


class SignedCheckpoint(msgspec.Struct, frozen=True):
    """Where the log ended at ``made_at``, and who says so.

    ``signature`` is Ed25519 over ``text`` under ``public_key`` (32 bytes).
    """

    ending: Ending
    made_at: datetime
    public_key: bytes
    signature: bytes

    @property
    def position(self) -> int:
        return self.ending.position

    @property
    def text(self) -> bytes:
        return signed_text(self.ending, self.made_at, self.public_key)

    @property
    def is_genuine(self) -> bool:
        """Whether the owner of its public key made it; who that is, it cannot tell."""
        return is_signed(self.text, self.signature, self.public_key)


def signed_text(ending: Ending, made_at: datetime, public_key: bytes) -> bytes:
    """Return the bytes that are signed: six lines of ASCII, each with a line feed.

    The first names what is signed and its version, so that no signature of anything
    else can pass for one. Numbers are decimal, bytes lower-case hex, the id and the
    time (UTC, six digits of a second) as below; nothing else is ever signed.
    """
    at = made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return (
        "palimpsest log checkpoint 1\n"
        f"position {ending.position}\n"
        f"event {ending.event}\n"
        f"link {ending.link.hex()}\n"
        f"made-at {at}\n"
        f"public-key {public_key.hex()}\n"
    ).encode("ascii")


def sign_ending(ending: Ending, made_at: datetime, key: SigningKey) -> SignedCheckpoint:
    """Sign where the log ends."""
    signature = key.sign(signed_text(ending, made_at, key.public_key))
    return SignedCheckpoint(ending, made_at, key.public_key, signature)


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint as it is printed and kept elsewhere; bytes are hex digits."""

    position: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    event: UUID
    link: str
    made_at: datetime
    key_id: str
    public_key: str
    signature: str


def printed(checkpoint: SignedCheckpoint) -> Printed:
    return Printed(
        position=checkpoint.position,
        event=checkpoint.ending.event,
        link=checkpoint.ending.link.hex(),
        made_at=checkpoint.made_at,
        key_id=key_id(checkpoint.public_key),
        public_key=checkpoint.public_key.hex(),
        signature=checkpoint.signature.hex(),
    )


def read_checkpoint(content: bytes) -> SignedCheckpoint:
    """Read a checkpoint that was printed; whether it is genuine is not asked.

    Raises:
        CheckpointUnusable: it is none.
    """
    try:
        found = msgspec.json.decode(content, type=Printed)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CheckpointUnusable(f"no checkpoint: {error}") from error
    if not all(map(_HEX.fullmatch, (found.link, found.public_key, found.signature))):
        raise CheckpointUnusable("no checkpoint: link, key and signature are hex")
    if found.made_at.tzinfo is None:
        raise CheckpointUnusable("no checkpoint: made_at names no time zone")
    try:
        made_at = found.made_at.astimezone(UTC)
    except OverflowError as error:
        raise CheckpointUnusable("no checkpoint: made_at is no year") from error
    return SignedCheckpoint(
        Ending(found.position, found.event, bytes.fromhex(found.link)),
        made_at,
        bytes.fromhex(found.public_key),
        bytes.fromhex(found.signature),
    )
