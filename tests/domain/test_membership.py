"""Who is in a session, whatever is asked (HC 2.3, E24, E28; X66-X69, X88)."""

from datetime import timedelta

import pytest

from domain.errors import NotFound, Refused
from domain.membership import (
    Role,
    change_role,
    join_authors,
    join_peers,
    set_peers,
)
from domain.session import PeerLeft, PeerRoleChanged, Session
from tests.domain.stories import NOON, joined, session_created
from tests.support.given import fold, given

NAMED = ("w", "s")
LATER = NOON + timedelta(hours=1)


def left(peer="ann"):
    return PeerLeft(workspace="w", session="s", peer=peer, left_at=LATER)


def role(peer="ann", **flags):
    return PeerRoleChanged(workspace="w", session="s", peer=peer, **flags)


def observers(number, start=0):
    return [joined(f"p{n}", observe_others=True) for n in range(start, start + number)]


def test_an_author_joins_without_flags_and_an_active_one_not_again():
    before = (
        session_created(),
        joined(observe_others=True),
        joined("bob"),
        left("bob"),
    )
    given(*before).when(join_authors, NAMED, ["ann", "bob", "cid"], LATER).then(
        joined("bob", joined_at=LATER), joined("cid", joined_at=LATER)
    )


def test_x77_set_peers_lets_the_others_leave_and_gives_the_flags_asked_for():
    before = (session_created(), joined(observe_me=False), joined("bob"))
    asked = {"ann": Role(observe_others=True), "cid": Role()}
    given(*before).when(set_peers, NAMED, asked, LATER).then(
        left("bob"),
        joined(observe_others=True, joined_at=LATER),
        joined("cid", joined_at=LATER),
    )


def test_who_has_left_does_not_leave_again():
    before = (session_created(), joined(), left())
    given(*before).when(set_peers, NAMED, {}, LATER).then_nothing()


def test_peers_are_only_set_where_there_is_a_session():
    given().when(set_peers, NAMED, {}, LATER).then_refused(
        NotFound, "Session s not found in workspace w"
    )


def test_x68_eleven_set_are_refused_and_ten_others_instead_are_fine():
    ten = (session_created(), *observers(10))
    eleven = {f"q{n}": Role(observe_others=True) for n in range(11)}
    given(*ten).when(set_peers, NAMED, eleven, LATER).then_refused(
        Refused, "Cannot create session s with 11 observers"
    )
    state = fold(Session, ten)
    eleven.popitem()
    assert len(set_peers(state, NAMED, eleven, LATER)) == 20


def test_only_flags_that_are_given_change():
    given(session_created(), joined(observe_me=False)).when(
        change_role, NAMED, ("ann", Role(observe_others=True)), LATER
    ).then(role(observe_me=False, observe_others=True))
    given(session_created(), joined(observe_me=False)).when(
        change_role, NAMED, ("ann", Role(observe_me=False)), LATER
    ).then_nothing()


def test_a_flag_given_to_no_member_makes_one():
    given(session_created()).when(
        change_role, NAMED, ("ann", Role(observe_me=True)), LATER
    ).then(joined(observe_me=True, joined_at=LATER))


def test_a_flag_given_to_one_who_left_does_not_bring_it_back():
    before = [session_created(), joined(), left()]
    state = fold(Session, before)
    events = change_role(state, NAMED, ("ann", Role(observe_others=True)), LATER)
    assert events == [role(observe_others=True)]
    after = fold(Session, [*before, *events])
    assert (after.members["ann"].active, after.members["ann"].observe_others) == (
        False,
        True,
    )


def test_x68_the_eleventh_observer_is_refused_by_its_role_too():
    given(session_created(), *observers(10), joined()).when(
        change_role, NAMED, ("ann", Role(observe_others=True)), LATER
    ).then_refused(Refused, "11 observers")


def test_x69_an_observer_stays_one_and_one_who_stops_frees_a_place():
    ten = [session_created(), *observers(10)]
    given(*ten).when(
        change_role, NAMED, ("p0", Role(observe_me=False, observe_others=True)), LATER
    ).then(role("p0", observe_me=False, observe_others=True))
    given(*ten, role("p0", observe_others=False)).when(
        join_peers, NAMED, {"ann": Role(observe_others=True)}, LATER
    ).then(joined(observe_others=True, joined_at=LATER))


@pytest.mark.parametrize("most", [1, 3])
def test_the_limit_is_what_the_deployment_says(most):
    asked = {f"p{n}": Role(observe_others=True) for n in range(most + 1)}
    given(session_created()).when(join_peers, NAMED, asked, LATER, most).then_refused(
        Refused, f"Maximum allowed is {most} observers per session"
    )


def test_above_a_lowered_limit_only_more_observers_are_refused():
    state = fold(Session, [session_created(), *observers(5)])
    assert join_peers(state, NAMED, {"new": Role()}, LATER, 3)
    with pytest.raises(Refused):
        join_peers(state, NAMED, {"new": Role(observe_others=True)}, LATER, 3)
