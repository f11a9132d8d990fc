"""Who else heard what a conclusion rests on."""

from collections.abc import Sequence

from domain.conclusion import ConclusionDerived, ConclusionReinforced
from domain.recorded import Recorded
from projections.ports import Connection


async def audiences(db: Connection, batch: Sequence[Recorded]) -> list[list[str]]:
    """Return, for each conclusion, the other peers in whose view it belongs.

    They are the members of its session that observed others when the newest message
    it rests on was said: turning observation on is not retroactive, and neither a
    slow derivation nor one repeated years later changes who heard (RS 2.1). Without
    such a message its own position counts.
    """
    heard: list[list[str]] = [[] for _ in batch]
    asked: list[tuple[int, str, str, str, int, int]] = []
    for number, recorded in enumerate(batch):
        event = recorded.event
        if not isinstance(event, ConclusionDerived | ConclusionReinforced):
            continue
        if event.session is None or getattr(event, "observer", None) is not None:
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
