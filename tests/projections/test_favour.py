"""A question that names who spoke, or when, favours what they said, and then."""

from datetime import UTC, datetime

import pytest

from projections.favour import AUTHOR, DAY, favour_of

MAY = datetime(2023, 5, 7, 23, tzinfo=UTC)
JUNE = datetime(2023, 6, 1, tzinfo=UTC)
LATER = datetime(2024, 5, 9, tzinfo=UTC)


def shares(query, *said):
    return favour_of(query).shares(said)


def test_the_author_a_question_names_is_favoured_and_nobody_if_all_are():
    both = (("Caroline", MAY), ("Melanie_Smith", MAY))
    assert shares("What did Caroline paint?", *both) == [AUTHOR, 0]
    assert shares("What did melanie paint?", *both) == [0, AUTHOR]
    assert shares("What do Caroline and Melanie paint?", *both) == [0, 0]
    assert shares("What was painted?", *both) == [0, 0]
    assert shares("Is al in it?", ("al", MAY), ("bo", MAY)) == [0, 0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("What happened in May 2023?", [DAY, 0, 0]),
        ("What happened in May?", [DAY, 0, DAY]),
        ("What happened on 7 May 2023?", [2 * DAY, 0, 0]),
        ("What happened on 2023-06-01?", [0, 2 * DAY, 0]),
        ("What happened on June 1st?", [0, 2 * DAY, 0]),
        ("May I come at 7?", [0, 0, 0]),
        ("What happened in 2023?", [0, 0, 0]),
    ],
)
def test_the_month_and_the_day_a_question_names_are_favoured(query, expected):
    said = [("a", MAY), ("a", JUNE), ("a", LATER)]
    assert shares(query, *said) == expected
