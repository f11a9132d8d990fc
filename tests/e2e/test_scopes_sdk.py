"""Scopes through the published Python SDK."""

import uuid

from honcho import Honcho


def test_scopes_through_the_sdk(server):
    honcho = Honcho(base_url=server.url, workspace_id=f"sdk-{uuid.uuid4().hex[:8]}")
    alice, first, second = (
        honcho.peer("alice"),
        honcho.session("s"),
        honcho.session("t"),
    )
    first.add_messages(alice.message("I love trains."))
    trip = honcho.scope("trip", metadata={"to": "sea"})
    trip.add_sessions([first, second])
    assert [each.id for each in trip.sessions()] == ["s", "t"]
    assert honcho.get_scope("trip").metadata == {"to": "sea"}
    assert [each.id for each in honcho.scopes()] == ["trip"]
    assert trip.status()["s"].state == "completed"
    assert [each.content for each in honcho.search("trains", scope=trip)] == [
        "I love trains."
    ]
    assert isinstance(alice.representation(scope="trip"), str)
    context = second.context(peer_target="alice", scope="trip")
    assert context.peer_representation is not None
    assert alice.chat("What does Alice love?", scope=["trip"])
    trip.remove_session(first)
    assert [each.id for each in trip.sessions()] == ["t"]
    assert honcho.search("trains", scope="trip") == []
    honcho._http.close()
