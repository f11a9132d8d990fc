"""A stream's name tells its ordering key, and a text names a command for ever."""

from uuid import UUID

import pytest

from domain import names

STREAMS = [
    names.workspace_stream("w"),
    names.peer_stream("w", "p-1"),
    names.session_stream("w-x", "s_1"),
    names.derivation_stream("w", "s"),
    names.conclusion_stream("w", "s"),
    names.pair_conclusion_stream("w", "a", "b"),
    names.summary_stream("w", "s", "short"),
    names.card_stream("w", "a", "b"),
    names.question_stream("w", "p"),
    names.embedding_stream("w", "w/s"),
    names.embedding_stream("w", "w/a/b"),
    names.retraction_stream("w", "u"),
    names.call_stream("w"),
]


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_the_name_of_a_stream_tells_its_ordering_key(stream):
    assert names.ordering_key_of(stream.name) == stream.ordering_key


def test_a_command_keeps_its_id_for_ever():
    text = "derive_conclusions:1:7-9"
    assert names.command_id("acme", text) == UUID(
        "bf378e67-2ed8-54b1-877d-058aba585a4a"
    )
    assert names.command_id("other", text) != names.command_id("acme", text)
