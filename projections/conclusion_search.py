"""Search of conclusions: by meaning alone, or by words and meaning together."""

import msgspec

from projections.as_of import NOW, holding, recorded_by
from projections.collection import Collection, find_collection
from projections.condition import Bind, Condition, always, every
from projections.favour import favour_of
from projections.ports import Connection
from projections.probe import Probe
from projections.ranking import Candidate, Scored, rank_grounded
from projections.stems import Stems, find_stems
from projections.verbatim import Containing

_DEPTH = 50

_GROUNDS = 8
"""How many of the messages a conclusion rests on are looked at: the newest."""


class ConclusionQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched for among what one observer holds of one peer.

    Without an ``observer`` each conclusion is searched once, under the id it was
    derived under; without ``observed``, those about anybody.
    ``farthest`` is a bound of the cosine distance: what has no vector is then left
    out. ``where`` speaks of a conclusion by the alias ``c``. At ``as_of`` are what was
    held then, the vectors there were, and how rare words had been.
    """

    tenant: str
    observer: str | None
    observed: str | None
    query: str
    limit: int
    probe: Probe | None = None
    farthest: float | None = None
    where: Condition = always
    as_of: int = NOW


class Near(msgspec.Struct, frozen=True):
    """A conclusion's id and its cosine distance from the question."""

    id: str
    distance: float


async def nearest_conclusions(
    db: Connection, question: ConclusionQuestion
) -> list[Near]:
    """Return conclusions by cosine distance alone, nearest first (HC 6.2)."""
    vectors = await find_collection(db, "conclusion", question.probe)
    if vectors is None:
        return []
    bind = Bind(question.tenant)
    distance = vectors.distance(bind)
    bound = "" if question.farthest is None else _bound(distance, question, bind)
    rows = await db.fetch(
        f"SELECT c.id, {distance} AS distance FROM conclusion AS c"  # noqa: S608  every value is bound
        f" {_beside('JOIN', vectors, question, bind)}"
        f" WHERE {_held(question, bind)}{bound}"
        f" ORDER BY ({distance}) + 0, c.from_position DESC"
        f" LIMIT {bind(question.limit)}",
        *bind.values,
    )
    return [Near(row["id"], row["distance"]) for row in rows]


async def search_conclusions(
    db: Connection, question: ConclusionQuestion
) -> list[Scored]:
    """Return conclusions by words and meaning, best first, at most ``limit``.

    What shares neither a stem nor any meaning a vector could show is not found. What is
    found is ordered also by how well the messages answer that it rests on.
    """
    if not question.query.strip():
        return []
    stems = await find_stems(db, question.tenant, question.query, question.as_of)
    vectors = await find_collection(db, "conclusion", question.probe)
    said = await find_collection(db, "message", question.probe)
    bind = Bind(question.tenant)
    signals = _signals(stems, (vectors, said), question, bind)
    rows = await db.fetch(signals, *bind.values)
    favour = favour_of(question.query)
    shares = favour.shares([(row["observed"], row["occurred_at"]) for row in rows])
    candidates = [
        Candidate(
            id=row["id"],
            place=(row["session"] or "", n),
            bm25=row["bm25"],
            distance=row["distance"],
            verbatim=row["verbatim"],
            age=row["from_position"],
            favour=share,
        )
        for n, (row, share) in enumerate(zip(rows, shares, strict=True))
    ]
    grounds = {
        row["id"]: Candidate(
            id=row["id"],
            place=("", n),
            bm25=row["said_bm25"],
            distance=row["said_distance"],
            verbatim=False,
            age=0,
        )
        for n, row in enumerate(rows)
        if row["said_bm25"] is not None
    }
    return rank_grounded(candidates, grounds)[: question.limit]


def _signals(
    stems: Stems,
    vectors: tuple[Collection | None, Collection | None],
    question: ConclusionQuestion,
    bind: Bind,
) -> str:
    """Write what finds a pair's candidates: the best by words, then by meaning.

    Then the same is taken of the newest messages each rests on. ``vectors`` are those
    of conclusions and those of messages.
    """
    bm25 = stems.bm25("c.words", bind)
    concluded, said = vectors
    join, distance, bound = "", "NULL::float8", ""
    if concluded is not None:
        join = f" {_beside('LEFT JOIN', concluded, question, bind)}"
        distance = concluded.distance(bind)
    if question.farthest is not None:
        bound = _bound(distance, question, bind)
    same = Containing(question.query, "").test(bind, "c")
    depth = bind(max(_DEPTH, 2 * question.limit))
    return f"""
        WITH held AS MATERIALIZED (
            SELECT c.id, c.origin, c.session, c.observed, c.occurred_at,
                   c.from_position, {bm25} AS bm25, {distance} AS distance,
                   {same} AS verbatim
            FROM conclusion AS c{join}
            WHERE {_held(question, bind)}{bound}
        ), hit AS (
            (SELECT * FROM held WHERE bm25 > 0 OR verbatim
             ORDER BY bm25 DESC, from_position DESC LIMIT {depth})
            UNION
            (SELECT * FROM held WHERE distance IS NOT NULL
             ORDER BY distance LIMIT {depth})
        )
        SELECT hit.*, said.bm25 AS said_bm25, said.distance AS said_distance
        FROM hit
        LEFT JOIN LATERAL ({_said(stems, said, question, bind)}) AS said ON TRUE
    """  # noqa: S608  every value is bound


def _said(
    stems: Stems, vectors: Collection | None, question: ConclusionQuestion, bind: Bind
) -> str:
    """Write what takes the signals of the messages a ``hit`` rests on."""
    join, distance = "", "NULL::float8"
    if vectors is not None:
        distance = vectors.nearest(question.as_of, bind)
        join = (
            f"LEFT JOIN {vectors.table} AS v ON v.tenant = $1 AND v.session = m.session"
            f" AND v.seq = m.seq AND {vectors.there(question.as_of, bind)}"
        )
    cited = recorded_by(question.as_of, "e.position")(bind)
    return f"""
        SELECT max({stems.bm25("m.words", bind)}) AS bm25, min({distance}) AS distance
        FROM (SELECT e.message FROM evidence AS e
              WHERE e.tenant = $1 AND e.conclusion = hit.origin AND {cited}
              ORDER BY e.position DESC, e.message LIMIT {_GROUNDS}) AS e
        JOIN message AS m ON m.tenant = $1 AND m.id = e.message
        {join}
    """  # noqa: S608  every value is bound


def _held(question: ConclusionQuestion, bind: Bind) -> str:
    if question.observer is None:
        held = "c.tenant = $1 AND c.id = c.origin"
    else:
        held = f"c.tenant = $1 AND c.observer = {bind(question.observer)}"
    if question.observed is not None:
        held += f" AND c.observed = {bind(question.observed)}"
    there = every(holding(question.as_of, "c"), question.where)
    return f"{held} AND {there(bind)}"


def _beside(
    join: str, vectors: Collection, question: ConclusionQuestion, bind: Bind
) -> str:
    return (
        f"{join} {vectors.table} AS v ON v.tenant = c.tenant AND v.origin = c.origin"
        f" AND {vectors.there(question.as_of, bind)}"
    )


def _bound(distance: str, question: ConclusionQuestion, bind: Bind) -> str:
    return f" AND {distance} <= {bind(question.farthest)}::float8"
