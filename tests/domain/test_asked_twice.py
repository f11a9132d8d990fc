"""Whatever is asked for twice has happened once: the second time is no event."""

from hypothesis import given as anything
from hypothesis import strategies as st

from domain.card import Card, replace_card
from domain.membership import Role, join_peers, remove_peers
from domain.peer import Peer, configure_peer, create_peer
from domain.session import Session, configure_session, open_session
from domain.workspace import Workspace, configure_workspace, create_workspace
from tests.domain.stories import (
    NOON,
    peer_created,
    session_created,
    workspace_created,
)
from tests.support.given import fold

NAMED = ("w", "s")


def objects_of(inner):
    return st.dictionaries(st.text(max_size=5), inner, max_size=3)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | objects_of(inner),
    max_leaves=5,
)


objects = objects_of(values)
flags = st.none() | st.booleans()
roles = st.dictionaries(
    st.sampled_from(["ann", "bob", "cleo", "dan"]), st.builds(Role, flags, flags)
)
peers = st.lists(st.sampled_from(["ann", "bob", "nobody"]))


def twice(kind, before, decision):
    """Decide, fold what was decided, decide again."""
    state = fold(kind, before)
    first = decision(state)
    return decision(fold(kind, [*before, *first]))


@anything(objects, objects)
def test_creating_a_workspace(metadata, configuration):
    created = workspace_created(metadata=metadata, configuration=configuration)
    assert twice(Workspace, [], lambda w: create_workspace(w, created)) == []


@anything(objects, st.none() | objects, st.none() | objects)
def test_configuring_a_workspace(stored, metadata, configuration):
    before = [workspace_created(metadata=stored, configuration=stored)]
    again = twice(
        Workspace,
        before,
        lambda w: configure_workspace(w, "w", metadata, configuration),
    )
    assert again == []


@anything(objects, st.none() | objects, st.none() | objects)
def test_setting_a_peer(stored, metadata, configuration):
    created = peer_created(metadata=stored)

    def decision(peer):
        made = create_peer(peer, created)
        peer = fold(Peer, made) if made else peer
        return made + configure_peer(peer, "w", "ann", metadata, configuration)

    assert twice(Peer, [], decision) == []


@anything(objects, st.none() | objects, st.none() | objects)
def test_opening_and_configuring_a_session(stored, metadata, configuration):
    created = session_created(metadata=stored)

    def decision(session):
        made = open_session(session, created)
        session = fold(Session, made) if made else session
        return made + configure_session(session, NAMED, metadata, configuration)

    assert twice(Session, [], decision) == []


@anything(roles, roles)
def test_joining(before, wanted):
    history = [session_created(), *join_peers(Session(), NAMED, before, NOON)]
    once = [*history, *join_peers(fold(Session, history), NAMED, wanted, NOON)]
    again = join_peers(fold(Session, once), NAMED, wanted, NOON)
    # They are told to have joined anew (HC 2.3), which changes nothing but the time.
    assert fold(Session, [*once, *again]) == fold(Session, once)


@anything(roles, peers)
def test_leaving(before, leaving):
    history = [session_created(), *join_peers(Session(), NAMED, before, NOON)]
    again = twice(Session, history, lambda s: remove_peers(s, NAMED, leaving, NOON))
    assert again == []


@anything(st.lists(st.text(max_size=5)))
def test_replacing_a_card(entries):
    wanted = tuple(entries)
    named = ("w", "ann", "bob")
    assert twice(Card, [], lambda c: replace_card(c, named, wanted)) == []
