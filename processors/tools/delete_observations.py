"""The tool that takes conclusions back (RS 6.3, 13.1 W23, W41)."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from commands.decide import Reason
from commands.grounds import Ground
from commands.identity import processor_command
from commands.ports import Held
from commands.reach import Reach
from commands.retraction import (
    RetractConclusion,
    Retracted,
    retract,
    retracted_of,
)
from commands.write import Write
from domain.errors import NotFound
from domain.retraction import ExplicitFact, TooMuch
from processors.dream_run import DreamRun
from processors.tools.tool import ToolError, ToolResult

MOST: Final = 20
"""Most conclusions of one call."""

SUPERSEDED: Final = "superseded, as a dream found"
WRONG: Final = "found wrong by a dream"


class Arguments(msgspec.Struct, frozen=True):
    """See the tool."""

    observation_ids: Annotated[
        tuple[str, ...],
        Meta(min_length=1, max_length=MOST, description="Labels, as they were shown."),
    ]
    reason: Annotated[
        str, Meta(max_length=500, description="Why they do not hold, in a sentence.")
    ] = ""
    superseded_by: Annotated[
        str, Meta(description="Label of the conclusion that holds in their place.")
    ] = ""


class DeleteObservations:
    """Retracts conclusions of the collection, each as a unit that can be undone.

    What was said outright stays, unless the workspace lets agents retract that.
    """

    name = "delete_observations"
    description = (
        "Take back conclusions that do not hold any more, or never did, with what was "
        "built on them. What the peer stated itself stays as it was said: record what "
        "holds now instead."
    )
    arguments = Arguments

    def __init__(self, run: DreamRun, write: Write, reach: Reach) -> None:
        self._run = run
        self._write = write
        self._reach = reach

    async def __call__(self, arguments: Arguments, /) -> ToolResult:
        """Retract them, one after the other."""
        names = list(dict.fromkeys(arguments.observation_ids))
        wanted = [*names, arguments.superseded_by] if arguments.superseded_by else names
        known = await self._run.find(wanted)
        instead = known.get(arguments.superseded_by)
        if arguments.superseded_by and instead is None:
            raise ToolError(f"Nothing is held under {arguments.superseded_by[:100]}.")
        lines = []
        gone: list[str] = []
        for name in names:
            command = self._run.next_name(self.name)
            if (said := await self._done_before(command, name)) is not None:
                lines.append(f"{name[:100]}: {said}")
                gone.append(name)
                continue
            ground = known.get(name)
            if ground is None or (instead and ground.id == instead.id):
                lines.append(f"{name[:100]}: nothing is held under it to take back")
                continue
            said, taken = await self._retract(command, ground, arguments, instead)
            lines.append(f"{name[:100]}: {said}")
            gone += taken
        self._run.tally.refused += len(names) - len(gone)
        return ToolResult("\n".join(lines), tuple(gone))

    def _reason(self, name: str) -> Reason:
        task = self._run.task
        identity = processor_command(task.pair[0], name)
        cause = msgspec.structs.replace(task.cause, command_id=identity.id)
        return Reason(cause, identity)

    async def _done_before(self, command: str, name: str) -> str | None:
        """Say again what was said when a crash broke off what came after."""
        workspace = self._run.task.pair[0]
        seen = await self._run.decide.seen(workspace, self._reason(command))
        if seen is None:
            return None
        named = self._run.shown.find(name)
        told = None if named is None else self._run.shown.text_of(named)
        self._run.tally.deleted["explicit" if told is None else told.level] += 1
        return _taken_back(retracted_of(seen.recorded, seen.last))

    async def _retract(
        self, name: str, ground: Ground, why: Arguments, instead: Ground | None
    ) -> tuple[str, list[str]]:
        task = self._run.task
        command = RetractConclusion(
            workspace=task.pair[0],
            held=_held(ground),
            everywhere=ground.named,
            note=why.reason or None,
            agent=True,
            because=WRONG if instead is None else SUPERSEDED,
            superseded_by=None if instead is None else instead.id,
            run=task.dream.id,
        )
        try:
            reason = self._reason(name)
            done = await retract(self._write, self._reach, command, reason)
        except ExplicitFact:
            return "the peer stated that itself, so it stays", []
        except NotFound:
            return "it is not held any more", []
        except TooMuch:
            return "too much is built on it to take it back at once", []
        self._run.tally.deleted[ground.level] += 1
        more = len(done.conclusions) - 1
        return "taken back" + (f", with {more} built on it" if more else ""), [
            ground.id
        ]


def _taken_back(done: Retracted) -> str:
    more = len(done.conclusions) - 1
    return "taken back" + (f", with {more} built on it" if more else "")


def _held(ground: Ground) -> Held:
    return Held(
        id=ground.id,
        origin=ground.id,
        session=ground.session,
        observer=ground.observer,
        observed=ground.observed,
        gone=False,
        level=ground.level,
        named=ground.named,
    )
