"""Messages a reasoner is asked about together, and the record of what came of it."""

from collections.abc import Sequence
from typing import cast

import msgspec

from commands.derivation import RecordDerivation
from domain.derivation import Considered, Range
from domain.event import Engine
from domain.recorded import Recorded
from domain.session import MessageAdded
from processors.drawing import Outcome
from processors.following import cause_of


class Work(msgspec.Struct, frozen=True):
    """Messages handled in one append, what is read of them each by itself, its name.

    ``again`` is the range they are, if they were passed over and redriven.
    """

    handled: Sequence[Recorded]
    reads: Sequence[Sequence[Recorded]]
    name: str
    again: Range | None = None


def record_of(
    actor: str, work: Work, drawn: Outcome, engine: Engine
) -> RecordDerivation:
    """Return the command that records what an actor drew from these messages."""
    messages = [cast("MessageAdded", each.event) for each in work.handled]
    return RecordDerivation(
        workspace=messages[0].workspace,
        session=messages[0].session,
        position=work.handled[0].position,
        name=work.name,
        messages=tuple(Considered(m.seq, m.author, m.derive, m.id) for m in messages),
        found=drawn.found,
        engine=engine,
        cause=cause_of(actor, work.handled[-1]),
        causes={
            m.seq: cause_of(actor, each)
            for m, each in zip(messages, work.handled, strict=True)
        },
        refused=drawn.refused,
        again=work.again is not None,
    )
