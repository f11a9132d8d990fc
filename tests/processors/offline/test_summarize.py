"""A summary is dated, in order, absorbs the last one and keeps its limit."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.offline.summarize import summarize
from processors.offline.utterance import Utterance

START = datetime(2023, 5, 8, 9, tzinfo=UTC)


def count(text: str) -> int:
    """About as many tokens as a real tokenizer finds: words, marks and pieces."""
    return (len(text) + 3) // 4


def chat(*lines: str, first: int = 0) -> list[Utterance]:
    return [
        Utterance(
            f"m{first + n}",
            line.split(": ", 1)[0],
            line.split(": ", 1)[1],
            START + timedelta(hours=8 * (first + n)),
        )
        for n, line in enumerate(lines)
    ]


MORNING = chat(
    "alice: Hi Bob! I moved to Lisbon last month and found a flat.",
    "alice: I work as a nurse at St. Mary's now, mostly on the night shift.",
    "bob: Wow, congrats! Which part of the city do you live in?",
    "alice: My flat is in Alfama, close to the river and the tram.",
)
EVENING = chat(
    "bob: I adopted a dog named Biscuit yesterday, a very lazy greyhound.",
    "alice: Could you send me a picture of the greyhound and the new basket?",
    first=4,
)


def test_a_summary_tells_facts_and_questions_under_their_days():
    assert summarize(None, MORNING, token_limit=1000, count=count) == (
        "On 2023-05-08: alice moved to Lisbon in April 2023 and found a flat.  "
        "alice works as a nurse at St. Mary's now, mostly on the night shift.\n"
        'On 2023-05-09: bob asked: "Which part of the city do you live in?"  '
        "alice's flat is in Alfama, close to the river and the tram."
    )


def test_a_summary_absorbs_the_one_before_it():
    first = summarize(None, MORNING, token_limit=1000, count=count)
    second = summarize(first, EVENING, token_limit=1000, count=count)
    assert second.startswith(first)
    assert "bob adopted a dog named Biscuit on 2023-05-08" in second
    assert second.index("Alfama") < second.index("Biscuit")


def test_a_summary_of_another_engine_is_kept_as_what_came_earlier():
    other = "Alice is new in Lisbon. She misses the sun."
    summary = summarize(other, EVENING, token_limit=1000, count=count)
    assert summary.startswith("Earlier: Alice is new in Lisbon.  She misses the sun.\n")
    again = summarize(summary, MORNING, token_limit=1000, count=count)
    assert again.startswith("Earlier: Alice is new in Lisbon.  She misses the sun.\n")


def test_what_tells_least_is_left_out_first():
    summary = summarize(None, MORNING, token_limit=45, count=count)
    assert "nurse" in summary
    assert "Which part" not in summary


def test_nothing_said_gives_no_summary():
    assert summarize(None, [], token_limit=1000, count=count) == ""
    assert summarize(None, MORNING, token_limit=0, count=count) == ""
    assert summarize(None, chat("bob: hi"), token_limit=1000, count=count) == ""


TEXTS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["I live in Oslo.", "Do you like green tea?", "My cat is fat."]),
)


@given(
    st.none() | st.text(max_size=200), st.lists(TEXTS, max_size=8), st.integers(0, 80)
)
@settings(max_examples=150, deadline=None)
def test_a_summary_never_passes_its_limit_and_is_the_same_each_time(
    previous, texts, limit
):
    messages = [
        Utterance(f"m{n}", "alice" if n % 2 else "bob", text, START)
        for n, text in enumerate(texts)
    ]
    summary = summarize(previous, messages, token_limit=limit, count=count)
    assert count(summary) <= limit
    assert summary == summarize(previous, messages, token_limit=limit, count=count)
