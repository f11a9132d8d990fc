"""HC 8.7: scopes; where one may stand, and what is read through one."""

import re
import time
from datetime import datetime

import pytest


@pytest.fixture
def make(api, at):
    """Make sessions, a scope that holds them, and alice."""

    def them(scope, *sessions, held=True):
        api.post(f"{at}/peers", json={"id": "alice"})
        for session in sessions:
            made = api.post(f"{at}/sessions", json={"id": session})
            assert made.status_code in (200, 201)
        assert api.post(f"{at}/scopes", json={"id": scope}).status_code in (200, 201)
        if sessions and held:
            add(api, at, scope, *sessions)

    return them


def add(api, at, scope, *sessions, status=204):
    answer = api.post(
        f"{at}/scopes/{scope}/sessions", json={"session_ids": list(sessions)}
    )
    assert answer.status_code == status, answer.text
    return answer


def tell(api, at, observer, content, session=None, observed="alice"):
    said = {"content": content, "observer_id": observer, "observed_id": observed}
    if session is not None:
        said["session_id"] = session
    answer = api.post(f"{at}/conclusions", json={"conclusions": [said]})
    assert answer.status_code == 201, answer.text


def held(api, at, observer):
    wanted = {"filters": {"observer_id": observer}}
    items = api.post(f"{at}/conclusions/list", json=wanted).json()["items"]
    return sorted(each["content"] for each in items)


def sessions_in(api, at, scope, **query):
    listed = api.post(f"{at}/scopes/{scope}/sessions/list", params=query)
    assert listed.status_code == 200
    return [each["id"] for each in listed.json()["items"]]


def until(ask, within=90.0):
    """Return the first answer that is something."""
    deadline = time.monotonic() + within
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)
    return answer


def represented(api, at, **body):
    answer = api.post(f"{at}/peers/alice/representation", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["representation"]


def test_x119_a_scope_is_made_once(api, at):
    first = api.post(f"{at}/scopes", json={"id": "trip", "metadata": {"a": 1}})
    assert first.status_code == 201
    assert set(first.json()) == {"id", "metadata", "created_at"}
    again = api.post(f"{at}/scopes", json={"name": "trip"})
    assert (again.status_code, again.json()) == (200, first.json())
    other = api.post(f"{at}/scopes", json={"id": "trip", "metadata": {"b": 2}})
    assert (other.status_code, other.json()["metadata"]) == (200, {"b": 2})
    assert api.get(f"{at}/scopes/trip").json() == other.json()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("", "string_too_short"),
        ("a" * 507, "string_too_long"),
        ("scope." + "a" * 507, "string_too_long"),
        ("scope.trip", "value_error"),
        ("my trip", "string_pattern_mismatch"),
        ("trip!", "string_pattern_mismatch"),
        ("trip\n", "string_pattern_mismatch"),
        (5, "string_type"),
    ],
)
def test_x119_a_malformed_name_is_422(api, at, name, kind):
    for key in ("id", "name"):
        answer = api.post(f"{at}/scopes", json={key: name})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["type"] == kind
        assert answer.json()["detail"][0]["loc"] == ["body", key]
    assert api.post(f"{at}/scopes", json={"id": "a" * 506}).status_code == 201


def test_x122_scopes_are_listed_only_where_they_are_asked_for(api, at, make):
    make("trip", "s")

    def listed(kind):
        answer = api.post(f"{at}/peers/list", json={"kind": kind})
        return answer.json()["items"]

    assert [each["id"] for each in listed(None)] == ["alice"]
    assert [each["id"] for each in listed("all")] == ["alice", "scope.trip"]
    [scope] = listed("scope")
    assert scope["id"] == "scope.trip"
    assert scope["configuration"] == {"observe_me": False}
    assert set(scope) == set(listed(None)[0])
    wrong = api.post(f"{at}/peers/list", json={"kind": "peer"})
    assert wrong.json()["detail"][0]["type"] == "literal_error"
    assert api.get(f"{at}/sessions/s/peers").json()["items"] == []


def test_scopes_are_listed_without_prefix_and_by_age(api, at):
    for name in ("b", "a", "c"):
        api.post(f"{at}/scopes", json={"id": name})
    page = api.post(f"{at}/scopes/list").json()
    assert [each["id"] for each in page["items"]] == ["b", "a", "c"]
    asked = {"reverse": "true", "size": 1}
    page = api.post(
        f"{at}/scopes/list", params=asked, json={"filters": {"no": 1}}
    ).json()
    assert [each["id"] for each in page["items"]] == ["c"]
    assert (page["total"], page["pages"]) == (3, 3)
    assert api.post("/v3/workspaces/none/scopes/list").json()["items"] == []


def test_x123_a_missing_session_lets_none_in(api, at, make, workspace):
    make("trip", "s", "t", held=False)
    answer = add(api, at, "trip", "s", "gone", "t", "bad name", status=404)
    assert answer.json() == {
        "detail": f"Session(s) ['gone', 'bad name'] not found in workspace {workspace}"
    }
    assert sessions_in(api, at, "trip") == []
    api.delete(f"{at}/sessions/t")
    answer = add(api, at, "trip", "s", "t", status=404)
    assert answer.json()["detail"].startswith("Session(s) ['t'] not found")
    assert add(api, at, "none", "gone", status=404).json() == {
        "detail": f"Scope none not found in workspace {workspace}"
    }
    for wrong in ([], ["s"] * 101, [5], "s"):
        body = {"session_ids": wrong}
        answer = api.post(f"{at}/scopes/trip/sessions", json=body)
        assert answer.status_code == 422
    assert int(add(api, at, "trip", "s").headers["x-position"]) > 0


def test_sessions_stand_in_the_order_they_came(api, at, make):
    make("trip", "s", "t", "u", held=False)
    for session in ("t", "s", "u"):
        add(api, at, "trip", session)
    assert sessions_in(api, at, "trip") == ["t", "s", "u"]
    add(api, at, "trip", "t")
    assert sessions_in(api, at, "trip") == ["s", "u", "t"]
    assert sessions_in(api, at, "trip", reverse="true", size=2) == ["t", "u"]
    for _ in range(2):
        left = api.delete(f"{at}/scopes/trip/sessions/u")
        assert (left.status_code, left.content) == (204, b"")
    assert sessions_in(api, at, "trip") == ["s", "t"]
    for path in ("trip/sessions/gone", "none/sessions/s"):
        answer = api.delete(f"{at}/scopes/{path}")
        assert answer.status_code == 404
    for path in ("", "/status"):
        assert api.get(f"{at}/scopes/none{path}").status_code == 404
    assert api.post(f"{at}/scopes/none/sessions/list").status_code == 404


def test_x124_a_session_is_opened_in_scopes_that_are_made(api, at):
    body = {"id": "s", "scopes": ["trip", "home", "trip"]}
    assert api.post(f"{at}/sessions", json=body).status_code == 201
    assert sessions_in(api, at, "trip") == sessions_in(api, at, "home") == ["s"]
    for wrong in (["my trip"], ["scope.trip"], [""], ["a"] * 101, [5], "trip"):
        body = {"id": "never", "scopes": wrong}
        assert api.post(f"{at}/sessions", json=body).status_code == 422
    assert api.post(f"{at}/sessions", json={"id": "never"}).status_code == 201


def test_x124_a_narrow_key_opens_nothing_in_a_scope(guarded, at, workspace, bearer):
    body = {"id": "s", "scopes": ["trip"]}
    for claims in ({"p": "alice"}, {"s": "s"}):
        narrow = bearer(w=workspace, **claims)
        answer = guarded.post(f"{at}/sessions", json=body, headers=narrow)
        assert answer.status_code == 401
        assert answer.json() == {
            "detail": "Scope membership requires a workspace-level key"
        }
    wide = bearer(w=workspace)
    for path in ("scopes/list", "sessions/list"):
        listed = guarded.post(f"{at}/{path}", headers=wide).json()
        assert listed["items"] == []
    answer = guarded.post(f"{at}/sessions", json=body, headers=wide)
    assert answer.status_code == 201


def test_x125_scopes_are_no_observers_of_the_limit(api, at):
    peers = {f"p{number}": {"observe_others": True} for number in range(10)}
    scopes = [f"x{number}" for number in range(5)]
    body = {"id": "s", "peers": peers, "scopes": scopes}
    assert api.post(f"{at}/sessions", json=body).status_code == 201
    one_more = {"late": {"observe_others": True}}
    answer = api.post(f"{at}/sessions/s/peers", json=one_more)
    assert answer.status_code == 400
    assert "11 observers" in answer.json()["detail"]


def test_x126_the_membership_of_a_scope_is_no_peers(api, at, make):
    make("trip", "s")
    path = f"{at}/sessions/s/peers"
    wanted = {"observe_others": False}
    answer = api.put(f"{path}/scope.trip/config", json=wanted)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("Peer name(s) ['scope.trip'] are scopes.")
    assert api.get(f"{path}/scope.trip/config").status_code == 422
    assert api.get(f"{path}/scope.none/config").status_code == 404
    answer = api.put(f"{path}/scope.none/config", json=wanted)
    assert answer.status_code == 404
    assert sessions_in(api, at, "trip") == ["s"]


def test_x78_setting_no_peers_leaves_a_session_in_its_scopes(api, at, make):
    make("trip", "s")
    for peers in ({"bob": {}}, {}):
        answer = api.put(f"{at}/sessions/s/peers", json=peers)
        assert answer.status_code == 200
        assert sessions_in(api, at, "trip") == ["s"]
        members = api.get(f"{at}/sessions/s/peers").json()["items"]
        assert [each["id"] for each in members] == list(peers)


@pytest.mark.parametrize("prefix", ["", "scope."])
def test_x127_impossible_names_are_422(api, at, prefix):
    api.post(f"{at}/sessions", json={"id": "s"})
    for tail in ("", " ", "a\x00b", "a" * 513, "a b", "ä"):
        name = prefix + tail
        said = {"messages": [{"peer_id": name, "content": "hi"}]}
        asked = [
            api.post(f"{at}/sessions/s/messages", json=said),
            api.post(f"{at}/sessions/s/peers", json={name: {}}),
            api.put(f"{at}/sessions/s/peers", json={name: {}}),
            api.post(f"{at}/sessions", json={"id": "t", "peers": {name: {}}}),
            api.post(f"{at}/peers", json={"id": name}),
        ]
        assert [each.status_code for each in asked] == [422] * len(asked), name
    assert api.get(f"{at}/sessions/s/peers").json()["items"] == []


PLACES = {
    "new peer": ("POST", "peers", {"id": "NAME"}, 422, 422),
    "set peer": ("PUT", "peers/NAME", {}, 422, 422),
    "chat": ("POST", "peers/NAME/chat", {"query": "?"}, 422, 422),
    "chat target": (
        "POST",
        "peers/alice/chat",
        {"query": "?", "target": "NAME"},
        422,
        422,
    ),
    "representation": ("POST", "peers/NAME/representation", {}, 422, 422),
    "representation target": (
        "POST",
        "peers/alice/representation",
        {"target": "NAME"},
        422,
        422,
    ),
    "peer context": ("GET", "peers/NAME/context", None, 422, 422),
    "peer context target": ("GET", "peers/alice/context?target=NAME", None, 422, 422),
    "card target": (
        "PUT",
        "peers/alice/card?target=NAME",
        {"peer_card": ["x"]},
        422,
        422,
    ),
    "own card": ("PUT", "peers/NAME/card", {"peer_card": ["x"]}, 422, 422),
    "card of another": (
        "PUT",
        "peers/NAME/card?target=alice",
        {"peer_card": ["x"]},
        200,
        422,
    ),
    "card read": ("GET", "peers/NAME/card", None, 200, 404),
    "card read target": ("GET", "peers/alice/card?target=NAME", None, 200, 200),
    "peer search": ("POST", "peers/NAME/search", {"query": "x"}, 200, 200),
    "peer sessions": ("POST", "peers/NAME/sessions", {}, 200, 200),
    "session peers": ("POST", "sessions", {"id": "s", "peers": {"NAME": {}}}, 422, 422),
    "add peers": ("POST", "sessions/s/peers", {"NAME": {}}, 422, 422),
    "set peers": ("PUT", "sessions/s/peers", {"NAME": {}}, 422, 422),
    "remove peers": ("DELETE", "sessions/s/peers", ["NAME"], 422, 200),
    "config": ("GET", "sessions/s/peers/NAME/config", None, 422, 404),
    "set config": ("PUT", "sessions/s/peers/NAME/config", {}, 422, 404),
    "author": (
        "POST",
        "sessions/s/messages",
        {"messages": [{"peer_id": "NAME", "content": "hi"}]},
        422,
        422,
    ),
    "context target": ("GET", "sessions/s/context?peer_target=NAME", None, 422, 422),
    "context perspective": (
        "GET",
        "sessions/s/context?peer_target=alice&peer_perspective=NAME",
        None,
        422,
        404,
    ),
    "conclusion observer": (
        "POST",
        "conclusions",
        {
            "conclusions": [
                {"content": "x", "observer_id": "NAME", "observed_id": "alice"}
            ]
        },
        201,
        404,
    ),
    "conclusion observed": (
        "POST",
        "conclusions",
        {
            "conclusions": [
                {"content": "x", "observer_id": "alice", "observed_id": "NAME"}
            ]
        },
        422,
        404,
    ),
    "dream observer": (
        "POST",
        "schedule_dream",
        {"dream_type": "omni", "observer": "NAME", "observed": "alice"},
        204,
        204,
    ),
    "dream observed": (
        "POST",
        "schedule_dream",
        {"dream_type": "omni", "observer": "alice", "observed": "NAME"},
        422,
        422,
    ),
    "queue observer": ("GET", "queue/status?observer_id=NAME", None, 200, 200),
    "queue sender": ("GET", "queue/status?sender_id=NAME", None, 200, 200),
}


def named(value, name):
    """Put a name where the table says NAME."""
    match value:
        case str():
            return value.replace("NAME", name)
        case dict():
            return {named(k, name): named(v, name) for k, v in value.items()}
        case list():
            return [named(each, name) for each in value]
        case _:
            return value


@pytest.mark.parametrize("place", PLACES)
def test_a_scope_stands_only_where_the_contract_lets_it(api, at, make, place):
    method, path, body, real, missing = PLACES[place]
    make("trip", "s")
    for name, status in (("scope.trip", real), ("scope.none", missing)):
        sent = {} if body is None else {"json": named(body, name)}
        answer = api.request(method, f"{at}/{named(path, name)}", **sent)
        assert answer.status_code == status, (name, answer.text)
    assert sessions_in(api, at, "trip") == ["s"]
    assert api.get(f"{at}/sessions/s/peers").json()["items"] == []
    listed = api.post(f"{at}/peers/list", json={"kind": "all"}).json()["items"]
    assert [each["id"] for each in listed] == ["alice", "scope.trip"]


def test_what_is_said_of_a_scope_out_of_place(api, at, make):
    make("trip", "s")
    answer = api.put(f"{at}/peers/scope.trip", json={"metadata": {"a": 1}})
    assert answer.json()["detail"] == (
        "Peer 'scope.trip' is a scope. Use the scopes routes to manage scopes."
    )
    answer = api.put(f"{at}/peers/scope.none", json={})
    prefix = "Peer name(s) ['scope.none'] use the reserved scope prefix 'scope.'."
    assert answer.json()["detail"].startswith(prefix)
    answer = api.post(f"{at}/peers/scope.trip/chat", json={"query": "?"})
    assert (
        "No representation is formed of a scope, so a scope cannot be a chat observer"
        " or target."
    ) in answer.json()["detail"]
    answer = api.post(f"{at}/peers/scope.none/representation", json={})
    assert answer.json()["detail"].startswith(
        "Peer name(s) ['scope.none'] are in the reserved scope namespace and do not"
        " exist, so they may become scopes later. "
    )


def test_x129_a_scope_excludes_other_ways_to_narrow(api, at, make, workspace):
    make("trip", "s")
    filters = {"session_id": ["s"]}
    for path in ("representation", "chat"):

        def ask(path=path, **options):
            body = {"query": "?", **options} if path == "chat" else options
            return api.post(f"{at}/peers/alice/{path}", json=body)

        for scope in ("trip", ["trip"]):
            answer = ask(scope=scope, filters=filters)
            assert (answer.status_code, answer.json()["detail"]) == (
                422,
                "`scope` and `filters` are mutually exclusive",
            )
            answer = ask(scope=scope, session_id="s")
            assert (answer.status_code, answer.json()["detail"]) == (
                422,
                "`scope` and `session_id` are mutually exclusive",
            )
        for scope in ("none", ["trip", "none"]):
            answer = ask(scope=scope)
            assert (answer.status_code, answer.json()["detail"]) == (
                404,
                f"Scope none not found in workspace {workspace}",
            )
        for scope in ([], ["trip"] * 101, "my trip", ["scope.trip"], "", [5]):
            assert ask(scope=scope).status_code == 422


def test_x129_a_context_s_scope_excludes_them_too(api, at, make, workspace):
    make("trip", "s")

    def refused(status, **query):
        answer = api.get(f"{at}/sessions/s/context", params=query)
        assert answer.status_code == status, answer.text
        return answer.json()["detail"]

    with_target = {"peer_target": "alice", "scope": "trip"}
    assert refused(422, **with_target, peer_perspective="alice") == (
        "`scope` and `peer_perspective` are mutually exclusive"
    )
    assert refused(422, scope="trip") == (
        "peer_target must be provided if scope is provided"
    )
    assert refused(422, **with_target, sessions="s") == (
        "`sessions` and `scope` are mutually exclusive"
    )
    assert refused(422, peer_target="alice", sessions="s", limit_to_session=True) == (
        "`sessions` and `limit_to_session` are mutually exclusive"
    )
    assert refused(422, sessions="s") == (
        "peer_target must be provided if sessions is provided"
    )
    assert refused(422, peer_target="alice", sessions="other") == (
        "session_id must be included in sessions"
    )
    assert refused(404, peer_target="alice", scope="none") == (
        f"Scope none not found in workspace {workspace}"
    )


def test_x130_one_scope_is_another_observer(api, at, make):
    make("trip", "s")
    tell(api, at, "alice", "alice keeps bees")
    tell(api, at, "scope.trip", "alice likes trains")
    api.put(
        f"{at}/peers/scope.trip/card",
        params={"target": "alice"},
        json={"peer_card": ["traveller"]},
    )
    api.put(f"{at}/peers/alice/card", json={"peer_card": ["bee keeper"]})
    text = represented(api, at, scope="trip")
    assert "trains" in text
    assert "bees" not in text
    query = {"peer_target": "alice", "scope": "trip"}
    context = api.get(f"{at}/sessions/s/context", params=query).json()
    assert "trains" in context["peer_representation"]
    assert "bees" not in context["peer_representation"]
    assert context["peer_card"] == ["traveller"]


def test_x130_a_list_of_scopes_joins_their_sessions(api, at, make):
    make("trip", "s")
    make("home", "t")
    make("empty")
    api.post(f"{at}/sessions", json={"id": "u"})
    for session, content in (("s", "trains"), ("t", "bees"), ("u", "chess")):
        tell(api, at, "alice", f"alice likes {content}", session)
    tell(api, at, "alice", "alice likes salt")

    def liked(*scopes):
        text = represented(api, at, scope=list(scopes))
        return set(re.findall(r"alice likes (\w+)", text))

    assert liked("trip") == {"trains"}
    assert liked("trip", "home", "empty", "trip") == {"trains", "bees"}
    assert liked("empty") == set()
    assert represented(api, at, scope="empty") == ""
    assert represented(api, at, scope=["empty"]) == ""


def test_a_session_brings_its_conclusions_and_takes_them_away(api, at, make):
    make("trip", "s", "t", held=False)
    assert api.get(f"{at}/scopes/trip/status").json() == {"backfill_status": {}}
    said = {"messages": [{"peer_id": "alice", "content": ""}]}
    api.post(f"{at}/sessions/s/messages", json=said)
    tell(api, at, "alice", "likes trains", "s")
    tell(api, at, "alice", "likes bees")
    tell(api, at, "scope.trip", "likes salt")
    tell(api, at, "scope.trip", "likes chess", "s")
    add(api, at, "trip", "s", "t")
    assert held(api, at, "scope.trip") == ["likes chess", "likes salt", "likes trains"]
    status = api.get(f"{at}/scopes/trip/status").json()["backfill_status"]
    assert list(status) == ["s"]
    assert set(status["s"]) == {"state", "updated_at", "docs_copied"}
    assert (status["s"]["state"], status["s"]["docs_copied"]) == ("completed", 1)
    assert status["s"]["updated_at"].endswith("+00:00")
    assert datetime.fromisoformat(status["s"]["updated_at"])
    api.delete(f"{at}/scopes/trip/sessions/s")
    assert held(api, at, "scope.trip") == ["likes salt"]
    assert held(api, at, "alice") == ["likes bees", "likes trains"]
    add(api, at, "trip", "s")
    assert held(api, at, "scope.trip") == ["likes chess", "likes salt", "likes trains"]


def test_what_is_derived_from_a_session_is_held_by_its_scopes(api, at, make):
    make("trip", "s")
    said = {"messages": [{"peer_id": "alice", "content": "I love painting with oils."}]}
    api.post(f"{at}/sessions/s/messages", json=said)

    def known(observer):
        found = held(api, at, observer)
        return found == held(api, at, "alice") and found

    assert "paint" in str(until(lambda: known("scope.trip")))
    assert "paint" in represented(api, at, scope="trip")
    api.delete(f"{at}/scopes/trip/sessions/s")
    assert held(api, at, "scope.trip") == []


def test_a_deleted_session_is_in_no_scope(api, at, make):
    make("trip", "s", "t")
    api.delete(f"{at}/sessions/s")
    assert sessions_in(api, at, "trip") == ["t"]
    assert api.delete(f"{at}/scopes/trip/sessions/s").status_code == 404


def test_x131_a_narrow_key_reads_through_no_scope(guarded, at, workspace, bearer):
    wide = bearer(w=workspace)
    opened = {"id": "s", "peers": {"alice": {}}, "scopes": ["trip"]}
    guarded.post(f"{at}/sessions", json=opened, headers=wide)
    asked = (
        ("POST", "peers/alice/representation", {"scope": "trip"}, {}),
        ("POST", "peers/alice/chat", {"query": "?", "scope": ["trip"]}, {}),
        (
            "GET",
            "sessions/s/context",
            None,
            {"peer_target": "alice", "scope": "trip"},
        ),
    )
    for method, path, body, query in asked:

        def ask(key, method=method, path=path, body=body, query=query):
            return guarded.request(
                method, f"{at}/{path}", json=body, params=query, headers=key
            )

        assert ask(wide).status_code == 200, path
        narrow = bearer(w=workspace, p="alice")
        if method == "GET":
            assert ask(bearer(w=workspace, s="s")).status_code == 401
        answer = ask(narrow)
        assert answer.status_code == 401
        assert answer.json() == {
            "detail": "`scope` requires a workspace- or admin-level key"
        }
    for path in ("scopes/trip", "scopes/trip/status"):
        assert guarded.get(f"{at}/{path}", headers=narrow).status_code == 401
        assert guarded.get(f"{at}/{path}", headers=wide).status_code == 200


def test_x132_a_workspace_is_searched_within_a_scope(api, at, make, workspace):
    make("trip", "s")
    make("empty")
    api.post(f"{at}/sessions", json={"id": "t"})
    for session in ("s", "t"):
        said = {"messages": [{"peer_id": "alice", "content": f"trains in {session}"}]}
        api.post(f"{at}/sessions/{session}/messages", json=said)

    def found(**options):
        answer = api.post(f"{at}/search", json={"query": "trains", **options})
        assert answer.status_code == 200, answer.text
        return {each["session_id"] for each in answer.json()}

    assert found() == {"s", "t"}
    assert found(scope="trip") == {"s"}
    assert found(scope="empty") == set()
    api.delete(f"{at}/scopes/trip/sessions/s")
    assert found(scope="trip") == set()
    body = {"query": "x", "scope": "trip", "filters": {"session_id": "s"}}
    answer = api.post(f"{at}/search", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "`scope` and a 'session_id' filter are mutually exclusive",
    )
    answer = api.post(f"{at}/search", json={"query": "x", "scope": "none"})
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        f"Scope none not found in workspace {workspace}",
    )
    for wrong in ("scope.trip", "a b", ""):
        answer = api.post(f"{at}/search", json={"query": "x", "scope": wrong})
        assert answer.status_code == 422


def test_x133_a_dream_about_a_name_that_may_become_a_scope_is_422(api, at):
    api.post(f"{at}/peers", json={"id": "alice"})
    before = api.get(f"{at}/queue/status").json()
    body = {"observer": "alice", "observed": "scope.later", "dream_type": "omni"}
    answer = api.post(f"{at}/schedule_dream", json=body)
    assert answer.status_code == 422
    assert "may become scopes later" in answer.json()["detail"]
    assert api.get(f"{at}/queue/status").json() == before
