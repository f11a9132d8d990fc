"""A write sent twice under one Idempotency-Key happens once, on a real server."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.load import plain_client
from tests.support.server import Server
from tests.support.stopped import rebuilt_equals_live

AT_ONCE = 8
WORDS = "I grow tomatoes."


def say(http, workspace, words, key):
    """POST one message; return status, text and position of the answer."""
    answer = http.post(
        f"/v3/workspaces/{workspace}/sessions/s/messages",
        json={"messages": [{"peer_id": "ann", "content": words}]},
        headers={"Idempotency-Key": key},
    )
    return answer.status_code, answer.text, answer.headers.get("x-position")


def ask(http, workspace, key):
    """Ask the chat, which is a write too; return status, text and position."""
    answer = http.post(
        f"/v3/workspaces/{workspace}/peers/ann/chat",
        json={"query": "What does ann grow?"},
        headers={"Idempotency-Key": key},
    )
    return answer.status_code, answer.text, answer.headers.get("x-position")


def said(http, workspace):
    answer = http.post(f"/v3/workspaces/{workspace}/sessions/s/messages/list", json={})
    return [each["content"] for each in answer.json()["items"]]


@pytest.fixture
def workspace():
    return f"idem-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def http(server):
    with plain_client(server.url) as client:
        yield client


def test_the_same_write_many_times_at_once_happens_once(http, workspace):
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(
            threads.map(lambda _: say(http, workspace, WORDS, "k"), range(AT_ONCE * 4))
        )
    assert len(set(answers)) == 1
    assert answers[0][0] == 201
    assert said(http, workspace) == [WORDS]


def test_of_other_writes_under_one_key_at_once_one_wins_and_the_rest_are_422(
    http, workspace
):
    words = [f"I grow {n} tomatoes." for n in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(lambda w: say(http, workspace, w, "k"), words))
    assert sorted(status for status, _, _ in answers) == [201] + [422] * (AT_ONCE - 1)
    winner = next(w for w, a in zip(words, answers, strict=True) if a[0] == 201)
    assert said(http, workspace) == [winner]


def test_another_body_under_a_used_key_is_422_and_writes_nothing(http, workspace):
    first = say(http, workspace, WORDS, "k")
    status, text, _ = say(http, workspace, "I grow roses.", "k")
    assert status == 422
    assert "Idempotency-Key" in text
    assert say(http, workspace, WORDS, "k") == first
    assert said(http, workspace) == [WORDS]


def test_no_restart_forgets_a_key(tmp_path):
    server = Server(tmp_path / "data")
    server.start()
    with plain_client(server.url) as http:
        first = say(http, "w", WORDS, "k"), ask(http, "w", "q")
    for end in (server.stop, server.kill_everything):
        end()
        server.start()
        with plain_client(server.url) as http:
            assert (say(http, "w", WORDS, "k"), ask(http, "w", "q")) == first
            assert say(http, "w", "I grow roses.", "k")[0] == 422
            assert say(http, "w", WORDS, "q")[0] == 422
            assert said(http, "w") == [WORDS]
    assert server.stop() == 0
    rebuilt_equals_live(server.data)
