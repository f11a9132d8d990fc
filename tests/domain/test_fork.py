"""A session copied, and what of messages may change (HC E22, E36)."""

from datetime import timedelta

import pytest

from domain.errors import NotFound
from domain.fork import SessionForked, fork_session
from domain.message import MessageMetadataChanged, change_metadata, copy_messages
from domain.scope import SessionAddedToScope
from domain.session import PeerJoined, PeerLeft, Session, SessionCreated
from tests.domain.stories import NOON, joined, message, session_created
from tests.support.given import fold

LATER = NOON + timedelta(hours=1)
FORKED = SessionForked(workspace="w", session="t", source="s", through_seq=2)
NAMED = ("uid-t", LATER)


def test_a_fork_has_the_settings_and_everybody_who_ever_was_there():
    added = SessionAddedToScope(workspace="w", session="s", scope="x", joined_at=NOON)
    source = fold(
        Session,
        [
            session_created(metadata={"a": 1}, configuration={"b": 2}),
            joined(observe_others=True),
            joined("bob"),
            PeerLeft(workspace="w", session="s", peer="bob", left_at=NOON),
            added,
        ],
    )
    place = {"workspace": "w", "session": "t"}
    assert fork_session(source, Session(), FORKED, NAMED) == [
        SessionCreated(
            **place,
            uid="uid-t",
            created_at=LATER,
            metadata={"a": 1},
            configuration={"b": 2},
        ),
        PeerJoined(**place, peer="ann", joined_at=LATER, observe_others=True),
        PeerJoined(**place, peer="bob", joined_at=LATER),
        SessionAddedToScope(**place, scope="x", joined_at=LATER),
        FORKED,
    ]


def test_what_is_not_there_is_not_forked():
    with pytest.raises(NotFound, match="Original session not found"):
        fork_session(Session(), Session(), FORKED, NAMED)


def test_a_fork_that_is_open_stays_as_it_is():
    source = fold(Session, [session_created()])
    fork = fold(Session, fork_session(source, Session(), FORKED, NAMED))
    assert fork_session(source, fork, FORKED, NAMED) == []


def test_copies_come_before_the_session_and_keep_its_numbers():
    copies = [message(1, copy_of="a"), message(2, copy_of="b")]
    begun = fold(Session, copies[:1])
    assert copy_messages(begun, copies) == copies[1:]
    opened = fold(Session, [*copies, session_created()])
    assert (opened.exists, opened.last_seq) == (True, 2)


def test_metadata_that_is_the_same_is_not_changed():
    changed = MessageMetadataChanged(
        workspace="w", session="s", id="m", author="ann", metadata={"a": True}
    )
    assert change_metadata({"a": True}, changed) == []
    assert change_metadata({"a": 1}, changed) == [changed]
