"""A scope is a hidden peer that holds sessions and is never observed."""

from datetime import timedelta

import pytest

from domain.errors import Conflict, Invalid, NotFound
from domain.observed import refuse_scope, refuse_unobservable
from domain.peer import Peer
from domain.scope import ScopeCreated, SessionAddedToScope, SessionRemovedFromScope
from domain.scope_membership import (
    check_scope,
    create_scope,
    join_scopes,
    remove_from_scope,
)
from domain.session import Session
from tests.domain.stories import NOON, peer_created, session_created
from tests.support.given import fold, given

HERE = ("w", "s")


def created(**fields):
    return ScopeCreated(
        workspace="w", peer="scope.a", uid="uid-a", created_at=NOON, **fields
    )


def added(scope="a", at=NOON):
    return SessionAddedToScope(workspace="w", session="s", scope=scope, joined_at=at)


def removed(scope="a"):
    return SessionRemovedFromScope(
        workspace="w", session="s", scope=scope, left_at=NOON
    )


def test_a_scope_is_created_once():
    given().when(create_scope, "w", "a", created()).then(created())
    given(created()).when(create_scope, "w", "a", created()).then_nothing()


def test_a_scope_is_a_peer_that_is_not_observed():
    scope = fold(Peer, [created(metadata={"k": 1})])
    assert (scope.exists, scope.is_scope, scope.metadata) == (True, True, {"k": 1})
    assert scope.configuration == {"observe_me": False}
    assert not scope.observe_me


def test_an_ordinary_peer_of_long_ago_keeps_its_name():
    taken = peer_created("scope.a", configuration={"kind": "scope"})
    given(taken).when(create_scope, "w", "a", created()).then_refused(
        Conflict,
        "A peer named 'scope.a' already exists in workspace w but is not a scope."
        " Rename or delete that peer before creating this scope.",
    )
    with pytest.raises(NotFound, match=r"^Scope a not found in workspace w$"):
        check_scope(fold(Peer, [taken]), "w", "a")


def test_a_session_joins_each_scope_once_and_leaves_it_once():
    given(session_created(), added("a")).when(
        join_scopes, HERE, ["b", "a", "b"], NOON
    ).then(added("b"))
    given(session_created(), added("a")).when(remove_from_scope, HERE, "a", NOON).then(
        removed("a")
    )
    given(session_created(), added("a"), removed("a")).when(
        remove_from_scope, HERE, "a", NOON
    ).then_nothing()


def test_a_session_knows_its_scopes_whatever_comes_between():
    again = added("a", NOON + timedelta(days=1))
    state = fold(Session, [added("a"), added("b"), again, session_created()])
    assert state.scopes == ("a", "b")


def test_a_scope_is_refused_where_a_peer_is_needed():
    scope, ordinary = fold(Peer, [created()]), fold(Peer, [peer_created("scope.a")])
    for refuse in (refuse_scope, refuse_unobservable):
        refuse(ordinary, "scope.a")
        refuse(Peer(), "ann")
        with pytest.raises(Invalid, match=r"Peer name\(s\) \['scope.a'\] are scopes\."):
            refuse(scope, "scope.a")
    refuse_scope(Peer(), "scope.a")
    with pytest.raises(Invalid, match="reserved scope namespace and do not exist, so"):
        refuse_unobservable(Peer(), "scope.a")
