"""Why something is there, by its id: conclusion, message, summary or answer."""

from typing import Final

import msgspec

from infra.trace import Log
from projections.derivations import get_derivations
from projections.ports import Connection
from projections.quotes import quote_messages
from projections.summaries import summary_of
from read_api.answer_lineage import AnswerLineage, find_answer_lineage
from read_api.consequences import Consequences, find_consequences
from read_api.lineage import (
    CHARACTERS,
    QUOTED,
    Lineage,
    find_lineage,
)
from read_api.lineage_answers import (
    DerivationShown,
    QuotedMessage,
    derivation_shown,
    message_shown,
)


class SummaryStory(msgspec.Struct, frozen=True, kw_only=True):
    """A summary, how it was made, and the messages it covers, as far as quoted.

    ``absorbs`` is the summary it replaces.
    """

    id: str
    session_id: str
    summary_type: str
    content: str
    tokens: int
    absorbs: str | None
    derivation: DerivationShown | None
    messages: list[QuotedMessage]
    truncated: bool


Story = Lineage | Consequences | SummaryStory | AnswerLineage


class Why(msgspec.Struct, frozen=True):
    """What has an id, in which workspace, and its story."""

    kind: str
    workspace: str
    story: Story


# Every table has an index by workspace and id, none by id alone.
_PLACE: Final = """
    WITH place AS (SELECT DISTINCT tenant FROM workspace)
    SELECT p.tenant, 'conclusion' AS kind FROM place AS p
    WHERE EXISTS (SELECT FROM conclusion AS t WHERE t.tenant = p.tenant AND t.id = $1)
    UNION ALL SELECT p.tenant, 'message' FROM place AS p
    WHERE EXISTS (SELECT FROM message AS t WHERE t.tenant = p.tenant AND t.id = $1)
    UNION ALL SELECT p.tenant, d.kind FROM place AS p
    JOIN derivation AS d ON d.tenant = p.tenant AND d.id = $1
        AND d.kind IN ('summary', 'answer')
    ORDER BY 1, 2 LIMIT 1
"""


async def why(db: Connection, log: Log, id_: str) -> Why | None:
    """Return the story of what has this id in the views; None if nothing has.

    The log is read for the words of an answer, which are nowhere else.
    """
    place = await db.fetchrow(_PLACE, id_)
    if place is None:
        return None
    tenant, kind = place["tenant"], place["kind"]
    story: Story | None
    if kind == "conclusion":
        story = await find_lineage(db, tenant, id_)
    elif kind == "message":
        story = await find_consequences(db, tenant, id_)
    elif kind == "summary":
        story = await _summary(db, tenant, id_)
    else:
        story = await find_answer_lineage(db, log, tenant, id_)
    return None if story is None else Why(kind, tenant, story)


async def _summary(db: Connection, tenant: str, id_: str) -> SummaryStory | None:
    derivation = await _derivation(db, tenant, id_)
    if derivation is None or derivation.session_id is None:
        return None
    summary = await summary_of(db, tenant, derivation.session_id, id_)
    if summary is None:
        return None
    rows = await db.fetch(
        "SELECT id FROM message WHERE tenant = $1 AND session = $2"
        " AND seq BETWEEN $3 AND $4 ORDER BY seq LIMIT $5",
        tenant,
        summary.session,
        summary.from_seq,
        summary.to_seq,
        QUOTED + 1,
    )
    ids = [row["id"] for row in rows]
    quoted = await quote_messages(db, tenant, ids[:QUOTED], CHARACTERS)
    return SummaryStory(
        id=summary.id,
        session_id=summary.session,
        summary_type=summary.kind,
        content=summary.content,
        tokens=summary.tokens,
        absorbs=summary.parent,
        derivation=derivation,
        messages=[message_shown(each) for each in quoted],
        truncated=len(ids) > QUOTED,
    )


async def _derivation(db: Connection, tenant: str, id_: str) -> DerivationShown | None:
    found = await get_derivations(db, tenant, [id_])
    return derivation_shown(found[0]) if found else None
