"""Signed checkpoints, held against the log: does it still hold what was signed?"""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from infra.postgres.signed_checkpoints import SignedCheckpoints
from infra.proof.checkpoint import Ending, SignedCheckpoint
from infra.proof.signing_key import key_id

Wrong = Literal["signature", "key", "cut off", "another history"]


class Refuted(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint the log or its own signature speaks against.

    The log is ``cut off`` before its position, or stands there at another event (or
    at none, or with another past: the link differs): ``another history``. ``key`` says
    that it is not one of those that were named. ``found`` is the event that stands
    there now. ``head`` is where the log ends.
    """

    position: int
    event: UUID
    key_id: str
    wrong: Wrong
    head: int
    found: UUID | None = None

    def __str__(self) -> str:
        told = f"position {self.position} was signed as event {self.event}"
        match self.wrong:
            case "signature":
                return f"{told}, but not by the key {self.key_id} it names"
            case "key":
                return f"{told} by the key {self.key_id}, which was not named"
            case "cut off":
                return (
                    f"{told}, but the log ends at {self.head}: an older copy, or its"
                    " newest events were cut off"
                )
            case _:
                if self.found == self.event:
                    return f"{told}, and what led there has changed"
                now = "no event" if self.found is None else f"event {self.found}"
                return f"{told}, and holds {now} now: another history"


class Key(msgspec.Struct, kw_only=True):
    """A key that signed: how many checkpoints, the furthest of them, and whose.

    ``present`` is the key that signs here now; of others nobody here can tell.
    """

    key_id: str
    public_key: str
    checkpoints: int
    position: int
    present: bool


class Signed(msgspec.Struct, frozen=True):
    """All checkpoints that are kept beside the log: who signed, what is refuted."""

    keys: list[Key]
    refuted: list[Refuted]
    checkpoints: int


async def check_kept(
    checkpoints: SignedCheckpoints, head: int, present: bytes | None
) -> Signed:
    """Check each checkpoint beside the log; ``present`` is the key that signs here."""
    keys: dict[bytes, Key] = {}
    refuted: list[Refuted] = []
    count = 0
    async for each, stands in checkpoints.all():
        count += 1
        key = keys.get(each.public_key)
        if key is None:
            key = keys[each.public_key] = Key(
                key_id=key_id(each.public_key),
                public_key=each.public_key.hex(),
                checkpoints=0,
                position=0,
                present=each.public_key == present,
            )
        key.checkpoints += 1
        key.position = each.position
        if (found := _check(each, stands, head)) is not None:
            refuted.append(found)
    return Signed(list(keys.values()), refuted, count)


async def check_against(
    checkpoints: SignedCheckpoints,
    given: Sequence[SignedCheckpoint],
    head: int,
    trusted: Sequence[bytes],
) -> list[Refuted]:
    """Check checkpoints that were kept elsewhere; with ``trusted``, by these keys."""
    refuted = []
    for each in sorted(given, key=lambda checkpoint: checkpoint.position):
        stands = await checkpoints.ending(each.position)
        found = _check(each, stands, head)
        if found is None and trusted and each.public_key not in trusted:
            found = _refuted(each, "key", head)
        if found is not None:
            refuted.append(found)
    return refuted


def _check(
    signed: SignedCheckpoint, stands: Ending | None, head: int
) -> Refuted | None:
    """Hold one against what stands at its position in the log."""
    if not signed.is_genuine:
        return _refuted(signed, "signature", head)
    if stands is None and signed.position > head:
        return _refuted(signed, "cut off", head)
    if stands is None:
        return _refuted(signed, "another history", head)
    if stands != signed.ending:
        return _refuted(signed, "another history", head, stands.event)
    return None


def _refuted(
    signed: SignedCheckpoint, wrong: Wrong, head: int, found: UUID | None = None
) -> Refuted:
    return Refuted(
        position=signed.position,
        event=signed.ending.event,
        key_id=key_id(signed.public_key),
        wrong=wrong,
        head=head,
        found=found,
    )
