"""What is read of a record: the clear fields that are counted, by its tag.

Fields that are not named here are passed over, so a value reads the same sealed and in
the clear. A tag that is not named here is not counted.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

import msgspec

from infra.codec.errors import UNDECODABLE, Unreadable
from infra.postgres.stored_row import StoredRow


class Said(msgspec.Struct, frozen=True):
    """Of ``message-added``."""

    session: str
    seq: int
    author: str
    tokens: int
    derive: bool = True
    copy_of: str | None = None


class Concluded(msgspec.Struct, frozen=True):
    """Of ``conclusion-derived``."""

    id: str
    session: str | None
    level: str = "explicit"


class Named(msgspec.Struct, frozen=True):
    """Of what happened to a conclusion later."""

    id: str


class Derived(msgspec.Struct, frozen=True):
    """Of ``derivation-completed``."""

    session: str
    first_seq: int
    last_seq: int
    reason: str | None = None


class Took(msgspec.Struct, frozen=True):
    """What a call took, as in ``domain.event.Call``."""

    attempts: int = 1
    cost_usd_micros: int | None = None


class Called(msgspec.Struct, frozen=True):
    """Of ``llm-call-recorded``."""

    outcome: str
    transport: str
    model: str
    call: Took
    usage: dict[str, int] = {}


class InSession(msgspec.Struct, frozen=True):
    """Of ``session-erased``."""

    session: str


class Happened(msgspec.Struct, frozen=True):
    """Of what is counted, whatever it says."""


Told = Said | Concluded | Named | Derived | Called | InSession | Happened


class Fact(msgspec.Struct, frozen=True):
    """One record that counts, and what of it does."""

    position: int
    at: datetime
    day: date
    workspace: str
    type: str
    told: Told


COUNTED: Final[Mapping[str, type[Told]]] = {
    "message-added": Said,
    "conclusion-derived": Concluded,
    "conclusion-reinforced": Named,
    "conclusion-reworded": Named,
    "conclusion-retracted": Named,
    "conclusion-reinstated": Named,
    "derivation-completed": Derived,
    "derivation-failed": Happened,
    "llm-call-recorded": Called,
    "summary-produced": Happened,
    "question-answered": Happened,
    "dream-completed": Happened,
    "session-erased": InSession,
    "workspace-erased": Happened,
}

_DECODERS: Final = {
    tag: msgspec.json.Decoder(kind).decode for tag, kind in COUNTED.items()
}


def fact_of(row: StoredRow) -> Fact | None:
    """Read a record, None if it does not count.

    Raises:
        Unreadable: its value is not what its tag promises.
    """
    decode = _DECODERS.get(row.type)
    if decode is None:
        return None
    try:
        told = decode(row.data)
    except UNDECODABLE as error:
        raise Unreadable(
            f"The {row.type} at position {row.position} does not decode"
        ) from error
    day = utc_day(row.recorded_at)
    return Fact(row.position, row.recorded_at, day, row.tenant, row.type, told)


def utc_day(at: datetime) -> date:
    """Return the day of UTC a time is in."""
    return at.astimezone(UTC).date()
