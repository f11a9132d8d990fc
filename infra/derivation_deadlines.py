"""Asks for what waited too long to be reasoned about: the gate of age (RS 1.4).

A deadline is the time of the oldest message that waits, folded from the log, and the
age that is set: nothing of it is kept in memory, and a restart forgets nothing.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

import asyncpg

from commands.decide import Reason
from commands.derivation_requests import RequestDerivation, request_derivation
from commands.ports import EventStoreError
from commands.write import Write
from domain.errors import DomainError
from domain.recorded import Cause
from infra.codec.errors import Unreadable
from infra.postgres.connection import LOST
from infra.turns import Works
from processors.derive_conclusions import Gathering
from projections.ports import Database
from projections.progress_counts import find_overdue

_LOG: Final = logging.getLogger("palimpsest.deadlines")

ACTOR: Final = "derivation_deadlines"
STRANDED: Final = timedelta(minutes=5)
"""So long nothing waits that does not have to, but for a backlog or a failure."""

_AT_ONCE: Final = 100
_SOONEST: Final = 1.0
_LATEST: Final = 15.0
"""Seconds between two looks: what is said meanwhile may be due first."""

_AGAIN: Final = timedelta(minutes=5)
"""How long a session is passed over that could not be asked for."""


class DerivationDeadlines:
    """Looks for sessions whose oldest message waited for ``age``, or longer."""

    def __init__(self, write: Write, database: Database, age: timedelta) -> None:
        self._write = write
        self._database = database
        self._age = age
        self._later: dict[tuple[str, str], datetime] = {}

    async def run(self) -> None:
        """Look for ever; cancel to stop. While the log does not answer it waits."""
        while True:
            try:
                wait = await self.ask()
            except (*LOST, asyncpg.InterfaceError, EventStoreError) as error:
                _LOG.warning("not looked: %s", type(error).__name__)
                wait = _LATEST
            await asyncio.sleep(wait)

    async def ask(self) -> float:
        """Ask for all that is due; return the seconds until the next look.

        Raises:
            EventStoreError: see ``commands.ports``.
        """
        now = self._write.clock()
        self._later = {each: at for each, at in self._later.items() if at > now}
        async with self._database.acquire() as db:
            found = await find_overdue(db, now - self._age, _AT_ONCE, [*self._later])
        for named in found.sessions:
            if not await self._ask(*named):
                self._later[named] = now + _AGAIN
        if found.next_at is None or len(found.sessions) == _AT_ONCE:
            return _SOONEST if found.sessions else _LATEST
        due = (found.next_at + self._age - now).total_seconds()
        return min(max(due, _SOONEST), _LATEST)

    async def _ask(self, workspace: str, session: str) -> bool:
        """Ask for one session; False if that is of no use now: others have its place.

        Until it is gone, or mended, it would be first among those that are due.
        """
        command = RequestDerivation(workspace=workspace, session=session, reason="age")
        cause = Cause(actor=ACTOR, correlation_id=uuid4())
        try:
            await request_derivation(self._write, command, Reason(cause))
        except DomainError as gone:
            _LOG.info("nothing to ask for: %s", type(gone).__name__)
        except Unreadable as damaged:  # its key is parked where it was met
            _LOG.warning("a session that waits cannot be read: %s", damaged)
        else:
            return True
        return False


def keep_deadlines(
    write: Write,
    database: Database,
    gathers: Gathering | None,
    works: Works,
) -> None:
    """Look for what is due until the stack ends, if anything ever has to wait.

    Where nothing has to, something may have when the settings were others.
    """
    waits = gathers is not None and not gathers.gates.flush
    age = gathers.gates.age if gathers is not None and waits else STRANDED
    if age is None:
        return
    deadlines = DerivationDeadlines(write, database, age)
    works.begin("deadlines of derivation", deadlines.run)
