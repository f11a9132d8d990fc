"""Conclusions of clients and of the engine, over a real server."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.load import plain_client

BOUND = 90.0


@pytest.fixture
def http(server):
    with plain_client(server.url) as client:
        yield client


@pytest.fixture
def at(http):
    """A workspace with two peers; bob observes ann in session s."""
    path = f"/v3/workspaces/c-{uuid.uuid4().hex[:8]}"
    peers = {"ann": {}, "bob": {"observe_others": True}}
    made = http.post(f"{path}/sessions", json={"id": "s", "peers": peers})
    assert made.status_code == 201
    return path


def say(http, at, words):
    body = {"messages": [{"peer_id": "ann", "content": words}]}
    assert http.post(f"{at}/sessions/s/messages", json=body).status_code == 201


def held(http, at, observer):
    """Return what an observer holds of ann, the oldest first."""
    filters = {"observer_id": observer, "observed_id": "ann"}
    path = f"{at}/conclusions/list?reverse=true"
    return http.post(path, json={"filters": filters}).json()["items"]


def until(condition):
    deadline = time.monotonic() + BOUND
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def test_deleting_one_observers_leaves_the_others_and_drawn_again_it_is_new(http, at):
    say(http, at, "I grow tomatoes.")
    [bobs] = until(lambda: held(http, at, "bob"))
    [anns] = held(http, at, "ann")
    assert bobs["id"] != anns["id"]
    assert http.delete(f"{at}/conclusions/{bobs['id']}").status_code == 204
    assert held(http, at, "bob") == []
    assert held(http, at, "ann") == [anns]
    assert http.get(f"{at}/conclusions/{bobs['id']}").status_code == 404
    assert http.get(f"{at}/conclusions/{anns['id']}").json() == anns

    say(http, at, "I grow tomatoes.")
    [anew] = until(lambda: held(http, at, "bob"))
    assert (anew["content"], anew["times_derived"]) == (bobs["content"], 1)
    assert anew["id"] not in {bobs["id"], anns["id"]}
    [drawn] = held(http, at, "ann")
    assert (drawn["id"], drawn["times_derived"]) == (anns["id"], 2)
    assert http.delete(f"{at}/conclusions/{anew['id']}").status_code == 204
    assert http.delete(f"{at}/conclusions/{anew['id']}").status_code == 404
    assert http.delete(f"{at}/conclusions/{bobs['id']}").status_code == 404


def test_equal_conclusions_of_clients_never_meet(http, at):
    same = {"content": "Likes tea", "observer_id": "ann", "observed_id": "ann"}
    body = {"conclusions": [same, same | {"session_id": "s"}, same]}
    made = http.post(f"{at}/conclusions", json=body).json()
    made += http.post(f"{at}/conclusions", json=body).json()
    assert len({each["id"] for each in made}) == 6
    assert {each["times_derived"] for each in held(http, at, "ann")} == {1}
    assert len(held(http, at, "ann")) == 6


def test_a_create_and_a_delete_under_one_key_happen_once(http, at):
    texts = ("one", "two", "three")
    pair = {"observer_id": "ann", "observed_id": "bob"}
    sessions = ("s", None, "s")
    body = {
        "conclusions": [
            {"content": text, "session_id": session, **pair}
            for text, session in zip(texts, sessions, strict=True)
        ]
    }
    key = {"Idempotency-Key": "make"}

    def create(_):
        return http.post(f"{at}/conclusions", json=body, headers=key)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(create, range(8)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.text for each in answers}) == 1
    made = answers[0].json()
    assert [each["content"] for each in made] == list(texts)
    page = http.post(f"{at}/conclusions/list").json()
    assert page["total"] == 3

    gone = f"{at}/conclusions/{made[1]['id']}"
    key = {"Idempotency-Key": "drop"}
    first, second = (http.delete(gone, headers=key) for _ in range(2))
    assert first.status_code == second.status_code == 204
    assert first.headers["x-position"] == second.headers["x-position"]
    assert http.delete(gone).status_code == 404


def test_many_observers_and_sessions_in_one_request_keep_their_order(http, at):
    for number in range(4):
        assert http.post(f"{at}/peers", json={"id": f"p{number}"}).is_success
    body = {
        "conclusions": [
            {
                "content": f"note {number}",
                "observer_id": f"p{number % 4}",
                "observed_id": f"p{number % 3}",
                "session_id": "s" if number % 5 == 0 else None,
            }
            for number in range(60)
        ]
    }
    made = http.post(f"{at}/conclusions", json=body).json()
    assert [each["content"] for each in made] == [f"note {n}" for n in range(60)]
    assert [each["observer_id"] for each in made] == [f"p{n % 4}" for n in range(60)]
    ids = [each["id"] for each in made]
    asked = {"filters": {"id": {"in": ids}}}
    page = http.post(f"{at}/conclusions/list?size=100", json=asked).json()
    assert {each["id"] for each in page["items"]} == set(ids)
