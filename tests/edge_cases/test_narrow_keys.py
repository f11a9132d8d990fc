"""HC 4.3: what a peer's or a session's key may ask where its route is open to it."""

import pytest

NEEDS_WIDE_KEY = "`scope` requires a workspace- or admin-level key"
NOT_PERMISSIONED = "JWT not permissioned for this resource"


@pytest.fixture
def keys(bearer, workspace):
    """Keys of this workspace, by what they claim beside it."""

    def of(**claims):
        return bearer(w=workspace, **claims)

    return of


@pytest.fixture(autouse=True)
def world(guarded, at, keys):
    """Alice and bob are in s, alice left t, carol is in u."""

    def make(method, path, body):
        made = guarded.request(method, at + path, json=body, headers=keys())
        assert made.is_success, made.text

    make("POST", "/sessions", {"id": "s", "peers": {"alice": {}, "bob": {}}})
    make("POST", "/sessions", {"id": "t", "peers": {"alice": {}}})
    make("DELETE", "/sessions/t/peers", ["alice"])
    make("POST", "/sessions", {"id": "u", "peers": {"carol": {}}})
    make("POST", "/sessions", {"id": "v", "peers": {"alice": {}}})
    make("POST", "/scopes", {"id": "sc"})
    said = [{"peer_id": "bob", "content": "I like tea."}]
    make("POST", "/sessions/s/messages", {"messages": said})


def refused(answer, detail=NOT_PERMISSIONED):
    assert answer.status_code == 401, answer.text
    assert answer.json() == {"detail": detail}


@pytest.fixture
def chat(guarded, at, keys):
    def ask(**body):
        return guarded.post(
            f"{at}/peers/alice/chat",
            json={"query": "What is liked?", **body},
            headers=keys(p="alice"),
        )

    return ask


def test_x61_a_peer_chats_in_sessions_it_is_in(chat):
    assert chat(session_id="s").status_code == 200
    for foreign in ("u", "t", "nowhere", "*"):
        refused(chat(session_id=foreign))
    assert chat().status_code == 200


def test_x62_one_foreign_session_refuses_the_whole_list(chat):
    def listed(*sessions):
        return chat(filters={"session_id": list(sessions)})

    assert listed("s").status_code == 200
    assert listed("s", "v").status_code == 200
    assert listed().status_code == 200, "an empty list recalls nothing, and passes"
    refused(listed("s", "u"))
    refused(listed("s", "t"))
    refused(listed("nowhere"))


@pytest.fixture
def context(guarded, at, keys):
    def ask(key=None, **query):
        url = f"{at}/sessions/s/context"
        return guarded.get(url, params=query, headers=key or keys(p="alice"))

    return ask


def test_x83_a_peers_key_sees_with_its_own_eyes(context):
    assert context().status_code == 200
    refused(context(peer_target="bob"))
    assert context(peer_target="alice").status_code == 200
    refused(context(peer_target="bob", peer_perspective="bob"))
    refused(context(peer_target="alice", peer_perspective="bob"))
    assert context(peer_target="bob", peer_perspective="alice").status_code == 200


def test_every_session_a_peers_key_recalls_from_is_one_it_is_in(context):
    assert context(peer_target="alice", sessions=["s", "v"]).status_code == 200
    refused(context(peer_target="alice", sessions=["s", "u"]))
    refused(context(peer_target="alice", sessions=["s", "t"]))


def test_x96_members_read_and_do_not_write(guarded, at, keys):
    key, one = keys(p="alice"), {"content": "hi", "peer_id": "alice"}
    messages = f"{at}/sessions/s/messages"
    assert guarded.post(f"{messages}/list", headers=key).status_code == 200
    assert guarded.get(f"{at}/sessions/s/context", headers=key).status_code == 200
    refused(guarded.post(messages, json={"messages": [one]}, headers=key))
    refused(guarded.post(f"{messages}/list", headers=keys(p="carol")))
    refused(guarded.get(f"{at}/sessions/s/context", headers=keys(p="carol")))
    refused(guarded.get(f"{at}/sessions/t/context", headers=key))
    refused(guarded.get(f"{at}/peers/alice/card", headers=keys(s="s")))
    refused(guarded.get(f"{at}/peers/alice/card", headers=keys(p="alice", s="s")))


def test_x97_a_peers_key_reads_its_own_configuration(guarded, at, keys):
    def config(peer, **claims):
        url = f"{at}/sessions/s/peers/{peer}/config"
        return guarded.get(url, headers=keys(**claims))

    assert config("alice", p="alice").status_code == 200
    refused(config("bob", p="alice"))
    assert config("bob", s="s").status_code == 200
    assert config("alice", p="alice", s="s").status_code == 200
    refused(config("bob", p="alice", s="s"))
    url = f"{at}/sessions/s/peers/alice/config"
    refused(guarded.put(url, json={}, headers=keys(p="alice")))


def test_a_budget_wants_the_workspaces_key(guarded, at, keys):
    """Also where the workspace is only asked for, and would be made."""
    name = at.rpartition("/")[2]
    body = {"id": name, "configuration": {"budget": {"max_tokens": 1}}}
    for narrow in (keys(p="alice"), keys(s="s")):
        answer = guarded.post("/v3/workspaces", json=body, headers=narrow)
        refused(answer, "`budget` requires a workspace- or admin-level key")
        assert guarded.put(at, json=body, headers=narrow).status_code == 401
        assert guarded.get(f"{at}/usage", headers=narrow).status_code == 401
    del body["id"]
    assert guarded.put(at, json=body, headers=keys()).status_code == 200
    told = guarded.get(f"{at}/usage", headers=keys()).json()["budget"]
    assert (told["state"], told["max_tokens"]) == ("open", 1)


@pytest.mark.parametrize("scope", ["sc", ["sc"], "nowhere"])
def test_x131_a_scope_wants_the_workspaces_key(guarded, at, keys, chat, context, scope):
    def represent(key):
        url = f"{at}/peers/alice/representation"
        return guarded.post(url, json={"scope": scope}, headers=key)

    refused(chat(scope=scope), NEEDS_WIDE_KEY)
    refused(represent(keys(p="alice")), NEEDS_WIDE_KEY)
    found = 404 if scope == "nowhere" else 200
    assert represent(keys()).status_code == found
    if isinstance(scope, str):
        query = {"peer_target": "alice", "scope": scope}
        refused(context(**query), NEEDS_WIDE_KEY)
        refused(context(keys(s="s"), **query), NEEDS_WIDE_KEY)
        assert context(keys(), **query).status_code == found


def test_what_can_never_be_is_said_before_who_may(chat, context):
    both = chat(scope="sc", filters={"session_id": "u"})
    assert both.status_code == 422
    assert context(scope="sc").status_code == 422
    alone = context(peer_perspective="bob")
    assert alone.status_code == 422
