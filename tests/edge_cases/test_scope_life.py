"""RS 2.8: what a scope knows as sessions come, go, come again and are erased."""

import re

import pytest

SCOPE = "trip"
LIKES = re.compile(r"likes (\w+)")


@pytest.fixture
def life(api, at):
    api.post(f"{at}/peers", json={"id": "alice"})
    for name in ("s", "t"):
        api.post(f"{at}/sessions", json={"id": name})
    api.post(f"{at}/scopes", json={"id": SCOPE})
    for session, what in (("s", "trains"), ("t", "bees"), (None, "salt")):
        conclude(api, at, "alice", what, session)
    return at


def conclude(api, at, observer, what, session=None):
    said = {"content": f"likes {what}", "observer_id": observer}
    said |= {"observed_id": "alice"} | ({"session_id": session} if session else {})
    made = api.post(f"{at}/conclusions", json={"conclusions": [said]})
    assert made.status_code == 201, made.text
    return made


def known(api, at, as_of=None, **body):
    asked = {"as_of": as_of} if as_of else {}
    found = api.post(f"{at}/peers/alice/representation", json=body, params=asked)
    assert found.status_code == 200, found.text
    return sorted(LIKES.findall(found.json()["representation"]))


def move(api, at, *sessions, gone=False):
    if gone:
        answers = [
            api.delete(f"{at}/scopes/{SCOPE}/sessions/{each}") for each in sessions
        ]
    else:
        body = {"session_ids": list(sessions)}
        answers = [api.post(f"{at}/scopes/{SCOPE}/sessions", json=body)]
    assert {each.status_code for each in answers} == {204}
    return answers[-1].headers["x-position"]


def test_each_moment_knows_what_its_sessions_told(api, life):
    at = life
    first = move(api, at, "s", "t")
    assert known(api, at, scope=SCOPE) == ["bees", "trains"]
    conclude(api, at, "alice", "chess", "s")
    conclude(api, at, f"scope.{SCOPE}", "maps", "t")
    both = ["bees", "maps", "trains"]
    assert known(api, at, scope=SCOPE) == both
    left = move(api, at, "t", gone=True)
    assert known(api, at, scope=SCOPE) == ["trains"]
    conclude(api, at, "alice", "tea", "t")
    assert known(api, at, scope=SCOPE) == ["trains"]
    again = move(api, at, "t")
    assert known(api, at, scope=SCOPE) == sorted([*both, "tea"])
    assert known(api, at, scope=[SCOPE]) == ["bees", "chess", "tea", "trains"]
    for moment, wanted in (
        (first, ["bees", "trains"]),
        (str(int(left) - 1), both),
        (left, ["trains"]),
        (again, sorted([*both, "tea"])),
    ):
        assert known(api, at, moment, scope=SCOPE) == wanted
    assert known(api, at, left, scope=[SCOPE]) == ["chess", "trains"]
