"""Long texts are cut into chunks that overlap, and lose nothing."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from processors.chunks import OVERLAP, Chunking, chunks

words = st.text(alphabet="abc xyzß犬日本. \n-", max_size=3_000)


@given(words, st.integers(8, 200))
def test_every_word_is_in_some_chunk_and_chunks_follow_each_other(text, window):
    found = chunks(text, Chunking(window, most=10_000))
    place = 0
    reached = 0
    for each in found:
        place = text.index(each, place if each else 0)
        assert text[reached:place].strip() == ""
        reached = max(reached, place + len(each))
    assert text[reached:].strip() == ""
    assert found == chunks(text, Chunking(window, most=10_000))


def test_what_fits_is_left_as_it_is():
    short = "  A short text,  with blanks. "
    assert chunks(short, Chunking(230)) == [short]
    assert chunks("", Chunking(230)) == [""]


def test_a_message_of_the_longest_size_is_cut_into_what_is_read_at_once():
    long = " ".join(f"word {n:05}" for n in range(3_000))[:25_000]
    found = chunks(long, Chunking(230))
    assert 20 < len(found) < Chunking(230).most
    assert found[-1].endswith(long[-10:])
    sizes = [len(each.split()) for each in found[:-1]]
    assert max(sizes) - min(sizes) < 0.3 * max(sizes)
    for one, two in pairwise(found):
        shared = set(one.split()) & set(two.split())
        share = (len(shared) - 1) / len(set(one.split()))
        assert 0.5 * OVERLAP < share <= 1.5 * OVERLAP


def test_no_more_chunks_are_made_than_asked_for():
    long = "word " * 5_000
    assert len(chunks(long, Chunking(230, most=3))) == 3
    assert chunks(long, Chunking(230, most=1)) == [long]


def test_a_long_text_of_another_language_is_cut_finer_and_to_its_end():
    german = "Ich lerne am liebsten mit Bildern, weil ich mir das für später merke. "
    long = (german * 400)[:25_000].strip()
    found = chunks(long, Chunking(230))
    assert len(chunks("I learn best by pictures. " * 900, Chunking(230))) < len(found)
    assert len(found) < Chunking(230).most
    assert found[-1].endswith(long[-10:])
    quoted = "I\u2019d rather learn by pictures, it\u2019s easier for me. " * 400
    plain = quoted.replace("\u2019", "'")
    assert len(chunks(quoted, Chunking(230))) == len(chunks(plain, Chunking(230)))
