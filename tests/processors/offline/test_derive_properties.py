"""Whatever is said, the engine answers, the same each time, and only from evidence."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.offline.derive import derive
from processors.offline.utterance import Utterance

VOCABULARY = """
    I I'm I've I'd we my me us myself love live went don't have to and but because it
    that this yesterday last Friday next month two days ago dog Lisbon tea if you ? ! .
    , ; - " ` ``` > * 1. :) 🙄 the a be was read 99999999 days \x01 \x06 \x00
"""
PIECES = st.sampled_from([*VOCABULARY.split(), "\n"])
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=25).map(" ".join))
PEERS = st.sampled_from(["alice", "bob", "a-b_c", "I", "my", "2023"])
MOMENTS = st.datetimes(timezones=st.just(UTC))
WINDOWS = st.lists(
    st.builds(
        Utterance,
        id=st.uuids().map(str),
        author=PEERS,
        text=TEXTS,
        at=MOMENTS,
    ),
    max_size=4,
)


@given(WINDOWS, PEERS)
@settings(max_examples=400, deadline=None)
def test_conclusions_rest_on_messages_of_the_observed_peer(window, observed):
    own = {said.id for said in window if said.author == observed}
    facts = derive(window, observed)
    assert facts == derive(window, observed)
    assert len({fact.content for fact in facts}) == len(facts)
    for fact in facts:
        assert fact.evidence
        assert set(fact.evidence) <= own
        assert 0 < len(fact.content) <= 65_535
        assert "\x00" not in fact.content
        assert observed in fact.content


@given(st.text(max_size=60).filter(str.strip))
@settings(max_examples=100, deadline=None)
def test_a_longest_message_is_read_to_its_end(piece):
    text = (piece + " I live in Lisbon. ") * (65_535 // (len(piece) + 19))
    at = datetime(2023, 5, 8, tzinfo=UTC)
    derive([Utterance("m1", "alice", text[:20_000], at)], "alice")


def test_the_same_sentence_said_twice_is_one_conclusion_with_two_messages():
    at = datetime(2023, 5, 8, tzinfo=UTC)
    window = [
        Utterance("m1", "alice", "I like tea.", at),
        Utterance("m2", "bob", "I like tea.", at),
        Utterance("m3", "alice", "Yeah, I like tea!", at),
    ]
    (fact,) = derive(window, "alice")
    assert fact.content == "alice likes tea."
    assert fact.evidence == ("m1", "m3")


def test_the_names_of_others_are_taken_off_a_sentence():
    at = datetime(2023, 5, 8, tzinfo=UTC)
    window = [
        Utterance("m1", "Melanie", "Any plans?", at),
        Utterance("m2", "alice", "Mel, I'm moving to Oslo, Melanie!", at),
    ]
    assert [fact.content for fact in derive(window, "alice")] == [
        "alice is moving to Oslo."
    ]


def test_an_author_that_calls_itself_an_assistant_tells_nothing_of_itself():
    at = datetime(2023, 5, 8, tzinfo=UTC)
    window = [
        Utterance("m1", "robin", "Hi! I'm your virtual assistant.", at),
        Utterance("m2", "robin", "I live in the cloud.", at),
    ]
    assert derive(window, "robin") == []


def test_a_message_of_the_longest_kind_gives_nothing_but_takes_no_time_either():
    at = datetime(2023, 5, 8, tzinfo=UTC)
    for piece in ("\n", "and I ", "I like a, ", '"', "'", "- ", "two days ago "):
        text = piece * (25_000 // len(piece))
        assert derive([Utterance("m1", "alice", text, at)], "alice") == []
