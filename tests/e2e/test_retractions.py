"""Memory through the published client: retracted, corrected, and undone."""

import time
import uuid

import pytest
from honcho.api_types import SessionPeerConfig

from tests.e2e.test_sdk import connected
from tests.support.load import plain_client

BOUND = 90.0


@pytest.fixture
def http(server):
    with plain_client(server.url) as client:
        yield client


@pytest.fixture
def honcho(server):
    with connected(server, f"retract-{uuid.uuid4().hex[:8]}") as client:
        yield client


@pytest.fixture
def at(honcho):
    return f"/v3/workspaces/{honcho.workspace_id}"


@pytest.fixture
def ann(honcho):
    """A peer of whom one thing is concluded; bob heard it."""
    ann, bob = honcho.peer("ann"), honcho.peer("bob")
    session = honcho.session("s")
    session.add_peers([ann, (bob, SessionPeerConfig(observe_others=True))])
    session.add_messages([ann.message("I grow tomatoes.")])
    until(lambda: known(ann) and known(bob, ann))
    return ann


def known(observer, of=None):
    scope = observer.conclusions if of is None else observer.conclusions_of(of)
    return {each.content: each for each in scope.list().items}


def until(condition):
    deadline = time.monotonic() + BOUND
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_retracted_nobody_sees_it_and_undone_all_see_it_as_it_was(
    http, at, honcho, ann
):
    bob = honcho.peer("bob")
    before = known(ann), known(bob, ann), ann.representation()
    [mine] = before[0].values()
    assert mine.content in before[2]
    key = {"Idempotency-Key": "once"}
    path, body = f"{at}/conclusions/{mine.id}/retract", {"reason": "a joke"}

    shown = http.post(f"{path}?dry_run=true", json=body).json()
    done = http.post(path, json=body, headers=key)
    assert done.status_code == 200
    assert done.json() == shown | {"unit": done.json()["unit"]}
    assert http.post(path, json=body, headers=key).json() == done.json()
    assert http.post(path, json=body).status_code == 404
    assert known(ann) == known(bob, ann) == {}
    assert mine.content not in ann.representation()

    unit = f"{at}/retractions/{done.json()['unit']}"
    undo = f"{unit}/undo"
    [listed] = http.get(f"{at}/retractions").json()["items"]
    assert (listed["kind"], listed["state"]) == ("retract", "standing")
    assert (listed["reason"], listed["conclusions"]) == ("a joke", 1)
    told = http.get(unit).json()
    assert told["retraction"] == listed
    assert told["retracted"] == [{"id": mine.id, "because": None}]
    first, second = http.post(undo), http.post(undo)
    assert first.json() == second.json()
    assert first.json()["reinstated"] == [mine.id]
    then = {"as_of": done.headers["x-position"]}
    assert http.get(unit, params=then).json() == told
    assert http.get(unit).json()["retraction"]["state"] == "undone"
    after = known(ann), known(bob, ann), ann.representation()
    assert [set(each) for each in after[:2]] == [set(each) for each in before[:2]]
    assert after[0][mine.content].id == mine.id
    assert after[2] == before[2]


def test_a_correction_takes_its_place_for_all_who_held_it(http, at, honcho, ann):
    [bobs] = known(honcho.peer("bob"), ann).values()
    body = {"content": "ann grows potatoes", "reason": "misheard"}
    done = http.post(f"{at}/conclusions/{bobs.id}/correct", json=body)
    assert done.status_code == 201
    assert set(known(ann)) == set(known(honcho.peer("bob"), ann)) == {body["content"]}
    assert body["content"] in ann.representation(search_query="potatoes")
    found = http.post(
        f"{at}/conclusions/query",
        json={
            "query": "what does she grow",
            "filters": {"observer": "bob", "observed": "ann"},
        },
    )
    assert [each["content"] for each in found.json()] == [body["content"]]
    http.post(f"{at}/retractions/{done.json()['unit']}/undo")
    assert set(known(honcho.peer("bob"), ann)) == {bobs.content}


def test_a_deletion_is_a_unit_of_its_own(http, at, honcho, ann):
    [mine] = known(ann).values()
    assert http.delete(f"{at}/conclusions/{mine.id}").status_code == 204
    assert known(ann) == {}
    assert set(known(honcho.peer("bob"), ann)) == {mine.content}
    [unit] = http.get(f"{at}/retractions").json()["items"]
    assert (unit["kind"], unit["asked"], unit["actor"]) == ("delete", mine.id, "client")
    http.post(f"{at}/retractions/{unit['unit']}/undo")
    assert set(known(ann)) == {mine.content}


@pytest.mark.parametrize("act", ["retract", "correct"])
def test_what_is_not_there_is_not_found(http, at, act):
    for name in ("nothing", "%00"):
        path = f"{at}/conclusions/{name}/{act}"
        assert http.post(path, json={"content": "x"}).status_code == 404
    assert http.post(f"{at}/retractions/no%2Bunit/undo").status_code == 404
    assert http.post("/v3/workspaces/%00/retractions/u/undo").status_code == 404


def test_a_reason_has_a_bound(http, at, ann):
    [mine] = known(ann).values()
    body = {"reason": "x" * 1001, "content": "y"}
    for act in ("retract", "correct"):
        path = f"{at}/conclusions/{mine.id}/{act}"
        assert http.post(path, json=body).status_code == 422


def test_quarantined_it_is_listed_and_nothing_is_drawn_from_it(http, at, honcho, ann):
    session = honcho.session("s")
    bad = {"source": "forged"}
    session.add_messages([ann.message("I love alpacas.", metadata=bad)])
    until(lambda: len(known(ann)) == 2)
    [content] = [each for each in known(ann) if "alpacas" in each]
    by = {"filters": {"metadata": bad}, "reason": "forged"}

    def seen():
        """Whether it is searched, shown, known and told."""
        return [
            any("alpacas" in m.content for m in session.search("alpacas")),
            any("alpacas" in m.content for m in session.context().messages),
            content in ann.representation(),
            "alpacas" in (ann.chat("Which animals does ann love?") or ""),
        ]

    assert all(seen())
    shown = http.post(f"{at}/quarantine/preview", json=by).json()
    done = http.post(f"{at}/quarantine", json=by)
    assert done.status_code == 201, done.text
    took = done.json()
    assert took | {"unit": None, "answers": shown["answers"]} == shown
    assert len(shown["answers"]) == 1  # told above
    assert not any(seen())
    assert any("alpacas" in m.content for m in session.messages())
    copy = session.clone()
    assert [m.content for m in copy.messages()] == ["I grow tomatoes."]
    unit = f"{at}/retractions/{took['unit']}"
    assert http.get(unit).json()["retraction"]["filters"] == by["filters"]
    undone = http.post(f"{unit}/undo").json()
    assert len(undone["messages"]) == 1
    assert all(seen())


def test_a_unit_that_withdrew_a_summary_is_shown_in_full(http, at, honcho, ann):
    session = honcho.session("s")
    session.add_messages(
        [ann.message(f"I grow {n} potatoes in Porto.") for n in range(20)]
    )
    until(lambda: session.summaries().short_summary is not None)
    took = http.post(f"{at}/quarantine", json={"filters": {"peer_id": "ann"}}).json()
    told = http.get(f"{at}/retractions/{took['unit']}")
    assert told.status_code == 200, told.text
    [gone] = told.json()["summaries"]
    assert (gone["session_id"], gone["kind"]) == ("s", "short")
    assert gone["id"] == took["summaries"][0]["id"]


@pytest.mark.parametrize(
    "body", [{}, {"filters": {}}, {"filters": {"nonsense": 1}}, {"source": {"x": "y"}}]
)
def test_a_quarantine_must_say_of_what(http, at, body):
    for path in ("quarantine", "quarantine/preview"):
        assert http.post(f"{at}/{path}", json=body).status_code == 422
