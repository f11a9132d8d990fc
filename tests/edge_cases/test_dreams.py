"""HC E07 and 8.2: dreams, asked for over HTTP."""

import time

import pytest

WITHIN = 90.0


@pytest.fixture
def dream(api, at, workspace):
    created = api.post("/v3/workspaces", json={"id": workspace})
    assert created.status_code == 201

    def ask(status=204, **body):
        answer = api.post(f"{at}/schedule_dream", json={"dream_type": "omni", **body})
        assert answer.status_code == status, answer.text
        if status == 204:
            assert answer.content == b""
            assert int(answer.headers["x-position"]) > 0
        return answer

    return ask


@pytest.fixture
def counted(api, at):
    def ask(**query):
        return api.get(f"{at}/queue/status", params=query).json()["total_work_units"]

    return ask


def test_x29_without_observed_a_peer_dreams_of_itself(dream, counted):
    dream(observer="alice")
    dream(observer="alice", observed="bob")
    assert counted(observer_id="alice") == 2
    assert counted(observer_id="bob") == 0


def test_x30_a_card_may_be_rebuilt(dream, counted):
    dream(observer="alice", dream_type="card_refresh", rebuild=True)
    assert counted() == 1


def test_a_dream_ends_by_itself_and_may_be_had_again(api, at, dream):
    for times in (1, 2):
        dream(observer="alice", session_id="never-made", observed=None)
        deadline = time.monotonic() + WITHIN
        while True:
            body = api.get(f"{at}/queue/status").json()
            if body["completed_work_units"] == times:
                break
            assert time.monotonic() < deadline, body
            time.sleep(0.02)
        assert body["total_work_units"] == times


def test_x133_what_may_become_a_scope_is_not_dreamt_of(api, at, dream, counted):
    for body in ({"observer": "a", "observed": "scope.x"}, {"observer": "scope.x"}):
        answer = dream(status=422, **body)
        assert "scope.x" in answer.json()["detail"]
    assert counted() == 0
    dream(observer="scope.x", observed="alice")
    assert counted() == 1
    assert api.post(f"{at}/scopes", json={"id": "x"}).status_code == 201
    assert "are scopes" in dream(422, observer="a", observed="scope.x").json()["detail"]
    dream(observer="scope.x", observed="bob")


def test_a_dream_wants_its_workspace(api):
    body = {"observer": "alice", "dream_type": "omni"}
    for name in ("no-such-workspace", "not.a.name"):
        answer = api.post(f"/v3/workspaces/{name}/schedule_dream", json=body)
        assert answer.status_code == 404
        assert answer.json() == {"detail": f"Workspace {name} not found"}


@pytest.mark.parametrize(
    ("body", "kind", "loc"),
    [
        ({"dream_type": "omni"}, "missing", ["body", "observer"]),
        ({"observer": "a"}, "missing", ["body", "dream_type"]),
        ({"observer": 1, "dream_type": "omni"}, "string_type", ["body", "observer"]),
        ({"observer": "a", "dream_type": "x"}, "literal_error", ["body", "dream_type"]),
        (
            {"observer": "a", "dream_type": "omni", "rebuild": None},
            "bool_type",
            ["body", "rebuild"],
        ),
    ],
)
def test_what_is_no_dream_is_said_where(api, at, body, kind, loc):
    answer = api.post(f"{at}/schedule_dream", json=body)
    assert answer.status_code == 422
    [item] = answer.json()["detail"]
    assert (item["type"], item["loc"]) == (kind, loc)


def test_a_name_nothing_can_hold_is_refused(dream):
    answer = dream(422, observer="a\x00")
    assert answer.json() == {"detail": "Peer name(s) must not contain NUL (0x00) bytes"}
    dream(422, observer="a" * 513)


def test_names_that_no_index_takes_together_are_refused(api, at, dream):
    owls = "".join(chr(0x1F400 + n * 7 % 1_000) for n in range(512))
    dream(204, observer=owls, observed="alice")
    dream(422, observer=owls, observed=owls[::-1])
    card = {"peer_card": ["hoots"]}
    asked = f"{at}/peers/{'a' * 512}/card"
    assert api.put(asked, params={"target": owls}, json=card).status_code == 422
    assert api.put(asked, params={"target": "b" * 512}, json=card).status_code == 200
