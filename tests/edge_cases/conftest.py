"""Two real servers for the edge cases of HC 8: one open, one behind keys.

Each test has a workspace of its own. ``api`` and ``guarded`` are plain HTTP clients,
so that what is asserted is what any client sees.
"""

import secrets

import httpx
import jwt
import pytest

from tests.support.server import running
from tests.support.stopped import rebuilt_equals_live

JWT_SECRET = "a secret of the tests, long enough for HS256"  # noqa: S105  of the tests
WEBHOOK_SECRET = "a secret of the tests for webhooks"  # noqa: S105  of the tests


@pytest.fixture(scope="session")
def edge_server(tmp_path_factory):
    """An open server; after the last test, rebuilt views equal live ones."""
    data = tmp_path_factory.mktemp("edges") / "data"
    with running(data, {"WEBHOOK_SECRET": WEBHOOK_SECRET}) as server:
        yield server
        assert server.stop() == 0
    rebuilt_equals_live(data)


@pytest.fixture(scope="session")
def guarded_server(tmp_path_factory):
    """A server that wants a key for everything under /v3 (HC 4)."""
    data = tmp_path_factory.mktemp("guarded") / "data"
    wanted = {"AUTH_USE_AUTH": "true", "AUTH_JWT_SECRET": JWT_SECRET}
    with running(data, wanted) as server:
        yield server
        assert server.stop() == 0


@pytest.fixture(scope="session")
def api(edge_server):
    with httpx.Client(base_url=edge_server.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def guarded(guarded_server):
    """A client without a key; give it ``headers=bearer(w=..., p=..., s=...)``."""
    with httpx.Client(base_url=guarded_server.url, timeout=30) as client:
        yield client


@pytest.fixture
def workspace():
    """A name no other test uses; nothing is created."""
    return f"w-{secrets.token_hex(6)}"


@pytest.fixture
def at(workspace):
    """The path of the test's workspace."""
    return f"/v3/workspaces/{workspace}"


@pytest.fixture(scope="session")
def bearer():
    """Headers with a key of these claims (HC 4.2); ``ad=True`` is the admin's."""

    def headers(**claims):
        token = jwt.encode({"t": "", **claims}, JWT_SECRET, algorithm="HS256")
        return {"Authorization": f"Bearer {token}"}

    return headers
