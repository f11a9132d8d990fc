"""From an answer back to the words, and forward again: the SDK talks, HTTP tells."""

import pytest
from honcho.api_types import SessionPeerConfig

from tests.e2e.test_sdk import honcho, until_processed
from tests.support.load import plain_client

__all__ = ["honcho"]

SAID = "I learn best from pictures and worked examples."


@pytest.fixture
def told(server, honcho):
    """A conversation, one conclusion of it, and the path of its workspace."""
    alice, tutor = honcho.peer("alice"), honcho.peer("tutor")
    session = honcho.session("math-homework")
    session.add_peers([alice, (tutor, SessionPeerConfig(observe_others=True))])
    _, statement = session.add_messages(
        [tutor.message("How do you like to learn?"), alice.message(SAID)]
    )
    until_processed(honcho)
    with plain_client(server.url) as http:
        at = f"/v3/workspaces/{honcho.workspace_id}"
        yield http, at, alice, tutor, statement


def test_a_conclusion_is_traced_to_who_said_it_when(told):
    http, at, alice, tutor, statement = told
    [own] = list(alice.conclusions.list())
    [tutors] = list(tutor.conclusions_of(alice).list())
    lineage = http.get(f"{at}/conclusions/{own.id}/lineage").json()
    assert lineage["conclusion"]["content"] == own.content
    [quoted] = lineage["messages"]
    assert (quoted["id"], quoted["content"]) == (statement.id, SAID)
    assert (quoted["peer_id"], quoted["session_id"]) == ("alice", "math-homework")
    made = lineage["derivation"]
    assert (made["engine"], made["cost_usd"], made["requests"]) == ("offline", 0, 0)
    assert (made["first_seq"], made["last_seq"], made["attempt"]) == (1, 2, 1)
    assert [each["what"] for each in lineage["life"]] == ["derived"]
    assert lineage["truncated"] is False

    theirs = http.get(f"{at}/conclusions/{tutors.id}/lineage").json()
    assert theirs["conclusion"]["origin_id"] == own.id != tutors.id
    assert theirs["messages"] == lineage["messages"]


def test_a_message_leads_to_all_that_was_made_of_it(told):
    http, at, alice, _, statement = told
    assert "pictures" in alice.chat("How does the user learn best?")
    path = f"{at}/sessions/math-homework/messages/{statement.id}/consequences"
    found = http.get(path).json()
    [own] = list(alice.conclusions.list())
    assert [each["id"] for each in found["conclusions"]] == [own.id]
    [answered] = found["answers"]
    assert {own.id, statement.id} <= set(answered["cited_ids"])
    before = http.get(path, params={"as_of": answered["position"] - 1}).json()
    assert before["answers"] == []

    alice.conclusions.delete(own.id)
    after = http.get(f"{at}/conclusions/{own.id}/lineage").json()
    assert after["conclusion"]["holds"] is False
    assert [each["what"] for each in after["life"]] == ["derived", "retracted"]
    assert after["messages"][0]["content"] == SAID
