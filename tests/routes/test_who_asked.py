"""Events say who asked, never with which key; a gate stands before every handler."""

from datetime import UTC, datetime

import jwt
import pytest
from httpx import ASGITransport, AsyncClient
from litestar import Response, get
from litestar.params import FromPath

from commands.decide import Decide
from commands.routes.peers import post_peer
from commands.routes.workspaces import post_workspace
from commands.write import Write
from infra.auth.keyring import Keyring
from infra.http.app import AppSettings, create_app
from infra.http.gate import Gate
from tests.support.application import CountedIds, SteppingClock, WaitedFor, WordCounter

SECRET = "a secret of the tests, long enough for HS256"  # noqa: S105  of the tests


def bearer(**claims):
    token = jwt.encode({"t": "", **claims}, SECRET, algorithm="HS256")
    return {"Authorization": f"Bearer {token}"}


async def nobody_is_a_member(_workspace, _peer, _sessions):
    return False


@get("/v3/workspaces/{workspace:str}/unheard-of", sync_to_thread=False)
def unheard_of(workspace: FromPath[str]) -> Response[str]:
    return Response(workspace)


@pytest.fixture
async def guarded(log):
    """A client of some doors behind a gate, over a real log."""
    tokens = WordCounter()
    write = Write(
        Decide(log.store),
        store=log.store,
        views=WaitedFor(),
        clock=SteppingClock(),
        new_id=CountedIds(),
        tokens=tokens,
    )
    gate = Gate(Keyring(SECRET), nobody_is_a_member, lambda: datetime.now(UTC))
    app = create_app(
        [post_workspace, post_peer, unheard_of],
        {"write": write},
        AppSettings(is_ready=lambda: True, count_tokens=tokens.count, gate=gate),
    )
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://p.test") as client:
        yield client


@pytest.mark.parametrize(
    ("claims", "actor"),
    [
        ({"ad": True}, "admin"),
        ({"w": "w"}, "workspace:w"),
        ({"w": "w", "p": "alice"}, "peer:alice"),
        ({"w": "w", "s": "s"}, "session:s"),
        ({"w": "w", "p": "alice", "s": "s"}, "session:s"),
        ({"w": "w", "s": "a\x00b"}, "session:ab"),
    ],
)
async def test_events_say_who_asked(guarded, log, claims, actor):
    made = await guarded.post(
        "/v3/workspaces/w/peers", json={"id": "alice"}, headers=bearer(**claims)
    )
    assert made.status_code == 201
    recorded = await log.store.read_log(after=0, limit=10)
    assert {each.cause.actor for each in recorded} == {actor}


async def test_without_keys_everybody_is_a_client(app):
    await app.post("/w/peers", {"id": "alice"}, authorization="Bearer nonsense")
    recorded = await app.store.read_log(after=0, limit=10)
    assert {each.cause.actor for each in recorded} == {"client"}


async def test_a_refused_request_records_nothing(guarded, log):
    for headers in ({}, bearer(), bearer(w="other"), bearer(w="w", p="bob")):
        refused = await guarded.post(
            "/v3/workspaces/w/peers", json={"id": "alice"}, headers=headers
        )
        assert refused.status_code == 401
    assert await log.store.head() == 0


async def test_a_route_without_an_entry_is_for_admins(guarded):
    path = "/v3/workspaces/w/unheard-of"
    refused = await guarded.get(path, headers=bearer(w="w"))
    assert refused.json() == {"detail": "Resource requires admin privileges"}
    assert (await guarded.get(path, headers=bearer(ad=True))).status_code == 200


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/docs"])
async def test_what_is_about_the_server_is_open(guarded, path):
    assert (await guarded.get(path)).status_code == 200


async def test_a_browser_asks_beforehand_without_a_key(guarded):
    asked = await guarded.options(
        "/v3/workspaces/w/peers",
        headers={
            "Origin": "http://localhost",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,x-honcho-host",
        },
    )
    assert asked.status_code in {200, 204}


async def test_a_body_without_a_key_is_told_its_syntax_alone(guarded):
    json = {"content-type": "application/json"}
    path = "/v3/workspaces/w/peers"
    for broken in (b"{", b"\xff", b'{"id": NaN}', b"[" * 50_000):
        told = await guarded.post(path, content=broken, headers=json)
        assert told.status_code == 422
        assert told.json()["detail"][0]["type"] == "json_invalid"
    for fine in (b"", b"null", b'{"id": 5}'):
        refused = await guarded.post(path, content=fine, headers=json)
        assert refused.status_code == 401
    plain = {"content-type": "text/plain"}
    assert (await guarded.post(path, content=b"{", headers=plain)).status_code == 401
