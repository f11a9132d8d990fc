"""Search of messages: by their words, by their meaning, and by who stands beside them.

Three legs find candidates: the best by BM25, the nearest by cosine, and the newest
that contain the whole query. Each brings its neighbours in the session. All of them
then get every signal, exactly, and ``ranking`` orders them (architecture section 6).
Without a vector of the question the two lexical legs answer alone. A short session
needs no legs: all its messages are candidates.
"""

from collections.abc import Sequence

import msgspec

from projections.as_of import NOW, holding
from projections.collection import Collection, find_collection
from projections.condition import Bind, Condition, always, equals, every
from projections.favour import favour_of
from projections.message_rows import message_rows
from projections.ports import Connection, Row
from projections.probe import Probe
from projections.ranking import Candidate, Scored, rank
from projections.stems import Stems, find_stems
from projections.verbatim import Containing, find_containing
from projections.withheld import recalled

NEAR = 30
"""How many hits of each leg become candidates, at least."""

EXACT = 5_000
"""Up to so many texts, vectors are compared one by one instead of by the index.

Measured: 0.5 µs for each, while a walk through the index costs 0.4-3 ms and passes
over what other workspaces keep in the same collection.
"""

WHOLE = 500
"""Up to so many messages of a session, all are candidates: one plain scan.

Measured: 200 of them take 0.8 ms of Postgres, the three legs 2.6.
"""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched for, and where.

    Without a ``probe`` it is searched by words only. ``where`` speaks of a message
    by the alias ``m``. At ``as_of`` are the messages there were, as they were, the
    vectors there were, and how rare words had been.
    """

    tenant: str
    query: str
    limit: int
    probe: Probe | None = None
    session: str | None = None
    where: Condition = always
    as_of: int = NOW


async def search_messages(db: Connection, question: Question) -> list[Scored]:
    """Return ids of messages, best first, at most ``limit``.

    An empty question is answered with the newest messages.
    """
    if not question.query.strip():
        return await _latest(db, question)
    stems = await find_stems(db, question.tenant, question.query, question.as_of)
    same = await find_containing(db, question.query, stems.documents, stems.languages)
    vectors = await find_collection(db, "message", question.probe)
    search = _Search(question, stems, same, vectors)
    candidates = await _candidates(db, search)
    hits = _hits(candidates)
    return [each for each in rank(candidates) if each.id in hits][: question.limit]


def _hits(candidates: Sequence[Candidate]) -> set[str]:
    """Return what has something of the question, or stands beside what does."""
    own = {c.place for c in candidates if c.bm25 > 0 or c.verbatim}
    beside = {(group, number + step) for group, number in own for step in (-1, 0, 1)}
    return {c.id for c in candidates if c.distance is not None or c.place in beside}


async def _candidates(db: Connection, search: "_Search") -> list[Candidate]:
    rows: Sequence[Row] = ()
    if search.question.session is not None:
        bind = Bind(search.question.tenant)
        rows = await db.fetch(search.whole(bind), *bind.values)
    if search.question.session is None or len(rows) > WHOLE:
        bind = Bind(search.question.tenant)
        rows = await db.fetch(search.statement(bind), *bind.values)
    asked = favour_of(search.question.query)
    shares = asked.shares([(row["peer"], row["created_at"]) for row in rows])
    return [
        Candidate(
            id=row["id"],
            place=(row["session"], row["seq"]),
            bm25=row["bm25"],
            distance=row["distance"],
            verbatim=row["verbatim"],
            age=row["position"],
            favour=share,
        )
        for row, share in zip(rows, shares, strict=True)
    ]


class _Search(msgspec.Struct, frozen=True):
    """One search, ready to be written down."""

    question: Question
    stems: Stems
    same: Containing
    vectors: Collection | None

    def statement(self, bind: Bind) -> str:
        """Write the statement that finds candidates and takes their signals."""
        where = _where(self.question, bind)
        bm25 = self.stems.bm25("m.words", bind)
        distance = self._nearest(bind)
        rows = message_rows(self.question.as_of)(bind)
        legs = " UNION ALL ".join(
            f"(SELECT m.session, m.seq FROM {rows} {leg})"  # noqa: S608  as below
            for leg in self._legs(where, bm25, bind)
        )
        return f"""
            WITH near AS MATERIALIZED (
                SELECT DISTINCT hit.session, hit.seq + step AS seq
                FROM ({legs}) AS hit, unnest('{{-1,0,1}}'::int[]) AS step
            )
            SELECT {self._signals(bm25, distance, bind)}
            FROM near
            JOIN {rows}
              ON m.tenant = $1 AND m.session = near.session AND m.seq = near.seq
            {self._beside("LEFT JOIN", bind)}
            WHERE {where}
        """  # noqa: S608  every value is bound

    def whole(self, bind: Bind) -> str:
        """Write the statement that takes the signals of a whole short session."""
        where = _where(self.question, bind)
        bm25 = self.stems.bm25("m.words", bind)
        distance = self._nearest(bind)
        return (
            f"SELECT {self._signals(bm25, distance, bind)}"  # noqa: S608  as above
            f" FROM {message_rows(self.question.as_of)(bind)}"
            f" {self._beside('LEFT JOIN', bind)} WHERE m.tenant = $1 AND {where}"
            f" LIMIT {WHOLE + 1}"
        )

    def _nearest(self, bind: Bind) -> str:
        if self.vectors is None:
            return "NULL::float8"
        return self.vectors.nearest(self.question.as_of, bind)

    def _signals(self, bm25: str, distance: str, bind: Bind) -> str:
        return (
            "m.id, m.session, m.seq, m.position, m.peer, m.created_at,"
            f" {bm25} AS bm25,"
            f" {distance} AS distance, {self.same.test(bind)} AS verbatim"
        )

    def _legs(self, where: str, bm25: str, bind: Bind) -> list[str]:
        """Write each leg from its table on: who, in which order, how many."""
        depth = bind(max(NEAR, 2 * self.question.limit))
        own = f"WHERE m.tenant = $1 AND {where}"
        newest = f"ORDER BY m.position DESC LIMIT {depth}"
        legs = [f"{own} AND {self.same.search(bind)} {newest}"]
        few = self.stems.documents <= EXACT
        if self.stems.stems:
            found = f"m.words @@ {bind(self.stems.matching())}::text::tsquery"
            if few:
                # A small workspace's own rows are read, not the words of everybody.
                found = f"({found}) IS TRUE"
            best = f"ORDER BY {bm25} DESC, m.position DESC LIMIT {depth}"
            legs.append(f"{own} AND {found} {best}")
        if self.vectors:
            # What an index finds depends on all that came since: never of the past.
            past = self.question.as_of != NOW
            one_by_one = few or past or self.question.session is not None
            distance = self.vectors.distance(bind)
            order = f"({distance}) + 0, m.position DESC" if one_by_one else distance
            nearest = f"ORDER BY {order} LIMIT {depth}"
            for table in filter(None, (self.vectors.table, self.vectors.parts)):
                beside = self._beside("JOIN", bind, table)
                legs.append(f"{beside} {own} {nearest}")
        return legs

    def _beside(self, join: str, bind: Bind, table: str | None = None) -> str:
        if self.vectors is None:
            return ""
        return (
            f"{join} {table or self.vectors.table} AS v ON v.tenant = $1"
            " AND v.session = m.session AND v.seq = m.seq"
            f" AND {self.vectors.there(self.question.as_of, bind)}"
        )


def _where(question: Question, bind: Bind) -> str:
    where = every(recalled(question.as_of), question.where)
    if question.session is None:
        return every(_all_there(question.as_of), where)(bind)
    return every(equals("m.session", question.session), where)(bind)


def _all_there(as_of: int) -> Condition:
    """Hold unless the session is being copied: a fork is seen whole or not at all."""
    return lambda bind: (
        "m.session NOT IN (SELECT f.session FROM forking AS f"  # noqa: S608  our own names
        f" WHERE f.tenant = $1 AND {holding(as_of, 'f')(bind)})"
    )


async def _latest(db: Connection, question: Question) -> list[Scored]:
    bind = Bind(question.tenant)
    rows = await db.fetch(
        f"SELECT m.id FROM {message_rows(question.as_of)(bind)} WHERE m.tenant = $1"  # noqa: S608  every value is bound
        f" AND {_where(question, bind)}"
        f" ORDER BY m.position DESC LIMIT {bind(question.limit)}",
        *bind.values,
    )
    return [Scored(row["id"], 0.0) for row in rows]
