"""What was taken back, as units: by whom, when, why, and whether it still is."""

from collections.abc import Sequence

from domain.recorded import Recorded
from domain.retraction import (
    RetractionExtended,
    RetractionRecorded,
    RetractionUndone,
)
from projections.columns import as_json, as_text
from projections.erasable import Erased
from projections.ports import Connection


class Retractions:
    """The table ``retraction``: one row for each unit.

    ``extended`` is what fell with it later, by the position that says so. ``origin``
    is the conclusion that was asked for, by the id it was derived under: once the
    session or the conclusion is erased, so is what was said of it in ``note``. Of a
    quarantine ``note`` and ``filters`` go with the first that is erased of what it
    took: what it selected by may be words of that.
    """

    name = "retractions"
    version = 2
    tables = """
        CREATE TABLE retraction (
            tenant       text COLLATE "C" NOT NULL,
            unit         text COLLATE "C" NOT NULL,
            kind         text COLLATE "C" NOT NULL,
            actor        text NOT NULL,
            session      text COLLATE "C",
            origin       text COLLATE "C",
            asked        text COLLATE "C",
            note         text,
            filters      jsonb NOT NULL,
            source       jsonb NOT NULL,
            conclusions  jsonb NOT NULL,
            extended     jsonb NOT NULL DEFAULT '{}',
            summaries    jsonb NOT NULL,
            messages     jsonb NOT NULL,
            kept         jsonb NOT NULL,
            corrected_by text COLLATE "C",
            recorded_at  timestamptz NOT NULL,
            position     bigint NOT NULL,
            undone_at    timestamptz,
            undone_by    text,
            lost         jsonb NOT NULL DEFAULT '[]',
            withdrawn    jsonb NOT NULL DEFAULT '[]',
            undone       bigint,
            PRIMARY KEY (tenant, unit)
        );
    """
    indexes = """
        CREATE INDEX retraction_newest ON retraction (tenant, position);
    """
    handles = (RetractionRecorded, RetractionExtended, RetractionUndone)

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            match recorded.event:
                case RetractionRecorded() as event:
                    await _record(db, event, recorded)
                case RetractionExtended() as event:
                    more = {str(recorded.position): event.conclusions}
                    named = (event.workspace, event.unit)
                    await db.execute(_EXTEND, *named, as_json(more), recorded.position)
                case RetractionUndone() as event:
                    await db.execute(
                        _UNDO,
                        event.workspace,
                        event.unit,
                        recorded.position,
                        recorded.recorded_at,
                        event.actor,
                        as_json(event.lost),
                        as_json(event.withdrawn),
                    )
                case _:
                    pass

    async def erase(self, db: Connection, erased: Erased) -> None:
        """Take out what was said of what is erased; the record of the act stays."""
        if erased.session is None and erased.origin is None:
            await db.execute(_FORGET, erased.tenant, erased.position)
            return
        about = (erased.tenant, erased.session, erased.origin, erased.position)
        taken = _with("session", erased.session), _with("id", erased.origin)
        await db.execute(_SILENCE, *about, *taken)


def _with(name: str, value: str | None) -> str | None:
    """Return what a list of what was taken contains, that has this."""
    return None if value is None else as_json([{name: value}])


async def _record(
    db: Connection, event: RetractionRecorded, recorded: Recorded
) -> None:
    origin = event.conclusions[0].id if event.asked and event.conclusions else None
    await db.execute(
        _INSERT,
        event.workspace,
        event.unit,
        event.kind,
        event.actor,
        event.session,
        origin,
        event.asked,
        None if event.note is None else as_text(event.note),
        as_json(event.filters),
        as_json(event.source),
        as_json(event.conclusions),
        as_json(event.summaries),
        as_json(event.messages),
        as_json(event.kept),
        event.corrected_by,
        recorded.recorded_at,
        recorded.position,
    )


_INSERT = """
    INSERT INTO retraction (tenant, unit, kind, actor, session, origin, asked, note,
        filters, source, conclusions, summaries, messages, kept, corrected_by,
        recorded_at, position)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    ON CONFLICT DO NOTHING
"""

_EXTEND = """
    UPDATE retraction SET extended = extended || $3::jsonb
    WHERE tenant = $1 AND unit = $2 AND position < $4
"""

_UNDO = """
    UPDATE retraction SET undone = $3, undone_at = $4, undone_by = $5, lost = $6,
        withdrawn = $7
    WHERE tenant = $1 AND unit = $2 AND undone IS NULL AND position < $3
"""

_FORGET = "DELETE FROM retraction WHERE tenant = $1 AND position < $2"

_SILENCE = """
    UPDATE retraction SET note = NULL, filters = '{}'
    WHERE tenant = $1 AND position < $4 AND (
        session = $2 OR origin = $3 OR kind = 'quarantine' AND (
            messages @> $5::jsonb OR summaries @> $5::jsonb
            OR conclusions @> $5::jsonb OR conclusions @> $6::jsonb
        )
    )
"""
