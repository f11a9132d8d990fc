"""HC 8.3: how much is to be reasoned about, and how much is done."""

import time

import pytest

COUNTS = ("total", "completed", "in_progress", "pending")
WITHIN = 90.0


@pytest.fixture
def status(api, at):
    """Ask; every answer adds up (X39)."""

    def ask(**query):
        answer = api.get(f"{at}/queue/status", params=query)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        for each in (body, *(body["sessions"] or {}).values()):
            numbers = [each[f"{name}_work_units"] for name in COUNTS]
            assert numbers[0] == sum(numbers[1:])
        return body

    return ask


@pytest.fixture
def say(api, at):
    def post(session, peer, count=1):
        batch = [{"peer_id": peer, "content": f"I like tea {n}."} for n in range(count)]
        sent = api.post(f"{at}/sessions/{session}/messages", json={"messages": batch})
        assert sent.status_code == 201, sent.text

    return post


def total(body):
    return body["total_work_units"]


def until(ask, reached):
    deadline = time.monotonic() + WITHIN
    while not reached(body := ask()):
        assert time.monotonic() < deadline, body
        time.sleep(0.02)
    return body


def nothing(sessions=None):
    return {f"{name}_work_units": 0 for name in COUNTS} | {"sessions": sessions}


def test_x33_what_nobody_knows_has_no_work(api, status, say):
    assert status() == nothing()
    say("s", "alice")
    for unknown in (
        {"session_id": "nowhere"},
        {"sender_id": "nobody"},
        {"observer_id": "nobody"},
        {"session_id": "\x00"},
        {"sender_id": "a\x00lice"},
        {"observer_id": "x" * 3_000},
    ):
        assert total(status(**unknown)) == 0, unknown
    elsewhere = api.get("/v3/workspaces/no-such-workspace/queue/status")
    assert elsewhere.json() == nothing()


def test_x34_empty_parameters_are_absent(status, say):
    say("s", "alice", 2)
    assert total(status(session_id="", sender_id="", observer_id="")) == 2
    assert status(session_id="")["sessions"] is not None


def test_x35_observer_and_sender_are_or_ed(api, at, status, say):
    say("s", "alice", 2)
    say("s", "bob")
    dream = {"observer": "bob", "observed": "alice", "dream_type": "omni"}
    assert api.post(f"{at}/schedule_dream", json=dream).status_code == 204
    assert total(status()) == 4
    assert total(status(sender_id="alice")) == 2
    assert total(status(observer_id="bob")) == 1, "only dreams have one observer"
    assert total(status(observer_id="alice")) == 0
    assert total(status(sender_id="alice", observer_id="bob")) == 3
    assert total(status(sender_id="nobody", observer_id="bob")) == 1
    assert total(status(session_id="s", observer_id="bob")) == 0
    assert total(status(session_id="s", sender_id="bob", observer_id="bob")) == 1


def test_x36_webhooks_and_deletions_are_not_counted(api, at, status, say):
    say("s", "alice")
    say("gone", "alice")
    hook = {"url": "https://hooks.example.com/a"}
    assert api.post(f"{at}/webhooks", json=hook).status_code == 201
    assert api.get(f"{at}/webhooks/test").status_code == 200
    assert api.delete(f"{at}/sessions/gone").status_code == 202
    assert total(status()) in {1, 2}, "what was asked for before may be purged"
    assert total(status(session_id="s")) == 1


def test_x37_each_session_has_its_counts(status, say):
    say("s", "alice", 2)
    say("t", "alice", 3)
    body = status()
    assert sorted(map(total, body["sessions"].values())) == [2, 3]
    assert total(body) == 5


def test_x38_one_session_has_no_map(status, say):
    say("s", "alice", 2)
    say("t", "alice")
    body = status(session_id="s")
    assert body["sessions"] is None
    assert total(body) == 2


def test_x39_all_of_it_is_done_in_the_end_and_always_adds_up(api, at, status, say):
    say("s", "alice", 20)
    dream = {"observer": "alice", "dream_type": "omni"}
    assert api.post(f"{at}/schedule_dream", json=dream).status_code == 204
    body = until(status, lambda now: now["pending_work_units"] == 0)
    assert total(body) == 22, "20 messages, the summary at the 20th, and a dream"
    assert body["completed_work_units"] == 22
    [only] = body["sessions"].values()
    assert total(only) == 21, "a dream has no session"


def test_a_message_that_makes_two_summaries_due_is_one_item(status, say):
    say("s", "alice", 60)
    body = until(status, lambda now: now["pending_work_units"] == 0)
    assert total(body) == 63
    assert total(status(sender_id="alice")) == 60


def test_who_is_not_observed_makes_no_work(api, at, status, say):
    peer = {"id": "quiet", "configuration": {"observe_me": False}}
    assert api.post(f"{at}/peers", json=peer).status_code == 201
    say("s", "quiet", 3)
    assert status() == nothing()


def test_x40_the_key_is_the_sessions_own_and_internal(api, at, status, say):
    say("s", "alice")
    [(key, of)] = status()["sessions"].items()
    assert key == of["session_id"]
    assert key != "s"
    [session] = api.post(f"{at}/sessions/list").json()["items"]
    assert key == session["uid"]
    assert list(of) == ["session_id", *(f"{name}_work_units" for name in COUNTS)]


def test_a_session_with_nothing_worth_summing_up_is_done_all_the_same(api, at, status):
    batch = [{"peer_id": "alice", "content": f"n{n}"} for n in range(24)]
    sent = api.post(f"{at}/sessions/s/messages", json={"messages": batch})
    assert sent.status_code == 201, sent.text
    assert total(status()) == 25
    until(status, lambda body: body["pending_work_units"] == 0)
    answer = api.get(f"{at}/sessions/s/summaries").json()
    assert answer["short_summary"] is None


def test_when_nothing_is_pending_meaning_finds_what_was_concluded(api, at, status, say):
    for turn in range(5):
        say(f"s{turn}", f"peer{turn}")
        until(status, lambda now: now["pending_work_units"] == 0)
        filters = {"observer_id": f"peer{turn}", "observed_id": f"peer{turn}"}
        asked = {"query": "What does one drink?", "filters": filters}
        found = api.post(f"{at}/conclusions/query", json=asked).json()
        assert len(found) == 1, turn
        wanted = {"search_query": "tea", "search_max_distance": 0.9}
        path = f"{at}/peers/peer{turn}/representation"
        assert "tea" in api.post(path, json=wanted).json()["representation"]
