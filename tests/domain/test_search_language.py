"""The language of what is said: as the nearest settings name it, or nobody does."""

import pytest

from domain.configuration import resolve


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (({},), None),
        (({"search": {"language": "german"}},), "german"),
        (
            ({"search": {"language": "german"}}, {"search": {"language": None}}),
            "german",
        ),
        (
            ({"search": {"language": "german"}}, {"search": {"language": "dutch"}}),
            "dutch",
        ),
        (({"search": {"language": "klingon"}},), None),
        (({"search": {"language": ["german"]}},), None),
        (({"search": "german"},), None),
    ],
)
def test_the_nearest_level_that_names_a_language_counts(levels, expected):
    assert resolve(*levels).language == expected
