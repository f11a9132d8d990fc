"""A peer keeps what is not sent, and is refused under an impossible name."""

import pytest

from domain.errors import Invalid
from domain.peer import Peer, PeerConfigured, configure_peer, create_peer
from tests.domain.stories import peer_created
from tests.support.given import given


def test_a_peer_is_created_once():
    given().when(create_peer, peer_created()).then(peer_created())
    given(peer_created()).when(create_peer, peer_created()).then_nothing()


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("a b", "Peer name(s) ['a b'] must match pattern ^[a-zA-Z0-9_-]+$"),
        ("scope.x", "use the reserved scope prefix 'scope.'."),
        ("", "must match pattern"),
        ("ann\n", "must match pattern"),
        ("a\x00", "Peer name(s) must not contain NUL (0x00) bytes"),
        ("a" * 513, "must be at most 512 characters"),
    ],
)
def test_an_impossible_name_is_refused(name, complaint):
    given().when(create_peer, peer_created(name)).then_refused(Invalid, complaint)


def test_metadata_and_configuration_are_independent():
    given(peer_created(metadata={"a": 1}, configuration={"observe_me": False})).when(
        configure_peer, "w", "ann", {"b": 2}, None
    ).then(
        PeerConfigured(
            workspace="w",
            peer="ann",
            metadata={"b": 2},
            configuration={"observe_me": False},
        )
    )


@pytest.mark.parametrize(
    ("configuration", "observed"),
    [({}, True), ({"observe_me": False}, False), ({"observe_me": "no"}, True)],
)
def test_a_peer_is_observed_unless_it_says_false(configuration, observed):
    assert Peer(exists=True, configuration=configuration).observe_me is observed


def test_true_replaces_one():
    given(peer_created(metadata={"a": 1})).when(
        configure_peer, "w", "ann", {"a": True}, None
    ).then(
        PeerConfigured(
            workspace="w", peer="ann", metadata={"a": True}, configuration={}
        )
    )
