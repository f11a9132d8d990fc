"""An answer quotes what is known with ids and dates, or says that nothing is."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.offline.answer import Answer, answer
from processors.offline.known import Known

AT = datetime(2023, 5, 8, 9, tzinfo=UTC)
NOTHING = Answer("Nothing is known about that yet.", ())

TEA = Known(
    "conclusion", "c1", "alice likes green tea.", AT, "alice", 0.2, ("m1", "m4")
)
JOB = Known("conclusion", "c2", "alice works as a nurse.", AT, "alice", 0.5, ("m2",))
DOG = Known("message", "m3", "I adopted a dog\nyesterday!", AT, "bob", 0.1)


def test_an_answer_quotes_conclusions_with_the_ids_and_dates_of_their_messages():
    assert answer("Which tea does alice like?", [TEA, DOG]) == Answer(
        "This is known:\n- alice likes green tea. (2023-05-08, messages m1, m4)",
        ("c1",),
    )


def test_an_answer_quotes_a_message_in_its_own_words():
    assert answer("Who adopted a dog?", [TEA, DOG]) == Answer(
        "This is known:\n"
        '- On 2023-05-08 bob said: "I adopted a dog yesterday!" (message m3)',
        ("m3",),
    )


def test_nothing_found_is_said_plainly():
    assert answer("Does alice like tea?", []) == NOTHING


def test_what_is_neither_near_nor_shares_a_word_is_no_answer():
    assert answer("What car does alice drive?", [TEA, DOG]) == NOTHING


def test_what_is_near_answers_without_a_shared_word():
    assert answer("What is her profession?", [TEA, JOB, DOG]).cited == ("c2",)


def test_a_name_alone_is_no_shared_word_but_a_question_about_all():
    assert answer("Tell me about alice", [TEA, JOB]).cited == ("c2", "c1")


def test_shared_words_outweigh_a_little_nearness():
    assert answer("What green tea?", [JOB, TEA]).cited == ("c1", "c2")


def test_a_message_and_the_conclusion_from_it_are_not_both_quoted():
    said = Known("message", "m1", "I like green tea", AT, "alice", 0.1)
    assert answer("green tea", [TEA, said]).cited == ("c1",)
    assert answer("green tea", [replace(TEA, score=0.0), said]).cited == ("m1",)


def test_two_conclusions_from_one_message_are_both_quoted():
    age = Known("conclusion", "c8", "alice is 34.", AT, "alice", 0.5, ("m2",))
    assert answer("Tell me about alice", [JOB, age]).cited == ("c8", "c2")


def test_the_newer_of_two_equals_comes_first_and_the_limit_holds():
    later = AT.replace(year=2024)
    old = Known("conclusion", "c5", "alice lives in Oslo.", AT, "alice", 0.4)
    new = Known("conclusion", "c6", "alice lives in Rome.", later, "alice", 0.4)
    assert answer("Where does alice live?", [old, new], limit=1).cited == ("c6",)


KNOWN = st.lists(
    st.builds(
        Known,
        kind=st.sampled_from(["conclusion", "message"]),
        id=st.text(min_size=1, max_size=4),
        text=st.text(max_size=60),
        at=st.datetimes(timezones=st.just(UTC)),
        peer=st.sampled_from(["alice", "bob"]),
        score=st.floats(0, 1),
        evidence=st.lists(st.text(min_size=1, max_size=4), max_size=3).map(tuple),
    ),
    max_size=8,
)


@given(st.text(max_size=60), KNOWN, st.integers(0, 6))
@settings(max_examples=150, deadline=None)
def test_an_answer_cites_only_what_is_known_and_never_more_than_asked(
    question, known, limit
):
    given_answer = answer(question, known, limit=limit)
    assert len(given_answer.cited) <= limit
    assert set(given_answer.cited) <= {item.id for item in known}
    assert given_answer == answer(question, known, limit=limit)
    assert bool(given_answer.cited) != (given_answer == NOTHING)
