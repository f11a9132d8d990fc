"""The list of sources is taken out of an answer, however it is cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.cited_answer import CitedAnswer, split_sources


@pytest.mark.parametrize(
    ("text", "shown", "labels"),
    [
        ("Tea.", "Tea.", None),
        ("", "", None),
        ("Tea.\n[[sources: c1, m2, c1]]", "Tea.", ("c1", "m2")),
        ("Tea. [[sources: none]]\n", "Tea.", ()),
        ("[[sources: c1]]", "", ("c1",)),
        ("Tea. [[sources: c1", "Tea. [[sources: c1", None),
        ("A [[sources: c1]] B", "A [[sources: c1]] B", None),
        ("A [[sources: c1]] B [[sources: m1]]", "A [[sources: c1]] B", ("m1",)),
        ("A [[x]] [", "A [[x]] [", None),
        ("Blanks stay.  \n", "Blanks stay.  \n", None),
    ],
)
def test_a_last_line_of_sources_is_taken_out(text, shown, labels):
    assert split_sources(text) == (shown, labels)


PIECES = st.lists(
    st.sampled_from(["[", "[[", "sources:", "[[sources:", " c1", "]", "]]", "x", "\n"]),
    max_size=12,
)


@given(PIECES)
def test_pieces_come_to_the_same_as_the_whole(pieces):
    answer = CitedAnswer()
    shown = "".join(answer.take(each) for each in pieces)
    rest, labels = answer.end()
    assert (shown + rest, labels) == split_sources("".join(pieces))
