"""What is near in meaning is one fact, unless a number, a name or a denial parts it."""

import pytest

from domain.likeness import may_be_one, says_more


@pytest.mark.parametrize(
    ("new", "old", "one"),
    [
        ("alice likes tea", "alice likes green tea", True),
        ("alice enjoys hiking in the hills", "alice likes hiking in hills", True),
        ("alice has a dog", "alice has a dog named Rex", True),
        ("alice has dogs", "alice has 2 dogs", True),
        ("alice ran 5 km", "alice ran 7 km", False),
        ("alice met Bob on 2026-03-01", "alice met Bob on 2026-03-02", False),
        ("alice has a dog named Rex", "alice has a dog named Max", False),
        ("alice likes tea", "alice doesn't like tea", False),
        ("alice never eats fish", "alice eats fish", False),
        ("alice does not smoke", "alice never smokes", True),
    ],
)
def test_what_may_be_one(new, old, one):
    assert may_be_one(new, old) is one
    assert may_be_one(old, new) is one


def test_that_says_more_which_has_what_the_other_lacks():
    assert says_more([1, 2, 3], [1, 2], 10)
    assert not says_more([1, 2], [1, 2, 3], 10)
    assert says_more([1, 2], [2, 1], 10)
    assert says_more([1, 9, 8], [1, 3, 3, 3, 3, 3], 10)
    assert not says_more([1, 9, 8], [1, 3, 3, 3, 3, 3], 0)
