"""One point far from a cloud of others is told by every way of telling (RS 6.4)."""

import numpy as np
import pytest

from infra.settings.dream import Surprisal
from infra.surprisal.scores import surprisal

TREES = ["kdtree", "balltree", "rptree", "lsh", "graph", "prototype"]


def cloud(size=120, dimensions=16, *, outlier=True):
    random = np.random.default_rng(7)
    centre = np.zeros(dimensions)
    centre[0] = 1.0
    points = centre + 0.05 * random.standard_normal((size, dimensions))
    if outlier:
        points[17] = -centre
    return points / np.linalg.norm(points, axis=1, keepdims=True)


@pytest.mark.parametrize("tree", TREES)
def test_scores_lie_between_nothing_and_one_and_are_the_same_again(tree):
    points = cloud()
    scores = surprisal(points, tree, 5)
    assert scores.shape == (120,)
    assert scores.min() == 0.0
    assert scores.max() == 1.0
    assert np.array_equal(scores, surprisal(points, tree, 5))


@pytest.mark.parametrize("tree", ["kdtree", "balltree", "lsh", "graph"])
def test_what_is_unlike_the_rest_stands_out(tree):
    scores = surprisal(cloud(), tree, 5)
    assert 17 in np.argsort(-scores)[:12]


def test_the_nearest_score_highest_of_none_that_are_alike():
    alike = np.ones((30, 4))
    for tree in ("kdtree", "rptree", "lsh", "prototype"):
        assert set(surprisal(alike, tree, 5)) == {0.5}


def test_the_score_of_neighbours_is_the_one_of_the_reference():
    points = np.array([[0.0], [1.0], [2.0], [9.0]])
    means = np.array([0.5, 0.5, 0.5, 3.5])
    raw = np.log(means + 1e-10)
    wanted = (raw - raw.min()) / (raw.max() - raw.min())
    assert np.allclose(surprisal(points, "kdtree", 2), wanted)


def test_what_is_not_served_is_refused_by_name():
    with pytest.raises(ValueError, match="covertree is not served"):
        Surprisal(tree_type="covertree")
