"""Summaries for somebody: of what it heard something of (RS 14 item 18)."""

from typing import Final

from domain.session import SummaryKind
from projections.as_of import NOW
from projections.hearing import Hearing, get_hearing
from projections.ports import Connection
from projections.summaries import Summary, get_summaries, summary_of


async def get_heard_summaries(
    db: Connection, tenant: str, session: str, peer: str, as_of: int = NOW
) -> dict[SummaryKind, Summary]:
    """Return the newest summary of each kind that a peer may be given.

    Each tells of all from the first message on. Who heard none of what it covers is
    given none: one before it covers still less. Who left is given the last of the
    chain that tells of nothing said since.
    """
    newest = await get_summaries(db, tenant, session, as_of)
    hearing = await get_hearing(db, tenant, session, peer, as_of) if newest else None
    if hearing is None:
        return {}
    given: dict[SummaryKind, Summary] = {}
    for kind, summary in newest.items():
        known: Summary | None = summary
        if hearing.last is not None and summary.to_seq > hearing.last:
            known = await _before(db, tenant, summary, hearing)
        if known is not None and known.to_seq >= hearing.first:
            given[kind] = known
    return given


async def _before(
    db: Connection, tenant: str, newest: Summary, hearing: Hearing
) -> Summary | None:
    """Follow what a summary absorbed, down to what tells of nothing since."""
    rows = await db.fetch(
        _ABSORBED, tenant, newest.session, newest.kind, hearing.first, newest.to_seq
    )
    by_id = {row["id"]: row for row in rows}
    at = by_id.get(newest.id)
    while at is not None and at["to_seq"] > (hearing.last or 0):
        at = by_id.get(at["parent"])
    if at is None:
        return None
    return await summary_of(db, tenant, newest.session, at["id"])


_ABSORBED: Final = """
    SELECT id, parent, to_seq FROM summary
    WHERE tenant = $1 AND session = $2 AND kind = $3 AND to_seq BETWEEN $4 AND $5
"""
