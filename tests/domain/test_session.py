"""A session numbers what is said and knows who is in it."""

from datetime import timedelta

from domain.errors import NotFound, Refused
from domain.membership import Role, is_observed, join_peers, remove_peers
from domain.message import add_messages
from domain.session import (
    PeerLeft,
    Session,
    SessionConfigured,
    configure_session,
    open_session,
)
from tests.domain.stories import NOON, draft, joined, message, session_created
from tests.support.given import fold, given

NAMED = ("w", "s")
LATER = NOON + timedelta(hours=1)


def left(peer="ann"):
    return PeerLeft(workspace="w", session="s", peer=peer, left_at=NOON)


def test_a_session_is_opened_once():
    given().when(open_session, session_created()).then(session_created())
    given(session_created()).when(open_session, session_created()).then_nothing()


def test_members_who_joined_before_it_was_opened_stay():
    state = fold(Session, [joined(), session_created()])
    assert "ann" in state.members


def test_configuration_is_merged_and_metadata_replaced():
    before = session_created(metadata={"a": 1}, configuration={"top": 5})
    given(before).when(configure_session, NAMED, {"b": 2}, {"summary": {}}).then(
        SessionConfigured(
            workspace="w",
            session="s",
            metadata={"b": 2},
            configuration={"top": 5, "summary": {}},
        )
    )


def test_x88_an_active_member_keeps_its_flags_and_one_who_left_gets_new_ones():
    again = {"ann": Role(observe_me=False)}
    given(session_created(), joined(observe_others=True)).when(
        join_peers, NAMED, again, LATER
    ).then(joined(observe_others=True, joined_at=LATER))
    given(session_created(), joined(), left()).when(
        join_peers, NAMED, again, NOON
    ).then(joined(observe_me=False))


def test_x67_ten_observers_are_fine_and_so_are_many_who_do_not_observe():
    ten = {f"p{n}": Role(observe_others=True) for n in range(10)}
    many = {f"q{n}": Role() for n in range(50)}
    given(session_created()).when(join_peers, NAMED, ten | many, NOON).then(
        *(joined(name, observe_others=True) for name in ten),
        *(joined(name) for name in many),
    )


def test_x66_eleven_observers_are_refused():
    eleven = {f"p{n}": Role(observe_others=True) for n in range(11)}
    given(session_created()).when(join_peers, NAMED, eleven, NOON).then_refused(
        Refused, "11 observers. Maximum allowed is 10 observers"
    )


def test_one_who_left_no_longer_counts_as_an_observer():
    ten = [joined(f"p{n}", observe_others=True) for n in range(10)]
    given(session_created(), *ten, left("p0")).when(
        join_peers, NAMED, {"new": Role(observe_others=True)}, NOON
    ).then(joined("new", observe_others=True))


def test_only_active_members_leave_and_each_once():
    given(session_created(), joined(), joined("bob"), left("bob")).when(
        remove_peers, NAMED, ["ann", "ann", "bob", "nobody"], NOON
    ).then(left("ann"))


def test_nobody_leaves_a_session_that_was_never_opened():
    given().when(remove_peers, NAMED, ["ann"], NOON).then_refused(
        NotFound, "Session s not found in workspace w"
    )


def test_messages_are_numbered_after_what_was_said():
    given(session_created(), joined(), message(1)).when(
        add_messages, NAMED, [draft("two"), draft("three")]
    ).then(message(2, "two"), message(3, "three"))


def test_summaries_fall_due_at_multiples_of_their_thresholds():
    said = fold(Session, [session_created(), message(59)])
    [due] = add_messages(said, NAMED, [draft()])
    [never] = add_messages(said, NAMED, [draft(short_every=None, long_every=None)])
    assert due.summaries == ("short", "long")
    assert never.summaries == ()


def test_the_session_decides_who_is_observed_and_else_the_peer():
    state = fold(Session, [session_created(), joined(observe_me=False), joined("bob")])
    assert is_observed(state, "ann", peer_default=True) is False
    assert is_observed(state, "bob", peer_default=False) is False
    assert is_observed(state, "stranger", peer_default=True) is True
