"""How unexpected each point is among its like (RS 6.4)."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

_LEAST: Final = 1e-10
_SEED: Final = 42

_TABLES: Final = 10
_BITS: Final = 8

_STEPS: Final = 100
_TOLERANCE: Final = 1e-6

_CENTRES: Final = 10

_LEAF: Final = 10
_SPLITS: Final = 5


def surprisal(points: Points, tree: str, neighbours: int) -> Points:
    """Return a score in 0..1 for each point, 0.5 for all where they are alike."""
    raw = _SCORES[tree](points, neighbours)
    least, most = raw.min(), raw.max()
    if most - least <= 0:
        return np.full(len(points), 0.5)
    scores: Points = (raw - least) / (most - least)
    return scores


def _kd(points: Points, neighbours: int) -> Points:
    from sklearn.neighbors import KDTree  # noqa: PLC0415  heavy, and seldom wanted

    return _distances(KDTree(points), points, neighbours)


def _ball(points: Points, neighbours: int) -> Points:
    from sklearn.neighbors import BallTree  # noqa: PLC0415  heavy, and seldom wanted

    return _distances(BallTree(points), points, neighbours)


def _distances(tree: Any, points: Points, neighbours: int) -> Points:
    """Score by the mean distance to the nearest; a point is its own neighbour."""
    distances: Points = np.asarray(tree.query(points, k=neighbours)[0])
    scores: Points = points.shape[1] * np.log(distances.mean(axis=1) + _LEAST)
    return scores


def _random_projections(points: Points, _: int) -> Points:
    """Score by how small a share of its parent each child is, down to a leaf."""
    random = np.random.default_rng(_SEED)
    scores = np.zeros(len(points))
    waiting = [np.arange(len(points))]
    while waiting:
        among = waiting.pop()
        if len(among) <= _LEAF:
            continue
        for _attempt in range(_SPLITS):
            along = points[among] @ random.standard_normal(points.shape[1])
            low = along <= np.median(along)
            if 0 < low.sum() < len(among):
                break
        else:
            continue
        for child in (among[low], among[~low]):
            scores[child] -= np.log(len(child) / len(among))
            waiting.append(child)
    return scores


def _hashes(points: Points, _: int) -> Points:
    """Score by how full the buckets are that a point falls in."""
    random = np.random.default_rng(_SEED)
    shares = np.zeros(len(points))
    for _table in range(_TABLES):
        planes = random.standard_normal((points.shape[1], _BITS))
        keys = (points @ planes > 0) @ (1 << np.arange(_BITS))
        found = np.unique(keys, return_inverse=True, return_counts=True)
        shares += found[2][found[1]] / len(points)
    return -np.log(shares / _TABLES + _LEAST)


def _walk(points: Points, neighbours: int) -> Points:
    """Score by how seldom a walk from neighbour to neighbour comes by."""
    from sklearn.neighbors import kneighbors_graph  # noqa: PLC0415  heavy

    graph = kneighbors_graph(points, neighbours, include_self=False)
    steps = graph.multiply(1.0 / neighbours).T.tocsr()
    chance = np.full(len(points), 1.0 / len(points))
    for _step in range(_STEPS):
        after = steps @ chance
        if np.abs(after - chance).sum() < _TOLERANCE:
            break
        chance = after
    return -np.log(chance + _LEAST)


def _centres(points: Points, _: int) -> Points:
    """Score by the distance to the nearest of a few centres."""
    from sklearn.cluster import KMeans  # noqa: PLC0415  heavy, and seldom wanted

    most = min(_CENTRES, len(np.unique(points, axis=0)))
    centres = KMeans(most, random_state=_SEED, n_init=3)
    nearest: Points = centres.fit_transform(points).min(axis=1)
    return 10 * nearest


_SCORES: Final[dict[str, Callable[[Points, int], Points]]] = {
    "kdtree": _kd,
    "balltree": _ball,
    "rptree": _random_projections,
    "lsh": _hashes,
    "graph": _walk,
    "prototype": _centres,
}
