"""How search orders what it found: BM25 and cosine mixed, neighbours lifting a hit.

Pure arithmetic, measured on LoCoMo (architecture section 6; peers-and-retrieval 6.6):
normalised scores mixed half and half beat reciprocal ranks by eleven points, and a turn
lifted by the turns around it finds seven more. What is lifted never carries a mark of
its own into the next session: neighbours are neighbours inside one session. A session
of which much fits lifts all it holds, which finds another two; who spoke and when, a
half.
"""

import math
from collections.abc import Mapping, Sequence

import msgspec

K1 = 1.2
"""Term saturation of BM25."""

B = 0.75
"""Length normalisation of BM25: 0.4 wins a point on short turns, loses nine on long."""

DENSE = 0.5
"""The share of the cosine in the mix, where there is one."""

PREVIOUS = 0.5
"""What a candidate gains of the score of the message before it."""

NEXT = 0.3
"""What a candidate gains of the score of the message after it."""

GROUP = 0.6
"""What a candidate gains of its session: of the mean of the best three there."""

BEST = 3
"""How many of a session's candidates tell how well it fits."""

VERBATIM = 0.5
"""The least lexical score (of 1) of a text that contains the whole query."""


class Candidate(msgspec.Struct, frozen=True):
    """One text in question: where it stands and what each leg says of it.

    ``place`` is its group (the session) and its number there; candidates with
    consecutive numbers of one group are neighbours. ``bm25`` is 0 without a common
    stem, ``distance`` the cosine distance or None while there is no vector, and
    ``verbatim`` says that it contains the whole query. ``age`` orders equals: the
    higher, the newer. ``favour`` is the share it weighs more for who said it and when.
    """

    id: str
    place: tuple[str, int]
    bm25: float
    distance: float | None
    verbatim: bool
    age: int
    favour: float = 0.0


class Scored(msgspec.Struct, frozen=True):
    """A candidate's id and the score it was ranked by."""

    id: str
    score: float


def rank(candidates: Sequence[Candidate], *, neighbours: bool = True) -> list[Scored]:
    """Order candidates, best first; of equals the newest comes first.

    Every id comes out once; the order does not depend on the order given.
    """
    own = _mix(candidates)
    final = _lift(candidates, own) if neighbours else own
    return _in_order(candidates, final)


def _in_order(candidates: Sequence[Candidate], final: list[float]) -> list[Scored]:
    order = sorted(
        range(len(candidates)), key=lambda i: (-final[i], -candidates[i].age)
    )
    return [Scored(candidates[i].id, final[i]) for i in order]


def rank_grounded(
    candidates: Sequence[Candidate], grounds: Mapping[str, Candidate]
) -> list[Scored]:
    """Order what was concluded: by its own words and meaning, and by its grounds'.

    ``grounds`` are, by a candidate's id, the signals of the messages it rests on, which
    count as much as its own: on LoCoMo ten conclusions then rest on 57.8 % of the
    evidence instead of 51.8. Sessions and favour count as they do for messages.
    """
    under = _mix(list(grounds.values()))
    of = dict(zip(grounds, under, strict=True))
    own = [
        (score + of.get(candidate.id, score)) / 2
        for candidate, score in zip(candidates, _mix(candidates), strict=True)
    ]
    return _in_order(candidates, _lift(candidates, own, around=(0.0, 0.0)))


def idf(documents: int, containing: int) -> float:
    """Weigh a stem by its rarity; never negative, also where statistics lag."""
    total = max(documents, containing, 1)
    return math.log1p((total - containing + 0.5) / (containing + 0.5))


def _mix(candidates: Sequence[Candidate]) -> list[float]:
    """Score each candidate by its own words and meaning, in 0..1."""
    highest = max((c.bm25 for c in candidates), default=0.0)
    distances = [c.distance for c in candidates if c.distance is not None]
    nearest, span = _bounds(distances)
    scores = []
    for candidate in candidates:
        lexical = candidate.bm25 / highest if highest > 0 else 0.0
        if candidate.verbatim:
            lexical = max(lexical, VERBATIM)
        if candidate.distance is None:
            # Not embedded yet: its words speak for its meaning.
            scores.append(lexical)
            continue
        near = 1 - (candidate.distance - nearest) / span
        scores.append((1 - DENSE) * lexical + DENSE * near)
    return scores


def _bounds(distances: list[float]) -> tuple[float, float]:
    if not distances:
        return 0.0, 1.0
    nearest, farthest = min(distances), max(distances)
    return nearest, (farthest - nearest) or 1.0


def _lift(
    candidates: Sequence[Candidate],
    own: list[float],
    around: tuple[float, float] = (PREVIOUS, NEXT),
) -> list[float]:
    """Add to each score shares of those around it and of its session; then favour."""
    at: dict[tuple[str, int], float] = {}
    groups: dict[str, list[float]] = {}
    for candidate, score in zip(candidates, own, strict=True):
        at[candidate.place] = max(score, at.get(candidate.place, 0.0))
        groups.setdefault(candidate.place[0], []).append(score)
    fits = {name: sum(sorted(scores)[-BEST:]) / BEST for name, scores in groups.items()}
    lifted = []
    for candidate, score in zip(candidates, own, strict=True):
        group, number = candidate.place
        before = at.get((group, number - 1), 0.0)
        after = at.get((group, number + 1), 0.0)
        shared = around[0] * before + around[1] * after + GROUP * fits[group]
        lifted.append((score + shared) * (1 + candidate.favour))
    return lifted
