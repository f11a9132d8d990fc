"""HC 4.3 and acceptance 11.7: every route times every kind of key, on a real server."""

import dataclasses

import pytest

KINDS = (
    "nobody",
    "admin",
    "claimless",
    "workspace",
    "other workspace",
    "peer",
    "other peer",
    "session",
    "other session",
)
W = {"admin", "workspace"}
MAY = {
    "admin": {"admin"},
    "workspace": W,
    "peer": W | {"peer"},
    "session write": W | {"session"},
    "session read": W | {"session", "peer"},
    # 4.4: a narrow key of the workspace may make what its own claim does not name.
    "own workspace": W | {"peer", "other peer", "session", "other session"},
    "own peer": W | {"peer", "session", "other session"},
    "own session": W | {"session", "peer", "other peer"},
    "anyone": set(KINDS),
}


@dataclasses.dataclass
class Door:
    """One route, how it is asked, and what it answers those who may pass."""

    of: str
    method: str
    path: str
    answer: int
    body: object = None
    query: dict = dataclasses.field(default_factory=dict)
    files: dict | None = None

    @property
    def name(self):
        return f"{self.method} {self.path}"


S, P = "/sessions/s", "/peers/alice"
ONE = {"messages": [{"content": "hi", "peer_id": "alice"}]}
PAIR = {"content": "c", "observer_id": "alice", "observed_id": "alice"}
ASKED = {"query": "q", "filters": {"observer": "alice", "observed": "alice"}}
FILE = {"file": ("a.txt", b"hi", "text/plain"), "peer_id": (None, "alice")}
RIGHT = {"content": "d"}
BY_ENGINE = {"source": {"engine": "client"}}
DREAM = {"observer": "alice", "dream_type": "omni"}
URL = {"url": "https://hooks.example.com/b"}

DOORS = [
    Door("own workspace", "POST", "!/v3/workspaces", 200, {"id": "@"}),  # E01
    Door("admin", "POST", "!/v3/workspaces/list", 200),
    Door("workspace", "PUT", "", 200, {}),
    Door("workspace", "DELETE", "", 409),
    Door("workspace", "POST", "/search", 200, {"query": "q"}),
    Door("workspace", "GET", "/queue/status", 200),
    Door("workspace", "POST", "/schedule_dream", 204, DREAM),
    Door("workspace", "POST", "/peers/list", 200),
    Door("own peer", "POST", "/peers", 200, {"id": "alice"}),
    Door("peer", "PUT", P, 200, {}),  # E10
    Door("peer", "POST", P + "/sessions", 200),
    Door("peer", "POST", P + "/chat", 200, {"query": "q"}),
    Door("peer", "POST", P + "/representation", 200, {}),
    Door("peer", "GET", P + "/card", 200),
    Door("peer", "PUT", P + "/card", 200, {"peer_card": []}),
    Door("peer", "GET", P + "/context", 200),
    Door("peer", "POST", P + "/search", 200, {"query": "q"}),
    Door("workspace", "POST", "/sessions/list", 200),
    Door("own session", "POST", "/sessions", 200, {"id": "s"}),
    Door("session write", "PUT", S, 200, {}),  # E20
    Door("session write", "DELETE", S, 202),
    Door("session write", "POST", S + "/clone", 201),
    Door("session write", "POST", S + "/peers", 200, {"carol": {}}),
    Door("session write", "PUT", S + "/peers", 200, {"carol": {}}),
    Door("session write", "DELETE", S + "/peers", 200, ["carol"]),
    Door("session read", "GET", S + "/peers", 200),
    Door("session read", "GET", S + "/peers/alice/config", 200),
    Door("session write", "PUT", S + "/peers/alice/config", 204, {}),
    Door("session read", "GET", S + "/context", 200),
    Door("session read", "GET", S + "/summaries", 200),  # E30
    Door("session read", "POST", S + "/search", 200, {"query": "q"}),
    Door("session write", "POST", S + "/messages", 201, ONE),
    Door("session write", "POST", S + "/messages/", 201, ONE),
    Door("session write", "POST", S + "/messages/upload", 201, files=FILE),
    Door("session read", "POST", S + "/messages/list", 200),
    Door("session read", "GET", S + "/messages/<message>", 200),
    Door("session write", "PUT", S + "/messages/<message>", 200, {}),
    Door("workspace", "GET", S + "/messages/<message>/consequences", 200),
    Door("workspace", "POST", "/conclusions", 201, {"conclusions": [PAIR]}),
    Door("workspace", "POST", "/conclusions/list", 200),
    Door("workspace", "POST", "/conclusions/query", 200, ASKED),
    Door("workspace", "GET", "/conclusions/<conclusion>/lineage", 200),
    Door("workspace", "DELETE", "/conclusions/<conclusion>", 204),  # E40
    Door("workspace", "POST", "/conclusions/<conclusion>/retract", 200),
    Door("workspace", "POST", "/conclusions/<conclusion>/correct", 201, RIGHT),
    Door("workspace", "GET", "/retractions", 200),
    Door("workspace", "GET", "/retractions/<retraction>", 200),
    Door("workspace", "POST", "/retractions/<retraction>/undo", 200),
    Door("workspace", "POST", "/quarantine", 201, BY_ENGINE, {"of": "<conclusion>"}),
    Door("workspace", "POST", "/quarantine/preview", 200, BY_ENGINE),
    Door("workspace", "POST", "/scopes", 201, {"id": "new"}),
    Door("workspace", "POST", "/scopes/list", 200),
    Door("workspace", "GET", "/scopes/<scope>", 200),
    Door("workspace", "POST", "/scopes/<scope>/sessions", 204, {"session_ids": ["s"]}),
    Door("workspace", "DELETE", "/scopes/<scope>/sessions/s", 204),
    Door("workspace", "POST", "/scopes/<scope>/sessions/list", 200),
    Door("workspace", "GET", "/scopes/<scope>/status", 200),
    Door("workspace", "POST", "/webhooks", 201, URL),
    Door("workspace", "GET", "/webhooks", 200),
    Door("workspace", "DELETE", "/webhooks/<webhook>", 204),  # E50
    Door("workspace", "GET", "/webhooks/test", 200),
    Door("admin", "POST", "!/v3/keys", 200, query={"workspace_id": "@"}),
    # HC 7.5, and what is outside /v3
    Door("workspace", "POST", "/chat", 200, {"query": "q"}),
    Door("workspace", "GET", "/conclusions/<conclusion>", 200),
    Door("anyone", "GET", "!/health", 200),
    Door("anyone", "GET", "!/openapi.json", 200),
    Door("admin", "GET", "!/asyncapi.json", 200),
    Door("anyone", "GET", "!/docs", 200),
    Door("anyone", "GET", "!/nowhere", 404),
    Door("anyone", "GET", "!/v3/workspaces", 405),
    Door("anyone", "GET", "", 405),
]


@pytest.fixture(scope="session")
def headers(bearer):
    """The nine kinds of key at one workspace."""

    def of(kind, workspace):
        return {
            "nobody": {},
            "admin": bearer(ad=True),
            "claimless": bearer(),
            "workspace": bearer(w=workspace),
            "other workspace": bearer(w=f"{workspace}-2"),
            "peer": bearer(w=workspace, p="alice"),
            "other peer": bearer(w=workspace, p="bob"),
            "session": bearer(w=workspace, s="s"),
            "other session": bearer(w=workspace, s="s2"),
        }[kind]

    return of


@pytest.fixture
def world(guarded, at, headers, workspace):
    """Session s with alice in it, s2 with bob; what stands in a path is made."""

    class World:
        admin = headers("admin", workspace)

        def make(self, method, path, body):
            made = guarded.request(method, at + path, json=body, headers=self.admin)
            assert made.is_success, made.text
            return made.json()

        def filled(self, text):
            text = text.replace("@", workspace)
            for kind, make in self.makers.items():
                if f"<{kind}>" in text:
                    text = text.replace(f"<{kind}>", make(self))
            return text

        makers = {
            "message": lambda w: w.make("POST", S + "/messages", ONE)[0]["id"],
            "conclusion": lambda w: w.make(
                "POST", "/conclusions", {"conclusions": [PAIR]}
            )[0]["id"],
            "retraction": lambda w: w.make(
                "POST", w.filled("/conclusions/<conclusion>/retract"), None
            )["unit"],
            "scope": lambda w: w.make("POST", "/scopes", {"id": "sc"})["id"],
            "webhook": lambda w: w.make(
                "POST", "/webhooks", {"url": "https://hooks.example.com/a"}
            )["id"],
        }

    made = World()
    made.make("POST", "/sessions", {"id": "s", "peers": {"alice": {}}})
    made.make("POST", "/sessions", {"id": "s2", "peers": {"bob": {}}})
    return made


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_a_door_opens_to_these_keys_and_to_no_others(
    guarded, at, world, headers, workspace, door
):
    path = world.filled(door.path)
    url = path[1:] if path.startswith("!") else at + path
    sent = {"params": {k: world.filled(v) for k, v in door.query.items()}}
    if door.files is not None:
        sent["files"] = door.files
    elif isinstance(door.body, dict) and "id" in door.body:
        sent["json"] = door.body | {"id": world.filled(door.body["id"])}
    elif door.body is not None:
        sent["json"] = door.body

    def ask(kind):
        return guarded.request(
            door.method, url, headers=headers(kind, workspace), **sent
        )

    may = MAY[door.of]
    for kind in sorted(set(KINDS) - may):
        refused = ask(kind)
        assert refused.status_code == 401, (kind, refused.text)
        assert isinstance(refused.json()["detail"], str)
        assert "www-authenticate" not in refused.headers
    first = True
    for kind in sorted(may):
        passed = ask(kind)
        assert passed.status_code != 401, (kind, passed.text)
        if first:
            assert passed.status_code == door.answer, (kind, passed.text)
            first = False


READS = [door for door in DOORS if door.of == "session read"]
BY_ANY_MEMBER = [door for door in READS if not door.path.endswith("/config")]  # X97
WRITES = [door for door in DOORS if door.of == "session write"]


@pytest.mark.parametrize("door", BY_ANY_MEMBER, ids=lambda door: door.name)
def test_members_read_while_they_are_members(
    guarded, at, world, bearer, workspace, door
):
    url = at + world.filled(door.path)

    def ask(**claims):
        key = bearer(w=workspace, **claims)
        return guarded.request(door.method, url, json=door.body, headers=key)

    assert ask(p="bob").status_code == 401
    assert ask(p="nobody").status_code == 401
    world.make("POST", S + "/peers", {"bob": {}})
    assert ask(p="bob").status_code == 200
    assert ask(p="bob", s="s2").status_code == 401, "both claims: those of the session"
    assert ask(p="nobody", s="s").status_code == 200
    world.make("DELETE", S + "/peers", ["bob"])
    assert ask(p="bob").status_code == 401


def test_a_deleted_session_is_read_by_its_members_until_it_is_purged(
    guarded, at, world, bearer, workspace
):
    world.make("DELETE", S, None)
    key = bearer(w=workspace, p="alice")
    assert guarded.get(at + S + "/peers", headers=key).status_code == 200
    assert guarded.post(at + S + "/messages/list", headers=key).status_code == 200


@pytest.mark.parametrize("door", [*READS, *WRITES], ids=lambda door: door.name)
def test_a_narrow_key_learns_nothing_of_a_session_that_is_not_there(
    guarded, at, world, bearer, workspace, door
):
    url = at + world.filled(door.path).replace("/s/", "/nowhere/")
    if not url.count("/nowhere/"):
        url = at + "/sessions/nowhere"
    for claims in ({"p": "alice"}, {"s": "s"}):
        key = bearer(w=workspace, **claims)
        asked = guarded.request(door.method, url, json=door.body, headers=key)
        assert asked.status_code == 401
        assert asked.json() == {"detail": "JWT not permissioned for this resource"}
