"""Looks up in the views what an answer cites (HC 7.5)."""

from collections.abc import Sequence
from typing import Final

from commands.asking import AskedQuestion, CitedConclusion, CitedEvidence, CitedMessage
from projections.as_of import recorded_by
from projections.condition import Bind
from projections.ports import Database

_CONCLUSIONS: Final = """
SELECT DISTINCT ON (c.origin) c.origin, c.id, c.level, c.content, c.created_at,
       c.session, c.observer, c.observed, c.sources
FROM conclusion AS c
WHERE c.tenant = $1 AND c.origin = ANY ($2::text[])
  AND (c.observer = $3 OR ($3 IS NULL AND c.id = c.origin)) AND {drawn}
ORDER BY c.origin, c.from_position DESC
"""

_MESSAGES: Final = """
SELECT id, session, peer, created_at FROM message
WHERE tenant = $1 AND id = ANY ($2::text[])
"""


class ViewEvidence:
    """Fulfils ``commands.ports.FindEvidence``.

    A conclusion has the id its observer holds it under; one that was retracted since
    is shown as it last stood, and of a question of the past as it stood then.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(
        self,
        question: AskedQuestion,
        conclusions: Sequence[str],
        messages: Sequence[str],
    ) -> CitedEvidence:
        """Return it in the order cited."""
        tenant, observer = question.workspace, question.scope or question.peer
        async with self._database.acquire() as db:
            bind = Bind(tenant, list(conclusions), observer)
            drawn = recorded_by(question.as_of, "c.from_position")(bind)
            held = await db.fetch(_CONCLUSIONS.format(drawn=drawn), *bind.values)
            said = await db.fetch(_MESSAGES, tenant, list(messages))
        by_origin = {
            row["origin"]: CitedConclusion(
                id=row["id"],
                level=row["level"],
                content=row["content"],
                created_at=row["created_at"],
                session_id=row["session"],
                observer_id=row["observer"],
                observed_id=row["observed"],
                source_ids=tuple(row["sources"]),
            )
            for row in held
        }
        by_id = {
            row["id"]: CitedMessage(
                id=row["id"],
                session_id=row["session"],
                peer_id=row["peer"],
                created_at=row["created_at"],
            )
            for row in said
        }
        return CitedEvidence(
            conclusions=tuple(by_origin[o] for o in conclusions if o in by_origin),
            messages=tuple(by_id[each] for each in messages if each in by_id),
        )
