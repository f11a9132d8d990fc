"""Where a long text is cut (HC E33)."""

from hypothesis import given
from hypothesis import strategies as st

from commands.chunks import chunks


def test_an_empty_text_is_one_empty_piece():
    assert list(chunks("", 10)) == [""]


def test_what_fits_is_not_cut():
    assert list(chunks("a b. c\n\nd", 10)) == ["a b. c\n\nd"]


def test_a_paragraph_break_is_preferred_to_all_else():
    assert list(chunks("aa\n\nb\nc. d eeee", 12)) == ["aa\n\n", "b\nc. d eeee"]


def test_then_a_line_break_then_a_sentence_then_a_space():
    assert list(chunks("aa\nb. c ddddd", 10)) == ["aa\n", "b. c ddddd"]
    assert list(chunks("aa. b c ddddd", 10)) == ["aa. ", "b c ddddd"]
    assert list(chunks("aa b c ddddddd", 10)) == ["aa b c ", "ddddddd"]


def test_a_word_longer_than_a_piece_is_cut_where_it_is_full():
    assert list(chunks("a" * 25, 10)) == ["a" * 10, "a" * 10, "a" * 5]


@given(st.text(alphabet="ab. \n", max_size=300), st.integers(2, 20))
def test_pieces_fit_and_join_to_the_text(text, size):
    pieces = list(chunks(text, size))
    assert "".join(pieces) == text
    assert all(len(piece) <= size for piece in pieces)
    assert all(pieces) or pieces == [""]
