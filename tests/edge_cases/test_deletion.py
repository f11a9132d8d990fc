"""Deleting sessions and workspaces (HC 8.2 X19-X24, 8.5 X71-X74)."""

import pytest


@pytest.fixture
def session(api, at):
    """A session with a message in it."""
    assert api.post(f"{at}/sessions", json={"id": "s"}).status_code == 201
    said = {"messages": [{"peer_id": "alice", "content": "I like tea."}]}
    assert api.post(f"{at}/sessions/s/messages", json=said).status_code == 201
    return f"{at}/sessions/s"


def listed(api, at, **filters):
    body = {"filters": filters} if filters else {}
    answer = api.post(f"{at}/sessions/list", json=body)
    assert answer.status_code == 200
    return [each["id"] for each in answer.json()["items"]]


def test_x19_put_on_a_workspace_just_deleted_is_200(api, at, workspace):
    api.put(at, json={})
    assert api.delete(at).status_code == 202
    answer = api.put(at, json={"metadata": {"a": 1}})
    assert answer.status_code == 200
    assert answer.json()["id"] == workspace


def test_x20_delete_of_an_unknown_workspace_is_404(api, at, workspace):
    answer = api.delete(at)
    assert answer.status_code == 404
    assert answer.json() == {"detail": f"Workspace {workspace} not found"}


def test_x21_delete_with_active_sessions_is_409(api, at, session, workspace):
    assert session
    answer = api.delete(at)
    assert answer.status_code == 409
    assert answer.json() == {
        "detail": f"Cannot delete workspace '{workspace}': active session(s) remain. "
        "Delete all sessions first."
    }
    detail = answer.json()["detail"].lower()
    assert "active session" in detail
    assert "delete all sessions first" in detail


def test_x22_peers_messages_and_webhooks_do_not_block_deletion(api, at, session):
    api.post(f"{at}/peers", json={"id": "bob"})
    api.post(f"{at}/webhooks", json={"url": "https://example.com/hook"})
    assert api.delete(session).status_code == 202
    assert api.delete(at).status_code == 202


def test_x23_a_workspace_goes_at_once_after_all_its_sessions(api, at):
    for number in range(5):
        api.post(f"{at}/sessions", json={"id": f"s{number}"})
    for name in listed(api, at):
        assert api.delete(f"{at}/sessions/{name}").status_code == 202
    answer = api.delete(at)
    assert answer.status_code == 202
    assert answer.json() == {"message": "Workspace deletion accepted"}
    assert api.delete(at).status_code == 202


def test_x24_webhooks_of_a_deleted_workspace_are_200_or_404(api, at):
    api.put(at, json={})
    assert api.delete(at).status_code == 202
    assert api.get(f"{at}/webhooks").status_code in {200, 404}


def test_x71_a_deleted_session_vanishes_from_lists_at_once(api, at, session):
    answer = api.delete(session)
    assert answer.status_code == 202
    assert answer.json() == {"message": "Session deleted successfully"}
    assert listed(api, at) == []
    assert listed(api, at, id="s") == []
    assert listed(api, at, is_active=False) == []


def test_x72_a_second_delete_is_404(api, session, workspace):
    assert api.delete(session).status_code == 202
    again = api.delete(session)
    assert again.status_code == 404
    assert again.json() == {"detail": f"Session s not found in workspace {workspace}"}


def test_x73_posting_a_deleted_id_again_is_404(api, at, session, workspace):
    api.delete(session)
    answer = api.post(f"{at}/sessions", json={"id": "s"})
    assert answer.status_code == 404
    assert answer.json() == {"detail": f"Session s not found in workspace {workspace}"}


def test_x74_messages_of_a_deleted_session_can_be_read(api, session):
    api.delete(session)
    answer = api.post(f"{session}/messages/list", json={})
    assert [each["content"] for each in answer.json()["items"]] == ["I like tea."]
