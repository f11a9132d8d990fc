"""What two servers do together is done once."""

from tests.support.command import until
from tests.support.load import plain_client

_ERASED = "SELECT 1 FROM log.event WHERE tenant = $1 AND type = 'session-erased'"
_DELIVERED = "SELECT 1 FROM log.event WHERE tenant = $1 AND type = 'webhook-delivered'"


def say(http, at, *words, session="s"):
    body = {"messages": [{"peer_id": "ann", "content": each} for each in words]}
    answer = http.post(f"{at}/sessions/{session}/messages", json=body)
    assert answer.status_code == 201, answer.text
    return answer


def idle(http, at):
    status = http.get(f"{at}/queue/status").json()
    return status["pending_work_units"] == status["in_progress_work_units"] == 0


def concluded(http, at):
    answer = http.post(f"{at}/conclusions/list", json={}, params={"size": 100})
    return [each["content"] for each in answer.json()["items"]]


def test_what_is_said_at_either_is_asked_about_once(both, at, stub):
    for n in range(12):
        say(both[n % 2], at, f"I own barge {n}.", session=f"s{n % 4}")
    until(lambda: idle(both[0], at) and len(concluded(both[1], at)) == 12)
    asked = [str(call.body) for call in stub.chats if "barge" in call.text]
    assert len(asked) == len(set(asked)) <= 12


def test_a_webhook_is_sent_once(both, at, receiver, pair):
    path = f"/{at.rsplit('/', 1)[-1]}"
    both[0].post("/v3/workspaces", json={"id": at.rsplit("/", 1)[-1]})
    both[1].post(f"{at}/webhooks", json={"url": receiver.url(path)})
    for n in range(4):
        both[n % 2].get(f"{at}/webhooks/test")
    until(lambda: len(pair.fetch(_DELIVERED, at.rsplit("/", 1)[-1])) == 4)
    assert len(receiver.at(path)) == 4


def test_what_is_configured_at_one_holds_at_the_other_at_once(both, at):
    say(both[1], at, "I own boat 1.")
    for n, wanted in enumerate([False, True, False]):
        body = {"configuration": {"reasoning": {"enabled": wanted}}}
        both[0].put(f"{at}/sessions/s", json=body)
        say(both[1], at, f"I own raft {n}.")
    wanted = ["ann told: I own boat 1.", "ann told: I own raft 1."]
    until(lambda: idle(both[0], at) and len(concluded(both[0], at)) >= len(wanted))
    assert sorted(concluded(both[0], at)) == wanted


def test_what_one_erased_the_other_does_not_tell(both, at, pair):
    key = {"Idempotency-Key": "once"}
    body = {"messages": [{"peer_id": "ann", "content": "I hide boat 7."}]}
    path = f"{at}/sessions/s/messages"
    assert both[1].post(path, json=body, headers=key).status_code == 201
    assert both[0].delete(f"{at}/sessions/s").status_code == 202
    until(lambda: pair.fetch(_ERASED, at.rsplit("/", 1)[-1]))
    again = both[1].post(path, json=body, headers=key)
    assert "boat 7" not in again.text
    say(both[1], at, "I show boat 8.")
    listed = both[0].post(f"{path}/list", json={}).json()["items"]
    assert [each["content"] for each in listed] == ["I show boat 8."]
    pair.check_law()


def test_one_goes_on_with_what_the_other_did(both, at, pair):
    """Whoever has the turns is stopped; the other takes them."""
    say(both[0], at, "I own boat 1.")
    one = pair.servers[0]
    assert one.stop() == 0
    say(both[1], at, "I own boat 2.")
    with plain_client(pair.urls[1]) as http:
        until(lambda: len(concluded(http, at)) == 2)
    one.launch()
    until(lambda: one.ready)
