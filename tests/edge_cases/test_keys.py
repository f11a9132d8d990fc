"""HC 8.1 and 8.9: keys, who may make them, and what is refused how."""

import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from tests.support.servers import JWT_SECRET

NO_IDS = "At least one of workspace_id, peer_id, or session_id must be provided"
NO_WORKSPACE = "workspace_id is required when scoping a key to a peer or session"
NOT_PERMISSIONED = "JWT not permissioned for this resource"
NOT_YOURS = "Unauthorized access to resource"


@pytest.fixture
def make_key(guarded, bearer):
    def make(**query):
        made = guarded.post("/v3/keys", params=query, headers=bearer(ad=True))
        assert made.status_code == 200, made.text
        assert made.json().keys() == {"key"}
        assert int(made.headers["x-position"]) >= 0
        return {"Authorization": f"Bearer {made.json()['key']}"}

    return make


def detail(response):
    assert response.status_code == 401, response.text
    assert "www-authenticate" not in response.headers
    return response.json()["detail"]


def test_x14_every_refusal_is_a_401(guarded, at, workspace, bearer):
    listing = f"{at}/peers/list"
    basic = {"Authorization": "Basic YTpi"}
    lone = bearer(p="p")
    assert detail(guarded.post(listing)) == "No access token provided"
    assert detail(guarded.post(listing, headers=basic)) == "No access token provided"
    for bare in ("Bearer", "bearer"):
        empty = {"Authorization": bare}
        assert detail(guarded.post(listing, headers=empty)).startswith("No access")
    bad = {"Authorization": "Bearer x.y.z"}
    assert detail(guarded.post(listing, headers=bad)) == "Invalid JWT"
    assert detail(guarded.post(listing, headers=lone)) == (
        "Invalid JWT scope: peer/session token missing workspace"
    )
    foreign = bearer(w="another")
    assert detail(guarded.post(listing, headers=foreign)) == NOT_PERMISSIONED
    everything = "/v3/workspaces/list"
    key = bearer(w=workspace)
    for headers in (key, bearer()):
        assert detail(guarded.post(everything, headers=headers)) == (
            "Resource requires admin privileges"
        )


def test_the_schemes_name_may_be_of_any_case(guarded, at, bearer):
    token = bearer(ad=True)["Authorization"].split()[1]
    for scheme in ("bearer", "BEARER", "Bearer"):
        key = {"Authorization": f"{scheme} {token}"}
        assert guarded.post(f"{at}/peers/list", headers=key).status_code == 200


def test_x140_keys_are_for_admins_and_name_something(guarded, workspace, bearer):
    asked = guarded.post("/v3/keys", headers=bearer(ad=True))
    assert asked.status_code == 422
    assert asked.json() == {"detail": NO_IDS}
    for key in ({}, bearer(), bearer(w=workspace), bearer(w=workspace, p="p")):
        assert guarded.post("/v3/keys", headers=key).status_code == 401
    query = {"workspace_id": workspace, "colour": "blue"}
    made = guarded.post("/v3/keys", params=query, headers=bearer(ad=True))
    assert made.status_code == 200


@pytest.mark.parametrize(
    "query",
    [{"peer_id": "p"}, {"session_id": "s"}, {"peer_id": "p", "session_id": "s"}],
)
def test_a_narrow_key_names_its_workspace(guarded, bearer, query):
    asked = guarded.post("/v3/keys", params=query, headers=bearer(ad=True))
    assert asked.status_code == 422
    assert asked.json() == {"detail": NO_WORKSPACE}
    empty = guarded.post(
        "/v3/keys", params=query | {"workspace_id": ""}, headers=bearer(ad=True)
    )
    assert empty.json() == {"detail": NO_WORKSPACE}


def test_x141_an_expiry_alone_names_nothing_and_may_be_a_date(
    guarded, at, workspace, bearer, make_key
):
    day = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    alone = guarded.post(
        "/v3/keys", params={"expires_at": day}, headers=bearer(ad=True)
    )
    assert alone.status_code == 422
    assert alone.json() == {"detail": NO_IDS}
    key = make_key(workspace_id=workspace, expires_at=day)
    assert guarded.post(f"{at}/peers/list", headers=key).status_code == 200


@pytest.mark.parametrize("form", ["zulu", "offset", "naive", "seconds"])
def test_an_expiring_key_opens_until_it_expires(guarded, at, workspace, make_key, form):
    moment = datetime.now(UTC) + timedelta(hours=1)

    def said(at_):
        return {
            "zulu": at_.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "offset": at_.isoformat(),
            "naive": at_.replace(tzinfo=None).isoformat(),
            "seconds": str(int(at_.timestamp())),
        }[form]

    key = make_key(workspace_id=workspace, expires_at=said(moment))
    assert guarded.post(f"{at}/peers/list", headers=key).status_code == 200
    past = make_key(workspace_id=workspace, expires_at=said(moment - timedelta(days=1)))
    assert detail(guarded.post(f"{at}/peers/list", headers=past)) == "JWT expired"


def test_an_expiry_that_is_none_is_a_validation_item(guarded, bearer):
    query = {"workspace_id": "w", "expires_at": "soon"}
    asked = guarded.post("/v3/keys", params=query, headers=bearer(ad=True))
    assert asked.status_code == 422
    [item] = asked.json()["detail"]
    assert item["loc"] == ["query", "expires_at"]


def test_a_made_key_says_what_it_covers_and_no_more(workspace, make_key):
    key = make_key(workspace_id=workspace, peer_id="p", session_id="")
    token = key["Authorization"].split()[1]
    payload = jwt.decode(token, JWT_SECRET, algorithms=["HS256"])
    assert payload.keys() == {"t", "w", "p"}
    assert (payload["w"], payload["p"]) == (workspace, "p")
    assert datetime.strptime(payload["t"], "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007  a form


def test_two_keys_for_the_same_are_both_good(guarded, at, workspace, make_key):
    for _ in range(2):
        key = make_key(workspace_id=workspace)
        assert guarded.get(f"{at}/queue/status", headers=key).status_code == 200


def test_without_auth_there_are_no_keys_and_any_header_is_ignored(api, at):
    for query in ({}, {"workspace_id": "w"}, {"expires_at": "soon"}):
        asked = api.post("/v3/keys", params=query)
        assert asked.status_code == 405
        assert asked.json() == {"detail": "Feature is disabled"}
    for nonsense in ("Bearer nonsense", "x", "Bearer " + "x" * 4_000):
        listed = api.post("/v3/workspaces/list", headers={"Authorization": nonsense})
        assert listed.status_code == 200
    assert api.post(f"{at}/peers", json={"id": "p"}).status_code == 201


def test_routing_then_syntax_then_the_key_then_the_schema(guarded, at, bearer):
    broken = {"content": b"{", "headers": {"content-type": "application/json"}}
    assert guarded.get("/v3/nowhere").status_code == 404
    assert guarded.patch(at).status_code == 405
    assert guarded.post(f"{at}/peers/list/", follow_redirects=False).status_code == 307
    syntax = guarded.post(f"{at}/peers", **broken)
    assert syntax.status_code == 422
    assert syntax.json()["detail"][0]["type"] == "json_invalid"
    wrong = guarded.post(f"{at}/peers", json={"id": 5})
    assert detail(wrong) == "No access token provided"
    listed = guarded.post(f"{at}/sessions/list", params={"page": 0})
    assert detail(listed) == "No access token provided"
    key = bearer(w="another")
    assert guarded.post(f"{at}/peers", json={"id": 5}, headers=key).status_code == 422
    refused = guarded.post(f"{at}/conclusions", json={"conclusions": 5}, headers=key)
    assert detail(refused) == NOT_PERMISSIONED


def test_who_makes_names_what_its_key_names(guarded, workspace, at, bearer):
    def post(path, body, **claims):
        return guarded.post(path, json=body, headers=bearer(**claims))

    top = "/v3/workspaces"
    assert detail(post(top, {"id": workspace}, w="another")) == NOT_YOURS
    assert detail(post(top, {"id": workspace})) == NOT_YOURS
    assert post(top, {"id": workspace}, w=workspace, p="p").status_code == 201
    assert post(top, {"name": workspace}, w=workspace, s="s").status_code == 200
    peers, sessions = f"{at}/peers", f"{at}/sessions"
    assert detail(post(peers, {"id": "p"}, w="another", p="p")) == NOT_YOURS
    assert detail(post(peers, {"id": "q"}, w=workspace, p="p")) == NOT_YOURS
    assert detail(post(peers, {"id": "q"}, w=workspace, p="p", s="s")) == NOT_YOURS
    assert post(peers, {"id": "p"}, w=workspace, p="p").status_code == 201
    assert post(peers, {"id": "any"}, w=workspace, s="s").status_code == 201
    assert detail(post(sessions, {"id": "t"}, w=workspace, s="s")) == NOT_YOURS
    assert detail(post(sessions, {"id": "s"}, w="another", s="s")) == NOT_YOURS
    assert post(sessions, {"id": "s"}, w=workspace, s="s").status_code == 201
    assert post(sessions, {"id": "any"}, w=workspace, p="p").status_code == 201
    for path in (peers, sessions):
        assert detail(post(path, {"id": "x"})) == NOT_YOURS


@pytest.mark.parametrize("narrow", [{"p": "p"}, {"s": "s"}, {"p": "p", "s": "s"}])
def test_scopes_of_a_session_want_the_workspaces_key(
    guarded, at, workspace, bearer, narrow
):
    body = {"id": "s", "scopes": ["sc"]}
    key = bearer(w=workspace, **narrow)
    asked = guarded.post(f"{at}/sessions", json=body, headers=key)
    assert detail(asked) == "Scope membership requires a workspace-level key"
    wide = bearer(w=workspace)
    listed = guarded.post(f"{at}/sessions/list", headers=wide)
    assert listed.json()["total"] == 0


def test_a_request_is_let_in_by_the_clock_of_the_server(guarded, at, workspace, bearer):
    late = bearer(w=workspace, exp=time.time() - 1)
    soon = bearer(w=workspace, exp=time.time() + 600)
    assert detail(guarded.post(f"{at}/peers/list", headers=late)) == "JWT expired"
    assert guarded.post(f"{at}/peers/list", headers=soon).status_code == 200
