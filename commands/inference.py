"""Record what an agent inferred of a pair: each once, and only on what still holds."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from commands.decide import Decide, Reason
from commands.grounds import Ground, GroundStreams
from commands.identity import processor_command
from commands.living import Source, decide_if_living
from commands.ports import Appended
from commands.watched import Watched
from domain.conclusion import Conclusions, Found, evolve_conclusions
from domain.event import Engine, Event
from domain.inference import Inference, check_inferred, infer
from domain.names import Stream, pair_conclusion_stream, public_id
from domain.recorded import Cause


class RecordInference(msgspec.Struct, frozen=True, kw_only=True):
    """This was inferred of what ``observer`` holds of ``observed``.

    ``name`` identifies the command within the workspace; ``found`` carries no ids
    yet: they are made from it. ``grounds`` are all conclusions it rests on, ``run`` is
    the dream; ``position`` is where in the log that was scheduled.
    """

    workspace: str
    observer: str
    observed: str
    name: str
    run: str
    position: int
    found: tuple[Found, ...]
    grounds: tuple[Ground, ...]
    engine: Engine
    cause: Cause


async def record_inference(decide: Decide, command: RecordInference) -> Appended | None:
    """Append what is new as derived, what was known as reinforced; None if nothing.

    What rests on a conclusion that was retracted meanwhile, by whomever, is left out.

    Raises:
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    identity = processor_command(command.workspace, command.name)
    pair = (command.workspace, command.observer, command.observed)
    stream = pair_conclusion_stream(*pair)
    own = Watched(stream, Conclusions(), evolve_conclusions)
    streams = GroundStreams(command.workspace, command.grounds)
    others = tuple(w for w in streams.watched if w.stream != own.stream)
    inference = Inference(
        workspace=command.workspace,
        observer=command.observer,
        engine=msgspec.structs.replace(command.engine, usage={}, call=None),
        derivation=str(identity.id),
        run=command.run,
        sessions={each.id: each.sessions for each in command.grounds},
        evidence={each.id: each.evidence for each in command.grounds},
    )
    found = [
        msgspec.structs.replace(fact, id=public_id(identity.id.bytes, ordinal))
        for ordinal, fact in enumerate(command.found)
    ]

    def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        known = {
            w.stream: state for w, state in zip((own, *others), states, strict=True)
        }
        holding = streams.holding([known[each.stream] for each in streams.watched])
        sound, _ = check_inferred(found, holding)
        return {own.stream: infer(known[own.stream], sound, inference)}

    cause = msgspec.structs.replace(command.cause, command_id=identity.id)
    source = Source(command.workspace, None, command.position)
    return await decide_if_living(
        decide, source, (own, *others), decision, Reason(cause, identity)
    )
