"""Given what waits in a session, when a window is cut, then RS 1.5 says of what."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.recorded import Cause, Recorded
from domain.session import MessageAdded
from processors.gates import Gates, Waiting
from processors.windows import cut_window

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def say(*told):
    """Say messages of (author, tokens[, more fields])."""
    return [
        Recorded(
            position=seq,
            stream="session-w+s",
            version=seq,
            tenant="w",
            shard=0,
            recorded_at=NOW,
            id=uuid4(),
            cause=Cause(actor="client", correlation_id=uuid4()),
            event=MessageAdded(
                workspace="w",
                session="s",
                id=str(seq),
                seq=seq,
                author=author,
                created_at=NOW,
                tokens=tokens,
                content="x",
                **(more[0] if more else {}),
            ),
        )
        for seq, (author, tokens, *more) in enumerate(told, start=1)
    ]


def cut(said, done=0, tokens=1_024, most=100):
    before = said[done - 1] if done else None
    found = cut_window(said[done:], before, tokens, most)
    return tuple(
        [each.event.seq for each in part] for part in (found.read, found.handled)
    )


OFF = {"derive": False}


def test_all_that_waits_is_read_together_whoever_said_it():
    said = say(("ann", 10), ("bob", 10), ("ann", 10))
    assert cut(said) == ([1, 2, 3], [1, 2, 3])


def test_a_window_ends_at_its_tokens_and_its_first_message_is_in_it_however_long():
    said = say(("ann", 600), ("bob", 400), ("ann", 100))
    assert cut(said) == ([1, 2], [1, 2])
    assert cut(say(("ann", 5_000), ("bob", 1))) == ([1], [1])
    assert cut(said, most=1) == ([1], [1])


def test_what_another_said_right_before_comes_along_as_context():
    said = say(("bob", 10), ("ann", 10))
    assert cut(said, done=1) == ([1, 2], [2])
    assert cut(say(("ann", 10), ("ann", 10)), done=1) == ([2], [2])


def test_context_takes_of_the_windows_tokens():
    said = say(("bob", 1_000), ("ann", 10), ("ann", 20))
    assert cut(said, done=1) == ([1, 2], [2])


def test_what_asked_for_nothing_is_context_and_handled_with_the_rest():
    said = say(("bot", 5, OFF), ("bot", 5, OFF), ("ann", 5), ("bot", 5, OFF))
    assert cut(said) == ([2, 3], [1, 2, 3, 4])
    assert cut(say(("bot", 5, OFF))) == ([], [1])


def test_what_follows_the_last_that_asked_is_not_read():
    said = say(("ann", 5), ("bot", 5, OFF), ("ann", 5), ("bot", 5, OFF))
    assert cut(said) == ([1, 2, 3], [1, 2, 3, 4])


def test_other_instructions_are_another_window():
    wants = {"instructions": "Only sports."}
    said = say(("ann", 5), ("ann", 5, wants), ("bob", 5, wants), ("ann", 5))
    assert cut(said) == ([1], [1])
    assert cut(said, done=1) == ([2, 3], [2, 3])
    said = say(("ann", 5, wants), ("bot", 5, OFF), ("ann", 5, wants))
    assert cut(said) == ([1, 2, 3], [1, 2, 3])


OLD = NOW - timedelta(seconds=1_800)


@pytest.mark.parametrize(
    ("gates", "tokens", "oldest", "opened"),
    [
        (Gates(), 511, NOW, False),
        (Gates(), 512, NOW, True),
        (Gates(), 1, OLD + timedelta(seconds=1), False),
        (Gates(), 1, OLD, True),
        (Gates(flush=True), 1, NOW, True),
        (Gates(flush=True), 0, None, False),
        (Gates(tokens=0), 1, NOW, True),
        (Gates(age=None), 1, OLD, False),
    ],
)
def test_gates_open_at_their_tokens_or_age(gates, tokens, oldest, opened):
    assert gates.is_open(Waiting(tokens, oldest), NOW) is opened
