"""Who else heard what a conclusion rests on, and which scopes hold it."""

from collections.abc import Sequence

from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReinstated,
)
from domain.recorded import Recorded
from domain.scope import peer_of_scope
from projections.holdings import Places
from projections.ports import Connection


async def audiences(db: Connection, batch: Sequence[Recorded]) -> list[list[str]]:
    """Return, for each conclusion, the other peers in whose view it belongs.

    They are the members of its session that observed others when the newest message
    it rests on was said: turning observation on is not retroactive, and neither a
    slow derivation nor one repeated years later changes who heard (RS 2.1). Without
    such a message its own position counts. What corrects another is for its holders.
    """
    heard: list[list[str]] = [[] for _ in batch]
    asked: list[tuple[int, str, str, str, int, int]] = []
    for number, recorded in enumerate(batch):
        event = recorded.event
        if not isinstance(event, ConclusionDerived | ConclusionReinforced):
            continue
        if event.session is None or getattr(event, "observer", None) is not None:
            continue
        if getattr(event, "corrects", None) is not None:
            continue
        said = [e.seq for e in event.evidence if e.session == event.session]
        asked.append(
            (
                number,
                event.workspace,
                event.session,
                event.observed,
                max(said, default=0),
                recorded.position,
            )
        )
    if asked:
        for row in await db.fetch(_HEARD, *map(list, zip(*asked, strict=True))):
            heard[row["number"]].append(row["peer"])
    return heard


async def scopes_over(db: Connection, batch: Sequence[Recorded]) -> list[list[str]]:
    """Return, for each conclusion, the hidden peers of the scopes it belongs in.

    They are those its session is in when it is recorded, whatever was said when: a
    session brings all its memory with it (RS 2.8). What was made for one observer is
    for nobody else.
    """
    scopes: list[list[str]] = [[] for _ in batch]
    asked = [
        (number, event.workspace, event.session, recorded.position)
        for number, recorded in enumerate(batch)
        if isinstance(event := recorded.event, ConclusionDerived | ConclusionReinforced)
        and event.session is not None
        and getattr(event, "observer", None) is None
    ]
    if asked:
        for row in await db.fetch(_OVER, *map(list, zip(*asked, strict=True))):
            scopes[row["number"]].append(peer_of_scope(row["scope"]))
    return scopes


async def places_of(db: Connection, batch: Sequence[Recorded]) -> list[Places]:
    """Return, for each that is reinstated, in which scopes its session is, and was."""
    places = [Places({}, {}) for _ in batch]
    asked = [
        (number, event.workspace, event.session, recorded.position)
        for number, recorded in enumerate(batch)
        if isinstance(event := recorded.event, ConclusionReinstated)
        and event.session is not None
    ]
    if asked:
        for row in await db.fetch(_PLACES, *map(list, zip(*asked, strict=True))):
            at, peer = places[row["number"]], peer_of_scope(row["scope"])
            if row["since"] is not None:
                at.since[peer] = row["since"]
            if row["gone"] is not None:
                at.left[peer] = row["gone"]
    return places


_PLACES = """
    SELECT g.number, p.scope,
        max(p.begun) FILTER (WHERE p.active
            AND (p.to_position IS NULL OR p.to_position > g.position)) AS since,
        max(p.from_position) FILTER (WHERE NOT p.active) AS gone
    FROM unnest($1::int[], $2::text[], $3::text[], $4::bigint[])
        AS g(number, tenant, session, position)
    JOIN scope_session AS p ON p.tenant = g.tenant AND p.session = g.session
        AND p.from_position <= g.position
    GROUP BY g.number, p.scope ORDER BY g.number, p.scope
"""
_OVER = """
    SELECT g.number, p.scope
    FROM unnest($1::int[], $2::text[], $3::text[], $4::bigint[])
        AS g(number, tenant, session, position)
    JOIN scope_session AS p ON p.tenant = g.tenant AND p.session = g.session
        AND p.active AND p.from_position <= g.position
        AND (p.to_position IS NULL OR p.to_position > g.position)
    ORDER BY g.number, p.scope
"""
_HEARD = """
    SELECT g.number, m.peer
    FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[])
        AS g(number, tenant, session, observed, seq, position)
    LEFT JOIN message AS s
        ON s.tenant = g.tenant AND s.session = g.session AND s.seq = g.seq
    JOIN member AS m ON m.tenant = g.tenant AND m.session = g.session
        AND m.peer <> g.observed AND m.active AND m.observe_others
        AND m.from_position <= coalesce(s.position, g.position)
        AND (m.to_position IS NULL OR m.to_position > coalesce(s.position, g.position))
    ORDER BY g.number, m.peer
"""
