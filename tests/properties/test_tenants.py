"""Two workspaces that name everything alike never see each other, on any route.

What is said in one carries a word that is never said in the other; whatever is asked
of one, no answer holds the other's word, name or any id that came from there. With
keys, neither opens the other.
"""

import secrets
import time

import httpx
import jwt
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.servers import JWT_SECRET

PEERS = ("alice", "bob")
SESSIONS = ("s", "t")
WITHIN = 90.0


class Tenant:
    """One of the two: its words, its key, and every id it was given."""

    def __init__(self, http, word, *, guarded):
        self.name = f"{word}-{secrets.token_hex(6)}"
        self.word = word
        self.at = f"/v3/workspaces/{self.name}"
        self._http = http
        claims = {"t": "", "w": self.name}
        key = jwt.encode(claims, JWT_SECRET, algorithm="HS256")
        self.headers = {"Authorization": f"Bearer {key}"} if guarded else {}
        self.ids = {"message": [], "conclusion": [], "webhook": [], "clone": []}
        self.said = dict.fromkeys(SESSIONS, 0)
        self.ask("POST", "/sessions", {"id": "s", "peers": {"alice": {}, "bob": {}}})
        self.ask("POST", "/sessions", {"id": "t", "peers": {"bob": {}}})
        self.ask("POST", "/scopes", {"id": "both"})

    @property
    def marks(self):
        """What must show in nothing the other is told."""
        ids = [each for kind in self.ids.values() for each in kind]
        return [self.name, self.word, *ids]

    def ask(self, method, path, body=None, status=(200, 201, 202, 204), **query):
        answer = self._http.request(
            method, self.at + path, json=body, params=query, headers=self.headers
        )
        assert answer.status_code in status, (method, path, answer.text)
        return answer

    def happen(self, action, peer, session, number):  # noqa: C901  one arm a kind
        """Let one thing be done; names are alike in both, words are not."""
        text = f"I like {self.word} {number}."
        match action % 11:
            case 0 | 1:
                said = [{"peer_id": peer, "content": text}] * (1 + number % 3)
                made = self.ask(
                    "POST", f"/sessions/{session}/messages", {"messages": said}
                )
                self.ids["message"] += [each["id"] for each in made.json()]
                self.said[session] += len(said)
            case 2:
                pair = {"observer_id": "alice", "observed_id": peer, "content": text}
                body = {"conclusions": [pair | {"session_id": session}, pair]}
                made = self.ask("POST", "/conclusions", body)
                self.ids["conclusion"] += [each["id"] for each in made.json()]
            case 3:
                self.ask("PUT", f"/peers/{peer}/card", {"peer_card": [text]})
            case 4:
                metadata = {"metadata": {"of": text}}
                self.ask("PUT", f"/peers/{peer}", metadata)
                self.ask("PUT", f"/sessions/{session}", metadata)
                self.ask("PUT", "", metadata)
            case 5:
                self.ask("POST", "/scopes/both/sessions", {"session_ids": [session]})
            case 6:
                url = f"https://hooks.example.com/{self.word}/{number}"
                made = self.ask("POST", "/webhooks", {"url": url}, (200, 201, 409))
                if made.status_code != 409:
                    self.ids["webhook"].append(made.json()["id"])
            case 7:
                dream = {"observer": peer, "dream_type": "omni"}
                self.ask("POST", "/schedule_dream", dream)
            case 8:
                self.ask("POST", f"/peers/{peer}/chat", {"query": text})
            case 9:
                made = self.ask("POST", f"/sessions/{session}/clone").json()
                self.ids["clone"].append(made["id"])
                copied = self.ask("POST", f"/sessions/{made['id']}/messages/list")
                assert copied.json()["total"] == self.said[session]
                self.ids["message"] += [each["id"] for each in copied.json()["items"]]
            case _:
                if self.ids["message"]:
                    path = f"/sessions/{session}/messages/{self.ids['message'][-1]}"
                    body = {"metadata": {"of": text}}
                    self.ask("PUT", path, body, (200, 404))

    def settle(self):
        """Wait until nothing is left to follow from what happened."""
        deadline = time.monotonic() + WITHIN
        while self.ask("GET", "/queue/status").json()["pending_work_units"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def questions(self, other):
        """Everything that can be asked; also for what the other said, and by name."""
        query = {"query": f"I like {other.word} tea"}
        both = {"observer": "alice", "observed": "bob"}
        yield "POST", "/search", query
        yield "POST", "/search", query | {"scope": "both"}
        yield "POST", "/search", query | {"filters": {"workspace_id": other.name}}
        yield "POST", "/chat", query
        yield "GET", "/queue/status", None
        for kind in ("peers", "sessions", "conclusions", "scopes"):
            yield "POST", f"/{kind}/list", {}
        for kind in ("peers", "sessions", "conclusions"):
            filters = {"filters": {"workspace_id": other.name}}
            yield "POST", f"/{kind}/list", filters
        yield "POST", "/peers/list", {"kind": "all"}
        yield "POST", "/conclusions/query", query | {"filters": both, "distance": 1}
        yield "GET", "/scopes/both", None
        yield "GET", "/scopes/both/status", None
        yield "POST", "/scopes/both/sessions/list", {}
        yield "GET", "/webhooks", None
        for peer in PEERS:
            yield from self._about_peer(f"/peers/{peer}", query)
        for session in (*SESSIONS, *self.ids["clone"]):
            yield from self._about_session(f"/sessions/{session}", query, other)

    def _about_peer(self, at, query):
        asked = {"search_query": query["query"]}
        yield "POST", f"{at}/sessions", {}
        yield "POST", f"{at}/chat", query
        yield "POST", f"{at}/representation", {}
        yield "POST", f"{at}/representation", asked
        yield "POST", f"{at}/representation", {"scope": "both"}
        yield "GET", f"{at}/card", None
        yield "GET", f"{at}/context", None
        yield "POST", f"{at}/search", query

    def _about_session(self, at, query, other):
        yield "GET", f"{at}/peers", None
        yield "GET", f"{at}/peers/bob/config", None
        yield "GET", f"{at}/context", None
        yield "GET", f"{at}/context?peer_target=bob&peer_perspective=alice", None
        yield "GET", f"{at}/summaries", None
        yield "POST", f"{at}/search", query
        yield "POST", f"{at}/messages/list", {}
        filters = {"filters": {"workspace_id": other.name}}
        yield "POST", f"{at}/messages/list", filters
        yield "POST", at.replace("/sessions/", "/sessions?"), {"id": at.split("/")[-1]}


def never_meet(one, other):
    """Whatever is asked of one tells nothing of the other."""
    for method, path, body in one.questions(other):
        answer = one.ask(method, path, body, (200, 201, 422))
        # What is sent back in a refusal, or in a chat's answer, was sent to us.
        told = answer.text.replace(f"I like {other.word} tea", "")
        if answer.status_code == 422:
            assert "workspace_id" in told
            continue
        for mark in other.marks:
            assert mark not in told, (method, path, mark)
    for session in SESSIONS:
        listed = one.ask("POST", f"/sessions/{session}/messages/list").json()
        assert listed["total"] == one.said[session]
    for path in foreign(other):
        one.ask("GET", path, status=(404,))
    for kind in ("conclusion", "webhook"):
        for each in other.ids[kind][:2]:
            one.ask("DELETE", f"/{kind}s/{each}", status=(404,))
    for each in other.ids["message"][:1]:
        one.ask("POST", "/sessions/s/clone", status=(404,), message_id=each)
        one.ask("PUT", f"/sessions/s/messages/{each}", {"metadata": {}}, (404,))
    for each in other.ids["clone"][:1]:
        listed = one.ask("POST", f"/sessions/{each}/messages/list").json()
        assert listed["total"] == 0


def foreign(other):
    for each in other.ids["message"][:3]:
        yield f"/sessions/s/messages/{each}"
    for each in other.ids["conclusion"][:3]:
        yield f"/conclusions/{each}"


def never_open(one, other):
    """A workspace's key opens nothing of the other."""
    for method, path, body in one.questions(other):
        name = path.split("?")[0]
        if method == "POST" and name == "/sessions":
            continue  # authorises itself, by what it names
        answer = one._http.request(
            method, other.at + path, json=body, headers=one.headers
        )
        assert answer.status_code == 401, (method, path)
        assert other.word not in answer.text


@pytest.fixture(scope="module")
def open_door(open_server):
    with httpx.Client(base_url=open_server.url, timeout=120) as http:
        yield http


@pytest.fixture(scope="module")
def guarded_door(guarded_server):
    with httpx.Client(base_url=guarded_server.url, timeout=120) as http:
        yield http


STORIES = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 10),
        st.sampled_from(PEERS),
        st.sampled_from(SESSIONS),
        st.integers(0, 9),
    ),
    min_size=12,
    max_size=30,
)
FEW = settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # each example takes a second or more
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def lived(http, story, *, guarded):
    pair = [Tenant(http, word, guarded=guarded) for word in ("zebra", "walrus")]
    for which, *happening in story:
        pair[which].happen(*happening)
    for each in pair:
        each.settle()
    return pair


@FEW
@given(story=STORIES)
def test_two_workspaces_never_see_each_other(open_door, story):
    one, other = lived(open_door, story, guarded=False)
    never_meet(one, other)
    never_meet(other, one)


@FEW
@given(story=STORIES)
def test_nor_do_they_behind_keys_that_open_only_their_own(guarded_door, story):
    one, other = lived(guarded_door, story, guarded=True)
    never_meet(one, other)
    never_meet(other, one)
    never_open(one, other)
