"""Finds in the views what something may be built on."""

from collections.abc import Mapping, Sequence
from typing import Final

from commands.grounds import Ground
from commands.ports import Overloaded, Views
from domain.conclusion import Evidence
from infra.postgres.log import PostgresLog
from projections.evidence import evidence_of
from projections.held import find_held
from projections.ports import Database

_FOLDED_WITHIN: Final = 10.0
"""Seconds to wait for the views to know all there is."""


class StoredGrounds:
    """Fulfils ``commands.grounds.FindGrounds``."""

    def __init__(self, log: PostgresLog, database: Database, views: Views) -> None:
        self._log = log
        self._database = database
        self._views = views

    async def __call__(
        self, pair: tuple[str, str, str], ids: Sequence[str]
    ) -> Mapping[str, Ground]:
        """Return what the pair holds, by the ids asked for."""
        asked = [each for each in ids if "\x00" not in each]
        head = await self._log.store.head()
        if not await self._views.wait_for(head, _FOLDED_WITHIN):
            raise Overloaded(retry_after=1.0)
        workspace, observer, observed = pair
        evidence: dict[str, list[Evidence]] = {}
        async with self._database.acquire() as db:
            rows = await find_held(db, pair, asked)
            origins = [row.origin for row in rows]
            for cited in await evidence_of(db, workspace, origins):
                evidence.setdefault(cited.conclusion, []).append(
                    Evidence(cited.message, cited.session, cited.seq)
                )
        found: dict[str, Ground] = {}
        for row in rows:
            ground = Ground(
                id=row.origin,
                level=row.level,
                session=row.session,
                observer=observer,
                observed=observed,
                occurred_at=row.occurred_at,
                position=row.born,
                named=row.named,
                sessions=tuple(row.sessions),
                evidence=tuple(evidence.get(row.origin, ())),
            )
            found[row.id] = found[row.origin] = ground
        return {each: found[each] for each in asked if each in found}
